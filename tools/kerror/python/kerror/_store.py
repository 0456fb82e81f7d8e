# SPDX-License-Identifier: LGPL-2.1-or-later
"""The store of kerrord, which is only read: kerrord(8) has its tables, for which it keeps versions.

A query is a generator that reads page by page. Promises that none of it stays in a transaction, in
which kerrord could not shorten its log, and that no event is written, whatever the rights.
"""

from __future__ import annotations

import datetime
import heapq
import os
import sqlite3
import stat
from types import TracebackType
from typing import Any, Iterable, Iterator, Optional, Union
from urllib.parse import quote

from ._event import Event, Item, Loss, set_origin, set_severity, take
from ._filter import Filter, filter_of
from ._library import GROUPS, groups_of, lib, name_of, new_origin

PATH = "/var/lib/kerror/events.db"
_APPLICATION = 0x6b657272    # "kerr"
_VERSION, _HAS_ORIGIN = 8, 5
_PAGE = 256
_ORIGIN = ("boot_id", "instance", "machine", "host", "release", "version", "arch", "livepatch")

#: Nanoseconds since 1970, or a time with its zone
Time = Union[int, datetime.datetime]


class StoreError(Exception):
    """The store cannot be read; the message says why, and what to do."""


class Store:
    """The store at path, which kerrord may be writing meanwhile"""

    def __init__(self, path: Union[str, os.PathLike[str]] = PATH) -> None:
        self.path = os.fspath(path)
        self._database: Optional[sqlite3.Connection] = None
        self._origins: dict[int, list[tuple[str, str]]] = {}
        try:
            regular = stat.S_ISREG(os.stat(self.path).st_mode)
        except FileNotFoundError as error:
            raise StoreError(f"store {self.path}: there is none; does kerrord run, with a store "
                             "at this place?") from error
        except OSError as error:
            raise StoreError(f"store {self.path}: {error.strerror}") from error
        if not regular:
            raise StoreError(f"store {self.path}: this is no file")
        self._version = self._identify()

    def _connect(self, options: str) -> sqlite3.Connection:
        database = sqlite3.connect(f"file:{quote(self.path)}?{options}", uri=True, timeout=2,
                                   isolation_level=None)
        # A tag of the operator's may be any bytes.
        database.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        return database

    def _identify(self) -> int:
        try:
            self._database = self._connect("mode=ro")
            application, version = self._numbers()
        except sqlite3.Error as error:
            application, version = self._as_it_lies(error)
        if application != _APPLICATION and (application or version != 1):
            self.close()
            raise StoreError(f"store {self.path}: this is a database of another program")
        if version > _VERSION:
            self.close()
            raise StoreError(f"store {self.path}: made by a newer version (schema {version}, this "
                             f"one knows {_VERSION}); update python3-kerror")
        if not version:
            self.close()
            raise StoreError(f"store {self.path}: it is empty; does kerrord run, with a store at "
                             "this place?")
        return version

    def _numbers(self) -> tuple[int, int]:
        database = self._open()
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return (int(database.execute("PRAGMA application_id").fetchone()[0]),
                int(database.execute("PRAGMA user_version").fetchone()[0]))

    def _as_it_lies(self, first: sqlite3.Error) -> tuple[int, int]:
        """SQLite wants to write an index of the log even to read. Where it may not, the file is
        read as it lies there, unless somebody has that index in use who does not share it."""
        self.close()
        index, log = self.path + "-shm", self.path + "-wal"
        try:
            if not os.access(self.path, os.R_OK) or (
                    os.path.exists(index) and not os.access(index, os.R_OK)):
                raise first
            logged = os.path.exists(log) and os.path.getsize(log)
            self._database = self._connect("mode=ro&vfs=unix-none" if logged else "immutable=1")
            if logged:
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            return self._numbers()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise StoreError(f"store {self.path}: {first}; may this user read it, and is it one "
                             "of kerrord?") from error

    def close(self) -> None:
        if self._database:
            self._database.close()
        self._database = None

    def __del__(self) -> None:
        if getattr(self, "_database", None):
            self.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        if not self._database:
            raise ValueError("this kerror.Store is closed")
        return self._database

    def query(self, *, since: Optional[Time] = None, until: Optional[Time] = None,
              filter: Union[Filter, str, None] = None,
              groups: Union[str, Iterable[str]] = tuple(GROUPS), boot_id: Optional[str] = None,
              losses: bool = False, newest_first: bool = False) -> Iterator[Item]:
        """Events, oldest first, from since on and before until, that match filter.

        Each event is looked at for a filter, so narrow a query of a large store by since. With
        losses, those are between the events, by time. An error of the store is a StoreError."""
        mask = groups_of(groups)
        conditions = [f"event_group & {mask}"]
        values: list[Union[int, str]] = []
        for condition, given in (("time >= ?", since), ("time < ?", until)):
            if given is not None:
                conditions.append(condition)
                values.append(_nanoseconds(given))
        if boot_id is not None:
            conditions.append("boot IN (SELECT boot FROM boot WHERE boot_id = ?)")
            values.append(boot_id)
        where = " AND ".join(conditions)
        streams = [self._events(where, values, filter_of(filter), newest_first)]
        if losses:
            streams.append(self._losses(where, values, newest_first))
        self._open()
        return (item for _, _, _, item in heapq.merge(
            *streams, key=lambda row: row[:3], reverse=newest_first))

    def __iter__(self) -> Iterator[Event]:
        """All events, oldest first"""
        return (item for item in self.query() if isinstance(item, Event))

    def _pages(self, columns: str, number: str, table: str, where: str,
               values: list[Union[int, str]], descending: bool) -> Iterator[tuple[Any, ...]]:
        """Rows by time, then number, which are the first two columns"""
        order, after = ("DESC", "<") if descending else ("ASC", ">")
        last = (1 << 63) - 1 if descending else -1 << 63
        place: tuple[int, int] = (last, last)
        while True:
            try:
                rows = self._open().execute(
                    f"SELECT time, {number}, {columns} FROM {table} WHERE {where} AND "
                    f"(time, {number}) {after} (?, ?) ORDER BY time {order}, {number} {order} "
                    f"LIMIT {_PAGE}", [*values, *place]).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"store {self.path}: {error}") from error
            yield from rows
            if len(rows) < _PAGE:
                return
            place = rows[-1][:2]

    def _events(self, where: str, values: list[Union[int, str]], wanted: Optional[Filter],
                descending: bool) -> Iterator[tuple[int, int, int, Item]]:
        for when, number, boot, group, sequence, thread, acknowledged, data, severity in \
                self._pages("boot, event_group, sequence, thread, acknowledged, data, severity",
                            "id", "event", where, values, descending):
            event = take(lib.event_new(group, sequence, thread, data, len(data)))
            event.number, event.acknowledged = number, acknowledged
            event.received = when if event.kind is None else None
            if severity is not None:
                set_severity(event, severity)
            origin = new_origin(self._origin(boot))
            set_origin(event, origin)
            lib.origin_release(origin)
            if not wanted or wanted.matches(event):
                yield when, 0, number, event

    def _losses(self, where: str, values: list[Union[int, str]],
                descending: bool) -> Iterator[tuple[int, int, int, Item]]:
        for when, number, boot, group, cause, count, total in self._pages(
                "boot, event_group, cause, count, total", "rowid", "loss", where, values,
                descending):
            # As in the tools, an event comes before a loss of the same time in both directions.
            yield when, -1 if descending else 1, number, Loss(
                name_of(lib.group_name(group)), cause, count, total, when,
                dict(self._origin(boot)))

    def _origin(self, boot: int) -> list[tuple[str, str]]:
        if boot not in self._origins:
            if len(self._origins) > 1000:
                self._origins.clear()
            try:
                self._origins[boot] = self._read_origin(boot)
            except sqlite3.Error as error:
                raise StoreError(f"store {self.path}: {error}") from error
        return self._origins[boot]

    def _read_origin(self, boot: int) -> list[tuple[str, str]]:
        database = self._open()
        cursor = database.execute("SELECT * FROM boot WHERE boot = ?", (boot,))
        row = dict(zip((column[0] for column in cursor.description), cursor.fetchone() or ()))
        found = [(name, str(row[name])) for name in _ORIGIN if row.get(name)]
        if self._version >= _HAS_ORIGIN:
            found += [("tag." + name, value) for name, value in database.execute(
                "SELECT name, value FROM tag WHERE boot = ? ORDER BY name", (boot,))]
        return found


def _nanoseconds(given: Time) -> int:
    if isinstance(given, int):
        return given
    if not isinstance(given, datetime.datetime):
        raise TypeError(f"a time is a datetime, or nanoseconds, not {type(given).__name__}")
    if given.tzinfo is None:
        raise ValueError("this time has no zone; use datetime.astimezone(), or one with tzinfo")
    since = given - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (since.days * 86400 + since.seconds) * 10**9 + since.microseconds * 1000
