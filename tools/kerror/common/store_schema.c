// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of the store, and what leads from an older version to this one:
 * in one transaction, so that a killed program leaves the old or the new.
 */
#include <errno.h>
#include <stdio.h>
#include "store_internal.h"

/* Statements that lead from each version to the next; never changed, only added to. */
static const char *const migrations[STORE_VERSION] = {
	"CREATE TABLE boot(boot INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE);"
	"CREATE TABLE event("
	" id INTEGER PRIMARY KEY, boot INTEGER NOT NULL,"
	" event_group INTEGER NOT NULL, sequence INTEGER NOT NULL,"
	" thread INTEGER NOT NULL, time INTEGER NOT NULL,"
	" acknowledged INTEGER, severity INTEGER, facility TEXT, device TEXT,"
	" event_id INTEGER, text TEXT, data BLOB NOT NULL,"
	" UNIQUE(boot, event_group, sequence));"
	"CREATE INDEX event_time ON event(time);"
	"CREATE TABLE loss("
	" boot INTEGER NOT NULL, event_group INTEGER NOT NULL,"
	" time INTEGER NOT NULL, cause TEXT NOT NULL,"
	" count INTEGER NOT NULL, total INTEGER NOT NULL);"
	"CREATE INDEX loss_time ON loss(time);"
	"CREATE TABLE progress("
	" boot INTEGER NOT NULL, event_group INTEGER NOT NULL,"
	" cause INTEGER NOT NULL, value INTEGER NOT NULL,"
	" PRIMARY KEY(boot, event_group, cause)) WITHOUT ROWID;",

	/* "arrived" is 0, too, of what was there before. */
	"ALTER TABLE event ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE loss ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE state(name TEXT PRIMARY KEY, value) WITHOUT ROWID;",

	"CREATE TABLE condition("
	" name TEXT NOT NULL, key TEXT NOT NULL, rule TEXT NOT NULL,"
	" severity INTEGER NOT NULL, meaning TEXT NOT NULL,"
	" remedy TEXT NOT NULL, text TEXT NOT NULL, expires INTEGER NOT NULL,"
	" boot_id TEXT NOT NULL, since INTEGER NOT NULL, last INTEGER NOT NULL,"
	" arrived INTEGER NOT NULL, count INTEGER NOT NULL, cleared INTEGER,"
	" cleared_by TEXT, changes INTEGER NOT NULL, told INTEGER NOT NULL,"
	" PRIMARY KEY(name, key)) WITHOUT ROWID;",

	"CREATE TABLE series(boot INTEGER PRIMARY KEY, boot_id TEXT NOT NULL,"
	" instance INTEGER NOT NULL, UNIQUE(boot_id, instance));"
	"INSERT INTO series SELECT boot, boot_id, 0 FROM boot;"
	"DROP TABLE boot;"
	"ALTER TABLE series RENAME TO boot;",

	/* Of boots that were there before nothing more is known. */
	"ALTER TABLE boot ADD COLUMN machine TEXT;"
	"ALTER TABLE boot ADD COLUMN host TEXT;"
	"ALTER TABLE boot ADD COLUMN release TEXT;"
	"ALTER TABLE boot ADD COLUMN version TEXT;"
	"ALTER TABLE boot ADD COLUMN arch TEXT;"
	"ALTER TABLE boot ADD COLUMN livepatch TEXT;"
	"CREATE TABLE tag("
	" boot INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,"
	" PRIMARY KEY(boot, name)) WITHOUT ROWID;",

	/* Nobody has told how the boots ended that were there before. */
	"ALTER TABLE boot ADD COLUMN before INTEGER;"
	"ALTER TABLE boot ADD COLUMN began INTEGER;"
	"ALTER TABLE boot ADD COLUMN ended INTEGER;"
	"ALTER TABLE boot ADD COLUMN how TEXT;"
	"ALTER TABLE boot ADD COLUMN message TEXT;",

	"ALTER TABLE condition ADD COLUMN found TEXT NOT NULL DEFAULT '';",

	/* Of a collector; positions in gaps count from the first number of a boot. */
	"CREATE TABLE collected("
	" boot INTEGER NOT NULL, event_group INTEGER NOT NULL, next INTEGER NOT NULL,"
	" told INTEGER NOT NULL, lost INTEGER NOT NULL, gone INTEGER NOT NULL,"
	" reported INTEGER NOT NULL, named INTEGER NOT NULL,"
	" PRIMARY KEY(boot, event_group)) WITHOUT ROWID;"
	"CREATE TABLE gap("
	" boot INTEGER NOT NULL, event_group INTEGER NOT NULL, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, arrived INTEGER NOT NULL,"
	" PRIMARY KEY(boot, event_group, first)) WITHOUT ROWID;"
	"CREATE INDEX gap_arrived ON gap(arrived);"
	"CREATE TABLE machine("
	" machine TEXT PRIMARY KEY, boot INTEGER NOT NULL, heard INTEGER NOT NULL,"
	" arrived INTEGER NOT NULL, sent INTEGER NOT NULL, interval INTEGER NOT NULL,"
	" behind INTEGER NOT NULL, silent INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX boot_machine ON boot(coalesce(machine, host));"
	"CREATE INDEX loss_key ON loss(boot, event_group, cause, total);",
};

int store_migrate(struct store *store)
{
	int64_t version;
	char sql[128];
	int err;

	err = store_number(store, "PRAGMA user_version", &version);
	if (err || version >= STORE_VERSION)
		return err;
	err = store_execute(store, "BEGIN IMMEDIATE");
	/* Somebody else may have been faster. */
	if (!err)
		err = store_number(store, "PRAGMA user_version", &version);
	for (; !err && version < STORE_VERSION; version++)
		err = store_execute(store, migrations[version]);
	snprintf(sql, sizeof(sql),
		 "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		 STORE_APPLICATION, STORE_VERSION);
	if (!err)
		err = store_execute(store, sql);
	if (err)
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	return err;
}

/*
 * The indices of queries. A store does without them if there is no room for them,
 * which is no reason to store no events.
 */
int store_make_indices(struct store *store)
{
	int64_t made;
	int err;

	err = store_number(store,
			   "SELECT count(*) FROM sqlite_master WHERE name IN"
			   " ('event_order', 'event_kind', 'event_source', 'event_bare')",
			   &made);
	if (err || made == 4)
		return err;
	err = store_execute(store,
			    "BEGIN IMMEDIATE;"
			    "CREATE INDEX IF NOT EXISTS event_order"
			    " ON event(time, id, severity);"
			    "CREATE INDEX IF NOT EXISTS event_kind"
			    " ON event(event_id, time) WHERE event_id IS NOT NULL;"
			    "CREATE INDEX IF NOT EXISTS event_source"
			    " ON event(facility, time) WHERE facility IS NOT NULL;"
			    "CREATE INDEX IF NOT EXISTS event_bare"
			    " ON event(time) WHERE severity IS NULL;"
			    "DROP INDEX IF EXISTS event_time;"
			    "COMMIT");
	if (err)
		sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL);
	return err == -ENOSPC || err == -EBUSY ? 0 : err;
}
