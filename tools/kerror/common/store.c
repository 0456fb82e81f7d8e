// SPDX-License-Identifier: GPL-2.0-only
/*
 * The store on SQLite: see store.h for what it promises. In write-ahead mode
 * readers never stop the writer, and a transaction is there as a whole or not at
 * all, whenever the program or the machine stops. This file runs statements
 * and turns SQLite's errors into ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "output.h"
#include "store_internal.h"

uint64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int store_failed(struct store *store)
{
	int code = sqlite3_errcode(store->database) & 0xff;
	int system_errno = 0;
	static const char not_writable[] =
		"; it needs a file system and a folder that can be written";
	const char *remedy = "";
	int err = -EIO;

	/* After other errors it is that of an earlier failure. */
	if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
		system_errno = sqlite3_system_errno(store->database);
	if (system_errno == ENOSPC || system_errno == EDQUOT)
		code = SQLITE_FULL;
	switch (code) {
	case SQLITE_FULL:
		err = -ENOSPC;
		remedy = "; make room on its file system";
		break;
	case SQLITE_READONLY:
		err = -EROFS;
		remedy = not_writable;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		err = -EBUSY;
		remedy = "; another program holds it locked";
		break;
	case SQLITE_CANTOPEN:
		err = system_errno ? -system_errno : -ENOENT;
		remedy = store->writable ? not_writable :
			 err == -EACCES ? "; run it as root" :
			 "; does kerrord run, with a store at this place?";
		break;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		err = -EACCES;
		remedy = "; run it as root";
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		err = -EUCLEAN;
		remedy = "; move it away, kerrord begins a new one";
		break;
	case SQLITE_NOMEM:
		err = -ENOMEM;
		break;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
	case SQLITE_RANGE:
	case SQLITE_MISUSE:
		err = -EINVAL;
		break;
	case SQLITE_ERROR:
		err = -EBADMSG;
		break;
	}
	snprintf(store->message, sizeof(store->message), "store %s: %s%s%s%s",
		 store->path, sqlite3_errmsg(store->database),
		 err == -EIO && system_errno ? ": " : "",
		 err == -EIO && system_errno ? strerror(system_errno) : "",
		 remedy);
	return err;
}

int store_execute(struct store *store, const char *sql)
{
	return sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK ?
	       0 : store_failed(store);
}

int store_step(struct store *store, enum statement which)
{
	int code = sqlite3_step(store->statement[which]);
	int err = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		err = store_failed(store);
	sqlite3_reset(store->statement[which]);
	return err;
}

void store_finish(struct store *store, enum statement which)
{
	sqlite3_reset(store->statement[which]);
}

static void note(struct values *values, int code)
{
	if (!values->code)
		values->code = code;
}

void add_number(struct values *values, int64_t number)
{
	note(values, sqlite3_bind_int64(values->statement, ++values->count,
					number));
}

void add_null(struct values *values)
{
	note(values, sqlite3_bind_null(values->statement, ++values->count));
}

void add_text(struct values *values, const char *text, size_t size)
{
	note(values, sqlite3_bind_text64(values->statement, ++values->count,
					 text, size, SQLITE_STATIC,
					 SQLITE_UTF8));
}

void add_series(struct values *values, const struct series *series)
{
	add_text(values, series->boot_id, strlen(series->boot_id));
	add_number(values, series->instance);
}

void add_bytes(struct values *values, const void *bytes, size_t size)
{
	/* SQLite would take a null pointer for NULL. */
	note(values, sqlite3_bind_blob64(values->statement, ++values->count,
					 size ? bytes : "", size,
					 SQLITE_STATIC));
}

int store_step_with(struct store *store, enum statement which,
		    const struct values *values)
{
	return values->code ? store_failed(store) : store_step(store, which);
}

int store_number(struct store *store, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement;
	int err = 0;

	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) !=
	    SQLITE_OK)
		return store_failed(store);
	if (sqlite3_step(statement) == SQLITE_ROW)
		*value = sqlite3_column_int64(statement, 0);
	else
		err = store_failed(store);
	sqlite3_finalize(statement);
	return err;
}

const char *store_message(const struct store *store)
{
	return store ? store->message : "out of memory";
}

int store_boot_id(char id[BOOT_ID_SIZE])
{
	char path[512];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/random/boot_id", facility_root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	size = read(fd, id, BOOT_ID_SIZE - 1);
	close(fd);
	if (size != BOOT_ID_SIZE - 1)
		return -EIO;
	id[size] = '\0';
	return 0;
}
