// SPDX-License-Identifier: GPL-2.0-only
/*
 * kerrord: brings the kernel's error events to where an operator wants them:
 * a database, files, the journal, a syslog server, commands. See kerrord(8).
 * Here is what the command line says; receive.c does the work.
 */
#include <err.h>
#include <fcntl.h>
#include <getopt.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kerrord.h"
#include "rule.h"

static const char usage[] =
"Usage: kerrord [OPTION]...\n"
"Bring the error events of the kernel (NETLINK_KERROR) to sinks; stays in the\n"
"foreground.\n"
"\n"
"  -c, --config=FILE    configuration (default: " CONFIG_PATH ")\n"
"      --check-config   say whether it is right, and end\n"
"      --print-config   print one in which each option is explained, and end\n"
"      --make-streams   make what a [collector] reads, and end\n"
"      --run-rule       run a rule's command; for kerror-rules@.service\n"
"      --take-pstore    copy new records of pstore for the next start, and end; as root\n"
"  -V, --version        of this program\n"
"  -h, --help           this text\n"
"\n"
"SIGHUP opens files anew and reads the configuration again; SIGINT and SIGTERM end\n"
"it when all is written.\n"
"Needs CAP_SYSLOG; with CAP_NET_ADMIN, too, its receive buffer may be larger.\n";

/* A text that is only there in part is none. */
static int end_output(void)
{
	if (fflush(stdout) || ferror(stdout))
		err(EXIT_FAILURE, "cannot write to standard output");
	return EXIT_SUCCESS;
}

/* What is opened must not be taken for one of the three, should one be closed. */
static void fill_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int check(const struct settings *settings, const char *path)
{
	const struct sink_settings *sink;
	unsigned int count = 0;

	for (sink = settings->sinks; sink; sink = sink->next)
		count++;
	printf("%s", path);
	for (size_t i = 0; i < settings->file_count; i++)
		if (strcmp(settings->files[i], path))
			printf(" + %s", settings->files[i]);
	printf(": right; %u sinks:", count);
	for (sink = settings->sinks; sink; sink = sink->next)
		printf(" [%s]", sink->name);
	count = 0;
	for (sink = settings->rules; sink; sink = sink->next)
		count++;
	if (count)
		printf(", %u rules of conditions", count);
	putchar('\n');
	return end_output();
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check-config", no_argument, NULL, 'C' },
		{ "print-config", no_argument, NULL, 'P' },
		{ "run-rule", no_argument, NULL, 'R' },
		{ "take-pstore", no_argument, NULL, 'T' },
		{ "make-streams", no_argument, NULL, 'M' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = CONFIG_PATH;
	struct settings settings;
	bool only_check = false, only_rule = false, only_take = false, only_streams = false;
	int option, status;

	fill_standard_streams();
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:Vh", longs, NULL)) >= 0) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'C':
			only_check = true;
			break;
		case 'R':
			only_rule = true;
			break;
		case 'T':
			only_take = true;
			break;
		case 'M':
			only_streams = true;
			break;
		case 'P':
			config_print_sample(stdout);
			return end_output();
		case 'V':
			puts("kerrord " KERROR_VERSION);
			return end_output();
		case 'h':
			fputs(usage, stdout);
			return end_output();
		case ':':
			errx(EXIT_FAILURE, "option '%s' lacks its value; see kerrord --help",
			     argv[optind - 1]);
		default:
			errx(EXIT_FAILURE, "there is no option '%s'; see kerrord --help",
			     argv[optind - 1]);
		}
	}
	if (optind < argc)
		errx(EXIT_FAILURE, "unexpected argument '%s'; see kerrord --help",
		     argv[optind]);
	/* Nobody asks how much memory SQLite takes; to count it locks a mutex each time. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	/* Events are for those who may read the kernel's log. */
	umask(0027);
	if (only_rule)
		return run_rule(path);
	if (config_read(&settings, path, only_check))
		return EXIT_FAILURE;
	event_text_limit(settings.max_text);
	if (only_take) {
		privileges_prepare(&settings);
		pstore_take(&settings);
		status = EXIT_SUCCESS;
	} else if (only_streams) {
#ifdef WITH_NATS
		status = nats_make_streams(&settings);
#else
		errx(EXIT_FAILURE, "this kerrord was built without libnats; install libnats-dev and build it again");
#endif
	} else {
		status = only_check ? check(&settings, path) : receive(&settings, path);
	}
	config_free(&settings);
	return status;
}
