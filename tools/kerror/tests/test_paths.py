#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kerrord where something else is at the paths of its configuration: pipes,
devices, files of others, no room; and of a configuration that is read again in a flood.
With the played kernel of tests/fake_kernel.c, like test_kerrord.py:
test_paths.py PROGRAM [TEST]... Prints TAP."""

import contextlib
import os
import pty
import resource
import signal
import socket
import stat
import sys
import time
import unittest

from test_kerrord import FIRST, JSON, STORE, Place, check_config, main, wait_for

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def numbers(place, name="json"):
    return [line["sequence"] for line in place.lines(name)]


def all_of(count):
    return [(FIRST + i) % 2**32 for i in range(count)]


@test
def what_is_no_file_stops_no_other(folder):
    """To open a pipe, or to read it, can take for ever."""
    os.mkfifo(folder + "/pipe")
    os.mkdir(folder + "/folder")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(folder + "/socket")
    names = ["pipe", "folder", "socket"]
    place = Place(folder, JSON + "".join(
        f"[store {name}]\npath = FOLDER/{name}\n" for name in names) +
        "[store full]\npath = /dev/full\n", events=100, rate=100000)
    os.mkdir(place.path("explain"))
    os.mkfifo(place.path("explain/a.ini"))
    done = check_config(place)
    assert done.returncode == 1, done
    assert f"{folder}/conf:12: path: {folder}/pipe is no file; name one" in done.stderr, done
    daemon = place.start()
    wait_for(lambda: numbers(place) == all_of(100), 60, daemon)
    # A reload that would wait for a pipe is refused.
    os.mkdir(place.path("conf.d"))
    os.mkfifo(place.path("conf.d/a.conf"))
    place.set(events=100)
    daemon.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    begin = time.monotonic()
    _, err = place.end(daemon)
    assert time.monotonic() - begin < 20
    for name in [folder + "/" + name for name in names] + ["/dev/full"]:
        assert f"store {name}: this is no file; name another path, or move it away" in err, \
            (name, err)
    assert err.count(f"{folder}/explain/a.ini is a named pipe; put a file in its place") == 2, err
    assert f"{folder}/conf.d/a.conf: this is a named pipe; put a file in its place" in err, err
    assert "the configuration has errors; the one before goes on" in err, err
    assert stat.S_ISFIFO(os.stat(folder + "/pipe").st_mode)


@test
def the_last_line_of_somebody_else_stays(folder):
    own = '{"item":"report","boot_id":"x","time_realtime":1,"severity":"err","text":"y"}\n'
    for number, (before, kept) in enumerate((
            ("precious text without an end", "precious text without an end\n"),
            ("one\ntwo", "one\ntwo\n"), (own + '{"item":"ev', own), (own + "{", own),
            (own + "\0" * 300, own), (own, own), ("{'not': ours", "{'not': ours\n"))):
        os.mkdir(f"{folder}/{number}")
        place = Place(f"{folder}/{number}", JSON, events=3, rate=100000)

        def content():
            with open(place.path("json")) as file:
                return file.read()

        with open(place.path("json"), "w") as file:
            file.write(before)
        place.run_until(lambda: content().count('"item":"event"') == 3)
        assert content().startswith(kept + '{"item":"event"'), (before, content())


@test
def what_is_removed_is_made_anew(folder):
    """Somebody makes room, and does not know who writes to the files."""
    place = Place(folder, STORE + JSON + "[text]\npath = FOLDER/text\n", rate=200, events=1000)
    daemon = place.start()
    wait_for(lambda: place.stored() > 100 and len(place.lines()) > 100, 60, daemon)
    for name in ("db", "json", "text"):
        os.remove(place.path(name))
    wait_for(lambda: place.stored() > 100 and numbers(place)[-1:] == all_of(1000)[-1:], 60,
             daemon)
    wait_for(lambda: place.sql("SELECT max(id) FROM event") and place.sql(
        f"SELECT 1 FROM event WHERE sequence = {all_of(1000)[-1]}"), 60, daemon)
    _, err = place.end(daemon)
    kept = [row[0] for row in place.sql("SELECT sequence FROM event ORDER BY id")]
    for left in (kept, numbers(place)):
        # Those from then on, without a gap
        assert 0 < len(left) < 900 and left == all_of(1000)[-len(left):], len(left)
    assert f"[store] store {folder}/db: it was removed, or another file is in its place" in err, err
    assert f"[json] {folder}/json: it was removed; it is made anew" in err, err
    assert err.count("works again after") == 3, err


@test
def a_device_stays_a_device(folder):
    """Metrics are written under another name, which then takes the place of the old one."""
    place = Place(folder, JSON, events=10, rate=100000)
    os.mkfifo(place.path("metrics"))
    done = check_config(place)
    assert done.returncode == 1 and "metrics is no file; name one" in done.stderr, done
    daemon = place.start()      # which removes the file of the run before
    os.mkfifo(place.path("metrics"))
    wait_for(lambda: len(place.lines()) == 10, 60, daemon)
    time.sleep(1.5)
    assert stat.S_ISFIFO(os.stat(place.path("metrics")).st_mode)
    _, err = place.end(daemon)
    assert err.count(f"textfile {folder}/metrics: this is no file; name another path") == 1, err


@test
def a_terminal_neither_ends_nor_reloads_it(folder):
    """A daemon without one would get its first terminal as that of its session."""
    if not os.path.exists("/dev/pts/ptmx"):
        raise unittest.SkipTest("there is no /dev/pts, as in a bare chroot")
    leader, terminal = pty.openpty()
    place = Place(folder, JSON + f"[text]\npath = {os.ttyname(terminal)}\nstuck = 1s\n",
                  events=20, rate=100000)
    os.set_blocking(leader, False)
    daemon = place.start(start_new_session=True)
    seen = b""
    deadline = time.monotonic() + 60
    while b"event 19: " not in seen:
        assert time.monotonic() < deadline, seen
        with contextlib.suppress(BlockingIOError):
            seen += os.read(leader, 65536)
        time.sleep(0.01)
    with open(f"/proc/{daemon.pid}/stat") as file:
        assert file.read().rpartition(")")[2].split()[4] == "0"
    os.close(terminal)
    os.close(leader)            # hangs up
    place.set(events=20)
    time.sleep(0.5)
    assert daemon.poll() is None
    _, err = place.end(daemon)
    assert "the new configuration" not in err, err
    assert numbers(place) == all_of(20)


@test
def no_room_at_the_start_loses_nothing(folder):
    """Not a byte can be written to any file, then all of it can."""
    place = Place(folder, STORE + JSON + "[text]\npath = FOLDER/text\n"
                  "[rule x]\nrunner =\ncommand = /bin/true\nthreshold = 100 in 1d\n", events=500,
                  rate=100000)
    daemon = place.start(preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY)))
    time.sleep(2.5)
    assert daemon.poll() is None, daemon.communicate()
    assert not place.stored() and not place.lines()
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for(lambda: place.stored() == 500 and len(place.lines()) == 500, 60, daemon)
    wait_for(lambda: place.metric('kerror_sink_written_total{sink="text"}') == 500, 60, daemon)
    _, err = place.end(daemon)
    assert numbers(place) == all_of(500)
    assert place.sql("SELECT sequence FROM event ORDER BY id") == \
        [(number,) for number in all_of(500)]
    for name in ("store", "json", "text"):
        assert f"[{name}] works again after" in err, (name, err)


@test
def a_sink_without_a_thread_begins_later(folder):
    """There is no memory for its stack when a reload wants it."""
    plain = os.path.join(os.path.dirname(sys.argv[1]), "../../obj/tests/kerrord")
    place = Place(folder, STORE + JSON, events=500, rate=100)
    daemon = place.start(executable=plain)
    wait_for(lambda: place.stored() > 0, 60, daemon)
    with open(f"/proc/{daemon.pid}/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.prlimit(daemon.pid, resource.RLIMIT_AS, (size + (4 << 20), resource.RLIM_INFINITY))
    place.write(STORE + JSON + "".join(f"[json {n}]\npath = FOLDER/{n}\n" for n in range(3)))
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: place.metric('kerror_sink_up{sink="json 2"}') == 0, 60, daemon)
    resource.prlimit(daemon.pid, resource.RLIMIT_AS,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for name in ("0", "1", "2", "json"):
        wait_for(lambda: numbers(place, name) == all_of(500), 60, daemon)
    wait_for(lambda: place.stored() == 500, 60, daemon)
    _, err = place.end(daemon)
    assert "[json 2] cannot begin, tried again: a thread: " in err, err


@test
def reloads_in_a_flood_lose_nothing(folder):
    """Sinks come and go while 20,000 events a second arrive; those that stay get each once."""
    place = Place(folder, STORE + JSON, rate=20000, events=10**9)
    daemon = place.start()
    wait_for(lambda: place.stored() > 0, 60, daemon)
    for number in range(60):
        place.write(STORE + JSON + ("[json two]\npath = FOLDER/two\n" if number % 2 else "") +
                    ("[text]\npath = FOLDER/text\n" if number % 3 else ""))
        daemon.send_signal(signal.SIGHUP)
        time.sleep(0.03)
        assert daemon.poll() is None, daemon.communicate()
    place.end(daemon)
    raised = (time.time_ns() - int(place.kernel["FAKE_START"])) * 20000 // 10**9
    place.set(events=raised)
    place.run_until(lambda: place.stored() == raised and len(place.lines()) == raised and
                    len(place.lines("two")) == raised)
    for name in ("json", "two"):
        assert numbers(place, name) == all_of(raised), name
    assert place.sql("SELECT sequence FROM event ORDER BY id") == \
        [(number,) for number in all_of(raised)]


if __name__ == "__main__":
    sys.exit(main(TESTS))
