/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Characters of UTF-8. Not part of the library's interface: for json_write.c, and for what
 * the tools write.
 */
#ifndef LIBKERROR_UTF8_H
#define LIBKERROR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the bytes of the UTF-8 character that @text begins with, or 0. */
size_t utf8_decode(const char *text, size_t size, uint32_t *character);
size_t utf8_length(const char *text, size_t size);

/* False for a character that controls a terminal, ends a line or turns its direction */
bool is_harmless(uint32_t character);

/* Returns @size, or less if the last character of @text would be cut. */
size_t whole_characters(const char *text, size_t size);

#endif
