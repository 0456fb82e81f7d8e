// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shows events that outlive the kernel, for guest/persist.sh: boots COMMAND
 *
 *   list         a line per boot: id, end, number, release, seconds, message
 *   events ID    a line per event of evlog of that boot: its number and text; losses
 *   drop ID
 *   name ID      names this boot
 *   flood        has the kernel raise event 1, 2, 3, ... until the machine dies, and
 *                prints the number of each hundredth
 *   restart      shuts the machine down, which begins again
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>
#include "libkerror.h"

#define MOST		16
#define RAISE		"/sys/module/evlog/parameters/test"

static void list(void)
{
	static const char *const ends[] = { "runs", "clean", "panic", "cut" };
	struct kerror_boot boots[MOST];
	int count = kerror_boots(boots, MOST);
	char id[37];

	if (count < 0)
		errx(1, "boots: %s", strerror(-count));
	for (int i = 0; i < count && i < MOST; i++) {
		kerror_boot_text(boots[i].boot, id);
		printf("%s %s %" PRIu64 " %s %" PRIu64 " %s\n",
		       id, boots[i].end < 4 ? ends[boots[i].end] : "?",
		       (uint64_t)boots[i].number, boots[i].release,
		       (uint64_t)boots[i].time_boot / 1000000000,
		       boots[i].message);
	}
}

static void events(const struct kerror_boot *boot)
{
	struct kerror_reader *reader = kerror_reader_new(KERROR_GROUP_EVLOG);
	struct kerror_socket *sock;
	const struct kerror_loss *loss;
	enum kerror_item item;
	char text[8192];
	int error = kerror_socket_open(&sock, 0);

	if (error || !reader)
		errx(1, "cannot read a boot: %s", strerror(-error));
	kerror_reader_earlier(reader, boot);
	do {
		error = kerror_socket_next(sock, reader, 100, &item);
		if (error)
			errx(1, "cannot read a boot: %s", strerror(-error));
		if (item == KERROR_ITEM_EVENT) {
			kerror_event_text(kerror_reader_event(reader), text,
					  sizeof(text));
			printf("%u %s\n",
			       kerror_event_sequence(kerror_reader_event(reader)),
			       text);
		} else if (item == KERROR_ITEM_LOSS) {
			loss = kerror_reader_loss(reader);
			printf("lost %" PRIu64 " %s\n", (uint64_t)loss->count,
			       kerror_cause_name(loss->cause));
		} else if (item == KERROR_ITEM_ERROR) {
			errx(1, "cannot read a boot: %s",
			     strerror(-kerror_reader_error(reader)));
		}
	} while (item != KERROR_ITEM_NONE || kerror_reader_replaying(reader));
}

static void flood(void)
{
	int fd = open(RAISE, O_WRONLY);
	char text[16];

	if (fd < 0)
		err(1, RAISE);
	for (unsigned int i = 1;; i++) {
		snprintf(text, sizeof(text), "%u", i);
		/* A loss, which is counted: the same number again */
		while (pwrite(fd, text, strlen(text), 0) < 0)
			if (errno != ENOBUFS)
				err(1, RAISE);
		if (i % 100 == 0) {
			printf("raised %u\n", i);
			fflush(stdout);
		}
	}
}

/* Of the loads of a module those of one boot, the first; if there is none, the kernel says so. */
static struct kerror_boot find(const uint8_t id[16])
{
	struct kerror_boot boots[MOST], wanted = { 0 };
	int count = kerror_boots(boots, MOST);

	for (int i = 0; i < count && i < MOST; i++)
		if (!memcmp(boots[i].boot, id, sizeof(boots[i].boot)))
			return boots[i];
	memcpy(wanted.boot, id, sizeof(wanted.boot));
	return wanted;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	struct kerror_boot boot = { 0 };
	uint8_t id[16];
	int error = 0;

	if (argc > 2 && kerror_boot_parse(argv[2], id))
		errx(2, "'%s' is not the id of a boot", argv[2]);
	if (argc > 2)
		boot = find(id);
	if (!strcmp(command, "list"))
		list();
	else if (!strcmp(command, "flood"))
		flood();
	else if (!strcmp(command, "restart"))
		error = reboot(RB_AUTOBOOT) ? -errno : 0;
	else if (argc < 3)
		errx(2, "usage: boots list | flood | restart | events ID | drop ID | name ID");
	else if (!strcmp(command, "events"))
		events(&boot);
	else if (!strcmp(command, "drop"))
		error = kerror_boot_drop(&boot);
	else if (!strcmp(command, "name"))
		error = kerror_boot_name(id);
	if (error)
		errx(1, "%s: %s", command, strerror(-error));
	return 0;
}
