// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the catalogue of a kernel's events from whatever has it. See catalogue.h.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "catalogue.h"
#include "filter.h"
#include "kerrorctl.h"

#define LIVE		"/sys/kernel/debug/printk/index"
#define INDEX_HEAD	"# <level/flags> "
#define OWN_HEAD	"# kerrorctl formats"
#define OLD_HEAD	"# kerrorctl catalog"

static const char *const level_names[] = {
	[-LEVEL_DEFAULT] = "default", [-LEVEL_CONTINUES] = "continues",
	[-LEVEL_UNKNOWN] = "-",
};

const char *catalogue_level_name(int level)
{
	return level < 0 ? level_names[-level] : kerror_severity_name(level);
}

const char *catalogue_raiser_name(enum raiser raiser)
{
	static const char *const names[RAISERS] = { "-", "printk", "evlog", "string" };

	return names[raiser];
}

static const char *copy(const char *text)
{
	return must_have(strdup(text));
}

/*
 * How many bytes are a level that is an argument of the message, and none of the event:
 * "\001%d", or "<%d>" before Linux 3.6, or 0.
 */
static size_t level_conversion(const char *format)
{
	bool angle = *format == '<';

	if ((*format != '\1' && !angle) || format[1] != '%' ||
	    (format[2] != 'd' && format[2] != 'c') || (angle && format[3] != '>'))
		return 0;
	return 3 + angle;
}

const char *catalogue_take_level(const char *format, int *level)
{
	/* "\0013" since Linux 3.6, "<3>" before */
	for (;;) {
		bool old = *format == '<' && format[1] && format[2] == '>';
		char letter = *format == '\1' || old ? format[1] : 0;

		if (level_conversion(format)) {
			*level = LEVEL_UNKNOWN;
			return format + level_conversion(format);
		}
		if (letter >= '0' && letter <= '7') {
			if (*level < 0)
				*level = letter - '0';
		} else if (letter == 'c') {
			*level = LEVEL_CONTINUES;
		} else if (letter != 'd') {
			return format;
		}
		format += old ? 3 : 2;
	}
}

/* Adds a copy of an entry; its id is found out. */
static void append(struct catalogue *catalogue, const struct catalogue_entry *entry)
{
	struct catalogue_entry *to;

	if (catalogue->size == catalogue->room) {
		catalogue->room = catalogue->room ? 2 * catalogue->room : 1024;
		catalogue->entries =
			must_have(reallocarray(catalogue->entries, catalogue->room,
					       sizeof(*catalogue->entries)));
	}
	to = &catalogue->entries[catalogue->size++];
	*to = *entry;
	to->facility = copy(entry->facility);
	to->file = copy(entry->file);
	to->function = copy(entry->function);
	to->format = copy(entry->format);
	to->id = crc32(0, (const Bytef *)to->format, strlen(to->format));
}

void catalogue_add(struct catalogue *catalogue, const struct catalogue_entry *entry,
		   const char *prefix)
{
	struct catalogue_entry bare = *entry;
	size_t length;
	char *format;

	if (asprintf(&format, "%s%s", prefix,
		     catalogue_take_level(entry->format, &bare.level)) < 0)
		must_have(NULL);
	length = strlen(format);
	if (length && format[length - 1] == '\n')
		format[length - 1] = '\0';
	bare.format = format;
	append(catalogue, &bare);
	free(format);
}

/* Whether no term of the filter asks for another facility: what is cheap comes first. */
static bool facility_fits(const struct kerror_filter *filter, const char *facility)
{
	const struct node *root = &filter->nodes[filter->root];

	for (int i = root->type == ALL ? root->first : -1; i >= 0; i = filter->nodes[i].next) {
		const struct node *node = &filter->nodes[i];

		if (node->type == TERM && !node->negated &&
		    !strcmp(node->term.field->name, "facility") &&
		    !filter_accepts(&node->term, facility, strlen(facility)))
			return false;
	}
	return true;
}

static bool can_match(const struct filter_kind *kind, const struct question *question)
{
	return (question->node ? filter_term_possible(question->node, kind) :
				 filter_possible(question->filter, kind)) != NEVER;
}

/* Instead of LIKELY, of a format of which the beginning is not known */
#define LIKELY_PREFIXED	40

/* Whether a string can match with these around it */
static bool framed_can_match(struct filter_kind kind, const struct question *question,
			     const char *before, int length, const char *behind)
{
	char *format;
	bool can;

	if (asprintf(&format, "%.*s%s%s", length, before, kind.format, behind) < 0)
		must_have(NULL);
	kind.format = format;
	kind.id = crc32(0, (const Bytef *)format, strlen(format));
	can = can_match(&kind, question);
	free(format);
	return can;
}

/* In a format of its module that prints another message by %pV, or in one of the kernel */
static bool frame_can_match(const struct filter_kind *kind, const struct question *question,
			    bool of_kernel)
{
	const struct catalogue *catalogue = question->catalogue;

	for (size_t i = 0; catalogue && i < catalogue->frame_count; i++) {
		const struct catalogue_entry *frame = catalogue->frames[i];
		const char *at = strstr(frame->format, "%pV");

		if ((!strcmp(frame->facility, kind->facility) ||
		     (of_kernel && !strcmp(frame->facility, "kernel"))) &&
		    framed_can_match(*kind, question, frame->format, at - frame->format, at + 3))
			return true;
	}
	return false;
}

/* As what a string may be part of: dev_err(), netdev_err(), and others with a prefix */
static bool string_can_match(struct filter_kind *kind, const struct question *question)
{
	static const char *const prefixes[] = {
		"%s", "%s %s: ", "%s %s %s%s: ", "%s%s%s: ", ""
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		kind->prefixed = !i;
		kind->likely = i ? LIKELY : LIKELY_PREFIXED;
		if (framed_can_match(*kind, question, prefixes[i], INT_MAX, ""))
			return true;
	}
	return frame_can_match(kind, question, true);
}

bool catalogue_can_match(const struct catalogue_entry *entry,
			 const struct question *question)
{
	struct filter_kind printk = {
		.id = entry->id, .format = entry->format, .facility = entry->facility,
		.severity = entry->level, .kind = EVL_FORMAT_PRINTF,
		.flags = EVL_FLAG_PRINTK, .known = EVL_FLAG_PRINTK,
		.likely = LIKELY, .own = !question->strict,
	}, evlog = printk;

	evlog.facility = question->facility;
	evlog.flags = 0;
	if (!question->node && entry->by != BY_EVLOG && entry->by != BY_UNKNOWN &&
	    !facility_fits(question->filter, entry->facility))
		return false;
	if (entry->by == BY_STRING)
		return string_can_match(&printk, question);
	/* Without an index, a format with a level may be one that a module's frame prints. */
	if (entry->by == BY_PRINTK && !*entry->file && strcmp(entry->facility, "kernel") &&
	    frame_can_match(&printk, question, false))
		return true;
	return (entry->by != BY_EVLOG && can_match(&printk, question)) ||
	       (entry->by != BY_PRINTK && can_match(&evlog, question));
}

/* ---- Text ---- */

char *catalogue_place(const struct catalogue_entry *entry)
{
	char *place;

	if (asprintf(&place, *entry->file ? "%s:%u" : "%s", entry->file, entry->line) < 0)
		must_have(NULL);
	return place;
}

char *catalogue_escape(const char *format)
{
	static const char letters[] = "\nn\tt\rr\"\"\\\\";
	char *escaped = must_have(malloc(4 * strlen(format) + 1)), *to = escaped;

	for (; *format; format++) {
		const char *letter = strchr(letters, *format);

		if (letter && (letter - letters) % 2 == 0)
			to += sprintf(to, "\\%c", letter[1]);
		else if ((unsigned char)*format < ' ' || *format == 0x7f)
			to += sprintf(to, "\\%03o", (unsigned char)*format);
		else
			*to++ = *format;
	}
	*to = '\0';
	return escaped;
}

/* In place; as C has it, and \e */
static void unescape(char *text)
{
	static const char letters[] = "n\nt\tr\ra\ab\bf\fv\ve\033\"\"\\\\";
	char *to = text;

	while (*text) {
		const char *letter;

		if (*text != '\\' || !text[1]) {
			*to++ = *text++;
			continue;
		}
		text++;
		letter = strchr(letters, *text);
		if (*text >= '0' && *text <= '7') {
			int value = 0;

			for (int i = 0; i < 3 && *text >= '0' && *text <= '7'; i++)
				value = 8 * value + *text++ - '0';
			*to++ = value;
		} else if (*text == 'x' && strspn(text + 1, "0123456789abcdefABCDEF") >= 2) {
			char digits[3] = { text[1], text[2] };

			*to++ = strtoul(digits, NULL, 16);
			text += 3;
		} else {
			*to++ = letter && (letter - letters) % 2 == 0 ?
				letter[1] : *text;
			text++;
		}
	}
	*to = '\0';
}

/* <3> drivers/ata/x.c:12 function "format\n" */
static bool parse_index_line(struct catalogue *catalogue, char *text,
			     const char *facility)
{
	char *place = strstr(text, "> "), *quote, *function, *number, *end;
	struct catalogue_entry entry = {
		.level = LEVEL_DEFAULT, .facility = facility,
	};

	if (*text != '<' || !place)
		return false;
	if (text[1] == 'c' || !strncmp(text + 2, ",c>", 3))
		entry.level = LEVEL_CONTINUES;
	if (text[1] >= '0' && text[1] <= '7')
		entry.level = text[1] - '0';
	place += 2;
	quote = strstr(place, " \"");
	end = strrchr(place, '"');
	if (!quote || end == quote + 1)
		return false;
	*quote = *end = '\0';
	function = strrchr(place, ' ');
	if (!function)
		return false;
	*function++ = '\0';
	number = strrchr(place, ':');
	if (!number)
		return false;
	*number++ = '\0';
	unescape(quote + 2);
	entry.file = place;
	entry.line = strtoul(number, NULL, 10);
	entry.function = function;
	entry.format = quote + 2;
	catalogue_add(catalogue, &entry, "");
	return true;
}

bool catalogue_is_there(void)
{
	return !access(LIVE, R_OK);
}

/* Output of catalogue_print() */
static bool parse_own_line(struct catalogue *catalogue, char *text)
{
	enum { IN_ID, IN_LEVEL, IN_BY, IN_FACILITY, IN_PLACE, IN_FUNCTION, IN_FORMAT, FIELDS };
	struct catalogue_entry entry = { .level = LEVEL_UNKNOWN, .file = "" };
	char *fields[FIELDS], *number;

	for (int i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&text, "\t");
		if (!fields[i])
			return false;
	}
	for (int i = LEVEL_UNKNOWN; i < 8; i++)
		if (!strcmp(fields[IN_LEVEL], catalogue_level_name(i)))
			entry.level = i;
	for (enum raiser by = 0; by < RAISERS; by++)
		if (!strcmp(fields[IN_BY], catalogue_raiser_name(by)))
			entry.by = by;
	number = strrchr(fields[IN_PLACE], ':');
	if (number) {
		*number++ = '\0';
		entry.file = fields[IN_PLACE];
		entry.line = strtoul(number, NULL, 10);
	}
	unescape(fields[IN_FORMAT]);
	entry.facility = fields[IN_FACILITY];
	entry.function = fields[IN_FUNCTION];
	entry.format = fields[IN_FORMAT];
	append(catalogue, &entry);
	return true;
}

/* False if it is no text that is known here. */
static bool read_text(struct catalogue *catalogue, const char *path,
		      const char *facility)
{
	FILE *file = fopen(path, "re");
	unsigned int number = 1;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	bool own;

	if (!file)
		err(EXIT_FAILURE, "cannot read %s", path);
	length = getline(&line, &size, file);
	if (length < 0 && ferror(file))
		err(EXIT_FAILURE, "cannot read %s", path);
	own = length >= 0 && (!strncmp(line, OWN_HEAD, strlen(OWN_HEAD)) ||
			      !strncmp(line, OLD_HEAD, strlen(OLD_HEAD)));
	if (!own && (length < 0 || strncmp(line, INDEX_HEAD, strlen(INDEX_HEAD)))) {
		fclose(file);
		free(line);
		return false;
	}
	while ((length = getline(&line, &size, file)) >= 0) {
		number++;
		if (length && line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (!(own ? parse_own_line(catalogue, line) :
		      parse_index_line(catalogue, line, facility)))
			errx(EXIT_FAILURE,
			     "%s, line %u: not as %s prints it; make it anew",
			     path, number, own ? "kerrorctl formats" :
			     "the kernel's index");
	}
	free(line);
	fclose(file);
	return true;
}

/* ---- Where from ---- */

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool read_file(struct catalogue *catalogue, const char *path)
{
	const char *name = name_of(path);

	return catalogue_read_elf(catalogue, path) ||
	       read_text(catalogue, path, strcmp(name, "vmlinux") ? name : "kernel");
}

/* Modules may be compressed. */
static bool is_of_kernel(const char *name)
{
	static const char *const ends[] = { "", ".gz", ".xz", ".zst" };
	const char *end = strstr(name, ".ko");

	for (size_t i = 0; end && i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcmp(end + 3, ends[i]))
			return true;
	return !strcmp(name, "vmlinux") || !strncmp(name, "vmlinux-", 8) ||
	       !strncmp(name, "vmlinuz", 7);
}

/*
 * All files of a copy of the index, or vmlinux and the modules of a folder that
 * has these somewhere.
 */
static void read_folder(struct catalogue *catalogue, const char *path)
{
	char *const paths[] = { (char *)path, NULL };
	FTS *tree = must_have(fts_open(paths, FTS_LOGICAL | FTS_NOSTAT, NULL));
	unsigned int files = 0;
	FTSENT *item;

	while ((item = fts_read(tree))) {
		if (item->fts_info == FTS_DNR || item->fts_info == FTS_ERR)
			errx(EXIT_FAILURE, "cannot read %s: %s", item->fts_path,
			     strerror(item->fts_errno));
		if (item->fts_info != FTS_F && item->fts_info != FTS_NSOK)
			continue;
		if (is_of_kernel(item->fts_name))
			files += read_file(catalogue, item->fts_accpath);
		else if (item->fts_level == 1)
			files += read_text(catalogue, item->fts_accpath,
					   item->fts_name);
	}
	fts_close(tree);
	if (!files)
		errx(EXIT_FAILURE,
		     "%s: neither vmlinux nor modules nor a copy of " LIVE,
		     path);
}

static void read_live(struct catalogue *catalogue)
{
	if (!access(LIVE, R_OK | X_OK)) {
		read_folder(catalogue, LIVE);
		return;
	}
	if (errno == EACCES)
		errx(EXIT_FAILURE,
		     "only root may read " LIVE "; run this as root, or name a catalogue or vmlinux");
	if (access("/sys/kernel/debug/printk", F_OK) &&
	    access("/sys/kernel/debug/sched", F_OK) &&
	    access("/sys/kernel/debug/bdi", F_OK))
		errx(EXIT_FAILURE,
		     "there is no " LIVE "; try 'mount -t debugfs none /sys/kernel/debug', or name a catalogue or vmlinux");
	errx(EXIT_FAILURE,
	     "this kernel has no index (CONFIG_PRINTK_INDEX=y, since Linux 5.15); name a catalogue or vmlinux");
}

static int compare_entries(const void *left, const void *right)
{
	const struct catalogue_entry *a = left, *b = right;
	int order = a->id < b->id ? -1 : a->id > b->id;

	/* Of two formats with the same CRC each is kept. */
	order = order ? order : strcmp(a->format, b->format);
	order = order ? order : strcmp(a->facility, b->facility);
	order = order ? order : strcmp(a->file, b->file);
	order = order ? order : a->line < b->line ? -1 : a->line > b->line;
	order = order ? order : strcmp(a->function, b->function);
	order = order ? order : a->level - b->level;
	return order ? order : (int)a->by - (int)b->by;
}

static void find_frames(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->size; i++) {
		const struct catalogue_entry *entry = &catalogue->entries[i];

		if (!strstr(entry->format, "%pV"))
			continue;
		catalogue->frames = must_have(reallocarray(catalogue->frames,
							   catalogue->frame_count + 1,
							   sizeof(*catalogue->frames)));
		catalogue->frames[catalogue->frame_count++] = entry;
	}
}

void catalogue_read(struct catalogue *catalogue, const char *source)
{
	struct stat status;
	size_t from, to = 0;

	if (!source)
		read_live(catalogue);
	else if (stat(source, &status))
		err(EXIT_FAILURE, "cannot read %s", source);
	else if (S_ISDIR(status.st_mode))
		read_folder(catalogue, source);
	else if (!read_file(catalogue, source))
		errx(EXIT_FAILURE,
		     "%s: neither vmlinux nor a module, an index of the kernel's, or a catalogue; of a kernel that cannot be unpacked take its vmlinux",
		     source);
	if (!catalogue->size)
		errx(EXIT_FAILURE, "%s: no events in it; was CONFIG_PRINTK off?",
		     source ? source : LIVE);
	qsort(catalogue->entries, catalogue->size, sizeof(*catalogue->entries),
	      compare_entries);
	for (from = 0; from < catalogue->size; from++)
		if (!from || compare_entries(&catalogue->entries[to - 1],
					     &catalogue->entries[from]))
			catalogue->entries[to++] = catalogue->entries[from];
	catalogue->size = to;
	find_frames(catalogue);
}

const struct catalogue_entry *catalogue_find(const struct catalogue *catalogue,
					     uint32_t id)
{
	size_t low = 0, high = catalogue->size;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (catalogue->entries[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < catalogue->size && catalogue->entries[low].id == id ?
	       &catalogue->entries[low] : NULL;
}

const struct catalogue_entry *catalogue_next_id(const struct catalogue *catalogue,
						const struct catalogue_entry *entry)
{
	const struct catalogue_entry *end = catalogue->entries + catalogue->size;
	uint32_t id = entry->id;

	while (entry < end && entry->id == id)
		entry++;
	return entry;
}

const struct catalogue_entry *catalogue_find_string(const struct catalogue *catalogue,
						    const char *format)
{
	const struct catalogue_entry *end = catalogue->entries + catalogue->size, *entry;

	for (; *format; format++) {
		uint32_t id = crc32(0, (const Bytef *)format, strlen(format));

		entry = catalogue_find(catalogue, id);
		for (; entry && entry < end && entry->id == id; entry++)
			if (entry->by == BY_STRING)
				return entry;
	}
	return NULL;
}
