#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests kerrorctl on a terminal: top and watch with the played kernel of fake_kernel.c,
and whether lines fit, with a store: test_terminal.py KERRORCTL MAKE_STORE. Prints TAP."""

import fcntl
import os
import pty
import re
import select
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM, MAKE_STORE = (os.path.abspath(path) for path in sys.argv[1:3])
MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "man", "kerrorctl.1")


class Terminal:
    """kerrorctl on a terminal; screen is what it has written since its last clearing"""

    def __init__(self, *arguments, rows=24, columns=80):
        self.master, slave = pty.openpty()
        self.size(rows, columns)
        environment = dict(os.environ, FAKE_START=str(time.time_ns()), FAKE_EVENTS="1000000",
                           FAKE_RATE="200", TERM="xterm", TZ="UTC", KERROR_PAGER="cat",
                           ASAN_OPTIONS="detect_leaks=0")
        self.program = subprocess.Popen([PROGRAM, *arguments], stdin=slave, stdout=slave,
                                        stderr=slave, env=environment, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.output = ""

    def size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        """For a moment, as events go on for ever; false if the program has ended"""
        end = time.monotonic() + 0.1
        while time.monotonic() < end and select.select([self.master], [], [], 0.1)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return False
            self.output += data.decode(errors="replace")
        return True

    def wait_for(self, done, what):
        """Until it is true of the last screen that is complete"""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            alive = self.read()
            screens = self.output.split("\x1b[H")
            # The last may be incomplete.
            if any(done(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen).replace("\r", ""))
                   for screen in screens[-2:]):
                return
            assert alive, ("it has ended", self.output[-2000:])
        raise AssertionError(what, self.output[-2000:])

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        end = time.monotonic() + 60
        while self.read() and time.monotonic() < end:
            pass
        return self.program.wait(1)


def rows_of(screen):
    return [line for line in screen.split("\n") if "event %llu: %s" in line]


def top_follows_the_terminal():
    top = Terminal("top", "--interval=1", rows=10)
    top.wait_for(lambda screen: len(rows_of(screen)) == 6, "a screen of 10 lines")
    top.size(14, 80)
    top.wait_for(lambda screen: len(rows_of(screen)) == 10, "a screen of 14 lines")
    # Nothing is cleared before it is written again.
    assert "\x1b[2J" not in top.output.split("\x1b[H", 1)[1]
    top.type("/facility==fake1 && devi")
    top.wait_for(lambda screen: "filter: facility==fake1 && devi_" in screen, "the prompt")
    top.type("ce==\"+pci:3\"x\x7f\n")
    top.wait_for(lambda screen: len(rows_of(screen)) == 1 and "fake1     +pci:3" in screen and
                 'now facility==fake1 && device=="+pci:3"' in screen, "one row")
    top.type("/severty==1\n")
    top.wait_for(lambda screen: "where a field is expected" in screen, "what is wrong")
    top.type("/\n")
    top.wait_for(lambda screen: len(rows_of(screen)) == 10, "all rows")
    top.type("/no such word\n")
    top.wait_for(lambda screen: not rows_of(screen), "no row")
    # With room for it, a row has the day and the event's id, too.
    top.type("/\n")
    top.wait_for(lambda screen: rows_of(screen) and "12345678" not in screen, "80 columns")
    top.size(14, 132)
    top.wait_for(lambda screen: re.search(r"^ +\d+ +[\d.]+  \d{4}-.*12345678 ", screen, re.M),
                 "132 columns")
    top.type("q")
    assert top.end() == 0
    assert top.output.endswith("\x1b[?25h\x1b[?7h\x1b[?1049l"), top.output[-100:]
    attributes = termios.tcgetattr(top.master)
    assert attributes[3] & termios.ICANON and attributes[3] & termios.ECHO


def watch_takes_keys():
    watch = Terminal("watch", "--new", "--color=never", columns=132)
    watch.wait_for(lambda screen: "fake0" in screen and "fake2" in screen, "events")
    watch.type("/facility==fake2\n")
    watch.wait_for(lambda screen: "-- filter: facility==fake2\n" in screen, "the filter")
    begin = len(watch.output)
    watch.wait_for(lambda screen: watch.output.count("fake2", begin) > 5, "events of fake2")
    assert "fake0" not in watch.output[begin:] and "fake1" not in watch.output[begin:]
    # On a narrow one, the device is in the place of the facility.
    watch.size(24, 30)
    narrow = r"\n(?=.{30}\n)[-\d]{5} [:\d]{8} \w+ +\d: event.*…\n"
    watch.wait_for(lambda screen: re.search(narrow, screen), "narrow lines")
    watch.type("q")
    assert watch.end() == 0
    assert re.search(r"kerrorctl: \d+ events received, 0 lost", watch.output), watch.output[-300:]


def printed(columns, *arguments):
    """Lines, without colours"""
    terminal = Terminal(*arguments, columns=columns)
    terminal.end()
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.output).split("\r\n")


def texts_get_the_room():
    """On a narrow terminal; the words are those of the manual."""
    with open(MANUAL, encoding="utf-8") as file:
        shown = re.search(r"\n\$ kerrorctl (query -p warning -U 2023-11-15 -n 3)\n(.*?)\n\.Ed",
                          file.read(), re.S)
    with tempfile.TemporaryDirectory() as folder:
        store = "--store=" + folder + "/events.db"
        subprocess.run([MAKE_STORE, store[8:]], check=True)
        assert printed(80, *shown[1].split(), store) == shown[2].split("\n") + [""]
        wide = printed(132, *shown[1].split(), store)
        assert wide[0] == "4  2023-11-14 22:16:20 warning net[n2]: queue 1 stalled for 250 ms", wide
        # Of a large store; a text that names its device, and a message of the kernel
        with sqlite3.connect(store[8:]) as database:
            database.execute("UPDATE event SET id = id + 123456")
            for number, old, new in ((2, b"round", b"b8:0 "), (5, b"net\0er\0", b"kernel\0")):
                data, = database.execute("SELECT data FROM event WHERE id = ?",
                                         (123456 + number,)).fetchone()
                assert data.count(old) == 1
                database.execute("UPDATE event SET data = ? WHERE id = ?",
                                 (data.replace(old, new), 123456 + number))
        lines = printed(80, "query", "-p", "err", "-n", "5", store)
        texts = ("link eth0", "b8:0  7: bad", "round 8: bad", "70 00 03", "round 9: bad")
        assert len(lines) == len(texts) + 1, lines
        assert all(line.index(text) <= 80 - 45 for line, text in zip(lines, texts)), lines
        assert lines[1].count("b8:0") == 1 and "kernel" not in lines[3], lines


def a_table_has_room():
    """The time of the first event is left out if a row is too long with it"""
    with tempfile.TemporaryDirectory() as folder:
        store = "--store=" + folder + "/events.db"
        subprocess.run([MAKE_STORE, folder + "/events.db"], check=True)
        for key, room in (("facility", 60 + 2 + len("facility")), ("hour", 60 + 2 + 16),
                          ("severity", 60)):
            for columns in (room - 1, room):
                head, *rows = printed(columns, "query", "--count-by=" + key, store)
                assert (" FIRST " in head) == (columns == room), (columns, head)
                assert rows and max(map(len, rows)) <= columns, (columns, rows)


def lines_fit():
    meaning = "The disk cannot read some of its blocks, and says so each time it is asked for one."
    remedy = "Save the data, replace it, and write to /very/" + 100 * "long" + "/path then."
    text = "round 9: bad block at 6, " + 8 * "and so on, " + "and on"
    with tempfile.TemporaryDirectory() as folder:
        store, explanations = folder + "/events.db", folder + "/explain.ini"
        subprocess.run([MAKE_STORE, store], check=True)
        with sqlite3.connect(store) as database:
            database.execute("INSERT INTO condition VALUES(?, ?, ?, 3, ?, ?, ?, 0, '', 1, 1, 0, 2,"
                             " NULL, NULL, 1, 0, '')",
                             ("bad-blocks", "b8:0", "rule", meaning, remedy, text))
        with open(explanations, "w") as file:
            file.write(f"[fcf2063c]\nformat = round %d: bad block at %llu\ntext = {meaning}\n")
        for columns in (40, 80, 200):
            for arguments in (("query",), ("query", "--list-boots"), ("health",),
                              ("report", "--since=2023-01-01"),
                              ("show", "7", "--explanations=" + explanations)):
                lines = printed(columns, *arguments, "--store=" + store)
                # A word that is too long cannot be broken, nor a time, nor a row of a table.
                lines = [line for line in lines if "/very/" not in line and " \"" not in line]
                if columns > 40 or arguments == ("query",):
                    assert max(map(len, lines)) <= columns, (columns, arguments, lines)
                whole = " ".join(" ".join(lines).split())
                wanted = {"health": meaning, "show": meaning, "report": text}
                assert wanted.get(arguments[0], "") in whole, (columns, arguments, lines)
        # Elsewhere, each is one line
        done = subprocess.run([PROGRAM, "health", "--store=" + store], stdout=subprocess.PIPE,
                              text=True, timeout=60,
                              env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
        assert done.returncode == 3 and done.stdout.splitlines()[2:] == [
            "  event:   " + text, "  meaning: " + meaning, "  remedy:  " + remedy], done.stdout


for number, test in enumerate((top_follows_the_terminal, watch_takes_keys,
                               texts_get_the_room, a_table_has_room, lines_fit), 1):
    test()
    print(f"ok {number} {test.__name__}", flush=True)
print(f"1..{number}")
