/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Explanations of a driver's events by people with knowledge of it, in catalogues that
 * operators keep: INI files of sections named by the event id, described in
 * kerrorctl(1). For kerrorctl explain, and for kerrord and kerrorctl to take the
 * operator's severity for that of the kernel.
 */
#ifndef EXPLANATIONS_H
#define EXPLANATIONS_H

#include "kerror_paths.h"
#include "libkerror.h"

#define EXPLANATIONS_FOLDER	KERROR_SYSCONFDIR "/explain.d"

/* Of the values that are text; there is severity, too. */
enum explanation_key {
	EXPLANATION_FORMAT, EXPLANATION_TEXT, EXPLANATION_ACTION, EXPLANATION_KEYS,
};

/* "format" and so on */
extern const char *const explanation_keys[EXPLANATION_KEYS];

/**
 * struct explanation - of one event
 * @id: its id
 * @value: by key; NULL: the catalogue says nothing
 * @severity: 0 to 7, or -1: the kernel's
 */
struct explanation {
	uint32_t id;
	char *value[EXPLANATION_KEYS];
	int severity;
};

struct explanations;

/*
 * Reads all catalogues of @folder, then those that packages have brought; of the
 * files that have an id the first one counts. A mistake in them is warned
 * about. Without memory this ends the program.
 */
struct explanations *explanations_read(const char *folder);

/* Reads this file only; NULL, and errno, if it cannot be read. */
struct explanations *explanations_read_file(const char *path);
void explanations_free(struct explanations *explanations);

/* NULL if there is none */
const struct explanation *explanations_find(const struct explanations *explanations,
					    uint32_t id);

/* Calls @found for each that has a severity. */
void explanations_each_severity(const struct explanations *explanations,
				void (*found)(void *context,
					      const struct explanation *explanation),
				void *context);

/* The operator's severity of an event, or -1: the kernel's counts. */
int explanations_severity(const struct explanations *explanations,
			  const struct kerror_event *event);

/* A copy of an event that has the operator's severity, if any; NULL without memory */
struct kerror_event *explanations_copy(const struct explanations *explanations,
				       const struct kerror_event *event);

#endif
