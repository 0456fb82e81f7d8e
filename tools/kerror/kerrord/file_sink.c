// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines, as JSON or for people: to a file, to standard output or to a Unix
 * stream socket that somebody listens on.
 *
 * The last event of a JSON file is read from its last lines, so that a killed
 * kerrord neither repeats nor skips; a line that was cut is removed. For others
 * kerrord remembers it in a file of its own, and may repeat the last lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>
#include "json_values.h"
#include "sink.h"

/* Made at once of several records, so that many large ones take no more */
#define WRITE_BYTES 1048576

/*
 * Of the end of a file, where the last event of each group is looked for: with all of one
 * writing, of which a killed kerrord has made no note, and its last record
 */
#define TAIL_BYTES (4 * WRITE_BYTES)
#define KEPT_BYTES 65536

struct output {
	int fd;
	bool is_file;		/* can be cut again if a write failed */
	struct buffer buffer;
};

static bool is_json(const struct sink *sink)
{
	return sink->type == &json_sink;
}

/* ---- The last event of a file ---- */

static void follow_line(const struct sink *sink, struct progress *all,
			const char *text)
{
	struct json_object *line = json_tokener_parse(text);
	struct progress *progress;
	const char *group, *cause;
	int i;

	if (!line)
		return;
	if (strcmp(json_get_string(line, "boot_id"), sink->series->boot_id) ||
	    json_get_number(line, "instance") != sink->series->instance)
		goto out;
	group = json_get_string(line, "group");
	i = kerror_group_index(kerror_group_number(group));
	if (i < 0)
		goto out;
	progress = &all[i];
	if (!strcmp(json_get_string(line, "item"), "event")) {
		progress->known = 1;
		progress->next = json_get_number(line, "sequence") + 1;
		goto out;
	}
	cause = json_get_string(line, "cause");
	for (i = 0; i < KERROR_CAUSES; i++)
		if (!strcmp(cause, kerror_cause_name(i)))
			progress->lost[i] = json_get_number(line, "total");
	/* Those have numbers, which must not be asked for again. */
	if ((!strcmp(cause, kerror_cause_name(KERROR_LOST_HISTORY)) ||
	     !strcmp(cause, CAUSE_SINK) || !strcmp(cause, CAUSE_POISON)) &&
	    progress->known)
		progress->next += json_get_number(line, "count");
out:
	json_object_put(line);
}

/* The begin of a line of this sink; power loss can leave zeros in its place. */
static bool is_own(const char *text, size_t size)
{
	static const char begin[] = "{\"item\":\"";

	return !*text || !strncmp(text, begin, size < sizeof(begin) ? size : sizeof(begin) - 1);
}

/* A last line that was cut goes. One of somebody else stays, and gets an end. */
static bool end_last_line(int fd, off_t at, off_t end, bool own)
{
	return own ? !ftruncate(fd, at) : pwrite(fd, "\n", 1, end) == 1;
}

static void read_tail(const struct sink *sink, struct progress *progress,
		      int fd)
{
	struct stat status;
	off_t begin, at;
	char *tail, *line, *end;
	ssize_t size;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode))
		return;
	begin = status.st_size > TAIL_BYTES ? status.st_size - TAIL_BYTES : 0;
	tail = malloc(TAIL_BYTES + 1);
	if (!tail)
		return;
	size = pread(fd, tail, TAIL_BYTES, begin);
	if (size > 0) {
		tail[size] = '\0';
		end = memrchr(tail, '\n', size);
		at = begin + (end ? end + 1 - tail : 0);
		/* A line longer than the tail is none of ours. */
		if (at < status.st_size &&
		    !end_last_line(fd, at, status.st_size, (end || !begin) &&
				   is_own(tail + (at - begin), begin + size - at)))
			fprintf(stderr, "kerrord: [%s] %s: cannot end the last line, which was cut\n",
				sink->settings->name, sink->settings->path);
		line = tail;
		if (begin)
			line += strcspn(line, "\n") + 1;
		while (end && line < end) {
			size_t length = strcspn(line, "\n");

			line[length] = '\0';
			follow_line(sink, progress, line);
			line += length + 1;
		}
	}
	free(tail);
}

static int load_progress(struct sink *sink, struct progress *progress)
{
	struct progress before[GROUPS];
	struct stat status;
	int fd;

	if (*sink->settings->path != '/')
		return 0;
	if (stat(sink->settings->path, &status))
		return errno == ENOENT ? 0 : -errno;
	/* The reader of a named pipe takes it for the end if a writer closes. */
	if (!S_ISREG(status.st_mode))
		return 0;
	/* Of a device: neither wait for it, nor be ended by its hangup. */
	fd = open(sink->settings->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	memcpy(before, progress, sizeof(before));
	read_tail(sink, progress, fd);
	close(fd);
	/* What the filter kept away is not in the file. */
	if (sink->settings->filter)
		progress_add(progress, before);
	return 0;
}

/* ---- Writing ---- */

static int open_output(struct sink *sink, char *message, size_t size)
{
	const char *path = sink->settings->path;
	struct output *output = calloc(1, sizeof(*output));
	struct stat status;
	int fd;

	if (!output) {
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	if (!strcmp(path, "-"))
		fd = dup(STDOUT_FILENO);
	else if (!strncmp(path, "unix:", 5))
		fd = connect_unix(path + 5, SOCK_STREAM);
	else	/* Of a named pipe: it fails if nobody reads it. */
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
			  O_NONBLOCK | O_NOCTTY, 0640);
	if (fd == -1)
		fd = -errno;
	if (fd < 0) {
		snprintf(message, size, "%s: %s", path,
			 fd == -ENXIO ? "nobody reads this pipe" :
			 fd == -EAGAIN ? "nobody accepts the connection" :
			 strerror(-fd));
		free(output);
		return fd;
	}
	output->fd = fd;
	output->is_file = !fstat(fd, &status) && S_ISREG(status.st_mode);
	sink->private = output;
	return 0;
}

static void close_output(struct sink *sink)
{
	struct output *output = sink->private;

	close(output->fd);
	buffer_free(&output->buffer);
	free(output);
	sink->private = NULL;
}

/* Whoever rotates files has given the old one another name. */
static void reopen_output(struct sink *sink)
{
	char message[512];
	struct output *old = sink->private;

	if (*sink->settings->path != '/')
		return;
	if (open_output(sink, message, sizeof(message))) {
		sink->report(sink, 3, message);
		return;		/* the old one is better than none */
	}
	close(old->fd);
	buffer_free(&old->buffer);
	free(old);
}

static bool wants_line(const struct sink *sink, const struct kerror_event *line)
{
	const struct kerror_filter *filter = sink->settings->filter;

	return sink->settings->lines && (!filter || kerror_filter_matches(filter, line));
}

static void add_record(struct buffer *buffer, const struct sink *sink,
		       const struct record *record)
{
	const struct print_style style = {
		.color = !is_json(sink) && *sink->settings->path == '-' &&
			 isatty(STDOUT_FILENO),
		.origin = record->origin,
		.cause = record->cause,
		.time = record->kind == RECORD_LOSS ? 0 : record->time,
		.item = record->kind == RECORD_LINE ? "line" : NULL,
	};

	switch (record->kind) {
	case RECORD_EVENT:
	case RECORD_LINE:
		(is_json(sink) ? event_json : event_line)
			(buffer, &style, record->event);
		break;
	case RECORD_LOSS:
		(is_json(sink) ? loss_json : loss_line)
			(buffer, &style, &record->loss);
		break;
	case RECORD_REPORT:
		if (is_json(sink))
			report_json(buffer, &style, record->time, record->severity,
				    record->text);
		else
			report_line(buffer, &style, record->text);
		break;
	}
}

/*
 * All or nothing, as far as the file can be cut again. Of a pipe or a socket, all
 * is what the peer has read: it gets the whole again if it goes before that.
 */
static int write_all(struct sink *sink, const char *text, size_t size)
{
	struct output *output = sink->private;
	off_t begin = output->is_file ? lseek(output->fd, 0, SEEK_END) : 0;
	/* Standard output may block, but not for as much if there is room. */
	const size_t most = output->is_file ? size : PIPE_BUF;
	size_t done = 0;

	while (done < size) {
		const size_t rest = size - done;
		int err = output->is_file ? 0 :
			  sink_wait(sink, output->fd, POLLOUT, -1);
		ssize_t part;

		if (err)
			return err;
		part = write(output->fd, text + done, rest < most ? rest : most);
		err = errno;
		if (part > 0) {
			done += part;
			sink_moves(sink);
			continue;
		}
		if (part < 0 && err == EAGAIN)
			continue;
		if (part < 0 && err == EINTR)
			continue;
		if (output->is_file && done && ftruncate(output->fd, begin))
			return -EIO;
		return part ? -err : -EIO;
	}
	return output->is_file ? 0 : sink_wait_until_read(sink, output->fd);
}

/* Lines that are written to a file without a name are gone when it is closed. */
static bool was_removed(const struct output *output)
{
	struct stat status;

	return output->is_file && !fstat(output->fd, &status) && !status.st_nlink;
}

static int write_records(struct sink *sink, struct record *const *records,
			 size_t count, char *message, size_t size)
{
	struct output *output = sink->private;
	struct buffer *buffer = &output->buffer;
	size_t done = 0;
	int err = 0;

	if (was_removed(output)) {
		snprintf(message, size, "%s: it was removed; it is made anew",
			 sink->settings->path);
		return -ESTALE;
	}
	buffer->size = 0;
	while (done < count && buffer->size < WRITE_BYTES)
		add_record(buffer, sink, records[done++]);
	if (buffer->failed)
		err = -ENOMEM;
	else
		err = write_all(sink, buffer->bytes, buffer->size);
	/* One that was large once takes no memory for ever. */
	if (buffer->failed || buffer->room > KEPT_BYTES)
		buffer_free(buffer);
	if (!err)
		return done;
	snprintf(message, size, "%s: %s", sink->settings->path,
		 err == -ECANCELED ? "is stuck" : strerror(-err));
	return err;
}

const struct sink_type json_sink = {
	.name = "json",
	.keeps_progress = true,
	.load_progress = load_progress,
	.open = open_output,
	.wants_line = wants_line,
	.write = write_records,
	.reopen = reopen_output,
	.close = close_output,
};

const struct sink_type text_sink = {
	.name = "text",
	.keeps_progress = true,
	.open = open_output,
	.write = write_records,
	.reopen = reopen_output,
	.close = close_output,
};
