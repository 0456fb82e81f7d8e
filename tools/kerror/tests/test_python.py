#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests the Python package in python/: test_python.py OUTPUT, the folder of the build.

It runs with the libkerror of fake_kernel.c, by LD_LIBRARY_PATH. The vectors have to come out as
they say; a store as kerrorctl prints it; a file as reader.py reads it; the recipes of the README
as it shows; wrong use as an exception that says what is wrong. mypy --strict takes package and
recipes.
Prints TAP.
"""

import asyncio
import contextlib
import datetime
import importlib.util
import itertools
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(HERE, "..", "python")
VECTORS = os.path.join(HERE, "..", "vectors", "vectors.jsonl")
READER = os.path.join(HERE, "..", "..", "testing", "selftests", "kerror", "reader.py")
PLAYED = {"FAKE_START": "1700000000000000000", "FAKE_EVENTS": "20", "FAKE_PRINTK": "0",
          "FAKE_LOST": "5", "FAKE_FACILITIES": "ata nvme net"}

sys.dont_write_bytecode = True
sys.path.insert(0, PACKAGE)
import kerror
from test_vectors import without_digits


class Skip(Exception):
    """What a test needs is not here."""


@contextlib.contextmanager
def kernel(**variables):
    """Plays a kernel; the library reads its variables when a socket is opened."""
    before = dict(os.environ)
    os.environ.update({**PLAYED, **{"FAKE_" + name: str(value)
                                    for name, value in variables.items()}})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def vectors():
    if not os.path.exists(VECTORS):
        raise Skip("there is no vectors.jsonl")
    with open(VECTORS, encoding="ascii") as file:
        head, *found = map(json.loads, file)
    assert len(found) == head["vectors"] >= 712, head
    return found


def decode(vector):
    item = vector["event"]
    return kerror.Event.decode(bytes.fromhex(vector["bytes"]), group=item["group"],
                               sequence=item["sequence"], thread=item["thread"],
                               byteorder=vector["order"])


def same(one, other, what=""):
    assert one == other, f"{what}\n{one!r}\n{other!r}"


def as_lines(items):
    return [json.loads(item.json()) for item in items]


# ---- Tests ----

def test_vectors(_):
    """the vectors of both byte orders come out as they say"""
    for vector in vectors():
        event = decode(vector)
        same(without_digits(json.loads(event.json())), vector["event"], vector["from"])
        same(event.data.hex(), vector["bytes"], vector["from"])
    assert {vector["order"] for vector in vectors()} == {"little", "big"}


def test_attributes(_):
    """each attribute of an event has what its JSON has"""
    names = {"group", "sequence", "thread", "time_realtime", "time_boot", "facility", "context",
             "cpu", "uid", "gid", "pid", "tid", "comm", "kind"}
    seen = set()
    for vector in vectors():
        event, item = decode(vector), vector["event"]
        for name in names & item.keys():
            value = getattr(event, name)
            if isinstance(value, str):
                value = value.encode("utf-8", "surrogateescape").decode("utf-8",
                                                                       "backslashreplace")
            same(value, item[name], name)
        same(event.severity_name, item.get("severity"))
        same(event.type, item.get("event_type", 0))
        same(event.time is None, "kind" not in item)
        for flag in kerror.Flag:
            if flag.value >= kerror.Flag.BOOT:
                same(flag in event.flags, flag.name.lower() in item, flag)
        if event.kind == "printf":
            same(f"{event.id:08x}", item["event_id"])
            for argument, shown in itertools.zip_longest(event.arguments, item["arguments"]):
                same((argument.type, argument.invalid),
                     (shown["type"], shown.get("invalid", False)))
                if isinstance(argument.value, int) and argument.type != "pointer":
                    same(argument.value, shown["value"])
        else:
            same((event.format, event.arguments), (None, ()))
        if event.kind == "binary":
            same(event.payload.hex(), item["data"])
        if event.kind is None:
            same(event.text, bytes.fromhex(item["data"]).hex(" "))
        assert str(event) == event.text and repr(event)
        seen |= item.keys()
    assert names <= seen, names - seen
    data = bytearray(next(bytes.fromhex(vector["bytes"]) for vector in vectors() if
                          vector["order"] == sys.byteorder and "kind" in vector["event"]))
    for number in range(5):
        at = 32 + 4 * number
        data[at:at + 4] = (70 + number).to_bytes(4, sys.byteorder)
    event = kerror.Event.decode(data)
    same((event.cpu, event.uid, event.gid, event.pid, event.tid), (70, 71, 72, 73, 74))


def test_texts(_):
    """a text of any bytes can be told from its \\xHH, and a long one is cut"""
    vector = next(v for v in vectors() if v["order"] == sys.byteorder and
                  "\\xf7" in v["event"].get("format", ""))
    assert b"\xf7" in decode(vector).format.encode("utf-8", "surrogateescape")
    data = bytearray(bytes.fromhex(vector["bytes"]))
    form = b"%70000d\0" + bytes([3, 0]) + (4).to_bytes(2, sys.byteorder) + bytes(4)
    for at, size, value in ((52, 4, len(form)), (58, 2, 144), (60, 2, 0), (62, 2, 8), (28, 4, 0)):
        data[at:at + size] = value.to_bytes(size, sys.byteorder)
    event = kerror.Event.decode(bytes(data[:144]) + form)
    assert event.text_truncated and event.text == " " * kerror.TEXT_LIMIT
    assert event.to_dict()["text_truncated"] is True
    assert not decode(vector).text_truncated


def test_socket(_):
    """a socket gives losses and events in order, filtered, and from a position"""
    with kernel(PRINTK=7), kerror.Socket(since_boot=True, timeout=0) as events:
        items = list(events)
        losses = [item for item in items if isinstance(item, kerror.Loss)]
        same([(loss.group, loss.cause, loss.count, loss.total) for loss in losses],
             [("evlog", "staging-full", 5, 5)])
        same(losses[0].to_dict()["boot_id"], events.position["boot_id"])
        for group, count in (("evlog", 20), ("printk", 7)):
            same([item.arguments[0].value for item in items if item not in losses and
                  item.group == group], list(range(count)))
        same((events.received, events.lost), (27, 5))
        assert items[-1].origin == {"boot_id": events.position["boot_id"]}
        position = json.loads(json.dumps(events.position))
    with kernel(EVENTS=25, INSTANCE=0), kerror.Socket("evlog", filter="arg[0]!=22", timeout=0,
                                                      position=position) as events:
        same([event.arguments[0].value for event in events], [20, 21, 23, 24])
    with kernel(INSTANCE=3), kerror.Socket("evlog", position=position, timeout=0) as events:
        items = list(events)
        same((len(items), items[1].origin["instance"]), (21, "3"))
    with kernel(), kerror.Socket(timeout=0) as events:
        same(list(events), [])
    # A loss that was told is not told again.
    position["next"] = {"evlog": 0xffffff00}
    for lost, count in ((position["lost"], 20), ({}, 21)):
        with kernel(), kerror.Socket("evlog", position={**position, "lost": lost},
                                     timeout=0) as events:
            same(len(list(events)), count)


def test_kept(_):
    """an event is whole when the socket has gone on, and is gone"""
    with kernel(), kerror.Socket("evlog", since_boot=True, timeout=0) as events:
        items = [item for item in events if isinstance(item, kerror.Event)]
    same([str(item) for item in items], [f"event {n}: text {n}" for n in range(20)])


def test_timeout(_):
    """a socket waits for the time that it was told"""
    with kernel(), kerror.Socket() as events:
        begin = time.monotonic()
        assert events.next(0.2) is None
        assert time.monotonic() - begin >= 0.2


async def gather_events(events):
    """The items, and how often another task had its turn before each"""
    ticks, seen, items = 0, [], []

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    async for item in events:
        items.append(item)
        seen.append(ticks)
    ticker.cancel()
    return items, seen


def test_asyncio(_):
    """an asynchronous iterator gives the same, waits, and lets others have their turn"""
    with kernel(EVENTS=300), kerror.Socket("evlog", since_boot=True, timeout=0.2) as events:
        items, turns = asyncio.run(gather_events(events))
        same(len(items), 301)
        assert turns[300] - turns[0] >= 250, turns
    # Events that come later
    with kernel(START=time.time_ns(), RATE=200, EVENTS=40, LOST=0), \
            kerror.Socket("evlog", timeout=5) as events:
        async def first():
            return [await events.__anext__() for _ in range(20)]
        numbers = [item.arguments[0].value for item in asyncio.run(first())]
        same(numbers, list(range(numbers[0], numbers[0] + 20)))


def make_store(output, folder):
    path = os.path.join(folder, "events.db")
    subprocess.run([os.path.join(output, "san/tests/make_store"), path], check=True)
    return path


def printed(output, path, *options):
    done = subprocess.run([os.path.join(output, "san/tests/kerrorctl"), "query", "--store=" + path,
                           "--json", *options], check=True, capture_output=True,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_store(output):
    """a store gives what kerrorctl query prints"""
    with tempfile.TemporaryDirectory() as folder:
        path = make_store(output, folder)
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE event SET acknowledged = 1800000000000000000 WHERE id = 2")
            database.execute("UPDATE event SET severity = 1 WHERE id = 3")
            database.execute("UPDATE boot SET host = 'here', release = '6.12', instance = 7")
            database.execute("INSERT INTO tag SELECT boot, 'rack', 'x7' FROM boot")
            database.execute("INSERT INTO tag SELECT boot, 'odd', CAST(x'61ff' AS TEXT) FROM boot")
            # More than a page, of which many have one time
            database.executemany(
                "INSERT INTO event(boot, event_group, sequence, thread, time, severity, facility,"
                " data) SELECT boot, event_group, sequence + ?, thread, time + ? / 300, severity,"
                " facility, data FROM event WHERE id = 1", [(n, n) for n in range(100, 800)])
        with kerror.Store(path) as store:
            same(as_lines(store.query(losses=True)), printed(output, path, "--losses"))
            same(as_lines(store.query(newest_first=True)), printed(output, path, "--reverse"))
            same(as_lines(store), printed(output, path))
            wanted = 'facility=="ata" && tag.rack=="x7"'
            same(as_lines(store.query(filter=wanted, losses=True)),
                 printed(output, path, "--losses", "--filter=" + wanted))
            middle = datetime.datetime(2023, 11, 14, 22, 15, 30, tzinfo=datetime.timezone.utc)
            early, late = list(store.query(until=middle)), list(store.query(since=middle))
            assert early and late and len(early) + len(late) == len(list(store)), (early, late)
            assert all(event.time < middle for event in early)
            same([item.group for item in store.query(groups="raw")], ["raw"])
            boots = {event.origin["boot_id"] for event in store}
            same([len(list(store.query(boot_id=boot))) for boot in sorted(boots) + ["x"]][-1], 0)
            assert len(boots) == 2, boots
            query = store.query()
            next(query)
        try:
            list(query)
            raise AssertionError("a closed store is read")
        except ValueError as error:
            assert "closed" in str(error)


AS_NOBODY = """
import os, sys
sys.path.insert(0, sys.argv[1])
import kerror
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(sum(1 for _ in kerror.Store(sys.argv[2])))
except kerror.StoreError as error:
    print(error)
"""


def count_as_nobody(path):
    """How many events another user can see; or why not"""
    return subprocess.run([sys.executable, "-B", "-c", AS_NOBODY, PACKAGE, path], check=True,
                          capture_output=True, text=True).stdout.strip()


def test_store_of_others(output):
    """a store can be read without the right to write, in use or not, and one of schema 1"""
    with tempfile.TemporaryDirectory() as folder:
        path = make_store(output, folder)
        old = os.path.join(folder, "old")
        with contextlib.closing(sqlite3.connect(old)) as database, database:
            database.executescript(
                "CREATE TABLE boot(boot INTEGER PRIMARY KEY, boot_id TEXT);"
                "CREATE TABLE event(id INTEGER PRIMARY KEY, boot, event_group, sequence, thread,"
                " time, acknowledged, severity, facility, device, event_id, text, data);"
                "CREATE TABLE loss(boot, event_group, time, cause, count, total);"
                "CREATE TABLE progress(boot, event_group, cause, value);"
                "INSERT INTO boot VALUES(1, 'abc'); PRAGMA user_version = 1")
            with contextlib.closing(sqlite3.connect(path)) as new:
                row = new.execute("SELECT event_group, sequence, thread, time, data FROM event "
                                  "WHERE id = 1").fetchone()
            database.execute("INSERT INTO event(boot, event_group, sequence, thread, time, data)"
                             " VALUES(1, ?, ?, ?, ?, ?)", row)
        event, = kerror.Store(old)
        same((event.origin, event.facility), ({"boot_id": "abc"}, "net"))
        if os.getuid():
            raise Skip("not root")
        os.chmod(folder, 0o755)

        count = sum(1 for _ in kerror.Store(path))
        same(count_as_nobody(path), str(count), "nobody writes")
        with contextlib.closing(sqlite3.connect(path)) as writer:
            writer.execute("PRAGMA wal_autocheckpoint = 0")
            with writer:
                writer.execute("DELETE FROM event WHERE id = 1")
            same(count_as_nobody(path), str(count - 1), "somebody writes")
            for name in ("", "-wal"):
                shutil.copy(path + name, os.path.join(folder, "copy" + name))
            os.chmod(path + "-shm", 0o600)
            assert "may this user read it" in count_as_nobody(path)
        same(count_as_nobody(os.path.join(folder, "copy")), str(count - 1),
             "a log, and no index of it")
        os.chmod(os.path.join(folder, "copy"), 0o600)
        assert "may this user read it" in count_as_nobody(os.path.join(folder, "copy"))


def test_file(_):
    """what dump() writes, load() and reader.py read; so is what the selftests capture"""
    found = [decode(vector) for vector in vectors()]
    found.sort(key=lambda event: event.byteorder)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "events")
        with open(path, "w", encoding="ascii") as file:
            same(kerror.dump(found, file), len(found))
        for one, other in zip(found, kerror.load(path)):
            same((one.json(), one.data, one.byteorder), (other.json(), other.data,
                                                         other.byteorder))
        if os.path.exists(READER):
            own = [event for event in found if event.byteorder == sys.byteorder]
            with open(path, "w", encoding="ascii") as file:
                kerror.dump(own, file)
            done = subprocess.run([sys.executable, READER, path], capture_output=True, check=True)
            read = {(item["group"], item["sequence"]): item
                    for item in map(json.loads, done.stdout.splitlines())}
            mine = {}
            for event in own:
                mine.setdefault((event.group, event.sequence),
                                without_digits(json.loads(event.json())))
            same(read, mine)
        # A replay does not name its group; a loss is 24 bytes.
        loss = (40).to_bytes(4, sys.byteorder) + (17).to_bytes(2, sys.byteorder) + bytes(10) + \
            b"".join(number.to_bytes(size, sys.byteorder)
                     for number, size in ((3, 8), (9, 8), (2, 4), (6, 4)))
        with open(path, "w", encoding="ascii") as file:
            file.write(f"REPLAY 1\nSTREAM 0 {loss.hex()}\n")
            data = b"\x11\0\0\0" if sys.byteorder == "little" else b"\0\0\0\x11"
            file.write(f"STREAM 0 {data.hex()}{(16).to_bytes(2, sys.byteorder).hex()}"
                       f"{bytes(10).hex()}aa\n")
        same(list(kerror.load(path))[0], kerror.Loss("evlog", "history", 3, 9))
        same([item.data for item in list(kerror.load(path))[1:]], [b"\xaa"])
    # The same bytes, out of a dump of the kernel's memory
    loss = struct.pack("=IHHIIQQII", 40, 0x11, 0, 7, 0, 3, 9, 2, 6)
    event = struct.pack("=IHHII4s", 17, 0x10, 0, 8, 5, b"\xaa")
    origin = {"boot_id": "01234567-89ab-cdef-0123-456789abcdef", "host": "here"}
    (odd,) = kerror.messages(event, group="raw", origin={"tag.odd": "a\udcff"})
    same(odd.origin, {"tag.odd": "a\udcff"})
    assert odd.json().endswith('"tag.odd":"a\\\\xff"}'), odd.json()
    lost, raised = kerror.messages(loss + event, group="raw", origin=origin)
    same(lost, kerror.Loss("evlog", "history", 3, 9, origin=origin))
    same((raised.data, raised.sequence, raised.thread, raised.origin), (b"\xaa", 8, 5, origin))
    same(raised.to_dict()["host"], "here")


def test_wrong_use(output):
    """a wrong use is an exception that says what is wrong"""
    with tempfile.TemporaryDirectory() as folder:
        def path(name, text=b""):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(text)
            return os.path.join(folder, name)

        def database(script):
            where = path("db")
            os.remove(where)
            with contextlib.closing(sqlite3.connect(where)) as made, made:
                made.executescript(script)
            return where

        def opening(number):
            with kernel(ERROR=number):
                kerror.Socket()

        def close(what):
            what.close()
            return what

        with kernel():
            closed = close(kerror.Socket())
        store = kerror.Store(make_store(output, folder))
        cases = (
            (ValueError, "'foo' is no group; use raw, evlog, printk", lambda: kerror.Socket("foo")),
            (ValueError, "no group is named", lambda: kerror.Socket(())),
            (kerror.FilterError, "column 11: 'error' is no severity; use emerg",
             lambda: kerror.Socket(filter="severity<=error")),
            (kerror.FilterError, "NUL", lambda: kerror.Filter("a\0")),
            (TypeError, "for a kerror.Event, not str", lambda: kerror.Filter("cpu==1").matches("")),
            (PermissionError, "cannot listen: it needs CAP_SYSLOG", lambda: opening(1)),
            (OSError, "load kerror.ko and evlog.ko", lambda: opening(93)),
            (OSError, "initial network namespace", lambda: opening(64)),
            (ValueError, "kerror.Socket is closed", closed.fileno),
            (ValueError, "kerror.Socket is closed", lambda: next(closed)),
            (ValueError, "kerror.Socket is closed", lambda: closed.position),
            (ValueError, "position is none that a kerror.Socket gave",
             lambda: kerror.Socket(position={"boot": 1})),
            (ValueError, "'x' is no group", lambda: kerror.Event.decode(b"", group="x")),
            (ValueError, "'middle' is no byte order",
             lambda: kerror.Event.decode(b"", byteorder="middle")),
            (TypeError, "an event is bytes, not str", lambda: kerror.Event.decode("")),
            (ValueError, "sequence -1 is not", lambda: kerror.Event.decode(b"", sequence=-1)),
            (ValueError, "thread 4294967296 is not",
             lambda: kerror.Event.decode(b"", thread=1 << 32)),
            (kerror.StoreError, "none: there is none; does kerrord run",
             lambda: kerror.Store(os.path.join(folder, "none"))),
            (kerror.StoreError, "this is no file", lambda: kerror.Store(folder)),
            (kerror.StoreError, "not a database", lambda: kerror.Store(path("text", b"x" * 5000))),
            (kerror.StoreError, "it is empty|another program",
             lambda: kerror.Store(path("empty"))),
            (kerror.StoreError, "a database of another program",
             lambda: kerror.Store(database("CREATE TABLE a(b)"))),
            (kerror.StoreError, "made by a newer version .schema 99",
             lambda: kerror.Store(database("CREATE TABLE a(b); PRAGMA user_version = 99;"
                                           "PRAGMA application_id = 0x6b657272"))),
            (kerror.StoreError, "no such table",
             lambda: list(kerror.Store(database("CREATE TABLE a(b); PRAGMA user_version = 7;"
                                                "PRAGMA application_id = 0x6b657272")))),
            (ValueError, "this time has no zone",
             lambda: store.query(since=datetime.datetime(2026, 1, 1))),
            (TypeError, "a datetime, or nanoseconds, not str", lambda: store.query(until="now")),
            (ValueError, "no group", lambda: store.query(groups="all")),
            (ValueError, "kerror.Store is closed", lambda: close(store).query()),
            (kerror.FileError, "text:1: this is no file of raw events",
             lambda: list(kerror.load(path("text", b"\xff\n")))),
            (kerror.FileError, "text:2: the datagram is cut",
             lambda: list(kerror.load(path("text", b"ENDIAN little\nSTREAM 2 00\n")))),
            (kerror.FileError, "text:1: a message has 0 bytes, and 16 are left",
             lambda: list(kerror.load(path("text", b"STREAM 2 " + b"00" * 16)))),
            (kerror.FileError, "text:2: 4 is no group of events", lambda: list(kerror.load(
                path("text", b"ENDIAN little\nSTREAM 4 100000001000" + b"00" * 10)))),
            (TypeError, "a kerror.Event, not bytes", lambda: kerror.dump([b""], sys.stderr)),
        )
        for kind, message, function in cases:
            try:
                function()
            except kind as error:
                assert re.search(message, str(error)), (message, str(error))
                assert "\n" not in str(error), error
            else:
                raise AssertionError(f"no {kind.__name__}: {message}")
    done = subprocess.run([sys.executable, "-B", "-c", "import kerror"], capture_output=True,
                          text=True, cwd=PACKAGE, check=False,
                          env={**os.environ, "LD_LIBRARY_PATH": "/nonexistent"})
    if done.returncode == 0:
        raise Skip("libkerror is installed here")
    assert "install libkerror1" in done.stderr, done.stderr


def recipes():
    """Code and output of each"""
    with open(os.path.join(PACKAGE, "README.md"), encoding="utf-8") as file:
        return re.findall(r"```python\n(.*?)```\n.*?```text\n(.*?)```", file.read(), re.S)


def test_recipes(output):
    """the recipes of the README print what it shows"""
    found = recipes()
    same(len(found), 5)
    with tempfile.TemporaryDirectory() as folder:
        path = make_store(output, folder)
        for number, (code, shown) in enumerate(found, 1):
            code = code.replace("/var/lib/kerror/events.db", path)
            output = ""
            for more in (0, 3) if "position.json" in code else (0,):
                done = subprocess.run(
                    [sys.executable, "-B", "-c", code], cwd=folder, text=True, timeout=60,
                    capture_output=True, check=False,
                    env={**os.environ, **PLAYED, "PYTHONPATH": os.path.abspath(PACKAGE),
                         "FAKE_EVENTS": str(20 + more)})
                output += done.stdout
                assert not done.returncode, done.stderr
            same(output, shown, f"recipe {number}")


def test_types(output):
    """mypy --strict takes the package and the recipes"""
    mypy = shutil.which("mypy", path="/usr/bin")
    if not mypy:
        raise Skip("there is no mypy")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(PACKAGE, "kerror"), os.path.join(folder, "kerror"),
                        ignore=shutil.ignore_patterns("__pycache__"))
        for number, (code, _) in enumerate(recipes()):
            with open(os.path.join(folder, f"recipe{number}.py"), "w", encoding="utf-8") as file:
                file.write(code)
        wrong = os.path.join(folder, "wrong.py")
        with open(wrong, "w", encoding="utf-8") as file:
            file.write("import kerror\nkerror.Filter(1).matches(2)\n")
        done = subprocess.run(
            [mypy, "--strict", "--cache-dir=" + os.path.join(output, "mypy"), "."], cwd=folder,
            capture_output=True, text=True, check=False)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 2 and all(line.startswith("wrong.py:2: ") for line in errors), done


def run_kerror_drgn(*arguments, **options):
    """It needs no drgn for what is tested here."""
    program = os.path.join(HERE, "..", "drgn", "kerror-drgn")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "drgn.py"), "w", encoding="ascii"):
            pass
        return subprocess.run([sys.executable, "-B", program, *arguments], env={
            **os.environ, "PYTHONPATH": folder + ":" + PACKAGE, **options.pop("env", {})},
            text=True, check=False, stderr=subprocess.PIPE,
            **{"stdout": subprocess.PIPE, **options})


def test_version_of_kerror_drgn(_):
    """kerror-drgn tells its version, which is that of libkerror"""
    done = run_kerror_drgn("--version")
    assert (done.returncode, done.stdout) == (0, f"kerror-drgn {kerror.library_version}\n"), done


def test_mistakes_of_kerror_drgn(_):
    """kerror-drgn tells a mistake, a damaged dump and a full disk in one line"""
    for arguments, status, message in (
            (["--bad"], 2, "unrecognized arguments: --bad; see kerror-drgn --help"),
            (["--address=zz"], 2, "argument --address: invalid hexadecimal value: 'zz'; see"),
            (["/nonexistent"], 1, "/nonexistent: No such file or directory; is this where")):
        done = run_kerror_drgn(*arguments)
        assert done.returncode == status and done.stderr.count("\n") == 1 and \
            done.stderr.startswith("kerror-drgn: " + message), done
    for unbuffered in ("", "1"):
        for option in "--version", "--help":
            with open("/dev/full", "w", encoding="ascii") as full:
                done = run_kerror_drgn(option, stdout=full, env={"PYTHONUNBUFFERED": unbuffered})
            assert done.returncode == 1 and done.stderr == \
                "kerror-drgn: cannot write to standard output: No space left on device\n", done
    ident = b"\x7fELF\2\1\1" + bytes(9)
    for place, at, size in ((1 << 63, 0, 0), (64, 1 << 63, 1), (64, 0, 1 << 62), (70, 0, 0)):
        with tempfile.NamedTemporaryFile() as file:
            file.write(ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, place, 0, 0, 64, 56, 1,
                                           0, 0, 0) +
                       struct.pack("<IIQQQQQQ", 4, 0, at, 0, 0, size, 0, 0))
            file.flush()
            done = run_kerror_drgn(file.name)
        assert done.returncode == 1 and done.stderr == \
            f"kerror-drgn: {file.name} is damaged or cut short; make the dump again\n", done


def main(output):
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    failed = False
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        try:
            test(output)
            print(f"ok {number} {test.__doc__}", flush=True)
        except Skip as reason:
            print(f"ok {number} {test.__doc__} # SKIP {reason}", flush=True)
        except Exception as error:
            failed = True
            trace = importlib.import_module("traceback").format_exc()
            print("".join(f"# {line[:2000]}\n" for line in trace.splitlines()), end="")
            print(f"not ok {number} {test.__doc__}: {type(error).__name__}", flush=True)
    return failed


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(os.path.abspath(sys.argv[1])))
