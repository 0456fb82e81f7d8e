#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kerrord with a kernel that is played (tests/fake_kernel.c), so that
they run anywhere: test_kerrord.py PROGRAM. Prints TAP. What needs a real kernel,
a real journal or a full disk is in the selftests of the guest."""

import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

PROGRAM = os.path.abspath(sys.argv[1])
CONTROL = os.path.join(os.path.dirname(PROGRAM), "kerrorctl")
FIRST = 0xffffff00
TESTS = []
DAEMONS = []


def test(function):
    TESTS.append(function)
    return function


class Place:
    """A folder with a configuration, and a kernel that booted just now."""

    def __init__(self, folder, sections, **kernel):
        self.folder = folder
        self.kernel = {"FAKE_START": str(time.time_ns())}
        self.set(**kernel)
        self.write(sections)

    def set(self, **kernel):
        self.kernel.update({"FAKE_" + key.upper(): str(value)
                            for key, value in kernel.items()})

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, sections):
        with open(self.path("conf"), "w") as conf:
            conf.write(f"[kerrord]\nuser = root\nstate = {self.path('state')}\n"
                       f"explain = {self.path('explain')}\n"
                       f"[metrics]\ntextfile = {self.path('metrics')}\n"
                       "interval = 1s\n"
                       + sections.replace("FOLDER", self.folder))

    def start(self, **options):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path("metrics"))     # of the run before
        daemon = subprocess.Popen([PROGRAM, "--config", self.path("conf")],
                                  env={**os.environ, **self.kernel},
                                  stdout=options.get("stdout", subprocess.PIPE),
                                  stderr=subprocess.PIPE, text=True)
        DAEMONS.append(daemon)
        return daemon

    def run_until(self, done, patience=60, **options):
        """Runs it until done() holds, ends it and returns what it said."""
        daemon = self.start(**options)
        wait_for(done, patience, daemon)
        return self.end(daemon)

    def end(self, daemon):
        daemon.send_signal(signal.SIGTERM)
        out, err = daemon.communicate(timeout=60)
        assert daemon.returncode == 0, (daemon.returncode, err)
        return out, err

    def lines(self, name="json", item="event"):
        with contextlib.suppress(FileNotFoundError), open(self.path(name)) as file:
            # The last line may be only half there.
            whole = (json.loads(line) for line in file if line.endswith("\n"))
            return [line for line in whole if line["item"] == item]
        return []

    def sql(self, statement, name="db"):
        with contextlib.closing(sqlite3.connect(self.path(name))) as database:
            return database.execute(statement).fetchall()

    def stored(self, name="db"):
        with contextlib.suppress(sqlite3.DatabaseError):
            return self.sql("SELECT count(*) FROM event", name)[0][0]
        return 0

    def metric(self, name):
        with contextlib.suppress(FileNotFoundError), open(self.path("metrics")) as file:
            for line in file:
                if line.startswith(name + " "):
                    return int(line.split()[-1])
        return None


def query(path, *options, before=(), control=CONTROL):
    """What kerrorctl prints of a store, and its messages"""
    done = subprocess.run([*before, control, "query", "--store=" + path, *options],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60)
    return done.stdout.splitlines(), done.stderr


def wait_for(done, patience=60, daemon=None):
    end = time.monotonic() + patience
    while not done():
        if time.monotonic() > end and daemon:
            daemon.kill()
            raise AssertionError("it did not happen in time", daemon.communicate()[1])
        assert time.monotonic() < end, "it did not happen in time"
        assert not daemon or daemon.poll() is None, daemon.communicate()
        time.sleep(0.02)


STORE = "[store]\npath = FOLDER/db\n"
JSON = "[json]\npath = FOLDER/json\n"


@test
def every_sink_gets_every_event(folder):
    place = Place(folder, STORE + JSON + "[text]\n[json two]\npath = FOLDER/two\n"
                  "filter = severity<=err\n && arg[0]>=100\n", lost=7)
    out, err = place.run_until(lambda: len(place.lines()) == 1000 and
                               place.stored() == 1000 and
                               len(place.lines("two")) == len(
                                   [i for i in range(100, 1000) if i % 8 <= 3]))
    assert "1000 events received, 7 lost (7 staging-full)" in err, err
    text = out.splitlines()
    assert text[0] == "-- 7 evlog events lost: staging-full", text[0]
    assert len(text) == 1001
    assert 'fake2[+pci:4]' in text[-1].replace("fake0[+pci:4]", "fake2[+pci:4]")
    assert 'event 999: text 999 <id=12345678' in text[-1], text[-1]
    events = place.lines()
    assert [event["sequence"] for event in events] == \
           [(FIRST + i) % 2**32 for i in range(1000)]
    assert events[5]["arguments"] == [{"type": "u64", "value": 5},
                                      {"type": "string", "value": "text 5"}]
    assert place.lines(item="loss")[0]["count"] == 7
    assert place.sql("SELECT cause, count, total FROM loss") == \
           [("staging-full", 7, 7)]
    rows = place.sql("SELECT severity, facility, device, event_id, text FROM event"
                     " ORDER BY id")
    assert rows[10] == (2, "fake1", "+pci:0", 0x12345678, "event 10: text 10")
    assert all(int(line["arguments"][0]["value"]) % 8 <= 3
               for line in place.lines("two"))


@test
def a_restart_neither_repeats_nor_skips(folder):
    place = Place(folder, STORE + JSON + "[text]\npath = FOLDER/text\n",
                  rate=20000, events=10**9, lost=3)
    chance = random.Random(1)
    for _ in range(20):
        daemon = place.start()
        time.sleep(chance.uniform(0.05, 0.4))
        daemon.kill()
        daemon.communicate()
    raised = (time.time_ns() - int(place.kernel["FAKE_START"])) * 20000 // 10**9
    place.set(events=raised)
    place.run_until(lambda: place.stored() == raised and
                    place.metric('kerror_sink_queue_bytes{sink="json"}') == 0 and
                    place.metric("kerror_kernel_events_total{group=\"evlog\"}") == raised)
    for kept in ([row[0] for row in place.sql("SELECT sequence FROM event ORDER BY id")],
                 [line["sequence"] for line in place.lines()]):
        assert kept == [(FIRST + i) % 2**32 for i in range(raised)], \
            (len(kept), len(set(kept)), raised)
    losses = place.lines(item="loss")
    assert [loss["count"] for loss in losses] == [3], losses
    assert place.sql("SELECT sum(count) FROM loss") == [(3,)]


@test
def what_the_history_no_longer_has_is_counted_once(folder):
    place = Place(folder, STORE + JSON, events=500, rate=100000)
    place.run_until(lambda: place.stored() == 500)
    # 500 more while it does not run, of which the last 100 are there
    place.set(events=1000, history=100)
    for _ in range(2):
        place.run_until(lambda: place.stored() == 600 and
                        len(place.lines()) == 600 and
                        place.metric('kerror_sink_up{sink="json"}') == 1)
    assert place.sql("SELECT cause, count FROM loss") == [("history", 400)]
    assert [line["count"] for line in place.lines(item="loss")] == [400]


@test
def groups_are_apart(folder):
    place = Place(folder, STORE + JSON + "[json printed]\npath = FOLDER/printed\n"
                  "filter = group==printk\n", events=300, printk=500, rate=20000, lost=2)
    place.run_until(lambda: place.stored() == 800 and len(place.lines()) == 800 and
                    len(place.lines("printed")) == 500)
    assert place.sql("SELECT event_group, count(*), min((sequence + 256) % 4294967296),"
                     " max((sequence + 256) % 4294967296) FROM event"
                     " GROUP BY event_group") == [(2, 300, 0, 299), (16, 500, 0, 499)]
    assert place.sql("SELECT event_group, cause, count FROM loss") == \
           [(2, "staging-full", 2)]
    for group, count in (("evlog", 300), ("printk", 500)):
        assert [line["sequence"] for line in place.lines() if line["group"] == group] == \
               [(FIRST + i) % 2**32 for i in range(count)]
        assert place.metric(f'kerror_kernel_events_total{{group="{group}"}}') == count
        assert place.metric('kerror_lost_events_total{group="%s",cause="staging-full"}' %
                            group) == (2 if group == "evlog" else 0)
    # A flood of one group that nobody kept is no loss of the other.
    place.set(events=400, printk=5000, history=200)
    place.run_until(lambda: place.stored() == 800 + 100 + 200)
    assert place.sql("SELECT event_group, cause, count FROM loss"
                     " WHERE cause = 'history'") == [(16, "history", 4300)]


@test
def only_the_groups_that_are_asked_for(folder):
    for groups, evlog, printk in (("evlog", 30, 0), ("printk", 0, 40),
                                  ("printk, raw", 0, 40), ("all", 30, 40)):
        os.mkdir(os.path.join(folder, groups))
        place = Place(os.path.join(folder, groups), JSON, events=30, printk=40, rate=100000)
        with open(place.path("conf")) as conf:
            text = conf.read().replace("[kerrord]\n", f"[kerrord]\ngroups = {groups}\n")
        with open(place.path("conf"), "w") as conf:
            conf.write(text)
        place.run_until(lambda: len(place.lines()) == evlog + printk)
        found = [line["group"] for line in place.lines()]
        assert (found.count("evlog"), found.count("printk")) == (evlog, printk), found


@test
def an_older_kernel_is_read_without_the_group_printk(folder):
    place = Place(folder, STORE + JSON, events=50, rate=100000, old=1, flags=0x40)
    begin = time.monotonic()
    _, err = place.run_until(lambda: place.stored() == 50 and
                             place.metric('kerror_kernel_events_total{group="evlog"}') == 50)
    assert time.monotonic() - begin < 20
    assert "the kernel answered" not in err, err
    assert "this kernel has no group printk" in err, err
    # The next kernel of another boot has it.
    assert place.metric('kerror_kernel_events_total{group="printk"}') is None


def first_cursor(path, boot_id, nexts):
    """The file of a kerrord of before the group printk: two groups, seven causes."""
    with open(path, "wb") as file:
        file.write(struct.pack("16s40s", b"kerrord cursor1", boot_id.encode()))
        for known, sequence in nexts:
            file.write(struct.pack("II7Q", known, sequence, *[2**64 - 1] * 7))


@test
def progress_of_before_the_group_printk_counts(folder):
    """It was stored under group evlog; that is neither repeated nor skipped."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot_id = file.read().strip()
    place = Place(folder, STORE + JSON + "[text]\npath = FOLDER/text\n", events=60,
                  rate=100000)
    place.write(STORE + JSON + "[text]\npath = FOLDER/text\n")
    # What the last version left: a store and a JSON file with 60 events of evlog
    with open(place.path("conf")) as conf:
        text = conf.read()
    with open(place.path("conf"), "w") as conf:
        conf.write(text.replace("[kerrord]\n", "[kerrord]\ngroups = evlog\n"))
    place.run_until(lambda: place.stored() == 60 and len(place.lines()) == 60 and
                    place.metric('kerror_sink_written_total{sink="text"}') == 60)
    for name in ("json", "text"):
        first_cursor(place.path("state") + f"/{name}.cursor", boot_id,
                     [(0, 0), (1, (FIRST + 60) % 2**32)])
    # Now the kernel and kerrord know the group.
    with open(place.path("conf"), "w") as conf:
        conf.write(text)
    place.set(events=75, printk=40)
    place.run_until(lambda: place.stored() == 115 and len(place.lines()) == 115 and
                    place.metric('kerror_sink_written_total{sink="text"}') == 55)
    with open(place.path("text")) as file:
        lines = file.read().splitlines()
    for printk, count in ((False, 75), (True, 40)):
        kept = [line for line in lines if (",printk " in line) == printk]
        assert len(kept) == count, (printk, len(kept))
        for number, line in enumerate(kept):
            assert f": event {number}: text {number} <" in line, (number, line)
    # And the file that it has written since is read again, whole.
    place.set(events=80, printk=45)
    place.run_until(lambda: place.stored() == 125 and len(place.lines()) == 125 and
                    place.metric('kerror_sink_written_total{sink="text"}') == 10)
    assert place.sql("SELECT event_group, count(*) FROM event GROUP BY event_group") == \
           [(2, 80), (16, 45)]
    assert place.sql("SELECT count(*) FROM loss") == [(0,)]


@test
def a_bad_cursor_file_is_no_reason_to_stop(folder):
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot_id = file.read().strip().encode()
    for number, content in enumerate((
            b"", b"kerrord cursor1", os.urandom(184),
            struct.pack("16s40s", b"kerrord cursor1", boot_id),
            struct.pack("16s40sII", b"kerrord cursor2", boot_id, 2**32 - 1, 2**32 - 1),
            struct.pack("16s40sII", b"kerrord cursor2", boot_id, 3, 0) + b"\0" * 5,
            struct.pack("16s40sII", b"kerrord cursor9", boot_id, 3, 7) + b"\1" * 192)):
        os.mkdir(os.path.join(folder, str(number)))
        place = Place(os.path.join(folder, str(number)), "[text]\npath = FOLDER/text\n",
                      events=20, rate=100000)
        os.mkdir(place.path("state"))
        with open(place.path("state") + "/text.cursor", "wb") as file:
            file.write(content)
        place.run_until(lambda: place.metric('kerror_sink_written_total{sink="text"}') == 20)


@test
def another_boot_begins_anew(folder):
    place = Place(folder, STORE, events=100, rate=100000)
    place.run_until(lambda: place.stored() == 100)
    with contextlib.closing(sqlite3.connect(place.path("db"))) as database:
        database.execute("UPDATE boot SET boot_id ="
                         " '00000000-0000-0000-0000-000000000000'")
        database.commit()
    place.run_until(lambda: place.stored() == 200)
    assert place.sql("SELECT boot, count(*) FROM event GROUP BY boot") == \
           [(1, 100), (2, 100)]


@test
def a_sink_that_fails_stops_no_other_and_recovers(folder):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    place = Place(folder, STORE + JSON + "[json full]\npath = /dev/full\n"
                  "[json socket]\npath = unix:FOLDER/socket\nqueue = 64K\n",
                  rate=2000, events=4000)
    daemon = place.start()
    wait_for(lambda: place.stored() > 1000 and len(place.lines()) > 1000, 60, daemon)
    for name in ("json full", "json socket"):
        wait_for(lambda: place.metric(f'kerror_sink_up{{sink="{name}"}}') == 0)
    wait_for(lambda: place.stored() == 4000, 60, daemon)
    dropped = place.metric('kerror_sink_dropped_total{sink="json socket"}')
    listener.bind(place.path("socket"))
    listener.listen()
    connection = listener.accept()[0].makefile()
    received = lost = 0
    while received + lost < 4000:
        line = json.loads(connection.readline())
        received += line["item"] == "event"
        if line["item"] == "loss":
            assert line["cause"] == "sink", line
            lost += line["count"]
    assert lost > 100, lost
    _, err = place.end(daemon)
    assert "[json full] /dev/full: No space left on device" in err, err
    assert "[json socket] unix:" in err and "No such file" in err, err
    assert f"works again after" in err and f"{lost} events were dropped" in err, err
    reports = [line["text"] for line in place.lines(item="report")]
    assert any("/dev/full" in text for text in reports), reports
    assert any("works again" in text for text in reports), reports
    assert dropped, dropped


@test
def a_locked_store_loses_nothing_that_fits(folder):
    place = Place(folder, STORE + JSON, rate=1000, events=6000)
    daemon = place.start()
    wait_for(lambda: place.stored() > 100, 60, daemon)
    locker = sqlite3.connect(place.path("db"), isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    before = len(place.lines())
    wait_for(lambda: place.metric('kerror_sink_up{sink="store"}') == 0, 60, daemon)
    wait_for(lambda: len(place.lines()) > before + 500, 60, daemon)
    locker.execute("ROLLBACK")
    locker.close()
    wait_for(lambda: place.stored() == 6000, 60, daemon)
    _, err = place.end(daemon)
    assert "database is locked; another program holds it" in err, err
    assert "0 events were dropped meanwhile" in err, err


@test
def a_long_reader_does_not_stop_the_store(folder):
    place = Place(folder, STORE, rate=2000, events=4000)
    daemon = place.start()
    wait_for(lambda: place.stored() > 100, 60, daemon)
    reader = sqlite3.connect(place.path("db"), isolation_level=None)
    reader.execute("BEGIN")
    seen = reader.execute("SELECT count(*) FROM event").fetchone()
    wait_for(lambda: place.stored() == 4000, 60, daemon)
    assert reader.execute("SELECT count(*) FROM event").fetchone() == seen
    reader.close()
    place.end(daemon)


@test
def a_pager_that_waits_does_not_pin_the_log(folder):
    place = Place(folder, STORE + "max_size = 8M\n", rate=20000, events=10**9)
    daemon = place.start()
    wait_for(lambda: place.stored() > 5000, 60, daemon)
    pager = subprocess.Popen([CONTROL, "query", "--store=" + place.path("db")],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pager.stdout.readline()
    written = 'kerror_sink_written_total{sink="store"}'
    begin = place.metric(written) or 0
    wait_for(lambda: (place.metric(written) or 0) > begin + 60000, 120, daemon)
    assert os.path.getsize(place.path("db-wal")) < 20 << 20, \
        os.path.getsize(place.path("db-wal"))
    assert pager.poll() is None
    _, said = pager.communicate(timeout=60)
    assert pager.returncode == 0 and b"events meanwhile" in said, said
    place.end(daemon)


@test
def a_reader_without_an_end_does_not_fill_the_disk(folder):
    place = Place(folder, STORE + "max_log = 40M\nqueue = 1M\n" + JSON, rate=20000,
                  events=10**9)
    daemon = place.start()
    wait_for(lambda: place.stored() > 100, 60, daemon)
    reader = sqlite3.connect(place.path("db"), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchone()
    wait_for(lambda: place.metric('kerror_sink_up{sink="store"}') == 0, 120, daemon)
    wait_for(lambda: (place.metric('kerror_sink_dropped_total{sink="store"}') or 0) > 1000,
             60, daemon)
    assert os.path.getsize(place.path("db-wal")) < 50 << 20
    assert place.metric('kerror_store_log_bytes{sink="store"}') > 32 << 20
    reader.close()
    wait_for(lambda: place.metric('kerror_sink_up{sink="store"}') == 1, 60, daemon)
    wait_for(lambda: place.sql("SELECT count(*) FROM loss WHERE cause = 'sink'")[0][0], 60,
             daemon)
    _, err = place.end(daemon)
    assert err.count("MiB, because a program reads without an end; 'fuser ") == 2, err
    assert "works again" in err, err


@test
def a_corrupted_store_makes_way_for_a_new_one(folder):
    place = Place(folder, STORE, events=3000, rate=100000)
    place.run_until(lambda: place.stored() == 3000)
    # Pages that are bad, which shows when it is opened, or when they are needed
    for first in (0, 2):
        with open(place.path("db"), "r+b") as file:
            file.seek(first * 4096 + (0 if first else 100))
            file.write(b"\xff" * (os.path.getsize(place.path("db")) - file.tell()))
        place.set(events=5000)
        _, err = place.run_until(lambda: place.stored() in (2000, 5000))
        assert "is corrupted; it is now" in err or "was corrupted" in err, err
    kept = [name for name in os.listdir(folder) if name.startswith("db.corrupt-")
            and not name.endswith(("-wal", "-shm"))]
    assert len(kept) == 2, kept


def execute_in(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


@test
def a_file_that_is_no_store_is_left_alone(folder):
    """A wrong path must cost nobody a file, or tables in it."""
    os.mkdir(folder + "/files")
    at = folder + "/files/"
    with open(at + "notes.txt", "w") as file:
        file.write("precious text\n")
    with open(at + "header", "wb") as file:
        file.write(b"SQLite format 3\0" + b"\xff" * 5000)
    execute_in(at + "other.db", "CREATE TABLE mc_event(a)",
                 "INSERT INTO mc_event VALUES(1)")
    execute_in(at + "wal.db", "PRAGMA journal_mode = WAL", "CREATE TABLE event(a)")
    execute_in(at + "id.db", "PRAGMA application_id = 77", "CREATE TABLE event(a)")
    execute_in(at + "version.db", "PRAGMA user_version = 1", "CREATE TABLE event(a)")
    names = sorted(os.listdir(at))
    content = [open(at + name, "rb").read() for name in names]
    place = Place(folder, JSON + "".join(f"[store {name}]\npath = {at}{name}\n"
                                         for name in names), events=10, rate=100000)
    _, err = place.run_until(lambda: len(place.lines()) == 10 and all(
        place.metric('kerror_sink_up{sink="store %s"}' % name) == 0 for name in names))
    assert sorted(os.listdir(at)) == names, os.listdir(at)
    for name, before in zip(names, content):
        assert open(at + name, "rb").read() == before, name
        assert f"store {at}{name}: this is " in err, (name, err)
        lines, said = query(at + name)
        assert not lines and f"store {at}{name}: this is " in said, said
    assert err.count("; name another path, or move it away") == len(names), err


READ_ONLY = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$0" &&'
             ' mount -o remount,bind,ro "$0" && exec "$@"']


def is_possible(*command):
    return not subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode


@test
def a_store_is_read_without_the_right_to_write(folder):
    """On a rescue disk, by a group of readers, after power loss."""
    if os.geteuid():
        print("# needs root, to become others")
        return
    control = folder + "/kerrorctl"
    shutil.copy(CONTROL, control)
    at = folder + "/v"
    os.mkdir(at)
    place = Place(folder, "[store]\npath = FOLDER/v/db\n", events=100, rate=100000)
    written = 'kerror_sink_written_total{sink="store"}'
    for name, mode in ((".", 0o755), ("v", 0o755), ("kerrorctl", 0o755)):
        os.chmod(place.path(name), mode)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    member = ["setpriv", "--reuid=65533", "--regid=65532", "--clear-groups"]
    ways = [nobody]
    if is_possible(*READ_ONLY, at):
        ways.append([*READ_ONLY, at])
    else:
        print("# cannot mount anything read-only here")

    def check(count, before, case):
        names = sorted(os.listdir(at))
        lines, err = query(at + "/db", before=before, control=control)
        assert len(lines) == count and not err, (case, before, len(lines), err)
        assert sorted(os.listdir(at)) == names, (case, os.listdir(at))

    place.run_until(lambda: place.metric(written) == 100)
    assert os.listdir(at) == ["db"], os.listdir(at)
    os.chmod(at + "/db", 0o644)
    for before in ways:
        check(100, before, "clean stop")

    os.chmod(at + "/db", 0o640)
    os.chmod(at, 0o750)
    os.chown(at, -1, 65532)
    os.chown(at + "/db", -1, 65532)
    place.set(events=200)
    daemon = place.start()
    wait_for(lambda: place.metric(written) == 100, 60, daemon)
    check(200, member, "while kerrord runs")
    lines, err = query(at + "/db", before=nobody, control=control)
    assert not lines and "run it as root" in err, err

    daemon.kill()
    daemon.communicate()
    os.chmod(at, 0o755)
    for name in os.listdir(at):
        os.chmod(f"{at}/{name}", 0o644)
    assert sorted(os.listdir(at)) == ["db", "db-shm", "db-wal"], os.listdir(at)
    for before in ways:
        check(200, before, "after a kill")
    os.remove(at + "/db-shm")
    for before in ways:
        check(200, before, "after power loss")


@test
def an_event_that_cannot_be_stored_is_skipped(folder):
    place = Place(folder, STORE + JSON, events=10, rate=100000)
    place.run_until(lambda: place.stored() == 10)
    # One that SQLite refuses, and one at which something else fails each time
    for name, number, what in (("refused", 20, "SELECT RAISE(ABORT, 'refused')"),
                               ("fails", 30, "SELECT json_extract('{', '$')")):
        execute_in(place.path("db"), f"CREATE TRIGGER {name} BEFORE INSERT ON event"
                   f" WHEN new.sequence = {(FIRST + number) % 2**32} BEGIN {what}; END")
    place.set(events=50)
    _, err = place.run_until(lambda: place.stored() == 48 and place.metric(
        'kerror_sink_skipped_total{sink="store"}') == 2)
    assert [row[0] for row in place.sql("SELECT sequence FROM event ORDER BY id")] == \
           [(FIRST + i) % 2**32 for i in range(50) if i not in (20, 30)]
    assert place.sql("SELECT cause, count FROM loss") == [("skipped", 1)] * 2
    assert place.metric('kerror_sink_written_total{sink="store"}') == 38
    assert "which it cannot store; the last is evlog" in err, err
    assert "malformed JSON" in err and "works again" in err, err
    lines, _ = query(place.path("db"), "--losses")
    assert sum("1 evlog events lost: skipped" in line for line in lines) == 2, lines
    assert len(place.lines()) == 50
    _, err = place.run_until(lambda: place.metric('kerror_sink_up{sink="store"}') == 1)
    assert "skipped" not in err and place.stored() == 48, err


def commits(path):
    """Transactions in a write-ahead log: frames that tell the size of the database"""
    with open(path, "rb") as file:
        log = file.read()
    page = struct.unpack(">I", log[8:12])[0]
    salt = log[16:24]
    frames = [log[at:at + 24] for at in range(32, len(log) - page, page + 24)]
    return sum(frame[8:16] == salt and frame[4:8] != b"\0" * 4 for frame in frames)


@test
def commits_are_gathered_unless_it_is_severe(folder):
    counts = {}
    for severity in ("info", "err"):
        os.mkdir(os.path.join(folder, severity))
        place = Place(os.path.join(folder, severity), STORE, events=60, rate=100)
        os.mkdir(place.path("explain"))
        with open(place.path("explain") + "/all.ini", "w") as file:
            file.write(f"[12345678]\nseverity = {severity}\n")
        daemon = place.start()
        wait_for(lambda: place.metric('kerror_sink_written_total{sink="store"}') == 60,
                 60, daemon)
        counts[severity] = commits(place.path("db-wal"))
        place.end(daemon)
    assert counts["info"] <= 25 and counts["err"] > 1.5 * counts["info"], counts


@test
def a_newer_store_is_left_alone(folder):
    place = Place(folder, STORE + JSON, events=10, rate=100000)
    with contextlib.closing(sqlite3.connect(place.path("db"))) as database:
        database.execute("PRAGMA application_id = 0x6b657272")
        database.execute("PRAGMA user_version = 99")
    _, err = place.run_until(lambda: len(place.lines()) == 10)
    assert "made by a newer version (schema 99" in err, err
    assert place.sql("PRAGMA user_version") == [(99,)]


@test
def the_store_keeps_to_its_size_and_age(folder):
    place = Place(folder, "[store]\npath = FOLDER/db\nmax_size = 2M\n", rate=5000,
                  events=20000)
    daemon = place.start()
    wait_for(lambda: place.metric('kerror_sink_written_total{sink="store"}') == 20000,
             60, daemon)
    place.end(daemon)
    place.run_until(lambda: place.metric('kerror_sink_up{sink="store"}') == 1 and
                    place.stored() < 10000)
    newest = place.sql("SELECT max(sequence), min(id), max(id) FROM event"
                       " WHERE sequence < 2147483648")[0]
    assert newest[0] == (FIRST + 19999) % 2**32, newest
    assert os.path.getsize(place.path("db")) < 3 << 20
    time.sleep(1.5)     # Older than a second is everything now.
    place.write("[store]\npath = FOLDER/db\nmax_age = 1s\n")
    place.run_until(lambda: place.metric('kerror_sink_up{sink="store"}') == 1 and
                    place.stored() == 0)


YEAR = 365 * 86400


@test
def the_order_of_arrival_decides_what_is_old(folder):
    """Not the time of the event: a board without a clock boots in 1970."""
    place = Place(folder, STORE, events=200, rate=100000, clock=-int(time.time()))
    place.run_until(lambda: place.stored() == 200)
    # The clock is set: to the right time, too far ahead, and back again.
    for step, shift in enumerate((0, 13 * YEAR, 70 * YEAR, -50 * YEAR, 10 * YEAR, 0), 1):
        place.set(events=200 + 100 * step, clock=shift)
        _, err = place.run_until(lambda: place.stored() == 200 + 100 * step)
        assert "deleted" not in err, err
    assert place.sql("SELECT sequence FROM event ORDER BY id") == \
           [((FIRST + i) % 2**32,) for i in range(800)]
    assert len(query(place.path("db"))[0]) == 800
    # By size the last to arrive remain, though the first ones are of 2039.
    os.remove(place.path("db"))
    place = Place(folder, STORE + "max_size = 1M\n", events=3000, rate=100000,
                  clock=13 * YEAR)
    place.run_until(lambda: place.metric('kerror_sink_written_total{sink="store"}') == 3000)
    place.set(events=6000, clock=0)
    place.run_until(lambda: place.metric('kerror_sink_written_total{sink="store"}') == 3000)
    place.run_until(lambda: place.metric('kerror_sink_up{sink="store"}') == 1)
    kept = [row[0] for row in place.sql("SELECT sequence FROM event ORDER BY id")]
    assert 1000 < len(kept) < 4000, len(kept)
    assert kept == [(FIRST + i) % 2**32 for i in range(6000 - len(kept), 6000)]


@test
def what_retention_deletes_is_told(folder):
    place = Place(folder, STORE + JSON, events=200, rate=100000)
    place.run_until(lambda: place.stored() == 200)
    # The machine runs for 91 days, with kerrord or without.
    execute_in(place.path("db"), "UPDATE state SET value = value + 91 * 86400"
               " WHERE name = 'clock_base'")
    place.set(events=230)
    deleted = 'kerror_store_deleted_total{sink="store",reason="max_age"}'
    _, err = place.run_until(lambda: place.metric(deleted) == 200 and place.stored() == 30)
    assert "[store] deleted 200 events older than max_age, 0 beyond max_size" in err, err
    assert [line["text"] for line in place.lines(item="report")] == \
           ["[store] deleted 200 events older than max_age, 0 beyond max_size"]
    lines, _ = query(place.path("db"), "--losses")
    assert lines[0] == "-- kerrord deleted 200 events older than max_age, 0 beyond max_size"
    assert len(lines) == 31
    lines, _ = query(place.path("db"), "--losses", "--json")
    assert lines[0] == '{"item":"deleted","max_age":200,"max_size":0}', lines[0]
    # A restart of kerrord, or of the machine, is no reason to delete or to forget.
    execute_in(place.path("db"), "UPDATE state SET value = 'another boot'"
               " WHERE name = 'clock_boot'")
    _, err = place.run_until(lambda: place.metric(deleted) == 200)
    assert "deleted" not in err and place.stored() == 30, err


FIRST_SCHEMA = """
CREATE TABLE boot(boot INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE);
CREATE TABLE event(id INTEGER PRIMARY KEY, boot INTEGER NOT NULL,
 event_group INTEGER NOT NULL, sequence INTEGER NOT NULL, thread INTEGER NOT NULL,
 time INTEGER NOT NULL, acknowledged INTEGER, severity INTEGER, facility TEXT,
 device TEXT, event_id INTEGER, text TEXT, data BLOB NOT NULL,
 UNIQUE(boot, event_group, sequence));
CREATE INDEX event_time ON event(time);
CREATE TABLE loss(boot INTEGER NOT NULL, event_group INTEGER NOT NULL,
 time INTEGER NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL,
 total INTEGER NOT NULL);
CREATE INDEX loss_time ON loss(time);
CREATE TABLE progress(boot INTEGER NOT NULL, event_group INTEGER NOT NULL,
 cause INTEGER NOT NULL, value INTEGER NOT NULL,
 PRIMARY KEY(boot, event_group, cause)) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def make_first_version(place):
    """Makes a store of schema 1 of the one that is there."""
    columns = ("id, boot, event_group, sequence, thread, time, acknowledged, severity,"
               " facility, device, event_id, text, data")
    with contextlib.closing(sqlite3.connect(place.path("first"))) as database:
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(FIRST_SCHEMA)
        database.execute("ATTACH ? AS new", (place.path("db"),))
        database.execute("INSERT INTO boot SELECT * FROM new.boot")
        database.execute(f"INSERT INTO event SELECT {columns} FROM new.event")
        database.execute("INSERT INTO loss SELECT boot, event_group, time, cause,"
                         " count, total FROM new.loss")
        database.execute("INSERT INTO progress SELECT * FROM new.progress")
        database.commit()
    os.rename(place.path("first"), place.path("db"))


@test
def a_store_of_the_first_version_keeps_every_event(folder):
    place = Place(folder, STORE, events=500, rate=100000, lost=3,
                  clock=-int(time.time()))
    place.run_until(lambda: place.stored() == 500)
    make_first_version(place)
    before, err = query(place.path("db"))     # it can be read as it is
    assert len(before) == 500, (len(before), err)
    place.set(events=600)
    _, err = place.run_until(lambda: place.stored() == 600)
    assert "deleted" not in err, err
    assert place.sql("PRAGMA user_version") == [(2,)]
    assert place.sql("PRAGMA application_id") == [(0x6b657272,)]
    assert place.sql("SELECT sequence FROM event ORDER BY id") == \
           [((FIRST + i) % 2**32,) for i in range(600)]
    assert query(place.path("db"))[0][:500] == before


TERMS = ["severity<=err", "severity==emerg", "severity!=3", "severity>crit", "id==fcf2063c",
         "id==12345678", "id!=fcf2063c", "id==0", "id==82ee4be8", 'facility=="ata"',
         'facility=="fake1"', 'facility!="net"', 'facility~"n*"', 'facility~"ata"',
         'device=="b8:0"', 'device=="+pci:3"', 'device!="n2"', "group==evlog", "group==raw",
         "group!=printk", "group!=raw", "arg[0]>5", 'text~"*5*"', "cpu==3", "kind==binary",
         "severity<99999999999", "severity>-1"]


def random_filter(chance, depth=0):
    if depth == 3 or chance.random() < 0.4:
        return chance.choice(("", "", "", "!")) + "(" + chance.choice(TERMS) + ")"
    parts = [random_filter(chance, depth + 1) for _ in range(chance.randint(1, 3))]
    return chance.choice(("", "", "!")) + "(" + chance.choice((" && ", " || ")).join(parts) + ")"


@test
def a_filter_finds_the_same_with_and_without_sql(folder):
    path = folder + "/db"
    subprocess.run([os.path.join(os.path.dirname(PROGRAM), "make_store"), path], check=True)
    place = Place(folder, STORE, events=100, printk=30, rate=100000)
    # Seven numbers of evlog are in the store already.
    place.run_until(lambda: place.stored() == 8 + 93 + 30)
    chance = random.Random(19)
    found = 0
    for text in TERMS + [random_filter(chance) for _ in range(100)]:
        # No column tells of argc, so that nothing of this is left to SQLite.
        lines = query(path, "--filter", text)[0]
        assert lines == query(path, "--filter", f"({text}) || argc==999")[0], text
        newest = query(path, "--limit=7", "--filter", text)[0]
        assert newest == lines[-7:], (text, newest)
        found += 0 < len(lines) < 131
    assert found > 60, found


@test
def files_are_opened_anew_on_sighup(folder):
    place = Place(folder, JSON, rate=1000, events=3000)
    daemon = place.start()
    wait_for(lambda: len(place.lines()) > 100, 60, daemon)
    os.rename(place.path("json"), place.path("json.1"))
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: len(place.lines("json.1")) + len(place.lines()) == 3000, 60,
             daemon)
    place.end(daemon)
    assert len(place.lines()) > 100


@test
def the_operators_severity_counts(folder):
    place = Place(folder, STORE + JSON + "[json alert]\npath = FOLDER/alert\n"
                  "filter = severity==alert\n", rate=1000, events=4000)
    os.mkdir(place.path("explain"))
    with open(place.path("explain") + "/mine.ini", "w") as file:
        file.write("[12345678]\nseverity = alert\n")
    daemon = place.start()
    wait_for(lambda: len(place.lines("alert")) > 100, 60, daemon)
    os.remove(place.path("explain") + "/mine.ini")
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: place.stored() == 4000, 60, daemon)
    place.end(daemon)
    alerts = place.lines("alert")
    changed = [line for line in place.lines() if "kernel_severity" in line]
    assert len(alerts) < 4000 and changed[2]["kernel_severity"] == "err", changed[2]
    # Before the signal all are alerts, then those that the kernel has for such.
    count = place.sql("SELECT count(*) FROM event WHERE severity = 1")[0][0]
    assert count == len(alerts), (count, len(alerts))
    assert place.sql("SELECT severity FROM event ORDER BY id DESC LIMIT 8") == \
           [(severity,) for severity in range(7, -1, -1)]
    # The bytes are the kernel's: severity is that at offset 65 of the header.
    assert place.sql("SELECT id FROM event WHERE hex(substr(data, 66, 1))"
                     " != printf('%02X', (id - 1) % 8)") == []


@test
def a_cut_last_line_is_written_again(folder):
    place = Place(folder, JSON, events=100, rate=100000)
    place.run_until(lambda: len(place.lines()) == 100)
    os.truncate(place.path("json"), os.path.getsize(place.path("json")) - 10)
    # The daemon's own memory must not say that the event was written.
    place.set(events=150)
    place.run_until(lambda: place.metric('kerror_sink_written_total{sink="json"}') in
                    (50, 51))
    assert [line["arguments"][0]["value"] for line in place.lines()] == \
           list(range(150))


@test
def rules_fire_by_threshold_key_and_cooldown(folder):
    rule = "[rule {}]\ncommand = /bin/sh FOLDER/script {}\n{}\n"
    place = Place(folder, JSON +
                  rule.format("each", "each", 'filter = arg[0]<3') +
                  rule.format("burst", "burst", 'threshold = 10 in 1s\nkey = device\n'
                              'cooldown = 10s') +
                  rule.format("never", "never", 'threshold = 5000 in 1s') +
                  rule.format("slow", "slow", 'filter = arg[0]==5\ntimeout = 1s') +
                  "[rule absent]\ncommand = /no/such/program\nfilter = arg[0]==7\n",
                  events=1000, rate=1000)
    with open(place.path("script"), "w") as script:
        script.write('if [ "$1" = slow ]; then sleep 60; fi\n'
                     f'env > {folder}/"$1.$KERROR_SEQUENCE"\n')
    _, err = place.run_until(
        lambda: place.metric('kerror_sink_written_total{sink="rule never"}') == 1000
        and place.metric('kerror_sink_written_total{sink="rule slow"}') == 1
        and place.metric('kerror_sink_queue_bytes{sink="rule burst"}') == 0)
    fired = sorted(name for name in os.listdir(folder) if "." in name and
                   not name.endswith(".cursor"))
    each = [name for name in fired if name.startswith("each.")]
    burst = [name for name in fired if name.startswith("burst.")]
    assert len(each) == 3, fired
    # Event 45 to 49 are the tenth of each of the five devices.
    assert sorted(int(name.split(".")[1]) for name in burst) == \
           [(FIRST + i) % 2**32 for i in range(45, 50)], burst
    assert not [name for name in fired if name.startswith(("never", "slow"))]
    with open(place.path(each[1])) as file:
        variables = dict(line.rstrip("\n").split("=", 1) for line in file)
    assert variables["KERROR_FACILITY"] == "fake1"
    assert variables["KERROR_DEVICE"] == "+pci:1"
    assert variables["KERROR_SEVERITY"] == "alert"
    assert variables["KERROR_TEXT"] == "event 1: text 1"
    assert variables["KERROR_ID"] == "12345678"
    assert variables["KERROR_ARG_0"] == "1"
    assert variables["KERROR_ARG_1"] == "text 1"
    assert "LD_PRELOAD" not in variables and "FAKE_START" not in variables
    assert "[rule slow] its command ran longer than 1 s and was killed" in err, err
    assert "[rule absent] cannot run /no/such/program: No such file" in err, err


def parse_syslog(text):
    """Header and structured data of one RFC 5424 message."""
    head, rest = text.split(" [", 1) if " [" in text else (text, "")
    parts = head.split(" ")
    assert parts[0].startswith("<") and parts[0].endswith(">1"), text
    elements, at = {}, 0
    rest = "[" + rest
    while rest[at:at + 1] == "[":
        end = at + 1
        quoted = escaped = False
        while quoted or rest[end] != "]":
            if escaped:
                escaped = False
            elif rest[end] == "\\":
                escaped = True
            elif rest[end] == '"':
                quoted = not quoted
            end += 1
        name, _, values = rest[at + 1:end].partition(" ")
        elements[name] = dict(pair.split('="', 1)
                              for pair in values.rstrip('"').split('" '))
        at = end + 1
    return parts, elements, rest[at + 1:]


def check_syslog(messages):
    assert len(messages) == 100, len(messages)
    parts, elements, text = parse_syslog(messages[11])
    assert parts[0] == f"<{16 * 8 + 11 % 8}>1", parts
    assert parts[3] == "fake2" and parts[5] == "12345678", parts
    assert elements["kerror@32473"]["device"] == "+pci:1"
    assert elements["kerrorArguments@32473"] == {"arg0": "11", "arg1": "text 11"}
    assert text == "event 11: text 11", text


@test
def what_was_printed_is_of_the_kernel_in_syslog(folder):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(os.path.join(folder, "log"))
    server.settimeout(60)
    place = Place(folder, f"[syslog]\naddress = unix:{folder}/log\n", events=0,
                  printk=3, rate=100000)
    daemon = place.start()
    parts, elements, _ = parse_syslog(server.recv(65536).decode())
    assert parts[0] == "<0>1" and parts[3] == "kernel", parts
    assert elements["kerror@32473"]["facility"] == "fake0", elements
    assert elements["kerror@32473"]["group"] == "printk", elements
    place.end(daemon)


@test
def syslog_over_each_transport(folder):
    for kind in ("unix", "udp", "tcp"):
        if kind == "unix":
            server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            server.bind(os.path.join(folder, "log"))
            address = os.path.join(folder, "log")
        else:
            server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp"
                                   else socket.SOCK_STREAM)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            server.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % server.getsockname()[1]
        server.settimeout(60)
        os.makedirs(os.path.join(folder, kind))
        place = Place(os.path.join(folder, kind), f"[syslog]\naddress = {kind}:{address}\n"
                      "facility = local0\n", events=100, rate=100000)
        if kind == "tcp":
            server.listen()
        daemon = place.start()
        messages = []
        if kind == "tcp":
            stream = server.accept()[0].makefile("rb")
            while len(messages) < 100:
                count = b""
                while (byte := stream.read(1)) != b" ":
                    count += byte
                messages.append(stream.read(int(count)).decode())
        else:
            while len(messages) < 100:
                messages.append(server.recv(65536).decode())
        place.end(daemon)
        check_syslog(messages)


@test
def the_journal_has_messages_of_the_kernel_as_its_own(folder):
    path = "/run/systemd/journal/socket"
    if os.geteuid() or os.path.exists(path):
        print("# needs root, and a machine without systemd-journald")
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        try:
            server.settimeout(60)
            place = Place(folder, "[journald]\n", events=0, printk=10, flags=0x180)
            daemon = place.start()
            entry = server.recv(65536).decode().splitlines()
            server.close()
            place.end(daemon)
        finally:
            os.remove(path)
    for field in ("MESSAGE=event 0: text 0", "PRIORITY=0", "SYSLOG_IDENTIFIER=kernel",
                  "SYSLOG_FACILITY=0", "KERROR_PRINTK=1", "KERROR_CONTINUES=1",
                  "KERROR_OPEN=1", "KERROR_FACILITY=fake0", "KERROR_TID=43",
                  "KERROR_ARG_0=0", "KERROR_GROUP=printk"):
        assert field in entry, (field, entry)
    assert not [field for field in entry if field.startswith("_")], entry


@test
def metrics_over_http(folder):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = Place(folder, JSON, events=800, lost=5, rate=100000)
    with open(place.path("conf")) as conf:
        text = conf.read().replace("interval = 1s", f"interval = 1s\nlisten = 127.0.0.1:{port}")
    with open(place.path("conf"), "w") as conf:
        conf.write(text)
    daemon = place.start()
    wait_for(lambda: len(place.lines()) == 800, 60, daemon)

    def get(path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    status, body = get("/metrics")
    assert status == 200
    assert 'kerror_lost_events_total{group="evlog",cause="staging-full"} 5' in body
    assert 'kerror_sink_written_total{sink="json"} 800' in body, body
    counts = [int(line.split()[-1]) for line in body.splitlines()
              if line.startswith("kerror_events_total{")]
    assert sum(counts) == 800 and len(counts) == 24, counts
    assert get("/")[0] == 404
    place.end(daemon)


@test
def systemd_is_told(folder):
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(os.path.join(folder, "notify"))
    server.settimeout(30)
    place = Place(folder, JSON, events=10)
    place.kernel["NOTIFY_SOCKET"] = os.path.join(folder, "notify")
    place.kernel["WATCHDOG_USEC"] = "400000"
    daemon = place.start()
    told = [server.recv(1000).decode() for _ in range(4)]
    assert told[0] == "READY=1", told
    assert told[1:] == ["WATCHDOG=1"] * 3, told
    daemon.send_signal(signal.SIGTERM)
    while server.recv(1000) != b"STOPPING=1":
        pass
    daemon.communicate(timeout=60)


BAD = [
    ("[store]\npath = FOLDER/db\nmax_agee = 1d\n",
     "conf:10: [store] has no option 'max_agee'; kerrord --print-config shows all"),
    ("[stor]\n", "conf:8: there is no section [stor]; known are kerrord, metrics, store"),
    ("[store]\nmax_age = soon\n", "conf:9: max_age: 'soon' is no time such as 30s"),
    ("[store]\nmax_size = 1T\n", "conf:9: max_size: '1T' is no size such as 512K"),
    ("[json]\nqueue = -1\n", "conf:9: queue: '-1' is no size"),
    ("[json]\nfilter = severity<=bad\n", "[json] filter: "),
    ("[rule x]\n", "[rule x] has no command, which it needs"),
    ("[rule x]\ncommand = x\nthreshold = 0\n", "conf:10: threshold: '0' is neither 1"),
    ("[rule x]\ncommand = x\nthreshold = 5\n", "conf:10: threshold: '5' is neither 1"),
    ("[rule x]\ncommand = x\nkey = device nonsense\n",
     "[rule x] key: 'nonsense' is none of facility, device, id, arg[N]"),
    ("[json]\n[json]\n", "conf:9: a second section [json]; give it another name"),
    ("[json]\npath = a\npath = b\n", "conf:10: a second 'path' in [json]"),
    ("[kerrord]\ngroups = evlog prin\n[json]\n",
     "groups: 'evlog prin' is not one or more of raw, evlog, printk, all"),
    ("[kerrord]\ngroups = ,\n[json]\n", "groups: ',' is not one or more of raw"),
    ("[kerrord]\ngroups = printkprintk\n[json]\n", "is not one or more of raw"),
    ("[syslog]\nfacility = mail\n", "conf:9: facility: 'mail' is none of kern"),
    ("[json]\nwhat is this\n", "conf:9: this is neither [section] nor option = value"),
    ("[json]\npath = " + "x" * 300 + "\n", "conf:9: a line is longer than"),
    ("", "no section for a sink; one of: store json text"),
]


@test
def a_wrong_configuration_is_refused(folder):
    for sections, message in BAD:
        place = Place(folder, sections)
        done = subprocess.run([PROGRAM, "-c", place.path("conf"), "--check-config"],
                              stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and message in done.stderr, (sections, done)
    done = subprocess.run([PROGRAM, "-c", folder + "/none"], stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == 1 and "--print-config" in done.stderr, done


@test
def the_printed_configuration_is_right(folder):
    sample = subprocess.run([PROGRAM, "--print-config"], stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    everything = sample.replace("\n#[", "\n[")
    for text in (sample, everything):
        with open(folder + "/conf", "w") as conf:
            conf.write(text)
        done = subprocess.run([PROGRAM, "-c", folder + "/conf", "--check-config"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wanted = 0 if text is sample else 1     # the rule has no command yet
        assert done.returncode == wanted, done
    # With every option taken out of its comment, too
    options = "\n".join(line[1:] if line.startswith("#") and " = " in line and
                        line[1] != " " else line for line in everything.split("\n"))
    with open(folder + "/conf", "w") as conf:
        conf.write(options)
    done = subprocess.run([PROGRAM, "-c", folder + "/conf", "--check-config"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and "right; 6 sinks" in done.stdout, done


@test
def a_kernel_without_the_facility_is_named(folder):
    for kernel, message in (({"error": 93}, "it needs CONFIG_KERROR=y"),
                            ({"error": 1}, "with CAP_SYSLOG"),
                            ({"error": 64}, "this is not the initial network namespace; "
                                            "kernel events exist there only"),
                            ({"no_syslog": 1}, "with CAP_SYSLOG, which the group printk needs; "
                                               "or leave that group out of 'groups'")):
        place = Place(folder, JSON, **kernel)
        daemon = place.start()
        _, err = daemon.communicate(timeout=30)
        assert daemon.returncode == 1 and message in err, err


def main():
    failed = 0
    only = sys.argv[2:]
    for number, function in enumerate(TESTS, 1):
        if only and function.__name__ not in only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(folder)
                print(f"ok {number} {function.__name__}", flush=True)
            except Exception as error:  # the next test is of use, too
                line = traceback.extract_tb(error.__traceback__)[1].lineno
                failed += 1
                print(f"not ok {number} {function.__name__}: line {line}: "
                      f"{type(error).__name__}: {error}", flush=True)
            for daemon in DAEMONS:
                daemon.kill()
    print(f"1..{len(TESTS)}")
    return failed != 0


sys.exit(main())
