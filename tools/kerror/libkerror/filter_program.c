// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Compiles a filter to classic BPF, so that the kernel does not queue events
 * which do not match, and tells which parts of the filter that decides.
 *
 * The program is given a datagram: struct nlmsghdr, then the event. It passes
 * whatever it is not sure of: what is no event, replays and other datagrams of
 * several messages, and events for which a part may hold that it cannot look at.
 * It never loads from beyond the datagram, since that would drop it.
 *
 * It is made from its end to its beginning. So whatever is jumped to, which is
 * always later, is there already: a label is the number of instructions from
 * there to the end.
 *
 * BPF loads big-endian numbers; those of the event are the machine's. To see
 * whether they are equal, the constant is swapped instead; for more or less
 * they are put together from bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include "filter.h"

#define JUMP_MAX 255

#define EVENT(field) (NLMSG_HDRLEN + offsetof(struct evl_header, field))

struct compiler {
	struct kerror_filter *filter;
	struct sock_filter *program;	/* ends behind BPF_MAXINSNS */
	size_t count;			/* may be more than there is room for */
	bool has_header;		/* what is being made is for events that do */
};

static size_t emit(struct compiler *compiler, uint16_t code, uint32_t k)
{
	if (++compiler->count <= BPF_MAXINSNS)
		compiler->program[BPF_MAXINSNS - compiler->count] =
			(struct sock_filter) { .code = code, .k = k };
	return compiler->count;
}

/* A label that a conditional jump reaches, even with another of these before. */
static size_t reachable(struct compiler *compiler, size_t label)
{
	size_t distance = compiler->count - label;

	return distance < JUMP_MAX ? label :
	       emit(compiler, BPF_JMP | BPF_JA, distance);
}

static size_t emit_branch(struct compiler *compiler, uint16_t condition,
			  uint32_t k, size_t yes, size_t no)
{
	size_t label;

	if (yes == no)
		return yes;
	yes = reachable(compiler, yes);
	no = reachable(compiler, no);
	label = emit(compiler, BPF_JMP | condition | BPF_K, k);
	if (label <= BPF_MAXINSNS) {
		struct sock_filter *jump =
			&compiler->program[BPF_MAXINSNS - label];

		jump->jt = label - 1 - yes;
		jump->jf = label - 1 - no;
	}
	return label;
}

static uint16_t load_code(size_t size)
{
	return BPF_LD | BPF_ABS |
	       (size == 1 ? BPF_B : size == 2 ? BPF_H : BPF_W);
}

/* The branch on @size bytes at @offset as they are loaded. */
static size_t emit_test(struct compiler *compiler, size_t offset, size_t size,
			uint16_t condition, uint32_t k, size_t yes, size_t no)
{
	if (yes == no)
		return yes;
	emit_branch(compiler, condition, k, yes, no);
	return emit(compiler, load_code(size), offset);
}

/* A number of this machine as it is loaded. */
static uint32_t loaded(uint32_t number, size_t size)
{
	return size == 1 ? number : size == 2 ? ntohs(number) : ntohl(number);
}

static size_t emit_load_number(struct compiler *compiler, size_t offset,
			       size_t size)
{
	if (loaded(1, size) == 1)
		return emit(compiler, load_code(size), offset);
	for (; size > 1; size--, offset++) {
		emit(compiler, BPF_ALU | BPF_OR | BPF_X, 0);
		emit(compiler, load_code(1), offset);
		emit(compiler, BPF_MISC | BPF_TAX, 0);
		emit(compiler, BPF_ALU | BPF_LSH | BPF_K, 8);
	}
	return emit(compiler, load_code(1), offset);
}

/* ---- Terms ---- */

static size_t compile_number(struct compiler *compiler, const struct term *term,
			     unsigned int accepts, size_t yes, size_t no)
{
	size_t size = term->field->size;
	size_t offset = NLMSG_HDRLEN + term->field->offset;
	uint32_t most = size == 1 ? UINT8_MAX : UINT32_MAX;
	const struct number *literal = &term->number;
	uint16_t condition;

	if (literal->negative)
		return accepts & GREATER ? yes : no;
	if (literal->value > most)
		return no;
	if (accepts == EQUAL)
		return emit_test(compiler, offset, size, BPF_JEQ,
				 loaded(literal->value, size), yes, no);
	if (accepts == GREATER && literal->value == most)
		return no;
	if (accepts == (EQUAL | GREATER) && !literal->value)
		return yes;
	if (yes == no)
		return yes;
	condition = accepts == GREATER ? BPF_JGT : BPF_JGE;
	emit_branch(compiler, condition, literal->value, yes, no);
	return emit_load_number(compiler, offset, size);
}

/*
 * The bytes that a string must begin with, or be with its NUL; -1 if the term
 * is more complicated.
 */
static long fixed_size(const struct term *term)
{
	size_t size = 0;

	while (size < term->pattern_size && term->pattern[size] <= UINT8_MAX)
		size++;
	if (size == term->pattern_size ||
	    (size == term->pattern_size - 1 &&
	     term->pattern[size] == ANY_STRING))
		return size;
	return -1;
}

static size_t compile_string(struct compiler *compiler, const struct term *term,
			     size_t yes, size_t no)
{
	size_t offset = NLMSG_HDRLEN + term->field->offset;
	size_t size = fixed_size(term), at, step, i, entry;
	bool whole = size == term->pattern_size;

	for (i = 0; i < size; i++)
		if (!term->pattern[i])
			return no;
	if (size > term->field->size)
		return no;
	entry = yes;
	for (at = size + (whole && size < term->field->size); at; at -= step) {
		uint32_t k = 0;

		step = at % 2 ? 1 : at % 4 ? 2 : 4;
		for (i = at - step; i < at; i++)
			k = k << 8 | (i < size ? term->pattern[i] : 0);
		entry = emit_test(compiler, offset + at - step, step, BPF_JEQ,
				  k, entry, no);
	}
	return entry;
}

static size_t choose(const struct term *term, const char *name, size_t yes,
		     size_t no)
{
	return filter_accepts(term, name, strlen(name)) ? yes : no;
}

static size_t compile_context(struct compiler *compiler,
			      const struct term *term, size_t yes, size_t no)
{
	/* The last one is what is looked at first. */
	static const uint32_t flags[] = {
		EVL_FLAG_SOFTIRQ, EVL_FLAG_INTERRUPT, EVL_FLAG_NMI,
	};
	size_t entry = choose(term, kerror_context_name(0), yes, no), i;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		entry = emit_test(compiler, EVENT(flags), 4, BPF_JSET,
				  loaded(flags[i], 4),
				  choose(term, kerror_context_name(flags[i]),
					 yes, no), entry);
	return entry;
}

static size_t compile_kind(struct compiler *compiler, const struct term *term,
			   size_t yes, size_t no)
{
	size_t other = choose(term, kind_name(UINT8_MAX), yes, no);
	size_t entry = other, label;

	for (uint8_t format = 0; format <= EVL_FORMAT_PRINTF; format++) {
		label = choose(term, kind_name(format), yes, no);
		if (label != other)
			entry = emit_test(compiler, EVENT(format), 1, BPF_JEQ,
					  format, label, entry);
	}
	return entry;
}

static bool is_decidable(const struct term *term)
{
	return term->field->source <= KIND && !term->too_long &&
	       (term->field->source != HEADER_STRING || fixed_size(term) >= 0);
}

static size_t compile_term(struct compiler *compiler, const struct term *term,
			   size_t yes, size_t no)
{
	const struct field *field = term->field;
	unsigned int accepts = term->comparison->accepts;
	size_t other = yes;

	/* Instead of < <= != there is what these are not: >= > == */
	if (field->source <= HEADER_STRING && accepts & LESS) {
		yes = no;
		no = other;
		accepts ^= LESS | EQUAL | GREATER;
	}
	switch (field->source) {
	case HEADER_STRING:
		return compile_string(compiler, term, yes, no);
	case HEADER_FLAG:
		return emit_test(compiler, NLMSG_HDRLEN + field->offset,
				 field->size, BPF_JSET,
				 loaded(field->flag, field->size), yes, no);
	case CONTEXT:
		return compile_context(compiler, term, yes, no);
	case KIND:
		return compile_kind(compiler, term, yes, no);
	default:
		return compile_number(compiler, term, accepts, yes, no);
	}
}

/* ---- The tree ---- */

static size_t compile_node(struct compiler *compiler, int at, size_t yes,
			   size_t no)
{
	struct node *node = &compiler->filter->nodes[at];
	size_t start = compiler->count, entry;
	int part;

	if (node->undecided)
		return yes;
	if (node->type == TERM) {
		size_t holds = node->negated ? no : yes;
		size_t fails = node->negated ? yes : no;

		/* Without a header there is nothing that it could be about. */
		if (!compiler->has_header)
			return fails;
		entry = compile_term(compiler, &node->term, holds, fails);
		node->term.cost = compiler->count - start;
		return entry;
	}
	entry = node->type == ALL ? yes : no;
	for (part = node->last; part >= 0;
	     part = compiler->filter->nodes[part].previous) {
		entry = compile_node(compiler, part,
				     node->type == ALL ? entry : yes,
				     node->type == ALL ? no : entry);
		/* Where this leads in any case, nothing so far is in the way. */
		if (entry <= start)
			compiler->count = start;
	}
	return entry;
}

/* A list is undecided if the parts that the kernel can look at never tell. */
static bool find_undecided(struct kerror_filter *filter, int at)
{
	struct node *node = &filter->nodes[at];
	bool some = false, every = true;
	int part;

	if (node->type == TERM) {
		node->undecided = !is_decidable(&node->term);
		return node->undecided;
	}
	for (part = node->first; part >= 0; part = filter->nodes[part].next) {
		bool undecided = find_undecided(filter, part);

		some |= undecided;
		every &= undecided;
	}
	node->undecided = node->type == ALL ? every : some;
	return node->undecided;
}

/* Then none of its parts is looked at. */
static void spread_undecided(struct kerror_filter *filter, int at)
{
	const struct node *node = &filter->nodes[at];
	int part;

	for (part = node->first; part >= 0; part = filter->nodes[part].next) {
		filter->nodes[part].undecided |= node->undecided;
		spread_undecided(filter, part);
	}
}

/*
 * Makes the program into the end of the room for it. False if it would pass
 * everything; then there is none.
 */
static bool compile(struct compiler *compiler)
{
	int root = compiler->filter->root;
	size_t pass, drop, without, entry;

	compiler->count = 0;
	find_undecided(compiler->filter, root);
	spread_undecided(compiler->filter, root);
	drop = emit(compiler, BPF_RET | BPF_K, 0);
	pass = emit(compiler, BPF_RET | BPF_K, UINT32_MAX);
	compiler->has_header = false;
	without = compile_node(compiler, root, pass, drop);
	compiler->has_header = true;
	entry = compile_node(compiler, root, pass, drop);
	if (entry == pass && without == pass)
		return false;

	/* The conditions of a header: kerror_filter_matches() has the same. */
	if (entry != without) {
		emit_branch(compiler, BPF_JGE, EVL_HEADER_SIZE, entry, without);
		entry = emit_load_number(compiler, EVENT(header_size), 2);
		entry = emit_test(compiler, EVENT(magic), 2, BPF_JEQ,
				  loaded(EVL_MAGIC, 2), entry, without);
		emit_branch(compiler, BPF_JGE, NLMSG_HDRLEN + EVL_HEADER_SIZE,
			    entry, without);
		entry = emit(compiler, BPF_MISC | BPF_TXA, 0);
	}
	/* One message, up to the end of the datagram; X is its size. */
	emit_branch(compiler, BPF_JGT, NLMSG_ALIGNTO - 1, pass, entry);
	emit(compiler, BPF_ALU | BPF_SUB | BPF_X, 0);
	emit(compiler, BPF_LD | BPF_W | BPF_LEN, 0);
	entry = emit(compiler, BPF_MISC | BPF_TAX, 0);
	emit_branch(compiler, BPF_JGE, NLMSG_HDRLEN, entry, pass);
	entry = emit_load_number(compiler,
				 offsetof(struct nlmsghdr, nlmsg_len), 4);
	entry = emit_test(compiler, offsetof(struct nlmsghdr, nlmsg_flags), 2,
			  BPF_JSET, loaded(NLM_F_MULTI, 2), pass, entry);
	entry = emit_test(compiler, offsetof(struct nlmsghdr, nlmsg_type), 2,
			  BPF_JEQ, loaded(KERROR_MSG_EVENT, 2), entry, pass);
	emit_branch(compiler, BPF_JGE, NLMSG_HDRLEN, entry, pass);
	emit(compiler, BPF_LD | BPF_W | BPF_LEN, 0);
	return true;
}

/* Does without the term that costs most; the costs are of the last try. */
static void shorten(struct kerror_filter *filter)
{
	struct term *worst = NULL;
	size_t i;

	for (i = 0; i < filter->node_count; i++) {
		struct node *node = &filter->nodes[i];

		if (node->type == TERM && !node->undecided &&
		    (!worst || node->term.cost >= worst->cost))
			worst = &node->term;
	}
	worst->too_long = true;
}

int filter_compile(struct kerror_filter *filter)
{
	struct compiler compiler = { .filter = filter };
	size_t bytes;
	bool useful;

	compiler.program = malloc(BPF_MAXINSNS * sizeof(*compiler.program));
	if (!compiler.program)
		return -ENOMEM;
	while ((useful = compile(&compiler)) && compiler.count > BPF_MAXINSNS)
		shorten(filter);
	if (useful) {
		bytes = compiler.count * sizeof(*compiler.program);
		filter->program = malloc(bytes);
		if (filter->program)
			memcpy(filter->program, compiler.program +
			       BPF_MAXINSNS - compiler.count, bytes);
		filter->program_size = compiler.count;
	}
	free(compiler.program);
	return useful && !filter->program ? -ENOMEM : 0;
}

const struct sock_filter *
kerror_filter_program(const struct kerror_filter *filter, size_t *count)
{
	*count = filter->program_size;
	return filter->program;
}

/* ---- Explanation ---- */

size_t kerror_filter_explain(const struct kerror_filter *filter, char *buffer,
			     size_t size)
{
	struct text text = { .buffer = buffer, .size = size };
	char program[40] = "none, which passes everything";
	bool decides = true;
	size_t i;

	for (i = 0; i < filter->node_count; i++) {
		if (filter->nodes[i].type != TERM)
			continue;
		text_add_string(&text, filter->nodes[i].undecided ? "user space: " : "kernel: ");
		filter_add_term(&text, &filter->nodes[i]);
		text_add_string(&text, "\n");
		decides &= !filter->nodes[i].undecided;
	}
	if (filter->program)
		snprintf(program, sizeof(program), "%zu instructions",
			 filter->program_size);
	text_add_string(&text, "program: ");
	text_add_string(&text, program);
	text_add_string(&text, !decides ? "; user space looks at what it passes\n" :
		   "; what it passes matches\n");
	text_end(&text);
	return text.length;
}
