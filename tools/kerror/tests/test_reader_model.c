// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the reader against a model of the kernel that drops, overwrites, fails and
 * is busy at random, and holds it to the promise: each event at most once and in
 * order, and raised = received + lost; of a filtered socket, each event that the
 * filter lets through.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "reader_steps.h"

#define ROUNDS 3000

/* ---- Model of the kernel: what <linux/kerror.h> lets it do ---- */

#define HISTORY 48	/* messages in a group's history */
#define QUEUE 12	/* datagrams in the receive queue */

struct message {
	uint16_t type;
	uint32_t sequence;
	uint64_t number;	/* of the event, since boot */
	struct kerror_loss loss;
};

struct stream {
	struct message history[HISTORY];
	uint64_t head, tail;
	uint64_t numbered, raised;
	uint64_t total[KERROR_LOST_HISTORY], pending[KERROR_LOST_HISTORY];
	/* Messages that the reader under test has been given. */
	uint64_t given;		/* number of the event that comes next, or would */
	bool given_known;
	uint64_t known[KERROR_LOST_HISTORY];	/* last total that it told */
};

struct kernel {
	struct stream stream[GROUPS];
	struct { uint32_t group; struct datagram datagram; } queue[QUEUE + 8];
	unsigned int queued;
	bool congested;		/* until the queue is empty */
	bool error;		/* ENOBUFS is to be reported */
	bool failures;		/* allocations may fail */
	bool filtered;		/* some events are not broadcast to this reader */
	bool replaying;
	int replay_group;
	bool replay_boot;
	uint32_t replay_sequence, replay_asked;
	uint64_t replay_position;
	uint64_t random;
	uint64_t received, lost;	/* of readers that were restarted */
	uint64_t announced;	/* losses given, without those of the history */
	/* How often it came to what is tested. */
	unsigned int overruns, history_losses, failed, unanswered, restarts;
	unsigned int passed_over;
};

static bool chance(struct kernel *kernel, unsigned int in)
{
	return !(build_random(&kernel->random) % in);
}

static bool fails(struct kernel *kernel)
{
	return kernel->failures && chance(kernel, 40);
}

static uint32_t sequence_next(const struct stream *stream)
{
	return FIRST + (uint32_t)stream->numbered;
}

static void enqueue(struct kernel *kernel, uint32_t group,
		    const struct datagram *datagram)
{
	assert_true(kernel->queued < QUEUE + 8);
	kernel->queue[kernel->queued].group = group;
	kernel->queue[kernel->queued++].datagram = *datagram;
}

/* As netlink does it: whatever is dropped, only the first one is reported. */
static bool send(struct kernel *kernel, uint32_t group,
		 const struct datagram *datagram)
{
	if (fails(kernel)) {
		kernel->error = true;
		return false;
	}
	if (kernel->queued >= QUEUE || kernel->congested) {
		kernel->error |= !kernel->congested;
		kernel->congested = true;
		return false;
	}
	enqueue(kernel, group, datagram);
	return true;
}

static void put_message(struct datagram *datagram,
			const struct message *message)
{
	if (message->type == KERROR_MSG_EVENT)
		put(datagram, message->type, message->sequence, 99,
		    &message->number, sizeof(message->number));
	else
		put(datagram, message->type, message->sequence, 0,
		    &message->loss, sizeof(message->loss));
}

static bool is_filtered(const struct kernel *kernel, uint64_t number)
{
	return kernel->filtered && number * 0x9e3779b97f4a7c15 >> 61;
}

static void publish(struct kernel *kernel, int group, struct message *message)
{
	struct stream *stream = &kernel->stream[group];
	struct datagram datagram = { .size = 0 };

	message->sequence = sequence_next(stream);
	message->number = stream->numbered;
	stream->numbered += message->type == KERROR_MSG_EVENT;
	stream->history[stream->head++ % HISTORY] = *message;
	if (stream->head - stream->tail > HISTORY)
		stream->tail++;
	if (message->type == KERROR_MSG_EVENT &&
	    is_filtered(kernel, message->number)) {
		kernel->error |= fails(kernel);
		return;
	}
	put_message(&datagram, message);
	send(kernel, kerror_group_at(group), &datagram);
}

static void announce(struct kernel *kernel)
{
	for (int group = 0; group < GROUPS; group++) {
		struct stream *stream = &kernel->stream[group];

		for (int cause = 0; cause < KERROR_LOST_HISTORY; cause++) {
			struct message message = { .type = KERROR_MSG_LOSS };

			if (!stream->pending[cause])
				continue;
			stream->total[cause] += stream->pending[cause];
			message.loss = (struct kerror_loss) {
				.count = stream->pending[cause],
				.total = stream->total[cause],
				.group = kerror_group_at(group), .cause = cause,
			};
			stream->pending[cause] = 0;
			publish(kernel, group, &message);
		}
	}
}

static void raise_event(struct kernel *kernel)
{
	int group = chance(kernel, 3) ? 1 + chance(kernel, 2) : 0;
	struct stream *stream = &kernel->stream[group];
	struct message message = { .type = KERROR_MSG_EVENT };

	stream->raised++;
	if (chance(kernel, 8)) {
		stream->pending[build_random(&kernel->random) %
				KERROR_LOST_HISTORY]++;
		return;
	}
	if (!chance(kernel, 3))
		announce(kernel);
	publish(kernel, group, &message);
}

/* One datagram of the replay; broadcasts may slip in before it is queued. */
static void replay(struct kernel *kernel)
{
	struct stream *stream = &kernel->stream[kernel->replay_group];
	unsigned int room = 1 + build_random(&kernel->random) % 8;
	uint32_t *sequence = &kernel->replay_sequence;
	uint64_t *at = &kernel->replay_position;
	uint32_t oldest = sequence_next(stream);
	struct kerror_loss loss = { .cause = KERROR_LOST_HISTORY };
	struct datagram datagram = { .size = 0 };

	if (fails(kernel)) {
		kernel->error = true;
		return;
	}
	if (*at < stream->tail)
		*at = stream->tail;
	for (uint64_t i = stream->head; i-- > stream->tail;)
		if (stream->history[i % HISTORY].type == KERROR_MSG_EVENT)
			oldest = stream->history[i % HISTORY].sequence;
	if (kernel->replay_boot)
		loss.count = stream->numbered -
			     (sequence_next(stream) - oldest);
	else if ((int32_t)(oldest - *sequence) > 0)
		loss.count = oldest - *sequence;
	if (kernel->replay_boot || loss.count)
		*sequence = oldest;
	kernel->replay_boot = false;
	if (loss.count) {
		put(&datagram, KERROR_MSG_LOSS, oldest, 0, &loss, sizeof(loss));
		kernel->history_losses++;
	}
	for (; *at < stream->head && room; ++*at) {
		const struct message *message = &stream->history[*at % HISTORY];

		if ((int32_t)(message->sequence - *sequence) < 0)
			continue;
		put_message(&datagram, message);
		*sequence = message->sequence +
			    (message->type == KERROR_MSG_EVENT);
		room--;
	}
	if (!datagram.size) {
		put(&datagram, NLMSG_DONE, kernel->replay_asked, 0, NULL, 0);
		kernel->replaying = false;
	}
	while (kernel->failures && chance(kernel, 3))
		raise_event(kernel);
	enqueue(kernel, 0, &datagram);
}

static void answer_error(struct kernel *kernel, uint16_t type, int error)
{
	struct datagram datagram = { .size = 0 };

	put_error(&datagram, type, error);
	kernel->unanswered += !send(kernel, 0, &datagram);
}

static void answer_statistics(struct kernel *kernel, int group)
{
	const struct stream *stream = &kernel->stream[group];
	struct kerror_statistics statistics = {
		.numbered = stream->numbered, .group = kerror_group_at(group),
		.sequence_next = sequence_next(stream), .causes = KERROR_CAUSES,
	};
	struct datagram datagram = { .size = 0 };

	for (int cause = 0; cause < KERROR_LOST_HISTORY; cause++)
		statistics.lost[cause] = stream->total[cause] +
					 stream->pending[cause];
	put(&datagram, KERROR_MSG_STATISTICS, 0, 0, &statistics,
	    sizeof(statistics));
	kernel->unanswered += !send(kernel, 0, &datagram);
}

static void request(struct kernel *kernel, const struct nlmsghdr *header)
{
	const struct kerror_request *body = (const void *)(header + 1);
	int group = kerror_group_index(body->group);
	const struct stream *stream = &kernel->stream[group];

	if (fails(kernel)) {
		kernel->failed++;
		answer_error(kernel, header->nlmsg_type, -ENOMEM);
	} else if (header->nlmsg_type == KERROR_MSG_STATISTICS) {
		answer_statistics(kernel, group);
	} else if ((int32_t)(body->sequence - sequence_next(stream)) > 0 &&
		   !body->flags) {
		fail_msg("asks for an event that is not there yet");
	} else if (kernel->replaying) {
		answer_error(kernel, KERROR_MSG_REPLAY, -EBUSY);
	} else {
		kernel->replaying = true;
		kernel->replay_group = group;
		kernel->replay_boot = body->flags;
		kernel->replay_sequence = body->sequence;
		kernel->replay_position = 0;
		kernel->replay_asked = header->nlmsg_seq;
		if (kernel->queued < QUEUE)
			replay(kernel);
		else
			answer_error(kernel, KERROR_MSG_REPLAY, -ENOBUFS);
	}
}

/* recvmsg(): 0, -ENOBUFS or -EAGAIN. */
static int receive(struct kernel *kernel, uint32_t *group,
		   struct datagram *datagram)
{
	if (kernel->error) {
		kernel->error = false;
		kernel->overruns++;
		return -ENOBUFS;
	}
	if (!kernel->queued)
		return -EAGAIN;
	*group = kernel->queue[0].group;
	*datagram = kernel->queue[0].datagram;
	memmove(kernel->queue, kernel->queue + 1,
		--kernel->queued * sizeof(*kernel->queue));
	if (kernel->replaying && kernel->queued <= QUEUE / 2)
		replay(kernel);
	if (!kernel->queued)
		kernel->congested = false;
	return 0;
}

/* Only what is filtered may be missing before event @number. */
static void pass_over(struct kernel *kernel, struct stream *stream,
		      uint64_t number)
{
	assert_true(stream->given <= number && number <= stream->numbered);
	kernel->passed_over += number - stream->given;
	for (; stream->given < number; stream->given++)
		assert_true(is_filtered(kernel, stream->given));
}

static void check_event(struct kernel *kernel, const struct kerror_event *event)
{
	struct stream *stream =
		&kernel->stream[kerror_group_index(kerror_event_group(event))];
	uint64_t number;
	size_t size;

	memcpy(&number, kerror_event_data(event, &size), sizeof(number));
	assert_int_equal(size, sizeof(number));
	if (!stream->given_known)
		stream->given = number;
	stream->given_known = true;
	pass_over(kernel, stream, number);
	assert_int_equal(kerror_event_sequence(event),
			 FIRST + (uint32_t)number);
	stream->given++;
}

static void check_loss(struct kernel *kernel,
		       const struct kerror_reader *reader)
{
	const struct kerror_loss *loss = kerror_reader_loss(reader);
	struct stream *stream =
		&kernel->stream[kerror_group_index(loss->group)];
	uint32_t cursor;

	assert_int_not_equal(loss->count, 0);
	if (loss->cause == KERROR_LOST_HISTORY) {
		assert_int_equal(kerror_reader_cursor(reader, loss->group,
						      &cursor), 0);
		pass_over(kernel, stream, cursor - FIRST - loss->count);
		stream->given += loss->count;
		assert_true(stream->given <= stream->numbered);
		return;
	}
	kernel->announced += loss->count;
	if (loss->total > stream->known[loss->cause])
		stream->known[loss->cause] = loss->total;
}

/* Takes items until one datagram more is needed; false if there is none. */
static bool step(struct kernel *kernel, struct kerror_reader *reader)
{
	static struct datagram datagram;
	enum kerror_item item;
	uint32_t group;
	size_t size;

	while ((item = kerror_reader_next(reader))) {
		if (item == KERROR_ITEM_EVENT)
			check_event(kernel, kerror_reader_event(reader));
		else if (item == KERROR_ITEM_LOSS)
			check_loss(kernel, reader);
		else if (item == KERROR_ITEM_REQUEST)
			request(kernel, kerror_reader_request(reader, &size));
		else if (item == KERROR_ITEM_ERROR)
			assert_int_equal(kerror_reader_error(reader), -ENOMEM);
	}
	switch (receive(kernel, &group, &datagram)) {
	case 0:
		feed(reader, group, &datagram);
		return true;
	case -ENOBUFS:
		kerror_reader_overrun(reader);
		return true;
	}
	return kerror_reader_drained(reader);
}

static struct kerror_reader *new_reader(const struct kernel *kernel)
{
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_ALL);

	if (kernel->filtered)
		kerror_reader_filtered(reader);
	return reader;
}

/* Another program goes on where this one has stopped. */
static struct kerror_reader *restart(struct kernel *kernel,
				     struct kerror_reader *reader)
{
	struct kerror_reader *next = new_reader(kernel);
	uint32_t cursor;

	kernel->restarts++;
	kernel->received += kerror_reader_received(reader);
	kernel->lost += kerror_reader_lost(reader);
	for (int group = 0; group < GROUPS; group++) {
		assert_int_equal(kerror_reader_cursor(reader,
						      kerror_group_at(group),
						      &cursor), 0);
		kerror_reader_from(next, kerror_group_at(group), cursor);
		for (int cause = 0; cause < KERROR_LOST_HISTORY; cause++) {
			struct kerror_loss loss = {
				.group = kerror_group_at(group), .cause = cause,
				.total = kernel->stream[group].known[cause],
			};

			kerror_reader_from_loss(next, &loss);
		}
	}
	kerror_reader_free(reader);
	kernel->queued = 0;
	kernel->congested = false;
	kernel->error = false;
	kernel->replaying = false;
	return next;
}

static void settle(struct kernel *kernel, struct kerror_reader *reader)
{
	unsigned int steps = 0;

	/* A request that failed is repeated, when statistics tell of it. */
	for (int i = 0; i < 2; i++) {
		kerror_reader_want_statistics(reader);
		while (step(kernel, reader))
			assert_true(steps++ < 10000);
	}
	assert_false(kerror_reader_replaying(reader));
}

static void run(struct kernel *kernel, bool from_boot)
{
	struct kerror_reader *reader = new_reader(kernel);
	uint64_t not_given, raised, numbered;
	bool all_started;
	uint32_t cursor;

	if (from_boot) {
		kerror_reader_from_boot(reader);
		for (int group = 0; group < GROUPS; group++)
			kernel->stream[group].given_known = true;
	}
	for (int i = 0; i < ROUNDS; i++) {
		/* Bursts, so that each reader both keeps up and does not. */
		unsigned int most = chance(kernel, 20) ? 3 * HISTORY : 8;

		for (uint64_t n = build_random(&kernel->random) % most; n; n--)
			raise_event(kernel);
		if (chance(kernel, 50))
			kerror_reader_want_statistics(reader);
		for (uint64_t n = build_random(&kernel->random) % 16; n; n--)
			step(kernel, reader);
		all_started = true;
		for (int group = 0; group < GROUPS; group++)
			all_started &= !kerror_reader_cursor(reader,
							     kerror_group_at(group),
							     &cursor);
		if (from_boot && all_started && chance(kernel, 100))
			reader = restart(kernel, reader);
		if (!chance(kernel, 30))
			continue;

		kernel->failures = false;
		settle(kernel, reader);
		/* The last ones may be filtered, but still be replayed. */
		not_given = 0;
		raised = 0;
		numbered = 0;
		for (int group = 0; group < GROUPS; group++) {
			const struct stream *stream = &kernel->stream[group];

			raised += stream->raised;
			numbered += stream->numbered;
			if (!stream->given_known)
				continue;
			not_given += stream->numbered - stream->given;
			for (uint64_t n = stream->given; n < stream->numbered;
			     n++)
				assert_true(is_filtered(kernel, n));
		}
		if (from_boot)
			assert_int_equal(kernel->received + kernel->lost +
					 kerror_reader_received(reader) +
					 kerror_reader_lost(reader) +
					 kernel->passed_over + not_given,
					 raised);
		if (from_boot)
			assert_int_equal(kernel->announced, raised - numbered);
		kernel->failures = true;
	}
	kerror_reader_free(reader);
	/* Else it was no test. */
	for (int group = 0; group < GROUPS; group++)
		assert_true(kernel->stream[group].numbered > 2 * -FIRST);
	assert_true(kernel->overruns > 100);
	assert_true(kernel->history_losses > 50);
	assert_true(kernel->failed > 10);
	assert_true(kernel->unanswered > 10);
	assert_true(kernel->restarts > 10 || !from_boot);
	assert_true(!kernel->filtered == !kernel->passed_over);
}

static void test_model(void **state)
{
	static struct kernel kernel;

	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		memset(&kernel, 0, sizeof(kernel));
		kernel.random = seed * 0x9e3779b97f4a7c15;
		kernel.failures = true;
		kernel.filtered = seed % 2;
		run(&kernel, seed % 3);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests_name("reader_model", tests, NULL, NULL);
}
