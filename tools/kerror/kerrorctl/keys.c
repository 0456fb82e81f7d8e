// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keys while top and watch run on a terminal: q ends the program, / asks for a filter
 * in the last line, which an empty one takes away. Whoever runs in the background is
 * left alone, as the terminal is somebody else's then.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "kerrorctl.h"

static struct termios before;
static bool changed;

static void restore_terminal(void)
{
	if (changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	changed = false;
}

static bool is_in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void begin_keys(struct keys *keys)
{
	struct termios now;

	keys->on = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && is_in_foreground() &&
		   !tcgetattr(STDIN_FILENO, &before);
	if (!keys->on)
		return;
	now = before;
	/* ^C and ^Z stay what they are. */
	now.c_lflag &= ~(ICANON | ECHO);
	now.c_cc[VMIN] = 0;
	now.c_cc[VTIME] = 0;
	changed = !tcsetattr(STDIN_FILENO, TCSANOW, &now);
	atexit(restore_terminal);
}

static enum key take_key(struct keys *keys, char c)
{
	if (!keys->typing) {
		if (c == '/') {
			keys->typing = true;
			keys->length = 0;
			keys->line[0] = '\0';
			return KEY_TYPED;
		}
		return c == 'q' ? KEY_QUIT : KEY_NONE;
	}
	if (c == '\n' || c == '\r') {
		keys->typing = false;
		return KEY_FILTER;
	}
	if (c == '\033') {
		keys->typing = false;
	} else if (c == '\177' || c == '\b') {
		/* A whole character */
		while (keys->length && (keys->line[--keys->length] & 0xc0) == 0x80)
			;
		keys->line[keys->length] = '\0';
	} else if ((unsigned char)c >= ' ' && keys->length + 1 < sizeof(keys->line)) {
		keys->line[keys->length++] = c;
		keys->line[keys->length] = '\0';
	}
	return KEY_TYPED;
}

enum key next_key(struct keys *keys)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	enum key key = KEY_NONE;
	char c;

	while (keys->on && key != KEY_QUIT && key != KEY_FILTER && is_in_foreground() &&
	       poll(&input, 1, 0) > 0) {
		/* Somebody has closed the terminal. */
		if (read(STDIN_FILENO, &c, 1) != 1) {
			keys->on = false;
			break;
		}
		key = take_key(keys, c);
	}
	return key;
}

/* A word alone is looked for in the text. */
static char *filter_of(const char *line)
{
	char *text;

	if (strpbrk(line, "=<>~!&|()\"\\"))
		return must_have(strdup(line));
	if (asprintf(&text, "text~\"*%s*\"", line) < 0)
		must_have(NULL);
	return text;
}

bool use_live_filter(struct common *common, struct keys *keys)
{
	struct kerror_filter *filter = NULL;
	char *text = filter_of(keys->line);

	keys->message[0] = '\0';
	if (*keys->line && kerror_filter_new(&filter, text, keys->message,
					     sizeof(keys->message))) {
		free(text);
		return false;
	}
	free(text);
	kerror_filter_free(common->live_filter);
	common->live_filter = filter;
	snprintf(keys->used, sizeof(keys->used), "%s", keys->line);
	return true;
}
