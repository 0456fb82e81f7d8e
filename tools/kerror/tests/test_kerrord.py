#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kerrord with a kernel that is played (tests/fake_kernel.c), so that
they run anywhere: test_kerrord.py PROGRAM. Prints TAP. Tests that need a real kernel,
a real journal or a full disk are in the selftests of the guest."""

import contextlib
import http.client
import json
import os
import random
import re
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
import unittest
import zlib

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
                       f"explain = {self.path('explain')}\npstore = {self.path('pstore')}\n"
                       f"[metrics]\ntextfile = {self.path('metrics')}\n"
                       "interval = 1s\n"
                       + sections.replace("FOLDER", self.folder))

    def start(self, **options):
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path("metrics"))     # of the run before
        daemon = subprocess.Popen([PROGRAM, "--config", self.path("conf")],
                                  env={**os.environ, **self.kernel}, text=True,
                                  **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                                     **options})
        DAEMONS.append(daemon)
        return daemon

    def run_until(self, done, patience=150, **options):
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
            # The last line may be only half there, and its other half come meanwhile.
            whole = (json.loads(line) for line in file.read().split("\n")[:-1])
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
    # A filter is not freed: the program ends.
    done = subprocess.run([*before, control, "query", "--store=" + path, *options],
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.stdout.splitlines(), done.stderr


def control(place, command, *options):
    """What kerrorctl prints of the store of a place, and its messages"""
    done = subprocess.run([CONTROL, command, "--store=" + place.path("db"), *options],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=60)
    return done.stdout.splitlines(), done.stderr


def wait_for(done, patience=150, daemon=None):
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
    assert text[0].startswith("-- 7 evlog events lost: staging-full <host=\""), text[0]
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
def every_record_says_where_it_comes_from(folder):
    """With tags and livepatches that change while it runs"""
    root = os.path.join(folder, "root")
    os.makedirs(root + "/etc")
    os.makedirs(root + "/proc/sys/kernel/random")
    os.symlink("/proc/sys/kernel/random/boot_id", root + "/proc/sys/kernel/random/boot_id")
    with open(root + "/etc/machine-id", "w") as file:
        file.write("0123456789abcdef0123456789abcdef\n")
    for name, enabled in (("fix_b", 1), ("fix_a", 1), ("off", 0)):
        os.makedirs(f"{root}/sys/kernel/livepatch/{name}")
        with open(f"{root}/sys/kernel/livepatch/{name}/enabled", "w") as file:
            file.write(f"{enabled}\n")
    sinks = (JSON + "[text]\npath = FOLDER/text\n[json r17]\npath = FOLDER/r17\n"
             f"filter = tag.rack==r17 && release==\"{os.uname().release}\"\n"
             "[rule x]\nrunner =\nfilter = arg[0]==0\ncommand = /usr/bin/env\n")
    place = Place(folder, "[tags]\nrack = r17\nrole = a b ä\n" + sinks, events=10**9, rate=200,
                  lost=3, root=root)
    place.write("[tags]\nrack = r17\nrole = a b ä\n" + sinks)
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot_id = file.read().strip()
    system = os.uname()
    expected = {"machine": "0123456789abcdef0123456789abcdef", "host": system.nodename,
                "boot_id": boot_id, "release": system.release, "version": system.version,
                "arch": system.machine, "livepatch": "fix_a fix_b", "tag.rack": "r17",
                "tag.role": "a b ä"}

    def origins(item):
        return [{key: line.get(key) for key in [*expected, "tag.new"] if key in line}
                for line in place.lines(item=item)]

    daemon = place.start()
    wait_for(lambda: place.lines(), 60, daemon)
    # A sink that fails makes a report.
    with open(root + "/sys/kernel/livepatch/fix_a/enabled", "w") as file:
        file.write("0\n")
    later = {**expected, "livepatch": "fix_b"}
    wait_for(lambda: origins("event")[-1] == later, 60, daemon)
    place.write("[tags]\nrack = r18\nrole =\nnew = 1\n" + sinks + "[json bad]\npath = /dev/full\n")
    daemon.send_signal(signal.SIGHUP)
    del later["tag.role"]
    later.update({"tag.rack": "r18", "tag.new": "1"})
    wait_for(lambda: origins("event")[-1] == later, 60, daemon)
    wait_for(lambda: place.lines(item="report"), 60, daemon)
    _, err = place.end(daemon)
    assert origins("event")[0] == expected, origins("event")[0]
    assert origins("loss") == [expected], origins("loss")
    assert origins("report")[-1] == later, origins("report")
    # One after the other
    seen = [origins("event")[0]]
    for origin in origins("event"):
        if origin != seen[-1]:
            seen.append(origin)
    assert len(seen) == 3, seen
    assert {line["tag.rack"] for line in place.lines("r17")} == {"r17"}
    with open(place.path("text")) as file:
        lines = file.read().splitlines()
    words = f' host="{system.nodename}" release="{system.release}" livepatch="fix_a fix_b"' \
            ' tag.rack="r17" tag.role="a b ä">'
    assert lines[0] == "-- 3 evlog events lost: staging-full <" + words[1:], lines[0]
    assert lines[1].endswith(words), lines[1]
    for line in ("KERROR_HOST=" + system.nodename, "KERROR_TAG_RACK=r17", "KERROR_TAG_ROLE=a b ä"):
        assert line in err.splitlines(), (line, err)


@test
def wrong_tags_are_refused(folder):
    many = "".join(f"t{number} = x\n" for number in range(17))
    for tags, message in (("Rack = r1\n", ":10: [tags] 'Rack': a name has up to 32 lower-case"),
                          ("a b = r1\n", ":10: [tags] 'a b': a name has up to 32 lower-case"),
                          ("rack = a\nrack = b\n", ":11: a second 'rack' in [tags]"),
                          ("rack = a # b\n", ":10: rack: '# b' would be a part of the value"),
                          (f"rack = {'x' * 190}\n {'x' * 190}\n", ":11: a second 'rack' in"),
                          (many, ": [tags] has 17 tags; at most 16")):
        place = Place(folder, "[tags]\n" + tags + JSON)
        daemon = place.start()
        _, err = daemon.communicate(timeout=60)
        assert daemon.returncode == 1 and message in err, (tags, err)


@test
def the_tap_of_printk_is_a_metric(folder):
    place = Place(folder, JSON, events=10)
    parameters = os.path.join(folder, "parameters", "")
    os.mkdir(parameters)
    place.kernel["FAKE_PARAMETERS"] = parameters
    for tap, level, kind, up in [(None, 8, "hook", 1), ("ftrace", 8, "ftrace", 1),
                                 ("text", 4, "text", 1), ("off, error -12", 8, "off", 0),
                                 ("ftrace", 0, "level", 0)]:
        for name, value in ("tap", tap), ("tap_missed", 7), ("printk", level):
            if value is not None:
                with open(parameters + name, "w", encoding="ascii") as file:
                    file.write(f"{value}\n")
        place.run_until(lambda: place.metric(f'kerror_printk_up{{kind="{kind}"}}') == up)
        assert place.metric("kerror_printk_missed_total") == 7
    # A reader keeps kerror.ko when evlog.ko goes.
    for name in "tap", "tap_missed", "printk":
        os.unlink(parameters + name)
    place.kernel["FAKE_ROOT"] = os.path.join(folder, "root")
    for name, text in (("sys/module/kerror/initstate", "live\n"),
                       ("proc/sys/kernel/random/boot_id", "0" * 8 + "-1111-2222-3333-" + "4" * 12 + "\n")):
        path = os.path.join(folder, "root", name)
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    place.run_until(lambda: place.metric('kerror_printk_up{kind="unloaded"}') == 0)


def kill_at_random(place, times, rate):
    """How many events there are then, with no more to come"""
    chance = random.Random(times)
    for _ in range(times):
        daemon = place.start()
        time.sleep(chance.uniform(0.05, 0.4))
        daemon.kill()
        daemon.communicate()
    raised = (time.time_ns() - int(place.kernel["FAKE_START"])) * rate // 10**9
    place.set(events=raised)
    return raised


@test
def a_restart_neither_repeats_nor_skips(folder):
    place = Place(folder, STORE + JSON + "[text]\npath = FOLDER/text\n",
                  rate=20000, events=10**9, lost=3)
    raised = kill_at_random(place, 20, 20000)
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
def what_a_filter_keeps_away_is_no_loss(folder):
    """Nor is it asked for again; whether kerrord ends or is killed, once its place is noted"""
    filtered = ("[store]\npath = FOLDER/db\nfilter = arg[0]<10\n"
                "[json]\npath = FOLDER/json\nfilter = arg[0]<10\n"
                "[json never]\npath = FOLDER/never\nfilter = arg[0]<0\n"
                "[text]\npath = FOLDER/text\nfilter = arg[0]<10\n" +
                rule("never", "never", "filter = arg[0]<0"))
    end = (FIRST + 1000) % 2**32

    def places():
        found = [struct.pack("=I", end) in open(place.path(f"state/{name}.cursor"), "rb").read()
                 for name in ("json", "json-never", "text")]
        with open(place.path("state/rule-never.state")) as file:
            found.append(f'"next":{end}' in file.read())
        return all(found) and place.sql("SELECT count(*) FROM progress"
                                        f" WHERE cause = -1 AND value = {end}") == [(1,)]

    for number, way in enumerate((signal.SIGTERM, signal.SIGKILL)):
        os.mkdir(f"{folder}/{number}")
        place = Place(f"{folder}/{number}", filtered + "[json all]\npath = FOLDER/all\n",
                      rate=2000)
        daemon = place.start()
        wait_for(lambda: len(place.lines("all")) == 1000, 60, daemon)
        if way == signal.SIGKILL:
            wait_for(places, 60, daemon)
        daemon.send_signal(way)
        daemon.wait(timeout=60)
        place.set(history=50, events=1001)
        _, err = place.run_until(lambda: len(place.lines("all")) == 1001)
        assert "1 events received, 0 lost" in err, err
        assert [place.lines(name, item="loss") for name in ("json", "never", "all")] == \
            [[], [], []]
        assert place.sql("SELECT * FROM loss") == [] and place.stored() == 10
        assert len(place.lines()) == 10 and place.lines("never") == []
        with open(place.path("text")) as file:
            assert len(file.readlines()) == 10


@test
def a_new_sink_is_no_loss_of_the_others(folder):
    lost = 'kerror_lost_events_total{group="evlog",cause="history"}'
    place = Place(folder, JSON, events=500, rate=100000)
    place.run_until(lambda: len(place.lines()) == 500)
    place.write(JSON + "[json new]\npath = FOLDER/new\n")
    place.set(history=100)
    written = 'kerror_sink_written_total{sink="json new"}'
    place.run_until(lambda: place.metric(written) == 100)
    assert place.metric(lost) == 0
    assert [line["count"] for line in place.lines("new", item="loss")] == [400]
    assert place.lines(item="loss") == [] and len(place.lines()) == 500
    # What none had
    place.set(events=1000)
    place.run_until(lambda: place.metric(written) == 100)
    assert place.metric(lost) == 400 and len(place.lines("new")) == 200


@test
def a_kill_after_a_large_writing_repeats_nothing(folder):
    """The only event of a group is far from the end of what was written, and in no note."""
    place = Place(folder, JSON, events=10, rate=10**6)
    place.run_until(lambda: len(place.lines()) == 10)
    with open(place.path("state/json.cursor"), "rb") as file:
        before = file.read()
    place.set(events=11, printk=3500)
    place.run_until(lambda: len(place.lines()) == 3511)
    assert os.path.getsize(place.path("json")) > 3 << 19
    with open(place.path("state/json.cursor"), "wb") as file:
        file.write(before)
    place.set(printk=3501)
    place.run_until(lambda: len(place.lines()) > 3511)
    keys = [(line["group"], line["sequence"]) for line in place.lines()]
    assert len(keys) == len(set(keys)) == 3512, (len(keys), len(set(keys)))


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
    # At once, so that nothing of it comes while it runs
    place.set(events=400, printk=5000, history=200, rate=10**7)
    place.run_until(lambda: place.stored() == 800 + 100 + 200)
    assert place.sql("SELECT event_group, cause, count FROM loss"
                     " WHERE cause = 'history'") == [(16, "history", 4300)]


@test
def only_the_groups_that_are_asked_for(folder):
    for groups, evlog, printk, raw in (("evlog", 30, 0, 0), ("printk", 0, 40, 0),
                                       ("printk, raw", 0, 40, 5), ("all", 30, 40, 5)):
        os.mkdir(os.path.join(folder, groups))
        place = Place(os.path.join(folder, groups), JSON, events=30, printk=40, raw=5,
                      rate=100000)
        with open(place.path("conf")) as conf:
            text = conf.read().replace("[kerrord]\n", f"[kerrord]\ngroups = {groups}\n")
        with open(place.path("conf"), "w") as conf:
            conf.write(text)
        place.run_until(lambda: len(place.lines()) == evlog + printk + raw)
        found = [line["group"] for line in place.lines()]
        assert (found.count("evlog"), found.count("printk"), found.count("raw")) == \
            (evlog, printk, raw), found
        # A raw event tells no time: that is when it was received.
        times = [line["time_realtime"] for line in place.lines() if line["group"] == "raw"]
        assert len(times) == raw and all(abs(time.time_ns() - at) < 600 * 10**9
                                         for at in times), times


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
    # The last version's files: a store and a JSON file with 60 events of evlog
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
            struct.pack("16s40sIIQ", b"kerrord cursor3", boot_id, 3, 0, 0) + b"\0" * 5,
            struct.pack("16s40sIIQ", b"kerrord cursor3", boot_id, 1, 0, 7) +
            struct.pack("II", 1, FIRST + 10) * 3,
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


def keep_boots(place, **boots):
    """Has the kernel keep boots: LETTER=(how it ended, events)."""
    os.makedirs(place.path("earlier"), exist_ok=True)
    place.set(earlier=place.path("earlier"))
    for letter, (end, events) in boots.items():
        with open(place.path("earlier/" + boot_name(letter)), "w") as file:
            file.write(f"{end} {events} 0\n")


def boot_name(letter):
    return re.sub("x", letter, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")


@test
def earlier_boots_are_stored_once_and_dropped(folder):
    place = Place(folder, STORE + JSON, events=10, printk=0)
    keep_boots(place, a=(2, 150), b=(1, 20), c=(3, 0))
    _, err = place.run_until(lambda: len(place.lines()) == 10)
    assert os.listdir(place.path("earlier")) == ["named"], err
    with open(place.path("earlier/named")) as file, \
         open("/proc/sys/kernel/random/boot_id") as real:
        assert file.read() == real.read().strip()
    stored = place.sql("SELECT boot_id, how, release, message, began, ended, count(id) FROM boot"
                       " LEFT JOIN event USING(boot) WHERE how IS NOT NULL GROUP BY boot"
                       " ORDER BY boot_id")
    times = (1000000000, 3000000000)
    assert stored == [
        (boot_name("a"), "panic", "6.66", "it hurts", *times, 300),
        (boot_name("b"), "clean", "6.66", "", *times, 40),
        (boot_name("c"), "cut", "6.66", "", *times, 0)], stored
    assert "boot aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa of Linux 6.66 ended (panic: it hurts);" \
           " 300 of its events are new" in err, err
    # The kernel has them again: it was killed before it could tell, say.
    keep_boots(place, a=(2, 150))
    _, err = place.run_until(lambda: os.listdir(place.path("earlier")) == ["named"])
    assert "(panic: it hurts); 0 of its events are new" in err, err
    assert place.sql("SELECT count(*) FROM event JOIN boot USING(boot)"
                     f" WHERE boot_id = '{boot_name('a')}'") == [(300,)]


@test
def boots_and_last_words_are_shown(folder):
    place = Place(folder, STORE, events=10)
    place.run_until(lambda: place.stored() == 10)
    out, err = control(place, "lastwords")
    assert not out and "no boot that ended badly" in err, (out, err)
    keep_boots(place, a=(2, 150), b=(1, 20))
    place.run_until(lambda: os.listdir(place.path("earlier")) == ["named"])
    # This boot was in the store first; they come before it nevertheless.
    out, err = control(place, "boots")
    assert out[1].startswith(f"   -2  {boot_name('a')}       300  "), out
    assert out[1].endswith("  panic after 2 s: it hurts, Linux 6.66; 38 emerg, 38 alert,"
                           " 38 crit, 38 err, 38 warning, 38 notice, 36 info, 36 debug"), out
    assert out[2].startswith(f"   -1  {boot_name('b')}        40  "), out
    assert "  clean after 2 s, Linux 6.66; 6 emerg, " in out[2], out
    assert out[3].startswith("    0 ") and f"  running, Linux {os.uname().release}; " in out[3]
    assert len(out) == 4
    said = [json.loads(line) for line in control(place, "boots", "--json")[0]]
    assert [boot["how"] for boot in said] == ["panic", "clean", "running"], said
    assert said[0]["severities"]["info"] == 36 and said[0]["message"] == "it hurts"
    for boot, events in (("-2", 300), ("-1", 40), ("1", 300), ("aaaaaaaa", 300)):
        assert len(query(place.path("db"), "--boot=" + boot)[0]) == events, boot
    said = json.loads(control(place, "report", "--json", "--since=all")[0][0])
    assert sorted(boot["end"] for boot in said["boots"]) == ["clean", "panic", "running"], said
    out, err = control(place, "lastwords", "--limit=2")
    assert out[0].startswith(f"Boot {boot_name('a')}: panic after 2 s: it hurts, Linux 6.66; ")
    assert len(out) == 1 + 1 + 4 * 2 + 1 + 2, out
    severities = [line.split()[3] for line in out[2:10]]
    assert severities == ["emerg"] * 2 + ["alert"] * 2 + ["crit"] * 2 + ["err"] * 2, out
    assert "event 149: text 149" in out[-1], out


@test
def what_was_stored_while_an_earlier_boot_ran_is_not_stored_again(folder):
    """Of two loads of the module it is the first that ended."""
    place = Place(folder, "[tags]\nrack = r17\n" + STORE, events=100, instance=5000000)
    place.run_until(lambda: place.stored() == 100)
    with open("/proc/sys/kernel/random/boot_id") as file:
        name = file.read().strip()
    os.makedirs(place.path("earlier"))
    place.set(events=10, earlier=place.path("earlier"), instance=7000000)
    with open(place.path("earlier/" + name), "w") as file:
        file.write("3 130 5000000\n")
    _, err = place.run_until(lambda: place.stored() == 270 and
                             os.listdir(place.path("earlier")) == ["named"])
    assert place.sql("SELECT instance, how, release, value, count(*), count(DISTINCT sequence)"
                     " FROM boot JOIN event USING(boot) JOIN tag USING(boot)"
                     " WHERE event_group = 2 GROUP BY boot ORDER BY 1") == \
        [(5000000, "cut", os.uname().release, "r17", 130, 130),
         (7000000, None, os.uname().release, "r17", 10, 10)], err
    # The boot is one, and runs.
    assert [line.split()[0] for line in control(place, "boots")[0]] == ["BOOT", "0"]


@test
def a_boot_that_cannot_be_stored_stays_with_the_kernel(folder):
    place = Place(folder, JSON + "[store]\npath = /proc/none/db\n", events=10)
    keep_boots(place, a=(2, 15))
    _, err = place.run_until(lambda: len(place.lines()) == 10)
    assert "is not stored, and stays with the kernel until the next start" in err, err
    assert sorted(os.listdir(place.path("earlier"))) == [boot_name("a"), "named"]
    # Nor does it go if there is no store.
    place.write(JSON)
    place.run_until(lambda: os.path.exists(place.path("metrics")))
    assert sorted(os.listdir(place.path("earlier"))) == [boot_name("a"), "named"]


def keep_record(place, name, text, time):
    os.makedirs(place.path("pstore"), exist_ok=True)
    with open(place.path("pstore/" + name), "w") as file:
        file.write(text)
    os.utime(place.path("pstore/" + name), (time, time))


RECORD = ("Panic#1 Part1\n<6>[   10.000000] before\n<3>[   99.500000][  T123] a disk fails\n"
          "<0>[  100.000000] Kernel panic - not syncing: it hurts\n"
          "<4>[  100.250000] last words\nof two lines\n\n")

@test
def records_of_pstore_are_stored_once(folder):
    place = Place(folder, STORE + JSON, events=10)
    place.run_until(lambda: len(place.lines()) == 10)
    # The boot of before had its last event 90 s after it began.
    died, other = 1600000000, boot_name("a")
    with contextlib.closing(sqlite3.connect(place.path("db"))) as database:
        database.execute(f"UPDATE boot SET boot_id = '{other}', release = '6.66'")
        database.execute(f"UPDATE event SET time = {(died - 10) * 10**9}")
        database.commit()
    place.set(printk=0)
    keep_record(place, "dmesg-ramoops-0", RECORD, died)
    keep_record(place, "console-ramoops-0", RECORD, died)
    _, err = place.run_until(lambda: place.stored() == 24)
    assert "4 lines of pstore, of boot aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa, are new" in err, err
    rows = place.sql("SELECT boot_id, release, how, message, severity, time FROM event"
                     " JOIN boot USING(boot) WHERE event_group = 16 ORDER BY time, sequence")
    end = died * 10**9
    assert rows == [(other, "6.66", "panic", "it hurts", severity, time) for severity, time in
                    ((3, end - 750000000), (0, end - 250000000), (4, end), (4, end))], rows
    texts = [json.loads(line)["text"] for line in
             query(place.path("db"), "--group=printk", "--json")[0]]
    assert texts == ["a disk fails", "Kernel panic - not syncing: it hurts", "last words",
                     "of two lines"], texts
    # Neither again, nor under another name, nor if the copy is lost; one more record is.
    os.rename(place.path("pstore/dmesg-ramoops-0"), place.path("pstore/dmesg-efi-1"))
    keep_record(place, "dmesg-efi-2", RECORD.replace("hurts", "is over"), 1500000000)
    for copy in os.listdir(place.path("state")):
        if copy.startswith("pstore-"):
            os.remove(place.path("state/" + copy))
    with open(place.path("conf")) as conf:
        text = conf.read()
    with open(place.path("conf"), "w") as conf:
        conf.write(text.replace("[kerrord]\n", "[kerrord]\npstore_remove = yes\n"))
    _, err = place.run_until(lambda: place.stored() == 29)
    assert os.listdir(place.path("pstore")) == ["console-ramoops-0"], err
    # It is of no boot that the store knows.
    assert [row[0] for row in place.sql("SELECT message FROM boot WHERE how = 'panic' AND boot_id"
                                        f" != '{other}'")] == ["it is over"], err
    assert all(os.path.getsize(place.path("state/" + copy)) == 0
               for copy in os.listdir(place.path("state")) if copy.startswith("pstore-"))


@test
def a_record_of_pstore_waits_for_a_store(folder):
    place = Place(folder, JSON + "[store]\npath = /proc/none/db\n", events=10)
    keep_record(place, "dmesg-ramoops-0", RECORD, 1600000000)
    _, err = place.run_until(lambda: len(place.lines()) == 10)
    assert "a record of pstore is not stored, until the next start" in err, err
    place.write(JSON + STORE)
    shutil.rmtree(place.path("pstore"))
    _, err = place.run_until(lambda: place.stored() > 10)
    assert "5 lines of pstore" in err, err


@test
def another_load_of_the_module_begins_anew(folder):
    """Its numbers begin at the first one again, in the same boot."""
    place = Place(folder, STORE + JSON + "[text]\npath = FOLDER/text\n" +
                  rule("often", "often", "threshold = 400 in 1d"), rate=100000)
    write_script(place, "often", "echo $KERROR_TEXT >> FOLDER/fired\n")
    counts = {"evlog": 0, "printk": 0}

    def load(instance, evlog, printk, **kernel):
        """Runs kerrord twice with a kernel that has raised so many."""
        place.set(instance=instance, events=evlog, printk=printk, **kernel)
        place.kernel["FAKE_START"] = str(time.time_ns())
        counts["evlog"] += evlog
        counts["printk"] += printk
        for _ in range(2):
            place.run_until(lambda: place.stored() == sum(counts.values()) ==
                            len(place.lines()) == text_lines() and
                            place.metric('kerror_sink_queue_bytes{sink="store"}') == 0)

    def text_lines():
        with contextlib.suppress(FileNotFoundError), open(place.path("text")) as file:
            return sum("event " in line for line in file)
        return 0

    load(5000000, 300, 40)
    load(7000000, 100, 10)      # all of its numbers were there before
    load(9000000, 500, 0)       # and of these, the first ones
    expected = [(instance, group, number) for instance, group, count in (
        (5000000, 2, 300), (5000000, 16, 40), (7000000, 2, 100), (7000000, 16, 10),
        (9000000, 2, 500)) for number in range(count)]
    stored = place.sql("SELECT instance, event_group, (sequence + 256) % 4294967296"
                       " FROM event JOIN boot USING(boot) ORDER BY 1, 2, 3")
    assert stored == expected, (len(stored), len(expected))
    numbers = {"evlog": 2, "printk": 16}
    for lines in (place.lines(), [json.loads(line) for line in
                                  query(place.path("db"), "--json", "--boot=current")[0]]):
        assert sorted((line["instance"], numbers[line["group"]],
                       (line["sequence"] + 256) % 2**32) for line in lines) == expected
    assert place.sql("SELECT count(*) FROM loss") == [(0,)]
    # The losses of each load are counted from 0.
    for instance, lost in (11000000, 7), (13000000, 5):
        load(instance, 20, 0, lost=lost)
    assert place.sql("SELECT instance, count, total FROM loss JOIN boot USING(boot)") == \
           [(11000000, 7, 7), (13000000, 5, 5)]
    assert [line["instance"] for line in place.lines(item="loss")] == [11000000, 13000000]
    # A rule counts on: of all events, it was told of each once.
    with open(place.path("fired")) as file:
        assert len(file.readlines()) == sum(counts.values()) // 400
    # It was one boot.
    assert len(place.sql("SELECT DISTINCT boot_id FROM boot")) == 1
    # A load that is read on after another kerrord was there goes on, too.
    place.set(events=30)
    place.run_until(lambda: place.stored() == len(place.lines()) == sum(counts.values()) + 10)


@test
def a_sink_that_fails_stops_no_other_and_recovers(folder):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    place = Place(folder, STORE + JSON + "[json full]\npath = /dev/full\n"
                  "[json socket]\npath = unix:FOLDER/socket\nqueue = 64K\n",
                  rate=2000, events=4000, history=1000)
    daemon = place.start()
    wait_for(lambda: place.stored() > 1000 and len(place.lines()) > 1000, 60, daemon)
    for name in ("json full", "json socket"):
        wait_for(lambda: place.metric(f'kerror_sink_up{{sink="{name}"}}') == 0)
    wait_for(lambda: place.stored() == 4000, 60, daemon)
    assert place.metric('kerror_sink_behind{sink="json socket"}') == 1
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
    # The report comes when it has found that there is no more.
    wait_for(lambda: place.metric('kerror_sink_behind{sink="json socket"}') == 0, 60, daemon)
    _, err = place.end(daemon)
    assert "[json full] /dev/full: No space left on device" in err, err
    assert "[json socket] unix:" in err and "No such file" in err, err
    assert "works again after" in err and f"lost {lost} events: the kernel's" in err, err
    reports = [line["text"] for line in place.lines(item="report")]
    assert any("/dev/full" in text for text in reports), reports
    assert any("works again" in text for text in reports), reports


@test
def what_the_kernel_overwrote_before_is_no_loss_of_a_full_sink(folder):
    place = Place(folder, STORE + JSON + "queue = 64K\n", rate=10**6, events=20000,
                  printk=15000, history=10000)
    place.set(start=time.time_ns() - 10**9)
    written = 'kerror_sink_written_total{sink="%s"}'
    dropped = 'kerror_sink_dropped_total{sink="%s"}'
    daemon = place.start()
    for sink in ("store", "json"):
        wait_for(lambda: place.metric(written % sink) == 20000, 60, daemon)
        assert place.metric(dropped % sink) == 0, sink
    wait_for(lambda: place.metric('kerror_sink_behind{sink="json"}') == 0, 60, daemon)
    # kerrord was away for longer than the history holds, of both groups
    place.end(daemon)
    place.set(events=40000, printk=30000)
    daemon = place.start()
    for sink in ("store", "json"):
        wait_for(lambda: place.metric(written % sink) == 20000, 60, daemon)
        assert place.metric(dropped % sink) == 0, sink
    # A sink that is new gets what the history has.
    place.write(STORE + JSON + "queue = 64K\n[json new]\npath = FOLDER/new\nqueue = 64K\n")
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: place.metric(written % "json new") == 20000, 60, daemon)
    assert place.metric(dropped % "json new") == 0
    _, err = place.end(daemon)
    assert "when there was room" not in err, err
    for name, counts in (("json", [10000, 5000, 10000, 5000]), ("new", [30000, 20000])):
        losses = place.lines(name, item="loss")
        assert [loss["cause"] for loss in losses] == ["history"] * len(losses), losses
        assert sorted(loss["count"] for loss in losses) == sorted(counts), losses


@test
def a_locked_store_loses_nothing_that_fits(folder):
    place = Place(folder, STORE + JSON, rate=1000, events=6000)
    daemon = place.start()
    wait_for(lambda: place.stored() > 100, 60, daemon)
    locker = sqlite3.connect(place.path("db"), isolation_level=None,
                             timeout=60)
    locker.execute("BEGIN EXCLUSIVE")
    before = len(place.lines())
    wait_for(lambda: place.metric('kerror_sink_up{sink="store"}') == 0, 60, daemon)
    wait_for(lambda: len(place.lines()) > before + 500, 60, daemon)
    locker.execute("ROLLBACK")
    locker.close()
    wait_for(lambda: place.stored() == 6000, 60, daemon)
    _, err = place.end(daemon)
    assert "database is locked; another program holds it" in err, err
    assert "works again after" in err and "lost" not in err.replace("0 lost", ""), err


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
    # So slow that the store looks at its log between 32 and 40 MiB
    place = Place(folder, STORE + "max_log = 40M\nqueue = 1M\n" + JSON, rate=8000,
                  events=10**9, history=10000)
    daemon = place.start()
    wait_for(lambda: place.stored() > 100, 60, daemon)
    reader = sqlite3.connect(place.path("db"), isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM event").fetchone()
    wait_for(lambda: place.metric('kerror_sink_up{sink="store"}') == 0, 120, daemon)
    wait_for(lambda: place.metric('kerror_sink_behind{sink="store"}') == 1, 60, daemon)
    time.sleep(2)       # more than the history holds
    assert os.path.getsize(place.path("db-wal")) < 50 << 20
    assert place.metric('kerror_store_log_bytes{sink="store"}') > 32 << 20
    reader.close()
    wait_for(lambda: place.metric('kerror_sink_up{sink="store"}') == 1, 60, daemon)
    wait_for(lambda: place.sql("SELECT count(*) FROM loss WHERE cause = 'sink'")[0][0], 60,
             daemon)
    wait_for(lambda: place.metric('kerror_sink_dropped_total{sink="store"}') > 1000, 60,
             daemon)
    _, err = place.end(daemon)
    # Above 32 MiB and at the limit; both at once if it grows so fast
    assert err.count("MiB, because a program reads without an end; 'fuser ") in (1, 2), err
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
        'kerror_sink_poison_total{sink="store"}') == 2)
    assert [row[0] for row in place.sql("SELECT sequence FROM event ORDER BY id")] == \
           [(FIRST + i) % 2**32 for i in range(50) if i not in (20, 30)]
    assert place.sql("SELECT cause, count FROM loss") == [("poison", 1)] * 2
    assert place.metric('kerror_sink_written_total{sink="store"}') == 38
    assert f"skips event #{(FIRST + 20) % 2**32} of evlog: store " in err, err
    assert "malformed JSON" in err and "works again" in err, err
    lines, _ = query(place.path("db"), "--losses")
    assert sum("1 evlog events lost: poison" in line for line in lines) == 2, lines
    assert len(place.lines()) == 50
    _, err = place.run_until(lambda: place.metric('kerror_sink_up{sink="store"}') == 1)
    assert "skips" not in err and place.stored() == 48, err


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


# Of the store, as this version makes it
SCHEMA = 8

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


def make_first_version(path):
    """Makes a store of schema 1 of the one that is there."""
    columns = ("id, boot, event_group, sequence, thread, time, acknowledged, severity,"
               " facility, device, event_id, text, data")
    with contextlib.closing(sqlite3.connect(path + ".first")) as database:
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(FIRST_SCHEMA)
        database.execute("ATTACH ? AS new", (path,))
        database.execute("INSERT INTO boot SELECT boot, boot_id FROM new.boot")
        database.execute(f"INSERT INTO event SELECT {columns} FROM new.event")
        database.execute("INSERT INTO loss SELECT boot, event_group, time, cause,"
                         " count, total FROM new.loss")
        database.execute("INSERT INTO progress SELECT * FROM new.progress")
        database.commit()
    os.rename(path + ".first", path)


@test
def a_store_of_the_first_version_keeps_every_event(folder):
    place = Place(folder, STORE, events=500, rate=100000, lost=3,
                  clock=-int(time.time()))
    place.run_until(lambda: place.stored() == 500)
    make_first_version(place.path("db"))
    before, err = query(place.path("db"))     # it can be read as it is
    assert len(before) == 500, (len(before), err)
    place.set(events=600)
    _, err = place.run_until(lambda: place.stored() == 600)
    assert "deleted" not in err, err
    assert place.sql("PRAGMA user_version") == [(SCHEMA,)]
    assert place.sql("PRAGMA application_id") == [(0x6b657272,)]
    assert place.sql("SELECT sequence FROM event ORDER BY id") == \
           [((FIRST + i) % 2**32,) for i in range(600)]
    assert query(place.path("db"))[0][:500] == before


def make_seventh_version(path):
    """Takes out of the store that is there what schema 7 did not have."""
    execute_in(path, "DROP TABLE collected", "DROP TABLE gap", "DROP TABLE machine",
               "DROP INDEX boot_machine", "DROP INDEX loss_key", "PRAGMA user_version = 7")


def make_fifth_version(path):
    """Takes out of the store that is there what schema 5 did not have."""
    make_seventh_version(path)
    execute_in(path, *(f"ALTER TABLE boot DROP COLUMN {column}" for column in
                       ("before", "began", "ended", "how", "message")),
               "ALTER TABLE condition DROP COLUMN found", "PRAGMA user_version = 5")


def make_fourth_version(path):
    """Takes out of the store that is there what schema 4 did not have."""
    make_fifth_version(path)
    execute_in(path, *(f"ALTER TABLE boot DROP COLUMN {column}" for column in
                       ("machine", "host", "release", "version", "arch", "livepatch")),
               "DROP TABLE tag",
               "PRAGMA user_version = 4")


@test
def a_store_of_the_fifth_version_learns_how_boots_ended(folder):
    place = Place(folder, STORE, events=10)
    place.run_until(lambda: place.stored() == 10)
    make_fifth_version(place.path("db"))
    before = control(place, "boots")[0]     # it can be read as it is
    assert len(before) == 2 and "  running, Linux " in before[1], before
    assert len(query(place.path("db"), "--boot=0")[0]) == 10
    keep_boots(place, a=(2, 15))
    place.run_until(lambda: os.listdir(place.path("earlier")) == ["named"])
    assert place.sql("PRAGMA user_version") == [(SCHEMA,)]
    after = control(place, "boots")[0]
    assert "  panic after 2 s: it hurts, Linux 6.66; " in after[1] and after[2:] == before[1:]


@test
def a_store_of_the_fourth_version_keeps_every_series(folder):
    place = Place(folder, "[tags]\nrack = r17\n" + STORE, events=300, rate=100000, lost=3,
                  instance=5000000)
    place.run_until(lambda: place.stored() == 300)
    make_fourth_version(place.path("db"))
    before = [json.loads(line) for line in query(place.path("db"), "--json")[0]]
    assert len(before) == 300
    assert all(line["instance"] == 5000000 and "host" not in line for line in before)
    # The next load of the module; then the first one, which goes on as if nothing were
    for instance, events, stored in ((7000000, 100, 400), (5000000, 350, 450)):
        place.set(events=events, instance=instance)
        _, err = place.run_until(lambda: place.stored() == stored)
        assert "deleted" not in err, err
        assert place.sql("PRAGMA user_version") == [(SCHEMA,)]
    host = os.uname().nodename
    assert place.sql("SELECT instance, host, count(*) FROM boot JOIN event USING(boot)"
                     " GROUP BY boot ORDER BY 1") == \
        [(5000000, host, 350), (7000000, host, 100)]
    assert place.sql("SELECT instance, name, value FROM boot JOIN tag USING(boot) ORDER BY 1") == \
        [(5000000, "rack", "r17"), (7000000, "rack", "r17")]
    after = [json.loads(line) for line in query(place.path("db"), "--json",
                                                "--filter=instance==5000000")[0]]
    assert len(after) == 350 and {line["host"] for line in after} == {host}
    assert [{key: line[key] for key in old} for line, old in zip(after, before)] == before


@test
def the_store_knows_machines_and_kernels(folder):
    """One store, to which a machine of before the origins adds a boot, and others"""
    place = Place(folder, "", events=100, rate=100000, lost=2)
    place.write("[tags]\nrack = r17\nrole = db\n" + STORE)
    place.run_until(lambda: place.stored() == 100)
    system = os.uname()
    assert place.sql("SELECT host, release, version, arch FROM boot") == \
        [(system.nodename, system.release, system.version, system.machine)]
    assert place.sql("SELECT name, value FROM tag ORDER BY name") == \
        [("rack", "r17"), ("role", "db")]
    # Another machine's, and one of which nothing is known
    copy = "SELECT {}, event_group, sequence, thread, time, arrived, severity, facility," \
           " device, event_id, text, data FROM event WHERE boot = 1 AND id <= {}"
    into = "INSERT INTO event(boot, event_group, sequence, thread, time, arrived, severity," \
           " facility, device, event_id, text, data) "
    execute_in(place.path("db"),
               "INSERT INTO boot(boot, boot_id, instance, host, release)"
               " VALUES(2, 'b', 7, 'web-1', '5.10')",
               "INSERT INTO boot(boot, boot_id, instance) VALUES(3, 'c', 0)",
               "INSERT INTO tag VALUES(2, 'rack', 'r18')", "INSERT INTO tag VALUES(2, 'Odd', 'x')",
               into + copy.format(2, 30), into + copy.format(3, 20))

    def count(*words):
        lines, err = query(place.path("db"), "--json", *words)
        assert not err, err
        return len(lines)

    for words, expected in (("host==web-1", 30), ("host!=web-1", 100), ("!(host==web-1)", 120),
                            ("release==5.10 && tag.rack==r18", 30), ("tag.rack==r17", 100),
                            ("tag.rack~\"r1?\"", 130), ("!(tag.rack~*)", 20),
                            ("boot_id==c", 20), ("instance==7", 30), ("instance!=6", 30), ("host==web-1 || boot_id==c", 50),
                            ("host==web-1 && severity<=err", 16),
                            (f"arch=={system.machine} && id==12345678", 100)):
        assert count("--filter=" + words) == expected, (words, count("--filter=" + words))
    lines, _ = query(place.path("db"), "--json", "--filter=host==web-1", "--limit=1")
    line = json.loads(lines[0])
    assert (line["boot_id"], line["instance"], line["host"], line["release"],
            line["tag.rack"]) == ("b", 7, "web-1", "5.10", "r18"), line
    assert "version" not in line and "tag.Odd" not in line
    # People see what is not of this machine.
    lines, _ = query(place.path("db"), "--output=verbose", "--filter=arg[0]==7")
    assert sum(' host="web-1" release="5.10" tag.rack="r18">' in line for line in lines) == 1
    assert sum(f'host="{system.nodename}"' in line for line in lines) == 0, lines
    # The same kerrord with other tags
    place.write("[tags]\nrack = r19\n" + STORE)
    place.set(events=101)
    place.run_until(lambda: place.stored() == 151)
    assert place.sql("SELECT value FROM tag WHERE boot = 1") == [("r19",)]
    # A kerrorctl that is newer than the store
    make_first_version(place.path("db"))
    assert count("--filter=host==web-1") == 0 and count("--filter=boot_id==b") == 30
    assert count() == 151


RAISE = """[rule bad-block]
filter = facility==fake1 && severity<=err
key = device
raises = disk
severity = crit
meaning = The disk has bad blocks.
remedy = Replace it.
"""


def health(place, *options):
    """Exit status and objects of kerrorctl health"""
    done = subprocess.run([CONTROL, "health", "--json", "--store=" + place.path("db"),
                           *options], stdout=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def message(form, value, flags=0x40):
    """The bytes of a message of printk() with one string, see <linux/evlog.h>"""
    payload = form.encode() + b"\0" + struct.pack("=BBH", 8, 0, len(value)) + value.encode()
    payload += b"\0" * (-len(value) % 4)
    header = struct.pack("=QQIIIIIIIIIIHHHHBBBB16s60s", 0, 0, zlib.crc32(form.encode()), 0, 0,
                         flags, 0, 0, 0, 1, 1, len(payload), 0x7af8, 144, 0, len(form) + 1,
                         4, 3, 3, 0, b"task", b"kernel")
    return header + payload


def clear(place, *arguments):
    return subprocess.run([CONTROL, "clear", "--store=" + place.path("db"), *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)


def reports(place):
    return [line["text"] for line in place.lines(item="report") if "condition" in line["text"]]


@test
def a_condition_is_raised_counted_and_cleared(folder):
    # Events 1, 10, 25, ... are of fake1 and bad; 4 of fake1 and severity 4 clears.
    place = Place(folder, STORE + JSON + RAISE + "[rule good]\n"
                  "filter = arg[0]==149\nkey = device\nclears = other disk\n",
                  events=150, rate=1000)
    bad = [i for i in range(150) if i % 3 == 1 and i % 8 <= 3]
    daemon = place.start()
    wait_for(lambda: place.stored() == 150 and any("cleared" in text for text in reports(place)),
             daemon=daemon)
    status, found = health(place)
    assert status == 3 and {c["key"] for c in found} == {f"+pci:{i}" for i in range(4)}, found
    for condition in found:
        mine = [i for i in bad if condition["key"] == f"+pci:{i % 5}"]
        assert condition["count"] == len(mine), (condition, mine)
        assert condition["text"] == f"event {mine[-1]}: text {mine[-1]}", condition
        assert condition["severity"] == "crit" and condition["rule"] == "rule bad-block"
        assert condition["meaning"] == "The disk has bad blocks."
        assert condition["remedy"] == "Replace it." and condition["raised"] is True
        assert condition["since"] < condition["last"], condition
    status, found = health(place, "--all", "disk")
    cleared = [c for c in found if not c["raised"]]
    assert status == 3 and len(found) == 5 and len(cleared) == 1, found
    assert cleared[0]["key"] == "+pci:4" and cleared[0]["cleared_by"] == "rule good", cleared
    assert health(place, "other") == (0, [])
    # The operator
    assert "no condition disk +pci:9 lasts" in clear(place, "disk", "+pci:9").stderr
    assert clear(place, "disk", "+pci:9").returncode == 1
    assert clear(place, "disk", "+pci:0").stdout == "1 condition cleared\n"
    metric = 'kerror_condition{name="disk",key="+pci:%d"}'
    wait_for(lambda: place.metric(metric % 0) == 0, daemon=daemon)
    assert place.metric(metric % 1) == 1 and place.metric(metric % 4) == 0
    assert clear(place, "--json", "disk").stdout == '{"cleared":3}\n'
    wait_for(lambda: sum("cleared by operator" in text for text in reports(place)) == 4,
             daemon=daemon)
    assert health(place) == (0, [])
    place.end(daemon)
    texts = reports(place)
    assert any(text.startswith("[store] condition disk +pci:1 raised: event ") and
               text.endswith(": The disk has bad blocks. Replace it.") for text in texts), texts


@test
def a_condition_outlives_a_kill_and_counts_each_event_once(folder):
    place = Place(folder, STORE + RAISE, rate=5000, events=10**9)
    raised = kill_at_random(place, 10, 5000)
    place.run_until(lambda: place.stored() == raised)
    bad = sum(i % 3 == 1 and i % 8 <= 3 for i in range(raised))
    assert sum(c["count"] for c in health(place)[1]) == bad
    # Reports that kerrord did not live to make it makes at the next start.
    execute_in(place.path("db"), "UPDATE condition SET told = told - 1 WHERE key = '+pci:2'")
    place.write(STORE + RAISE + JSON)
    place.run_until(lambda: len(reports(place)) == 1)
    assert "condition disk +pci:2 raised" in reports(place)[0]


@test
def a_condition_expires_by_time_or_with_the_boot(folder):
    place = Place(folder, STORE + JSON + RAISE + RAISE.replace("bad-block", "short").replace(
        "= disk", "= short\nexpires = 1s") + RAISE.replace("bad-block", "long").replace(
            "= disk", "= long\nexpires = never"), events=5)
    daemon = place.start()
    wait_for(lambda: len(reports(place)) == 4, daemon=daemon)
    assert "condition short +pci:1 cleared by time after 1 events" in reports(place)[-1]
    place.end(daemon)
    assert [c["name"] for c in health(place)[1]] == ["disk", "long"]
    execute_in(place.path("db"), "UPDATE condition SET boot_id = 'another'")
    place.run_until(lambda: len(reports(place)) == 5)
    assert "condition disk +pci:1 cleared by boot" in reports(place)[-1]
    assert [c["name"] for c in health(place)[1]] == ["long"]


@test
def conditions_are_limited_in_number(folder):
    place = Place(folder, STORE + RAISE.replace("device", "arg[0]"), events=12000, rate=10**6)
    _, err = place.run_until(lambda: place.stored() == 12000)
    assert " more conditions have changed; kerrorctl health shows them" in err, err
    _, found = health(place)
    others = [c for c in found if c["key"] == "others"]
    bad = sum(i % 3 == 1 and i % 8 <= 3 for i in range(12000))
    assert len(found) == 1025 and len(others) == 1, len(found)
    assert others[0]["count"] == bad - 1024, (others, bad)


@test
def a_disk_has_one_key(folder):
    """Whatever a message calls it, and when it is gone, too."""
    root = folder + "/root"
    for path in ("sys/dev/block", "sys/class/block/sda", "sys/class/block/dm-0", "run/udev/data",
                 "sys/class/scsi_device/0:0:0:0/device/block/sda"):
        os.makedirs(os.path.join(root, path))
    for path, text in (("sys/class/block/sda/dev", "8:0\n"), ("sys/class/block/dm-0/dev", "254:0\n"),
                       ("run/udev/data/b8:0", "S:disk/by-path/pci-1\nS:disk/by-id/wwn-0x5\n"
                        "S:disk/by-id/ata-DISK_1\nE:ID_ATA=1\n")):
        with open(os.path.join(root, path), "w") as file:
            file.write(text)
    os.symlink("../../devices/pci/block/sda", root + "/sys/dev/block/8:0")
    os.symlink("../../devices/virtual/block/dm-0", root + "/sys/dev/block/254:0")
    names = ("sda", "/dev/sda", "b8:0", "8:0", "0:0:0:0", "254:0", "dm-0", "sdb", "9:9",
             "../../etc/passwd", ".", "x" * 300)
    with open(folder + "/messages", "wb") as file:
        for name in names:
            data = message("disk %s failed", name)
            file.write(struct.pack("=I", len(data)) + data)
    place = Place(folder, STORE + "[rule bad-block]\nraises = bad-block\nkey = disk:arg[0]\n"
                  "filter = format==\"disk %s failed\"\n", events=0, printk=len(names), rate=10**6,
                  messages=folder + "/messages", disks=root)
    place.run_until(lambda: place.stored() == len(names))
    found = {c["key"]: c["count"] for c in health(place)[1]}
    assert found == {"ata-DISK_1": 5, "dm-0": 2, "sdb": 1, "9:9": 1, "../../etc/passwd": 1,
                     ".": 1, "x" * 300: 1}, found


@test
def a_line_of_several_events_is_one(folder):
    """A rule about the whole line; each event counts once for a rule about its beginning."""
    parts = [("oom:constraint=%s", 0x140), (",memcg=%s", 0x1c0), (",task=%s", 0xc0)]
    values = ("MEMCG", "/pod1", "hlp")
    with open(folder + "/messages", "wb") as file:
        for flags in [flags for _, flags in parts] * 2:
            index = [flags for _, flags in parts].index(flags)
            data = message(parts[index][0], values[index], flags)
            file.write(struct.pack("=I", len(data)) + data)
        data = message("open %s", "end", 0x140)         # its line does not go on
        file.write(struct.pack("=I", len(data)) + data)
    template = "[rule {0}]\nraises = {0}\nkey = arg[1]\nfilter = {1}\n"
    page = "[rule page {0}]\nrunner =\ncommand = /bin/sh FOLDER/page {0}\nfilter = {1}\n"
    place = Place(folder, STORE + template.format("whole", 'format~"oom:*" && argc>2') +
                  template.format("begin", 'format~"oom:*"') +
                  template.format("open", 'text~"open*"') +
                  page.format("whole", 'format~"oom:*" && argc>2') +
                  page.format("begin", 'format~"oom:*"') + page.format("open", 'text~"open*"') +
                  JSON + "lines = yes\n[json parts]\npath = FOLDER/parts\n"
                  "[json few]\npath = FOLDER/few\nlines = yes\nfilter = argc==3\n",
                  events=0, printk=7, rate=10**6, messages=folder + "/messages")
    write_script(place, "page", 'echo "$1: $KERROR_TEXT $KERROR_ARG_1" >>FOLDER/pages\n')
    told = [f"{rule}: {text}" for rule, text in (
        ("begin", "oom:constraint=MEMCG "),
        ("open", "open end "),
        ("whole", "oom:constraint=MEMCG,memcg=/pod1,task=hlp /pod1")) for _ in range(2)]
    told.remove("open: open end ")
    place.run_until(lambda: place.stored() == 7 and len(notes(place, "pages")) >= len(told) and
                    len(place.lines(item="line")) == 2)
    for _ in range(2):
        assert sorted(notes(place, "pages")) == told, notes(place, "pages")
        lines = place.lines(item="line")
        assert [(line["text"], len(line["arguments"]), line["sequence"]) for line in lines] == [
            ("oom:constraint=MEMCG,memcg=/pod1,task=hlp", 3, FIRST),
            ("oom:constraint=MEMCG,memcg=/pod1,task=hlp", 3, FIRST + 3)], lines
        assert place.lines("few", "line") == lines and place.lines("few") == []
        assert len(place.lines()) == len(place.lines("parts")) == 7
        assert place.lines("parts", "line") == []
        whole = [json.loads(line) for line in query(place.path("db"), "--json", "--join",
                                                    "--filter=argc==3")[0]]
        assert [line["text"] for line in whole] == [line["text"] for line in lines], whole
        assert [line["number"] for line in whole] == [1, 4], whole
        assert len(query(place.path("db"), "--join")[0]) == 3
        assert len(query(place.path("db"))[0]) == 7
        # A complete line does not come once more after a restart.
        place.run_until(lambda: place.metric('kerror_sink_up{sink="json"}') == 1)
    assert {(c["name"], c["key"], c["count"], c["text"]) for c in health(place)[1]} == {
        ("whole", "/pod1", 2, "oom:constraint=MEMCG,memcg=/pod1,task=hlp"),
        ("begin", "", 2, "oom:constraint=MEMCG"), ("open", "", 1, "open end")}, health(place)


@test
def a_sink_that_was_behind_has_each_line_once(folder):
    """Wherever in a line its queue was full"""
    parts = [("line %s", 0x140), (" goes %s", 0x1c0), (" on %s", 0xc0)]
    with open(folder + "/messages", "wb") as file:
        for form, flags in parts:
            data = message(form, "x" * 40, flags)
            file.write(struct.pack("=I", len(data)) + data)
    for queue in range(65536, 67036, 300):
        os.mkdir(f"{folder}/{queue}")
        lines_of_a_sink_that_was_behind(f"{folder}/{queue}", queue, folder + "/messages")


def lines_of_a_sink_that_was_behind(folder, queue, messages):
    place = Place(folder, JSON + "lines = yes\n[json later]\npath = FOLDER/later/json\n"
                  f"lines = yes\nqueue = {queue}\n", events=0, printk=1500, rate=20000,
                  messages=messages)
    with open(folder + "/later", "w"):      # no folder yet
        daemon = place.start()
    wait_for(lambda: len(place.lines(item="line")) == 500, daemon=daemon)
    wait_for(lambda: place.metric('kerror_sink_behind{sink="json later"}') == 1, daemon=daemon)
    os.remove(folder + "/later")
    os.mkdir(folder + "/later")
    wait_for(lambda: len(place.lines("later/json")) == 1500, daemon=daemon)
    place.end(daemon)
    for name in ("json", "later/json"):
        lines = place.lines(name, "line")
        assert [line["sequence"] for line in lines] == \
            [(FIRST + 3 * i) % 2**32 for i in range(500)], (name, queue, len(lines))
        text = "line {0} goes {0} on {0}".format("x" * 40)
        assert {line["text"] for line in lines} == {text}, lines[:3]


@test
def a_format_is_found_in_the_text(folder):
    """Of a message whose own format says nothing: for conditions and commands"""
    texts = ("[sda] tag#99 Add. Sense: Unrecovered read error", "[sda] Add. Sens: no",
             "[sdb] Add. Sense: Logical unit not ready", "x" * 2000 + "Add. Sense: late")
    with open(folder + "/messages", "wb") as file:
        for text in texts:
            data = message("%s", text)
            file.write(struct.pack("=I", len(data)) + data)
    rule = "filter = format==\"%s\"\ntext_format = {}\nkey = found[0]\n"
    place = Place(folder, STORE + JSON +
                  "[rule sense]\nraises = sense\n" + rule.format("Add. Sense: %s") +
                  "[rule head]\nraises = head\n" + rule.format('"Add. "').replace("0]", "1]") +
                  "[rule page]\nrunner =\ncommand = /bin/sh FOLDER/page\n" +
                  rule.format("tag#%d Add. Sense: %s"),
                  events=0, printk=4, rate=10**6, messages=folder + "/messages")
    write_script(place, "page", 'echo "$KERROR_FOUND_ID $KERROR_FOUND_0 $KERROR_FOUND_1 '
                 '$KERROR_TEXT" >>FOLDER/pages\n')
    place.run_until(lambda: place.stored() == 4 and notes(place, "pages"))
    found = {c["name"] + " " + c["key"]: c["found_in_text"] for c in health(place)[1]}
    ids = {form: f"{zlib.crc32(form.encode()):08x}"
           for form in ("Add. Sense: %s", "Add. ", "tag#%d Add. Sense: %s")}
    form = "Add. Sense: %s"
    assert found == {
        f"sense {text}": {"event_id": ids[form], "format": form, "values": [text]}
        for text in ("Unrecovered read error", "Logical unit not ready")} | {
        "head ": {"event_id": ids["Add. "], "format": "Add. ",
                  "values": ["Sense: Logical unit not ready"]}}, found
    assert notes(place, "pages") == [ids["tag#%d Add. Sense: %s"] + " 99 Unrecovered read error " +
                                     texts[0]], notes(place, "pages")
    screen = subprocess.run([CONTROL, "health", "--store=" + place.path("db")], text=True,
                            stdout=subprocess.PIPE, timeout=60).stdout
    assert f'  in it:   {{"event_id":"{ids[form]}"' in screen, screen


@test
def rules_of_the_folder_come_first(folder):
    os.mkdir(folder + "/rules")
    with open(folder + "/rules/a.conf", "w") as file:
        file.write(RAISE + RAISE.replace("bad-block", "off"))
    place = Place(folder, "", events=10)
    with open(place.path("conf")) as conf:
        text = conf.read().replace("[kerrord]\n", f"[kerrord]\nrules = {folder}/rules\n")
    with open(place.path("conf"), "w") as conf:
        conf.write(text + f"[store]\npath = {folder}/db\n[rule bad-block]\nseverity = alert\n"
                   "[rule off]\nraises = none\n")
    place.run_until(lambda: place.stored() == 10)
    assert [(c["rule"], c["severity"]) for c in health(place)[1]] == \
           [("rule bad-block", "alert")]
    # Another configuration counts after SIGHUP.
    daemon = place.start()
    wait_for(lambda: place.metric('kerror_condition{name="disk",key="+pci:1"}') == 1,
             daemon=daemon)
    with open(folder + "/rules/a.conf", "w") as file:
        file.write(RAISE.replace("= disk", "= second") + RAISE.replace("bad-block", "off"))
    place.set(events=20)
    place.end(daemon)
    place.run_until(lambda: place.stored() == 20)
    assert {c["name"] for c in health(place)[1]} == {"disk", "second"}


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


def said(daemon, text):
    """Reads what it says until there is a line with the text."""
    while text not in (line := daemon.stderr.readline()):
        assert line, "it ended without a word of " + text
    return line


@test
def a_reload_applies_the_configuration(folder):
    place = Place(folder, STORE + JSON + "[text]\npath = FOLDER/text\n" +
                  rule("once", "once", "cooldown = 1h"), rate=2000, events=10**9, lost=3)
    write_script(place, "once", "echo $KERROR_SEQUENCE >>FOLDER/notes\n")
    daemon = place.start()
    wait_for(lambda: place.stored() > 1000 and len(place.lines()) > 1000, 60, daemon)
    # [text] goes, [json] changes, [json new] comes, and the store stays.
    place.write(STORE + JSON + "queue = 32M\n[json new]\npath = FOLDER/new\n" +
                rule("once", "once", "cooldown = 2h"))
    daemon.send_signal(signal.SIGHUP)
    line = said(daemon, "the new configuration counts")
    assert "counts: 1 sinks go on, 3 begin, 3 end" in line, line
    wait_for(lambda: len(place.lines("new")) > 2000, 60, daemon)
    # One with errors changes nothing, but files are opened anew.
    os.rename(place.path("json"), place.path("json.1"))
    place.write("[json]\npath =\n")
    daemon.send_signal(signal.SIGHUP)
    assert "conf:10: path: is empty" in said(daemon, "conf:10")
    said(daemon, "the configuration has errors; the one before goes on")
    wait_for(lambda: len(place.lines()) > 500, 60, daemon)
    # The same again, and what a running one cannot take over
    place.write(STORE + JSON + "queue = 32M\n[json new]\npath = FOLDER/new\n" +
                rule("once", "once", "cooldown = 2h") + "[metrics]\nlisten = 127.0.0.1:1\n")
    daemon.send_signal(signal.SIGHUP)
    said(daemon, "[metrics] listen: the new value counts after 'systemctl restart kerrord'")
    # One that is behind at the end would have the rest from the history, the next time.
    wait_for(lambda: all(place.metric(f'kerror_sink_behind{{sink="{name}"}}') == 0
                         for name in ("store", "json", "json new")), daemon=daemon)
    _, err = place.end(daemon)
    assert "the new configuration" not in err, err
    received = int(err.split("kerrord: ")[-1].split()[0])
    for kept in ([row[0] for row in place.sql("SELECT sequence FROM event ORDER BY id")],
                 [event["sequence"] for event in place.lines("new")],
                 [event["sequence"] for event in place.lines("json.1") + place.lines()]):
        assert kept == [(FIRST + i) % 2**32 for i in range(received)], \
            (len(kept), len(set(kept)), received)
    assert notes(place, "notes") == [str(FIRST)]
    assert ", 3 lost (3 staging-full)" in err, err
    # Nothing is counted twice because a new sink had it again.
    with open(place.path("metrics")) as file:
        counts = [line for line in file if line.startswith("kerror_events_total{")]
    assert sum(int(line.split()[-1]) for line in counts) == received
    assert place.metric('kerror_lost_events_total{group="evlog",cause="staging-full"}') == 3


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
    with open(place.path("json")) as file:
        lines = file.readlines()
    # Before it, a line that somebody else has written
    lines[-1:] = ['{"item":"note","boot_id":null,"group":null}\n', lines[-1][:-10]]
    with open(place.path("json"), "w") as file:
        file.writelines(lines)
    # The daemon's own memory must not say that the event was written.
    place.set(events=150)
    place.run_until(lambda: place.metric('kerror_sink_written_total{sink="json"}') in
                    (50, 51))
    assert [line["arguments"][0]["value"] for line in place.lines()] == \
           list(range(150))


@test
def rules_fire_by_threshold_key_and_cooldown(folder):
    template = "[rule {}]\nrunner =\ncommand = /bin/sh FOLDER/script {}\n{}\n"
    place = Place(folder, JSON +
                  template.format("each", "each", 'filter = arg[0]<3') +
                  template.format("burst", "burst", 'threshold = 10 in 1s\nkey = device\n'
                              'cooldown = 10s') +
                  template.format("never", "never", 'threshold = 5000 in 1s') +
                  template.format("slow", "slow", 'filter = arg[0]==5\ntimeout = 1s') +
                  "[rule absent]\nrunner =\ncommand = /no/such/program\n"
                  "filter = arg[0]==7\n",
                  events=1000, rate=1000)
    with open(place.path("script"), "w") as script:
        script.write('if [ "$1" = slow ]; then sleep 60; fi\n'
                     f'env > {folder}/"$1.$KERROR_SEQUENCE"\n')
    _, err = place.run_until(
        lambda: place.metric('kerror_sink_written_total{sink="rule never"}') == 1000
        and place.metric('kerror_sink_written_total{sink="rule slow"}') == 1
        and place.metric('kerror_sink_queue_bytes{sink="rule burst"}') == 0)
    fired = sorted(name for name in os.listdir(folder) if "." in name and
                   not name.endswith((".cursor", ".state")))
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


def rule(name, script, *options):
    """A rule whose command is a shell script of that name, run by kerrord itself"""
    return (f"[rule {name}]\nrunner =\ncommand = /bin/sh FOLDER/{script}\n" +
            "".join(option + "\n" for option in options))


@test
def a_failure_is_seen_where_ends_of_children_are_ignored(folder):
    place = Place(folder, rule("bad", "bad", "filter = arg[0]==5", "retry_after = 1h"), rate=100000)
    write_script(place, "bad", "exit 3\n")
    failed = 'kerror_rule_failures_total{sink="rule bad"}'
    _, err = place.run_until(lambda: place.metric(failed) == 1,
                             preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert "its command ended with status 3; it will be run again" in err, err


def write_script(place, name, text):
    with open(place.path(name), "w") as script:
        script.write(text.replace("FOLDER", place.folder))


def notes(place, name):
    """Lines that a script has written"""
    with contextlib.suppress(FileNotFoundError), open(place.path(name)) as file:
        return file.read().splitlines()
    return []


NOTE = 'echo "$KERROR_SEQUENCE $KERROR_MORE" >>FOLDER/notes\n'


@test
def a_failed_command_is_run_again_and_reported_once(folder):
    place = Place(folder, JSON + rule("bad", "bad") +
                  rule("flaky", "flaky", "cooldown = 1h", "retry_after = 1s"),
                  events=2000, rate=20000)
    write_script(place, "bad", "exit 3\n")
    write_script(place, "flaky", NOTE + "[ $(wc -l <FOLDER/notes) -gt 1 ] || exit 1\n")
    _, err = place.run_until(lambda: len(notes(place, "notes")) == 2 and
                             place.metric('kerror_sink_written_total{sink="rule flaky"}')
                             == 2000 and len(place.lines()) == 2000 and
                             any("works again" in line["text"]
                                 for line in place.lines(item="report")))
    # The event of the first attempt, then all others that came meanwhile
    assert [line.split()[0] for line in notes(place, "notes")] == [str(FIRST)] * 2
    reports = [line["text"] for line in place.lines(item="report")]
    assert len(reports) < 10, reports
    assert "[rule flaky] its command ended with status 1; it will be run again" in reports
    assert "[rule flaky] its command works again, after 1 failures" in reports, reports
    assert "more failures of its command since the last report" in err, err
    assert place.metric('kerror_rule_failures_total{sink="rule flaky"}') == 1
    assert place.metric('kerror_rule_waiting{sink="rule flaky"}') == 0


@test
def a_command_is_given_up_after_its_retries(folder):
    place = Place(folder, JSON + rule("bad", "bad", "retries = 2", "retry_after = 1s",
                                      "filter = arg[0]==5"), rate=100000)
    write_script(place, "bad", NOTE + "exit 1\n")
    _, err = place.run_until(lambda: len(notes(place, "notes")) == 3 and
                             place.metric('kerror_rule_waiting{sink="rule bad"}') == 0)
    assert "ended with status 1; given up after 3 attempts, 1 events are not told" in err, err


@test
def a_storm_becomes_and_n_more(folder):
    place = Place(folder, rule("storm", "note", "backlog = 3") +
                  rule("quiet", "quiet", "cooldown = 1h", "key = facility"),
                  events=3000, rate=10000)
    write_script(place, "note", NOTE + "sleep 0.1\n")
    write_script(place, "quiet", "echo $KERROR_FACILITY >>FOLDER/quiet.notes; sleep 1\n")
    # At its end kerrord runs commands for 1.5 s only: three of 1 s may be too many.
    place.run_until(lambda: sum(1 + int(line.split()[1])
                                for line in notes(place, "notes")) == 3000 and
                    len(notes(place, "quiet.notes")) == 3)
    assert len(notes(place, "notes")) < 30, notes(place, "notes")
    assert sorted(notes(place, "quiet.notes")) == ["fake0", "fake1", "fake2"]


@test
def rules_remember_over_a_restart(folder):
    place = Place(folder, rule("burst", "burst", "threshold = 6 in 1m") +
                  rule("once", "once", "cooldown = 1h"), events=4, rate=100)
    write_script(place, "burst", "echo $KERROR_SEQUENCE >>FOLDER/burst.notes\n")
    write_script(place, "once", "echo $KERROR_SEQUENCE >>FOLDER/once.notes\n")

    def is_done():
        return all(place.metric(f'kerror_sink_written_total{{sink="rule {name}"}}') == 4
                   for name in ("burst", "once"))

    place.run_until(lambda: is_done() and len(notes(place, "once.notes")) == 1)
    place.set(events=8)
    place.run_until(lambda: is_done() and len(notes(place, "burst.notes")) == 1)
    assert notes(place, "burst.notes") == [str(FIRST + 5)]
    assert notes(place, "once.notes") == [str(FIRST)]
    # The file may hold anything: it is no reason to stop.
    for content in (b"", b"{", b"[]", b'{"version":1,"backlog":[1,{}],"counters":7}',
                    b'{"version":1,"progress":[{"group":"x"},{"group":"evlog","lost":[]}]}'):
        with open(place.path("state") + "/rule-once.state", "wb") as file:
            file.write(content)
        place.run_until(lambda: place.metric('kerror_rule_waiting{sink="rule once"}') == 0)


@test
def a_killed_kerrord_loses_no_command(folder):
    place = Place(folder, rule("all", "note", "backlog = 1000"), events=200, rate=100)
    write_script(place, "note", NOTE)
    chance = random.Random(2)
    for _ in range(8):
        daemon = place.start()
        time.sleep(chance.uniform(0.1, 0.5))
        daemon.kill()
        daemon.communicate()
    place.run_until(lambda: place.metric('kerror_rule_waiting{sink="rule all"}') == 0 and
                    len({line.split()[0] for line in notes(place, "notes")}) == 200)
    told = [int(line.split()[0]) for line in notes(place, "notes")]
    assert {(number - FIRST) % 2**32 for number in told} == set(range(200))
    # One that ran when it was killed, or whose success was not yet noted, repeats.
    assert len(told) < 200 + 8 * 5, len(told)


@test
def what_waits_is_kept_and_run_by_the_next(folder):
    place = Place(folder, rule("pager", "pager", "filter = arg[0]==5"), rate=100000)
    write_script(place, "pager", "exit 1\n")
    _, err = place.run_until(lambda: place.metric('kerror_rule_failures_total'
                                                  '{sink="rule pager"}') == 1)
    assert "1 commands wait for the next start; see kerrorctl rules" in err, err
    write_script(place, "pager", 'echo "$KERROR_TEXT" >>FOLDER/notes\n')
    place.run_until(lambda: notes(place, "notes") == ["event 5: text 5"])


def ctl(place, *arguments):
    """kerrorctl rules: its status, and what it prints"""
    done = subprocess.run([os.path.join(os.path.dirname(PROGRAM), "kerrorctl"), "rules",
                           "--state=" + place.path("state"), *arguments],
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


@test
def what_waits_can_be_looked_at_flushed_and_dropped(folder):
    place = Place(folder, rule("disk", "disk", "filter = arg[0]<2", "retry_after = 1h") +
                  rule("idle", "disk", "filter = arg[0]>10000"), rate=100000)
    write_script(place, "disk", "exit 1\n")
    status, text = ctl(place)
    assert status == 1 and "No such file or directory; is that 'state' of" in text, text
    daemon = place.start()
    failures = 'kerror_rule_failures_total{sink="rule disk"}'
    wait_for(lambda: place.metric(failures) == 2 and ctl(place)[1].count("again in 3") == 2)
    status, text = ctl(place)
    assert status == 0, text
    assert "rule disk: ran 2 times, failed 2, given up 0 events; 2 wait\n" in text, text
    assert f"  command: /bin/sh {folder}/disk (run by kerrord itself)\n" in text, text
    assert "  last failure: its command ended with status 1\n" in text, text
    assert " event 1: text 1 (failed 1 times, again in " in text, text
    assert "rule idle: ran 0 times" in text, text
    objects = [json.loads(line) for line in ctl(place, "--json", "disk")[1].splitlines()]
    assert len(objects) == 1 and objects[0]["waiting"][0]["text"] == "event 0: text 0", objects
    assert ctl(place, "nosuch") == (1, "kerrorctl: no such rule; kerrorctl rules shows all\n")
    assert ctl(place, "--flush", "--drop")[0] == 2
    # A repaired command is not to wait for an hour.
    write_script(place, "disk", '[ $KERROR_ARG_0 = 0 ] && echo "$KERROR_TEXT" >>FOLDER/notes\n')
    assert ctl(place, "--flush", "rule disk") == (0, "")
    wait_for(lambda: notes(place, "notes") == ["event 0: text 0"] and
             place.metric(failures) == 3)
    assert ctl(place, "--drop") == (0, "")
    assert "rule disk: ran 4 times, failed 3, given up 0 events; 0 wait\n" in ctl(place)[1]
    assert "1 commands that waited are thrown away" in place.end(daemon)[1]
    assert "; kerrord does not run it now" in ctl(place)[1]
    # Asked for while it does not run, it counts before anything runs.
    status, text = ctl(place, "--drop", "disk")
    assert status == 1 and "kerrord does not run [rule disk] now; --drop counts when" in text
    assert os.path.exists(place.path("state") + "/rule-disk.drop")
    place.run_until(lambda: not os.path.exists(place.path("state") + "/rule-disk.drop"))


class Units:
    """What systemd does for kerror-rules.socket: a kerrord --run-rule for each connection"""

    def __init__(self, place):
        self.place = place
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(place.path("rules.socket"))
        self.server.listen()
        self.started = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self.server.accept()[0]
                self.started.append(subprocess.Popen(
                    [PROGRAM, "--run-rule", "-c", self.place.path("conf")],
                    stdin=connection, stderr=subprocess.DEVNULL))
                connection.close()

    def ask(self, *strings, end=b"\0"):
        """Sends a request and returns the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(30)
            client.connect(self.place.path("rules.socket"))
            client.sendall(b"\0".join(strings) + end)
            client.shutdown(socket.SHUT_WR)
            answer = b""
            while part := client.recv(1000):
                answer += part
        return answer.decode()


@test
def a_unit_of_its_own_runs_the_command(folder):
    place = Place(folder, JSON + rule("good", "good", "filter = arg[0]<3") +
                  rule("bad", "bad", "filter = arg[0]==4") +
                  rule("slow", "slow", "filter = arg[0]==5", "timeout = 1s"),
                  rate=100000)
    with open(place.path("conf")) as conf:
        text = conf.read().replace("runner =", f"runner = {place.path('rules.socket')}")
    with open(place.path("conf"), "w") as conf:
        conf.write(text)
    write_script(place, "good", "env >FOLDER/good.$KERROR_SEQUENCE\n"
                 "(sleep 1; echo late >>FOLDER/notes) &\n")
    write_script(place, "bad", "exit 7\n")
    write_script(place, "slow", "sleep 60\n")
    units = Units(place)
    os.environ["HOME"] = folder
    _, err = place.run_until(lambda: len(notes(place, "notes")) == 3 and
                             place.metric('kerror_rule_failures_total{sink="rule slow"}'))
    assert len(units.started) == 5, len(units.started)
    variables = dict(line.split("=", 1) for line in notes(place, f"good.{FIRST + 1}"))
    assert variables["KERROR_TEXT"] == "event 1: text 1", variables
    assert variables["KERROR_MORE"] == "0" and variables["HOME"] == folder, variables
    assert "FAKE_START" not in variables, variables
    assert "[rule bad] its command ended with status 7" in err, err
    assert "[rule slow] its command ran longer than 1 s and was killed" in err, err
    assert "kerrord itself runs" not in err, err
    for request, end, answer in (
            ((b"kerror-rule 1", b"rule none"), b"\0", "has no [rule none] with a command"),
            ((b"kerror-rule 1", b"json"), b"\0", "has no [json] with a command"),
            ((b"kerror-rule 2", b"rule bad"), b"\0", "of another version"),
            ((b"kerror-rule 1",), b"\0", "of another version"),
            ((b"kerror-rule 1", b"rule bad"), b"", "got no request: it is cut"),
            ((), b"", "got no request: it is cut"),
            ((b"kerror-rule 1", b"rule bad") + (b"KERROR_X=1",) * 1000, b"\0", "status 7"),
            ((b"kerror-rule 1", b"rule good", b"LD_PRELOAD=/no", b"PATH=/no",
              b"KERROR_SEQUENCE=0"), b"\0", "success")):
        assert answer in units.ask(*request, end=end), (request[:2], units.ask(*request, end=end))
    variables = dict(line.split("=", 1) for line in notes(place, "good.0"))
    assert "LD_PRELOAD" not in variables and "/usr/bin" in variables["PATH"], variables
    for unit in units.started:
        assert unit.wait(60) == 0
    # Without an answer it fails, and is run again: no unit, then no socket.
    units.server.shutdown(socket.SHUT_RDWR)
    units.server.close()
    place.set(start=time.time_ns())
    _, err = place.run_until(lambda: "Connection refused; is kerror-rules.socket active?" in
                             "".join(line["text"] for line in place.lines(item="report")))


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
    path = os.path.join(folder, "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(path)
        server.settimeout(60)
        place = Place(folder, "[journald]\n", events=0, printk=10, flags=0x180, journal=path)
        daemon = place.start()
        entry = server.recv(65536).decode().splitlines()
    place.end(daemon)
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
    last = [line for line in body.splitlines() if line.startswith("kerror_last_event_")]
    assert len(last) == 1 and 0 <= time.time() - int(last[0].split()[-1]) < 600, last
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
     "conf:11: [store] has no option 'max_agee'; kerrord --print-config shows all"),
    ("[stor]\n", "conf:9: there is no section [stor]; known are kerrord, metrics, tags, store"),
    ("[store]\nmax_age = soon\n", "conf:10: max_age: 'soon' is no time such as 30s"),
    ("[store]\nmax_size = 1T\n", "conf:10: max_size: '1T' is no size such as 512K"),
    ("[json]\nqueue = -1\n", "conf:10: queue: '-1' is no size"),
    ("[json]\nfilter = severity<=bad\n", "[json] filter: "),
    ("[rule x]\n", "[rule x] has no command, which it needs"),
    ("[rule x]\ncommand = x\nthreshold = 0\n", "conf:11: threshold: '0' is neither 1"),
    ("[rule x]\ncommand = x\nthreshold = 5\n", "conf:11: threshold: '5' is neither 1"),
    ("[rule x]\ncommand = x\nkey = device nonsense\n",
     "[rule x] key: 'nonsense' is none of facility, device, id, arg[N], "
     "disk:arg[N]"),
    ("[json]\n[json]\n", "conf:10: a second section [json]; give it another name"),
    ("[json]\npath = /a\npath = /b\n", "conf:11: a second 'path' in [json]"),
    ("[kerrord]\ngroups = evlog prin\n[json]\n",
     "groups: 'evlog prin' is not one or more of raw, evlog, printk, all"),
    ("[kerrord]\ngroups = ,\n[json]\n", "groups: ',' is not one or more of raw"),
    ("[kerrord]\ngroups = printkprintk\n[json]\n", "is not one or more of raw"),
    ("[syslog]\nfacility = mail\n", "conf:10: facility: 'mail' is none of kern"),
    ("[json]\nwhat is this\n", "conf:10: this is neither [section] nor option = value"),
    ("[json]\npath = /" + "x" * 300 + "\n", "conf:10: a line is longer than"),
    ("", "no section for a sink; one of: store json text"),
    # Values of nothing, with which it once crashed
    ("[store]\npath =\n", "conf:10: path: is empty; give it a value, or leave the line out for"),
    ("[json]\npath =\n", "conf:10: path: is empty"),
    ("[text]\npath =\n", "conf:10: path: is empty"),
    ("[syslog]\naddress =\n", "conf:10: address: is empty"),
    ("[rule x]\ncommand =\n", "conf:10: command: is empty; it is to be a program"),
    ("[kerrord]\nuser =\n[json]\n", "conf:10: user: is empty"),
    ("[kerrord]\nstate =\n[json]\n", "conf:10: state: is empty"),
    # Addresses
    ("[syslog]\naddress = loghost:514\n", "conf:10: address: 'loghost:514' is none of unix:/PATH"),
    ("[syslog]\naddress = tcp:loghost\n", "conf:10: address: 'tcp:loghost' is none of"),
    ("[syslog]\naddress = udp:h:65536\n", "with a port from 1 to 65535"),
    ("[syslog]\naddress = udp:::1:514\n", "conf:10: address: 'udp:::1:514' is none of"),
    ("[metrics]\nlisten = 9817\n[json]\n", "conf:10: listen: '9817' is not ADDRESS:PORT"),
    ("[metrics]\nlisten = 127.0.0.1:99999\n[json]\n", "conf:10: listen: '127.0.0.1:99999' is"),
    # Files
    ("[json]\npath = events.json\n", "conf:10: path: 'events.json' is neither an absolute path"),
    ("[store]\npath = FOLDER/db # main store\n",
     "conf:10: path: '# main store' would be a part of the value; a comment needs a line"),
    ("[json]\npath = FOLDER/x\n[text]\npath = FOLDER/x\n",
     "conf:12: path: [json] writes to FOLDER/x, too; give one of them another file"),
    ("[store]\npath = FOLDER/x\n[store 2]\npath = FOLDER/x\n", "conf:12: path: [store] writes to"),
    ("[json a/b]\n[json a-b]\n", "conf:10: [json a/b] and [json a-b] would have one state file"),
    ("[json]\npath = FOLDER/metrics\n", "conf:10: path: FOLDER/metrics is the textfile of"),
    ("[json]\nqueue = 1\n", "conf:10: queue: it does not hold the largest event"),
    ("[store]\nmax_size = 10\n", "conf:10: max_size: it holds no events"),
    # Parts that inih cuts
    ("[json]\nfilter = text~\"*foo ; bar*\"\n", "conf:10: ' ;' begins a comment that cuts"),
    ("[rule x]\ncommand = /bin/echo a ; b\n", "conf:10: ' ;' begins a comment that cuts"),
    ("[rule x]\nraises = a\n", "conf:9: [rule x] has no filter: each event would raise or clear"),
    ("[rule x]\nraises = a b\nfilter = oops\n", "conf:10: [rule x] raises: 'a b' is more than one"),
    ("[rule x]\nraises = a\nfilter = oops\ncooldown = 1h\n",
     "conf:12: [rule x] cooldown: a rule that raises or clears a condition has none"),
    ("[rule x]\nraises = a\nfilter = oops\nseverity = bad\n",
     "conf:12: severity: 'bad' is none of emerg, alert"),
    ("[rule x]\nraises = a\nfilter = oops\nexpires = 0\n",
     "conf:12: expires: '0' is neither boot nor never nor a time"),
    ("[rule " + "x" * 45 + "]\ncommand = x\n", "conf:9: a section's name is longer than 49 bytes"),
    # There is no shell.
    ("[rule x]\ncommand = /bin/sh -c 'logger \"hello\"'\n", "conf:10: command: quotes and backslashes"),
    ("[rule x]\ncommand = /bin/echo a; b\n", "conf:10: command: 'a;' is for a shell"),
    ("[rule x]\ncommand = /bin/echo a | mail root\n", "conf:10: command: '|' is for a shell"),
    ("[rule x]\ncommand = /bin/echo $KERROR_TEXT\n", "command: '$KERROR_TEXT' is for a shell"),
    ("[rule x]\ncommand = bin/echo\n", "conf:10: command: 'bin/echo' is a relative path"),
    ("[rule x]\ncommand = /bin/echo" + " a" * 32 + "\n", "conf:10: command: more than 32 words"),
    ("[rule x]\ncommand = /bin/true\nretries = -1\n", "conf:11: retries: '-1' is no number from"),
]

# Of this machine: only --check-config says so.
BAD_HERE = [
    ("[kerrord]\nuser = nosuchuser\n[json]\n",
     "conf:10: user: there is no user 'nosuchuser'; 'useradd --system nosuchuser' makes it"),
    ("[json]\npath = FOLDER/a/b/json\n",
     "conf:10: path: there is no folder FOLDER/a; 'mkdir -p FOLDER/a' makes it"),
    ("[json]\npath = FOLDER\n", "conf:10: path: FOLDER is a folder; name a file in it"),
    ("[store]\npath = FOLDER/conf/db\n", "conf:10: path: FOLDER/conf is no folder"),
    ("[json a]\npath = FOLDER/twice\n[json b]\npath = FOLDER/link\n", "conf:12: path: [json a] writes"),
    ("[rule x]\ncommand = /no/such --now\n", "conf:10: command: there is no /no/such; install it"),
    ("[rule x]\ncommand = nosuchprogram\n", "conf:10: command: there is no nosuchprogram; install"),
    ("[rule x]\ncommand = FOLDER/conf\n", "conf:10: command: FOLDER/conf is no program; 'chmod +x"),
]

# Lines that look odd, and are right
GOOD = [
    "[store]\r\npath = FOLDER/crlf.db\r\n", "[json]\nfilter =\n", "[rule x]\ncommand = true\nkey =\n",
    "[metrics]\nlisten =\n[json]\n", "[kerrord]\nexplain =\n[metrics]\ntextfile =\n[json]\n",
    "[rule x]\ncommand = /bin/echo to #ops a;b 50% ~\nrunner =\n", "[json]\npath = unix:/run/x\n",
    "[syslog]\naddress = udp:[::1]:514\n", "[syslog]\naddress = tcp:log.example.:65535\n",
    "[json]\nfilter = text~\"*#1 # 2*\"\n", "; one\n  # two ; three\n[json] ; four\n", "[text]\n[json]\n",
]


def check_config(place):
    return subprocess.run([PROGRAM, "-c", place.path("conf"), "--check-config"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@test
def a_closed_standard_stream_gets_nothing(folder):
    """Nor does another file, or the kernel, get what is for it."""
    def close_all():
        for stream in range(3):
            os.close(stream)

    place = Place(folder, STORE + "[text]\n[json full]\npath = /dev/full\n", events=100, rate=100000)
    place.run_until(lambda: place.stored() == 100 and
                    place.metric('kerror_sink_failures_total{sink="text"}') and
                    place.metric('kerror_sink_failures_total{sink="json full"}'),
                    stdout=None, stderr=None, preexec_fn=close_all)
    assert os.path.getsize(place.path("state/lock")) == 0
    assert place.sql("SELECT count(*) FROM event") == [(100,)]


@test
def what_cannot_be_printed_is_an_error(folder):
    place = Place(folder, JSON)
    for option in "--help", "--version", "--print-config", "--check-config":
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, "-c", place.path("conf"), option], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and done.stderr == \
            "kerrord: cannot write to standard output: No space left on device\n", (option, done)


@test
def a_wrong_configuration_is_refused(folder):
    with open(os.path.join(folder, "twice"), "w"):
        os.symlink("twice", os.path.join(folder, "link"))
    for sections, message in BAD + BAD_HERE:
        place = Place(folder, sections)
        done = check_config(place)
        assert done.returncode == 1, (sections, done)
        assert message.replace("FOLDER", folder) in done.stderr, (sections, done)
        assert len(done.stderr.splitlines()) == 1 or "[rule x]\n" in sections, done.stderr
    for sections in GOOD:
        done = check_config(Place(folder, sections))
        assert done.returncode == 0 and not done.stderr, (sections, done)
    # A folder may come with a disk, a command with a mount: it starts without.
    place = Place(folder, "[json]\npath = FOLDER/a/b/json\n" + JSON.replace("json]", "json 2]") +
                  "[rule x]\nrunner =\ncommand = /no/such\n", events=10)
    place.run_until(lambda: len(place.lines()) == 10)
    for arguments, message in ((["foo"], "unexpected argument 'foo'; see"),
                               (["--bogus"], "there is no option '--bogus'; see"),
                               (["-c"], "option '-c' lacks its value; see")):
        done = subprocess.run([PROGRAM, *arguments], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and done.stderr.startswith("kerrord: " + message), done
        assert len(done.stderr.splitlines()) == 1, done
    for option in ("-V", "--version"):
        told = [subprocess.run([program, option], capture_output=True, text=True, check=True).stdout
                for program in (CONTROL, PROGRAM)]
        assert re.fullmatch(r"kerrorctl [0-9]+\.[0-9]+\.[0-9]+\n", told[0]) and \
            told[1] == told[0].replace("kerrorctl", "kerrord"), told
    for path, message in ((folder, folder + ": cannot be read: Is a directory"),
                          (folder + "/no", "No such file or directory; 'kerrord --print-config'")):
        done = subprocess.run([PROGRAM, "-c", path], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and message in done.stderr, done


@test
def drop_ins_change_the_configuration_in_order(folder):
    place = Place(folder, "[json]\npath = FOLDER/json\nfilter = arg[0]<5\n && arg[0]>=0\n")
    os.mkdir(place.path("conf.d"))

    def drop_in(name, text):
        with open(place.path("conf.d/" + name), "w") as file:
            file.write(text.replace("FOLDER", folder))

    drop_in("20-b.conf", "[json]\npath = FOLDER/second\n[rule x]\ncommand = true\n")
    drop_in("10-a.conf", "[json]\npath = FOLDER/first\nfilter = arg[0]<7\n || arg[0]<8\n")
    drop_in("30-c.conf~", "[nonsense]\n")
    done = check_config(place)
    assert done.returncode == 0, done
    assert done.stdout == (f"{folder}/conf + {folder}/conf.d/10-a.conf + {folder}/conf.d/20-b.conf: "
                           "right; 2 sinks: [json] [rule x]\n"), done
    os.remove(place.path("conf.d/20-b.conf"))
    place.run_until(lambda: len(place.lines("first")) == 8)
    drop_in("20-b.conf", "[json]\n\npath =\n")
    assert "conf.d/20-b.conf:3: path: is empty" in check_config(place).stderr
    drop_in("20-b.conf", "[json]\npath = FOLDER/a\npath = FOLDER/b\n")
    assert "conf.d/20-b.conf:3: a second 'path' in [json]" in check_config(place).stderr
    drop_in("20-b.conf", "[json]\nfilter = nonsense\n")
    assert "conf.d/20-b.conf:2: [json] filter: " in check_config(place).stderr
    # At a reload kerrord is not root any more: what it may not read has not gone.
    shutil.rmtree(place.path("conf.d"))
    os.symlink("conf.d", place.path("conf.d"))
    assert check_config(place).stderr == \
        f"{folder}/conf.d: the folder cannot be read: Too many levels of symbolic links\n"
    done = subprocess.run([PROGRAM, "-c", folder + "/none"], stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == 1 and "--print-config" in done.stderr, done


@test
def the_printed_configuration_is_right(folder):
    sample = subprocess.run([PROGRAM, "--print-config"], stdout=subprocess.PIPE,
                            text=True, check=True).stdout
    lines = re.findall(r"^#(\w+) = (.*)", sample, re.M)
    assert lines and not [name for name, value in lines if value == "?" or
                          re.match("[0-9.]+:[0-9]+$", value) and name != "listen"], lines
    # Of this machine, whose users and programs are others
    sample = sample.replace("#user = kerror", "user = root").replace(
        "/usr/local/sbin/what-to-do", "/bin/true").replace(
            "/etc/kerror/file.pem", folder + "/conf")
    # A collector takes nothing of its own kernel, and so is tried by itself.
    sections = re.split(r"\n\n(?=# .*\n#?\[)", sample)
    collector = "\n\n".join(section for section in sections if re.search(
        r"^#?\[(kerrord|store|collector)", section, re.M)).replace(
            "#source = kernel", "source = nats").replace("#[", "[")
    everything = "\n\n".join(section for section in sections
                             if "#[collector]" not in section).replace("\n#[", "\n[")
    for text in (sample, collector, everything):
        with open(folder + "/conf", "w") as conf:
            conf.write(text)
        done = subprocess.run([PROGRAM, "-c", folder + "/conf", "--check-config"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wanted = text is everything     # the rule has no command yet
        assert done.returncode == wanted, done
    # With every option taken out of its comment, too; a rule has a command or a condition.
    # The file of headers is not there.
    condition = {"raises", "clears", "headers", "source"}
    command = {"headers", "source", "command", "threshold", "cooldown", "retries", "retry_after", "backlog", "runner",
               "timeout", "queue"}
    for text, left_out, result in (
            (everything, condition, "right; 8 sinks: [store] [json] [text] [journald] "
                                    "[syslog] [otlp] [nats] [rule NAME]\n"),
            (everything, command, "[nats], 1 rules of conditions\n"),
            (collector, condition | command, "[store] [collector]\n")):
        options = "\n".join(line[1:] if line.startswith("#") and " = " in line and line[1] != " "
                            and line[1:].split()[0] not in left_out else line
                            for line in text.split("\n"))
        with open(folder + "/conf", "w") as conf:
            conf.write(options)
        done = subprocess.run([PROGRAM, "-c", folder + "/conf", "--check-config"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0 and done.stdout.endswith(result), done


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


def main(tests=TESTS):
    failed = 0
    only = sys.argv[2:]
    for number, function in enumerate(tests, 1):
        if only and function.__name__ not in only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(folder)
                print(f"ok {number} {function.__name__}", flush=True)
            except unittest.SkipTest as why:
                print(f"ok {number} {function.__name__} # SKIP {why}", flush=True)
            except Exception as error:  # the next test is of use, too
                line = traceback.extract_tb(error.__traceback__)[1].lineno
                failed += 1
                print(f"not ok {number} {function.__name__}: line {line}: "
                      f"{type(error).__name__}: {error}", flush=True)
            for daemon in DAEMONS:
                daemon.kill()
    print(f"1..{len(tests)}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
