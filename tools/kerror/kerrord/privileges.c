// SPDX-License-Identifier: GPL-2.0-only
/*
 * Least privilege. The kernel asks for a capability whenever a group is joined
 * or a request sent, so CAP_SYSLOG stays, which is enough for every group, or else
 * CAP_NET_ADMIN, which is enough for all but printk; everything else goes, before
 * the first event is looked at.
 */
#include <err.h>
#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cap-ng.h>
#include "kerrord.h"

/* Whom to become; NULL: stay. A small system may not have a list of users. */
static const struct passwd *find_user(const struct settings *settings)
{
	const struct passwd *user;

	if (getuid() || !strcmp(settings->user, "root"))
		return NULL;
	user = getpwnam(settings->user);
	if (!user)
		errx(EXIT_FAILURE,
		     "there is no user '%s'; 'useradd --system %s' makes it, or name another one in [kerrord]",
		     settings->user, settings->user);
	return user;
}

/* A folder that is made belongs to the user, one that is there stays as it is. */
static void make_folder(const char *path, mode_t mode,
			const struct passwd *user)
{
	if (mkdir(path, mode)) {
		/* Whoever needs it will say so again, and try again. */
		if (errno != EEXIST)
			warn("cannot make the folder %s", path);
		return;
	}
	/* Some file systems have no owners. */
	if (user && chown(path, user->pw_uid, user->pw_gid))
		warn("cannot give %s to %s", path, user->pw_name);
}

static void make_parent(const char *path, mode_t mode,
			const struct passwd *user)
{
	char *copy;

	if (!path || *path != '/')
		return;
	copy = strdup(path);
	if (!copy)
		errx(EXIT_FAILURE, "out of memory");
	make_folder(dirname(copy), mode, user);
	free(copy);
}

/*
 * A store may have been given to a group of readers, such as adm. SQLite makes its
 * log in the folder whenever it is opened, so that is to be of the group, too.
 */
static void share_with_group(const char *path, const struct passwd *user)
{
	gid_t own = user ? user->pw_gid : getgid();
	struct stat file, folder;
	char *copy, *name;

	copy = strdup(path);
	if (!copy)
		errx(EXIT_FAILURE, "out of memory");
	name = dirname(copy);
	if (!stat(path, &file) && !stat(name, &folder) && file.st_gid != own &&
	    file.st_gid == folder.st_gid && !(folder.st_mode & S_ISGID) &&
	    chmod(name, (folder.st_mode & 07777) | S_ISGID))
		warn("cannot let the group of %s read its log", path);
	free(copy);
}

void privileges_prepare(const struct settings *settings)
{
	const struct sink_settings *sink;
	const struct passwd *user = find_user(settings);

	make_folder(settings->state, 0750, user);
	/* Whoever collects metrics is somebody else. */
	make_parent(settings->textfile, 0755, user);
	for (sink = settings->sinks; sink; sink = sink->next) {
		make_parent(sink->path, 0750, user);
		if (sink->type == &store_sink && !getuid())
			share_with_group(sink->path, user);
	}
}

void privileges_drop(const struct settings *settings)
{
	const struct passwd *user = find_user(settings);
	static const unsigned int either[] = { CAP_SYSLOG, CAP_NET_ADMIN };
	int kept = -1, error = 0;

	/* One is enough for the kernel. */
	capng_get_caps_process();
	for (int i = 0; i < 2 && kept < 0; i++)
		if (capng_have_capability(CAPNG_PERMITTED, either[i]))
			kept = either[i];
	capng_clear(CAPNG_SELECT_BOTH);
	if (kept >= 0)
		error = capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept);
	if (!error && user)
		error = capng_change_id(user->pw_uid, user->pw_gid,
					CAPNG_DROP_SUPP_GRP |
					CAPNG_CLEAR_BOUNDING);
	else if (!error)
		error = capng_apply(CAPNG_SELECT_CAPS);
	if (error)
		errx(EXIT_FAILURE,
		     "cannot give up privileges (step %d); does the kernel have CONFIG_MULTIUSER?",
		     error);
	/* Nor may a command of a rule get any. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		warn("commands of rules may gain privileges");
}
