// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLS for a stream (RFC 5425), by GnuTLS, whose licence goes with ours. The
 * server must have a certificate of its name by a known authority; there is no
 * way around that. An end without close_notify is not an orderly one.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <gnutls/gnutls.h>
#include "stream.h"

#define PRIORITY	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define HANDSHAKE_MS	10000

/* After close_notify: whether the connection is then closed or reset */
#define END_MS		500

struct tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t credentials;
	bool shaken;		/* hands */
};

static ssize_t push(gnutls_transport_ptr_t context, const void *data,
		    size_t size)
{
	return stream_send(context, data, size);
}

static ssize_t pull(gnutls_transport_ptr_t context, void *data, size_t size)
{
	struct stream *stream = context;

	return recv(stream->fd, data, size, 0);
}

/* The files that the settings name; 0, or GnuTLS' error with what it is about */
static int load_files(struct tls *tls, const struct sink_settings *settings,
		      const char **about)
{
	int result;

	*about = settings->tls_ca ? : "the authorities of this system";
	result = settings->tls_ca ?
		 gnutls_certificate_set_x509_trust_file(tls->credentials,
							settings->tls_ca,
							GNUTLS_X509_FMT_PEM) :
		 gnutls_certificate_set_x509_system_trust(tls->credentials);
	if (!result)
		result = GNUTLS_E_NO_CERTIFICATE_FOUND;
	if (result < 0 || !settings->tls_cert)
		return result < 0 ? result : 0;
	*about = settings->tls_cert;
	return gnutls_certificate_set_x509_key_file(tls->credentials,
						    settings->tls_cert,
						    settings->tls_key,
						    GNUTLS_X509_FMT_PEM);
}

static int make_session(struct tls *tls, struct stream *stream,
			const char *name)
{
	int result;

	result = gnutls_init(&tls->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK |
					    GNUTLS_NO_SIGNAL);
	if (!result)
		result = gnutls_priority_set_direct(tls->session, PRIORITY, NULL);
	if (!result)
		result = gnutls_credentials_set(tls->session,
						GNUTLS_CRD_CERTIFICATE,
						tls->credentials);
	if (!result)
		result = gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS,
						name, strlen(name));
	if (result)
		return result;
	gnutls_session_set_verify_cert(tls->session, name, 0);
	gnutls_transport_set_ptr(tls->session, stream);
	gnutls_transport_set_push_function(tls->session, push);
	gnutls_transport_set_pull_function(tls->session, pull);
	return 0;
}

/* What GnuTLS waits for; @ms as for sink_wait() */
static int wait_for(struct stream *stream, int ms)
{
	bool writes = gnutls_record_get_direction(stream->tls->session);

	return sink_wait(stream->sink, stream->fd, writes ? POLLOUT : POLLIN, ms);
}

/* 0, a negative errno, or GnuTLS' error in @failure */
static int shake_hands(struct stream *stream, int *failure)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + HANDSHAKE_MS * 1000000ULL;
	int err;

	*failure = 0;
	for (;;) {
		int result = gnutls_handshake(stream->tls->session);

		if (!result)
			return 0;
		if (result != GNUTLS_E_AGAIN && result != GNUTLS_E_INTERRUPTED &&
		    gnutls_error_is_fatal(result)) {
			*failure = result;
			return -EPROTO;
		}
		if (now_ns(CLOCK_MONOTONIC) >= end)
			return -ETIMEDOUT;
		err = wait_for(stream, ALIVE_MS);
		if (err && err != -ETIMEDOUT)
			return err;
	}
}

/* Whether the server has asked for a certificate, and we have none */
static bool wants_certificate(const struct stream *stream)
{
	return !stream->sink->settings->tls_cert &&
	       gnutls_certificate_client_get_request_status(stream->tls->session);
}

/* Why the server's certificate is not accepted */
static void say_why(const struct tls *tls, const char *address,
		    const char *name, char *message, size_t size)
{
	unsigned int status = gnutls_session_get_verify_cert_status(tls->session);
	gnutls_datum_t text = { 0 };

	gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509,
						     &text, 0);
	snprintf(message, size, "%s: certificate not accepted for '%s': %s", address,
		 name, text.data ? (char *)text.data : "");
	gnutls_free(text.data);
}

int tls_open(struct stream *stream, const char *host, char *message,
	     size_t size)
{
	const struct sink_settings *settings = stream->sink->settings;
	const char *name = settings->tls_name ? : host, *about = "TLS";
	struct tls *tls = calloc(1, sizeof(*tls));
	int result, failure, err;

	if (!tls) {
		snprintf(message, size, "out of memory");
		return -ENOMEM;
	}
	stream->tls = tls;
	result = gnutls_certificate_allocate_credentials(&tls->credentials);
	if (!result)
		result = load_files(tls, settings, &about);
	if (!result) {
		about = "TLS";
		result = make_session(tls, stream, name);
	}
	if (result) {
		snprintf(message, size, "%s: %s: %s", settings->address, about,
			 gnutls_strerror(result));
		return -EPROTO;
	}
	err = shake_hands(stream, &failure);
	if (failure == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
		say_why(tls, settings->address, name, message, size);
	else if (err)
		snprintf(message, size, "%s: TLS: %s%s", settings->address,
			 failure ? gnutls_strerror(failure) : strerror(-err),
			 failure == GNUTLS_E_FATAL_ALERT_RECEIVED ||
			 wants_certificate(stream) ?
			 "; does the server want a certificate (tls_cert)?" : "");
	tls->shaken = !err;
	return err;
}

/* A reset may overtake the alert that would say why. */
static void note_reason(struct stream *stream)
{
	if (!stream->reason && wants_certificate(stream))
		stream->reason = "the server had asked for a certificate (tls_cert)";
}

int tls_write(struct stream *stream, const void *data, size_t size)
{
	const char *at = data;
	bool again = false;

	while (size) {
		/* A record that it could not send whole it has kept, and wants no copy. */
		ssize_t sent = gnutls_record_send(stream->tls->session,
						  again ? NULL : at,
						  again ? 0 : size);
		int err;

		again = sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED;
		if (sent > 0) {
			at += sent;
			size -= sent;
			continue;
		}
		if (!again) {
			note_reason(stream);
			return sent == GNUTLS_E_PUSH_ERROR ? -ECONNRESET : -EPROTO;
		}
		err = stream_wait_for_room(stream);
		if (err)
			return err;
	}
	return 0;
}

/* After close_notify: in order only if no reset follows */
static enum stream_state look_at_end(struct stream *stream)
{
	char dropped[512];
	ssize_t size;

	do {
		if (sink_wait(stream->sink, stream->fd, POLLIN, END_MS))
			return STREAM_CLOSED;
		size = recv(stream->fd, dropped, sizeof(dropped), 0);
	} while (size > 0);
	return size ? STREAM_BROKEN : STREAM_CLOSED;
}

enum stream_state tls_look(struct stream *stream)
{
	gnutls_alert_description_t alert;
	char dropped[512];
	ssize_t size;

	if (!stream->tls->shaken)
		return STREAM_BROKEN;
	do {
		size = gnutls_record_recv(stream->tls->session, dropped,
					  sizeof(dropped));
	} while (size > 0 || size == GNUTLS_E_INTERRUPTED ||
		 (size < 0 && size != GNUTLS_E_AGAIN &&
		  !gnutls_error_is_fatal(size)));
	if (!size)
		return look_at_end(stream);
	if (size == GNUTLS_E_AGAIN)
		return STREAM_OPEN;
	if (size == GNUTLS_E_FATAL_ALERT_RECEIVED) {
		alert = gnutls_alert_get(stream->tls->session);
		stream->reason = gnutls_alert_get_name(alert);
	}
	note_reason(stream);
	return STREAM_BROKEN;
}

void tls_close(struct stream *stream)
{
	struct tls *tls = stream->tls;

	if (tls->shaken)
		gnutls_bye(tls->session, GNUTLS_SHUT_WR);
	if (tls->session)
		gnutls_deinit(tls->session);
	if (tls->credentials)
		gnutls_certificate_free_credentials(tls->credentials);
	free(tls);
	stream->tls = NULL;
}
