/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of an otlp sink. The mapping is documented in
 * Documentation/otlp.md.
 *
 * otlp_sink.c      batches of records; what becomes of a request
 * otlp_message.c   a request for records
 * otlp_encode.c    its bytes
 * otlp_http.c      sends it, with libcurl
 * otlp_response.c  what the server says of it
 */
#ifndef OTLP_H
#define OTLP_H

#include "kerrord.h"

/* ---- otlp_encode.c ---- */

/**
 * struct otlp_writer - a message under construction
 * @buffer: where to
 * @json: as JSON, else as protobuf
 * @comma: JSON: something stands before it in this object or list
 */
struct otlp_writer {
	struct buffer *buffer;
	bool json, comma;
};

/*
 * A field that is a message has a number in protobuf, and a name in JSON, which is NULL
 * for an element of a list. A list has a name, and its elements the number of the field.
 */
size_t otlp_begin(struct otlp_writer *writer, unsigned int number, const char *name);
void otlp_end(struct otlp_writer *writer, size_t begin);
void otlp_list(struct otlp_writer *writer, const char *name);
void otlp_end_list(struct otlp_writer *writer);

/* A string in pieces: each of any bytes, which are shown as all sinks show them. */
size_t otlp_begin_text(struct otlp_writer *writer, unsigned int number, const char *name);
void otlp_add_text(struct otlp_writer *writer, const char *text, size_t size);
void otlp_end_text(struct otlp_writer *writer, size_t begin);
/* As a whole, and as the value of a field */
void otlp_text(struct otlp_writer *writer, unsigned int number, const char *name,
	       const char *text, size_t size);
void otlp_shown(struct otlp_writer *writer, unsigned int number, const char *name,
		const struct kerror_field *field);

/* fixed64; int64; a number of 32 bits or an enumeration; a flag that is set; bytes */
void otlp_time(struct otlp_writer *writer, unsigned int number, const char *name,
	       uint64_t time);
void otlp_int(struct otlp_writer *writer, unsigned int number, const char *name,
	      int64_t value);
void otlp_small(struct otlp_writer *writer, unsigned int number, const char *name,
		unsigned int value);
void otlp_bool(struct otlp_writer *writer, unsigned int number, const char *name,
	       bool value);
void otlp_bytes(struct otlp_writer *writer, unsigned int number, const char *name,
		const void *bytes, size_t size);

/* ---- otlp_message.c ---- */

/*
 * Adds a request for the first of @records, as many as fit into about @most bytes;
 * returns how many. The buffer has failed without memory.
 */
size_t otlp_request(struct buffer *buffer, bool json, struct record *const *records,
		    size_t count, size_t most);

/* ---- otlp_http.c ---- */

/* More of an answer is not looked at. */
#define OTLP_ANSWER_MAX 65536

/**
 * struct otlp_answer - what the server said
 * @status: of HTTP
 * @retry_after: seconds, or 0: it did not say
 * @body: its first bytes, with a NUL
 * @size: how many
 * @json: they are JSON
 */
struct otlp_answer {
	long status;
	uint64_t retry_after;
	char body[OTLP_ANSWER_MAX + 1];
	size_t size;
	bool json;
};

struct otlp_http;

struct otlp_http *otlp_http_open(struct sink *sink, char *message, size_t size);
void otlp_http_close(struct otlp_http *http);

/*
 * Sends a request and waits for the answer: 0, or a negative errno with a line in
 * @message if there is none.
 */
int otlp_http_post(struct otlp_http *http, const struct buffer *body,
		   struct otlp_answer *answer, char *message, size_t size);

/* ---- otlp_response.c ---- */

/* How many records a server that took the request has refused, and why; 0: none */
uint64_t otlp_rejected(const struct otlp_answer *answer, char *reason, size_t size);

#endif
