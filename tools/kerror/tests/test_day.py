#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A day of a machine with kerrord, in a minute: test_day.py PROGRAM [TEST]...
The kernel, its clocks and its disk are played (FAKE_DAY of tests/fake_kernel.c).
Events come at changing rates, the clock steps by decades, daylight saving time ends,
the disk is full for a while, kerrord is updated, killed and started again, and
somebody pages through the store meanwhile. Then each event with a number is once in
the store and once in the JSON files, or its loss was told there. Prints TAP.

DAY_SEED gives another day; DAY_DISK=limit plays the full disk by RLIMIT_FSIZE, as
it is where no file system can be mounted."""

import calendar
import contextlib
import http.client
import json
import mmap
import os
import random
import resource
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

NAMESPACE = "DAY_NAMESPACE"


def enter_namespace():
    """Starts this test again where it can mount a disk, if there is a way."""
    for way in ("-m", "-rm"):
        with tempfile.TemporaryDirectory() as folder:
            mount = ["unshare", way, "mount", "-t", "tmpfs", "none", folder]
            with contextlib.suppress(FileNotFoundError):
                if not subprocess.run(mount, stderr=subprocess.DEVNULL).returncode:
                    os.environ[NAMESPACE] = way
                    os.execvp("unshare", ["unshare", way, sys.executable, *sys.argv])


if NAMESPACE not in os.environ and os.environ.get("DAY_DISK") != "limit":
    enter_namespace()

from test_kerrord import (CONTROL, DAEMONS, FIRST, PROGRAM, SCHEMA, Place, execute_in, main,
                          make_first_version, query, wait_for)
from test_sinks import add_metrics, free_port, get_metrics

SEED = int(os.environ.get("DAY_SEED", 1))
TESTS = []
NS = 10**9
HOUR = 3600
YEAR = 365 * 24 * HOUR
# Midnight in Berlin; 3 hours later daylight saving time ends there.
MIDNIGHT = calendar.timegm((2026, 10, 24, 22, 0, 0))
TIME_ZONE = "CET-1CEST,M3.5.0,M10.5.0/3"
# The machine was on for so long when the day began: longer than the store keeps events.
ON_BEFORE = 200 * 24 * HOUR
MAX_AGE = 30 * HOUR
HISTORY = 4000
GROUPS = {"evlog": 2, "printk": 16}
DISK_BYTES = 256 << 20
# Causes of losses of events that had a number
NUMBERED = ("history", "sink", "poison")

SINKS = f"""[store]
path = FOLDER/disk/db
max_age = {MAX_AGE}s
[json]
path = FOLDER/disk/json
queue = 256K
[text]
path = FOLDER/disk/text
"""


def test(function):
    TESTS.append(function)
    return function


class Disk:
    """A file system of its own, or else a limit of how large files may become"""

    def __init__(self, path):
        self.path = path
        self.is_full = False
        self.mounted = NAMESPACE in os.environ
        os.mkdir(path)
        if self.mounted:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none",
                            path], check=True)

    def fill(self, daemon):
        self.is_full = True
        if not self.mounted:
            self.limit(daemon.pid)
            return
        with open(self.path + "/ballast", "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\1" * 65536)

    def limit(self, pid=0):
        """Of this process in a child of the test; nobody needs a right for that."""
        most = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0 if self.is_full else most, most))

    def clear(self, daemon):
        self.is_full = False
        if self.mounted:
            os.remove(self.path + "/ballast")
        else:
            self.limit(daemon.pid)

    def remove(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=True)


class Machine(Place):
    """A machine whose clocks the test moves, and its kerrord"""

    def __init__(self, folder):
        self.disk = Disk(os.path.join(folder, "disk"))
        super().__init__(folder, SINKS)
        with open(self.path("conf")) as conf:
            text = conf.read().replace(self.path("state"), self.path("disk/state"))
        with open(self.path("conf"), "w") as conf:
            conf.write(text)
        with open(self.path("day"), "wb") as file:
            file.truncate(1 << 16)
        with open(self.path("day"), "r+b") as file:
            self.day = mmap.mmap(file.fileno(), 0)
        self.kernel = {"TZ": TIME_ZONE}
        self.set(day=self.path("day"), history=HISTORY)
        os.environ.update({"TZ": TIME_ZONE, "FAKE_DAY": self.path("day")})
        self.raised = dict.fromkeys(GROUPS, 0)
        self.lost = 0               # of group evlog, without a number
        self.moments = 0
        self.second = 0             # of the day
        self.wrong = 0              # seconds by which the clock is
        self.boot_ahead = -10**18
        self.daemon = None
        self.said = []              # all that kerrord has said
        self.set_clocks()

    # ---- The kernel ----

    def set_clocks(self):
        ahead = (MIDNIGHT + self.second + self.wrong) * NS - time.time_ns()
        boot = (ON_BEFORE + self.second) * NS - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        # This one never goes back, however long the test has taken since the last call.
        self.boot_ahead = max(self.boot_ahead, boot)
        self.day[8:24] = struct.pack("=qq", ahead, self.boot_ahead)

    def raise_events(self, evlog, printk, lost=0):
        self.raised["evlog"] += evlog
        self.raised["printk"] += printk
        self.lost += lost
        at = 32 + 40 * self.moments
        self.day[at:at + 40] = struct.pack(
            "=5Q", self.raised["evlog"], self.raised["printk"], self.lost,
            (ON_BEFORE + self.second) * NS, (MIDNIGHT + self.second + self.wrong) * NS)
        # Last, so that it is whole when it is seen
        self.moments += 1
        self.day[0:8] = struct.pack("=Q", self.moments)

    def step(self, seconds):
        """Sets the clock: that much wrong."""
        self.wrong = seconds
        self.set_clocks()

    # ---- kerrord ----

    def begin(self):
        self.daemon = subprocess.Popen(
            [PROGRAM, "--config", self.path("conf")], env={**os.environ, **self.kernel},
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=None if self.disk.mounted else self.disk.limit)
        DAEMONS.append(self.daemon)
        self.listener = threading.Thread(target=self.said.extend, args=[self.daemon.stderr],
                                         daemon=True)
        self.listener.start()

    def kill(self):
        self.daemon.kill()
        self.daemon.wait()
        self.listener.join()

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        status = self.daemon.wait(timeout=150)
        self.listener.join()
        assert status == 0, (status, self.said[-20:])

    def wait(self, done):
        try:
            wait_for(lambda: done() or self.daemon.poll() is not None, 240)
        except AssertionError as error:
            raise AssertionError(error, self.second / HOUR, self.said[-20:]) from None
        assert self.daemon.poll() is None, (self.daemon.returncode, self.said[-20:])

    def has(self, text):
        return any(text in line for line in list(self.said))

    def store_is_level(self):
        """Whether the store knows what became of each event"""
        with contextlib.suppress(sqlite3.DatabaseError):
            nexts = dict(self.sql("SELECT event_group, value FROM progress WHERE cause = -1",
                                  "disk/db"))
            return all(nexts.get(number) == (FIRST + self.raised[group]) % 2**32
                       for group, number in GROUPS.items() if self.raised[group])
        return False

    def json_lines(self):
        """Of all files, in the order of writing; a last line may be half there."""
        lines = []
        for name in ("disk/json.1", "disk/json"):
            with contextlib.suppress(FileNotFoundError), open(self.path(name)) as file:
                lines += [json.loads(line) for line in file.read().split("\n")[:-1]]
        return [line for line in lines if line["item"] != "report"]

    def json_is_level(self):
        time.sleep(0.5)     # it is much to read
        return all(reached == self.raised[group]
                   for group, (_, _, reached) in follow(self.json_lines()).items())


def number(sequence):
    """Which event of its group it is"""
    return (sequence - FIRST) % 2**32


def follow(lines):
    """Of each group, the events, the losses by cause, and where the two end"""
    result = {}
    for group in GROUPS:
        events, losses, reached = [], {}, 0
        for line in lines:
            if line["group"] != group:
                continue
            if line["item"] == "event":
                events.append(number(line["sequence"]))
                # Losses before it were told before it.
                assert events[-1] == reached, (group, events[-1], reached, losses)
                reached += 1
            else:
                losses[line["cause"]] = losses.get(line["cause"], 0) + line["count"]
                reached += line["count"] if line["cause"] in NUMBERED else 0
        result[group] = events, losses, reached
    return result


class Pager:
    """Somebody who reads the store page by page"""

    def __init__(self, machine):
        self.machine = machine
        self.runs = 0
        self.begin()

    def begin(self):
        machine = self.machine
        self.expected = set(machine.sql("SELECT event_group, sequence FROM event", "disk/db"))
        self.seen = []
        self.process = subprocess.Popen(
            [CONTROL, "query", "--json", "--store=" + machine.path("disk/db")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        DAEMONS.append(self.process)
        self.runs += 1

    def read(self, count):
        """False at the end"""
        for _ in range(count):
            line = self.process.stdout.readline()
            if not line:
                self.check()
                return False
            event = json.loads(line)
            self.seen.append((GROUPS[event["group"]], event["sequence"]))
        return True

    def check(self):
        _, err = self.process.communicate(timeout=150)
        assert self.process.returncode == 0, err
        assert len(set(self.seen)) == len(self.seen), "the pager saw an event twice"
        missing = self.expected - set(self.seen)
        assert not missing, (len(missing), sorted(missing)[:5])


class Port:
    """An address for metrics that another program has"""

    def __init__(self, machine):
        self.machine = machine
        self.number = free_port()
        self.socket = socket.create_server(("127.0.0.1", self.number))
        add_metrics(machine, f"listen = 127.0.0.1:{self.number}")

    def give_back(self):
        self.socket.close()
        self.machine.wait(lambda: self.says(b"kerror_sink_up"))

    def value(self, name):
        text = get_metrics("127.0.0.1", self.number).decode()
        return next(int(line.split()[-1]) for line in text.splitlines()
                    if line.startswith(name))

    def says(self, text):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return text in get_metrics("127.0.0.1", self.number)
        return False


def update(machine):
    """kerrord was one that made stores of schema 1."""
    machine.stop()
    make_first_version(machine.path("disk/db"))
    machine.raise_events(20, 20)
    pager = Pager(machine)
    pager.read(1)
    machine.begin()
    machine.wait(machine.store_is_level)
    assert machine.sql("PRAGMA user_version", "disk/db") == [(SCHEMA,)]
    return pager


def kill_often(machine, chance):
    for _ in range(5):
        machine.raise_events(chance.randrange(400), chance.randrange(400))
        time.sleep(chance.uniform(0, 0.3))
        machine.kill()
        machine.begin()


def be_away(machine):
    """More events than the kernel's history holds, while kerrord does not run"""
    machine.stop()
    machine.raise_events(HISTORY + 1000, 50, lost=5)
    machine.begin()


def rotate(machine):
    machine.wait(machine.json_is_level)
    os.rename(machine.path("disk/json"), machine.path("disk/json.1"))
    machine.daemon.send_signal(signal.SIGHUP)
    machine.wait(lambda: os.path.exists(machine.path("disk/json")))


def wait_until_full(machine, before):
    machine.wait(lambda: any(" [json] " in line for line in machine.said[before:]))


def fill_disk(machine, port, chance):
    before = len(machine.said)
    machine.disk.fill(machine.daemon)
    for _ in range(4):
        machine.raise_events(chance.randrange(1500), chance.randrange(1500))
        time.sleep(chance.uniform(0, 0.3))
    wait_until_full(machine, before)
    print(f"# full disk: {machine.said[before].strip()}")
    machine.kill()
    machine.raise_events(100, 100)
    before = len(machine.said)
    machine.begin()
    wait_until_full(machine, before)
    # More than queue and history hold: some is gone when there is room again.
    machine.raise_events(3 * HISTORY, 100)
    machine.wait(lambda: port.says(b'kerror_sink_behind{sink="json"} 1'))
    machine.raise_events(2 * HISTORY, 100)
    # The time that an event waits does not depend on the clock.
    machine.step(70 * YEAR)
    lag = port.value('kerror_sink_lag_seconds{sink="json"}')
    assert lag < HOUR, lag
    machine.step(10 * YEAR)


def live_through(machine, chance):
    """The day: what happens at which hour"""
    port = pager = None
    machine.begin()
    for hour in range(24):
        if hour == 1:
            port = Port(machine)        # counts from the next start on
            pager = update(machine)
        elif hour == 2:
            kill_often(machine, chance)
        elif hour == 5:
            machine.step(-50 * YEAR)
        elif hour == 6:
            kill_often(machine, chance)
        elif hour == 8:
            machine.step(10 * YEAR)
            machine.raise_events(10, 10)
            machine.stop()
            machine.begin()
            machine.wait(lambda: machine.has("[metrics] listen: "))
        elif hour == 9:
            port.give_back()
        elif hour == 10:
            machine.raise_events(10, 3 * HISTORY)
        elif hour == 11:
            be_away(machine)
        elif hour == 12:
            fill_disk(machine, port, chance)
        elif hour == 13:
            machine.disk.clear(machine.daemon)
        elif hour == 14:
            machine.step(70 * YEAR)
        elif hour == 15:
            kill_often(machine, chance)
        elif hour == 16:
            rotate(machine)
        elif hour == 18:
            machine.raise_events(0, 0, lost=37)
        elif hour in (20, 22):
            machine.kill() if hour == 20 else machine.stop()
            machine.raise_events(30, 30)
            machine.begin()
        elif hour in (7, 17):
            machine.step(0)
        for _ in range(4):
            machine.raise_events(chance.choice((0, 3, 40, 200)), chance.choice((0, 20, 300)))
            machine.second += HOUR // 4
            machine.set_clocks()
            time.sleep(chance.uniform(0, 0.1))
            if pager and not pager.read(chance.randrange(300)):
                pager.begin()
        if hour != 12:
            machine.wait(machine.store_is_level)
    while pager.read(1000):
        pass
    print(f"# pager: began {pager.runs} times")


def check_store(machine):
    by_number = {number: group for group, number in GROUPS.items()}
    rows = machine.sql("SELECT event_group, sequence FROM event ORDER BY id", "disk/db")
    told = machine.sql("SELECT event_group, cause, sum(count) FROM loss"
                       " GROUP BY event_group, cause", "disk/db")
    for group, event_group in GROUPS.items():
        kept = [number(sequence) for its, sequence in rows if its == event_group]
        losses = {cause: count for its, cause, count in told if its == event_group}
        # In the order of arrival, which is theirs; so none is there twice.
        assert all(a < b for a, b in zip(kept, kept[1:])), group
        missing = machine.raised[group] - len(kept)
        assert missing == sum(losses.get(cause, 0) for cause in NUMBERED), \
            (group, machine.raised[group], len(kept), losses)
        assert losses.get("staging-full", 0) == (machine.lost if group == "evlog" else 0)
        assert set(losses) <= {*NUMBERED[:2], "staging-full"}, losses
        print(f"# store: of {machine.raised[group]} of {group}, {len(kept)} kept, told: {losses}")
    assert {by_number[row[0]] for row in rows} == set(GROUPS)


def check_json(machine):
    causes = set()
    for group, (events, losses, reached) in follow(machine.json_lines()).items():
        causes |= set(losses)
        assert reached == machine.raised[group], (group, reached, machine.raised[group])
        assert losses.get("staging-full", 0) == (machine.lost if group == "evlog" else 0)
        assert set(losses) <= {*NUMBERED[:2], "staging-full"}, losses
        print(f"# json: of {machine.raised[group]} of {group}, {len(events)} kept, told: {losses}")
    # Or the day was not what it is meant to be.
    assert causes == {"history", "sink", "staging-full"}, causes


def check_daylight_saving(machine):
    """That night, the three hours from 1 to 4 in Berlin take four."""
    lines, err = query(machine.path("disk/db"), "--json", "--since=2026-10-25 01:00",
                       "--until=2026-10-25 03:59:59")
    begin, end = MIDNIGHT + HOUR, MIDNIGHT + 5 * HOUR
    found = {(line["group"], line["sequence"]) for line in map(json.loads, lines)}
    expected = {(group, sequence) for group, sequence, at in (
        (line["group"], line["sequence"], line["time_realtime"])
        for line in machine.json_lines() if line["item"] == "event")
        if begin * NS <= at < end * NS}
    assert found == expected and len(found) == len(lines), (len(found), len(expected), err)
    assert expected


def check_retention(machine):
    """18 hours later, what arrived in the first 12 hours is too old: that alone."""
    kept = machine.sql("SELECT id, arrived FROM event ORDER BY id", "disk/db")
    arrived = [row[1] for row in kept]
    assert arrived == sorted(arrived), "the order of arrival is not one of age"
    machine.second += 18 * HOUR
    machine.set_clocks()
    machine.begin()
    machine.wait(lambda: machine.has("events older than max_age"))
    machine.stop()
    left = [row[0] for row in machine.sql("SELECT id FROM event ORDER BY id", "disk/db")]
    gone = len(kept) - len(left)
    assert left == [row[0] for row in kept[gone:]] and 0 < gone < len(kept), gone
    assert machine.has(f"deleted {gone} events older than max_age, 0 beyond max_size")
    assert machine.sql("SELECT value FROM state WHERE name = 'deleted_age'",
                       "disk/db") == [(gone,)]
    first = arrived[gone] - arrived[-1]
    assert -13 * HOUR < first < -11 * HOUR, first


@test
def each_event_of_a_day_is_kept_once_or_told(folder):
    machine = Machine(folder)
    try:
        live_through(machine, random.Random(SEED))
        machine.wait(machine.json_is_level)
        machine.stop()
        assert not machine.has("events older than max_age"), machine.said
        check_store(machine)
        check_json(machine)
        check_daylight_saving(machine)
        check_retention(machine)
    finally:
        if machine.daemon and machine.daemon.poll() is None:
            machine.kill()
        machine.disk.remove()


if __name__ == "__main__":
    sys.exit(main(TESTS))
