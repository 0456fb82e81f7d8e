#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests the JSON schema of what the tools print: test_schema.py PROGRAM, kerrord of fake_kernel.c.

kerrorctl and kerrord print each kind of line at least once; python3-jsonschema has to take each,
and a key that the schema lacks is an error here. Each vector of vectors/ has to be taken, too.
Prints TAP; without python3-jsonschema all is skipped. test_schema.py --lines LOG...: the lines of
JSON in logs have to be taken, such as those of a whole boot."""

import copy
import glob
import json
import os
import re
import subprocess
import sys
import time

from test_kerrord import (CONTROL, DAEMONS, Place, RAISE, STORE, message, rule, wait_for,
                          write_script)

try:
    import jsonschema
except ImportError:
    jsonschema = None

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, "..", "schema", "kerror.schema.json")
VECTORS = os.path.join(HERE, "..", "vectors", "vectors.jsonl")
CATALOGUE = os.path.join(HERE, "..", "explain", "evlog_sample.ini")
ENVIRONMENT = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "FAKE_START": "1700000000000000000",
               "FAKE_EVENTS": "100", "FAKE_LOST": "7"}
HEAD = "# kerrorctl formats\n"
OLD = (HEAD + "048d7147\terr\tprintk\tkernel\tdrivers/x.c:10\tprobe\tlink %s down, error %d\n"
       "eb22564c\terr\tevlog\tkernel\tdrivers/x.c:50\tprobe\tqueue %d stalled\n")
NEW = (HEAD + "c498e37a\terr\tevlog\tkernel\tdrivers/x.c:51\tprobe\tqueue %u is stalled\n"
       "048d7147\terr\tprintk\tkernel\tdrivers/x.c:10\tprobe\tlink %s down, error %d\n")


def ctl(*arguments, **variables):
    """The objects that a command prints"""
    done = subprocess.run([CONTROL, *arguments], env={**ENVIRONMENT, **variables}, timeout=60,
                          capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found, (arguments, done)
    return found


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def lines_of_store(folder):
    store = os.path.join(folder, "events.db")
    subprocess.run([os.path.join(os.path.dirname(CONTROL), "make_store"), store],
                   env=ENVIRONMENT, check=True)
    old, new = write(folder, "old", OLD), write(folder, "new", NEW)
    rules = write(folder, "rules.conf", "[rule gone]\nfilter = id==eb22564c\n"
                  "[rule text]\nfilter = text~\"*stalled\"\n[rule there]\nfilter = id==048d7147\n")
    store = "--store=" + store
    yield from ctl("query", store, "--json", "--losses")
    for what in ("event", "device,arg[0]", "severity", "facility", "hour", "day", "host",
                 "release", "tag.rack"):
        yield from ctl("query", store, "--json", "--count-by=" + what)
    yield from ctl("boots", store, "--json")
    yield from ctl("explain", store, "--json", "bdd62ee9", "--explanations=" + CATALOGUE)
    for number in ("1", "2", "7"):
        yield from ctl("show", store, "--json", "--kernel=" + old, number)
    yield from ctl("report", store, "--json", "--since=2023-01-01")
    yield from ctl("ack", store, "--json", "1")
    yield from ctl("formats", "--json", old)
    yield from ctl("formats", "--diff", "--json", old, new)
    yield from ctl("check-rules", "--json", "--was=" + old, rules, new)


def lines_of_kernel(folder):
    metrics = write(folder, "metrics", 'kerror_sink_up{sink="a\\"b"} 1\nkerror_half 0.5\n')
    yield from ctl("watch", "--json", "--group=all", "--idle=300", FAKE_PRINTK="20", FAKE_RAW="3")
    yield from ctl("watch", "--json", "--idle=300", FAKE_HOSTILE="1")
    yield from ctl("stats", "--json", "--metrics=" + metrics)
    yield from ctl("selftest", "--json", "--store=" + folder + "/none")
    yield from ctl("top", "--json", "--interval=1", "--count=1", FAKE_EVENTS="1000000",
                   FAKE_START=str(time.time_ns()))


def lines_of_daemon(folder):
    with open(folder + "/messages", "wb") as file:
        for form, value, flags in (("oom:%s", "MEMCG", 0x140), (",task=%s", "hlp", 0xc0)):
            data = message(form, value, flags)
            file.write(len(data).to_bytes(4, sys.byteorder) + data)
    place = Place(folder, STORE + "[json]\npath = FOLDER/json\nlines = yes\n" + RAISE +
                  rule("fails", "fails"), events=200, printk=2, lost=5, rate=10**5,
                  messages=folder + "/messages", start=str(time.time_ns() - 7200 * 10**9))
    write_script(place, "fails", "exit 1\n")
    store = "--store=" + place.path("db")
    daemon = place.start()
    wait_for(lambda: place.lines(item="line") and place.lines(item="report") and
             place.stored() >= 200 and
             glob.glob(place.path("state") + "/rule-fails.state"), daemon=daemon)
    for item in ("event", "loss", "report", "line"):
        yield from place.lines(item=item)
    yield from ctl("health", store, "--json", "--all")
    yield from ctl("fleet", store, "--json")
    yield from ctl("query", store, "--json", "--count-by=host")
    yield from ctl("rules", "--json", "--state=" + place.path("state"))
    yield from ctl("clear", store, "--json", "disk")
    place.end(daemon)
    place.write(STORE + "max_age = 1s\n")
    daemon = place.start()
    wait_for(lambda: "older than max_age" in subprocess.run(
        [CONTROL, "query", store, "--losses"], env=ENVIRONMENT, capture_output=True, text=True,
        check=False).stdout, daemon=daemon)
    yield from ctl("query", store, "--json", "--losses", "--limit=1")
    place.end(daemon)


def strict(schema):
    """The same, but with no other keys than those that it lists"""
    schema = copy.deepcopy(schema)
    for definition in schema["$defs"].values():
        close(definition)
    return schema


def close(part):
    if isinstance(part, dict):
        if part.get("type") == "object" and "properties" in part:
            part.setdefault("additionalProperties", False)
            if "item" in part["properties"] and part["properties"]["item"] is False:
                del part["additionalProperties"]
        for value in part.values():
            close(value)
    elif isinstance(part, list):
        for value in part:
            close(value)


def wrong(schema, lines):
    """Lines that are not taken"""
    validator = jsonschema.Draft202012Validator(strict(schema))
    for line in lines:
        name = line.get("item", "done")
        part = {**validator.schema, "$ref": "#/$defs/" + {"line": "event"}.get(name, name)}
        del part["oneOf"]
        for error in jsonschema.Draft202012Validator(part).iter_errors(line):
            print(f"# {error.message[:300]} in {json.dumps(line)[:600]}")
            yield line
            break
        if not jsonschema.Draft202012Validator(schema).is_valid(line):
            print("# not one kind of line:", json.dumps(line)[:300])
            yield line


def printed_items():
    """The kinds of lines that the sources print"""
    names = {"done", "line"}
    for folder in ("common", "kerrorctl", "kerrord"):
        for path in glob.glob(os.path.join(HERE, "..", folder, "*.c")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            names |= set(re.findall(r'"item", json_string\("(\w+)"\)', text))
            for call in re.findall(r"json_write_item\((.*)\);", text):
                names |= set(re.findall(r'"(\w+)"', call))
    # These are of a fleet: test_fleet.py has them.
    return names - {"heartbeat", "collapsed"}


def make_places(folder):
    for name in ("store", "kernel", "daemon"):
        os.mkdir(os.path.join(folder, name))
        yield os.path.join(folder, name)


def run(folder):
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    store, kernel, daemon = make_places(folder)
    failed = False
    seen = {}
    for number, (what, function, place) in enumerate((
            ("a store", lines_of_store, store), ("a kernel", lines_of_kernel, kernel),
            ("kerrord", lines_of_daemon, daemon)), 1):
        lines = list(function(place))
        for line in lines:
            seen[line.get("item", "done")] = line
        bad = len(list(wrong(schema, lines)))
        print(f"{'not ok' if bad else 'ok'} {number} lines of {what}: {len(lines)}")
        failed |= bool(bad)
    missing = printed_items() ^ set(seen)
    print(f"{'not ok' if missing else 'ok'} 4 each kind of line: {sorted(missing) or len(seen)}")
    with open(VECTORS, encoding="ascii") as file:
        events = [json.loads(line)["event"] for line in list(file)[1:]]
    bad = len(list(wrong(schema, events)))
    print(f"{'not ok' if bad else 'ok'} 5 events of the vectors: {len(events)}")
    unnoticed = [item for item, line in seen.items() for key in list(line)[1:2] + ["new"]
                 if not list(wrong_quietly(schema, {**line, key: {"no": "such value"}}))]
    print(f"{'not ok' if unnoticed else 'ok'} 6 lines with a wrong value are noticed: {unnoticed}")
    print("1..6")
    return failed or missing or bad or unnoticed


def check_logs(paths):
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    for number, path in enumerate(paths, 1):
        # Kernel messages of the console may have any bytes.
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = [json.loads(line) for line in file if line.startswith('{"item":')]
        bad = len(list(wrong(schema, lines)))
        print(f"{'ok' if lines and not bad else 'not ok'} {number} lines of {path}: {len(lines)}, "
              f"{bad} are not taken")
        if bad or not lines:
            return True
    return False


def wrong_quietly(schema, line):
    part = {**strict(schema), "$ref": "#/$defs/" + {"line": "event"}.get(
        line.get("item", "done"), line.get("item", "done"))}
    del part["oneOf"]
    return jsonschema.Draft202012Validator(part).iter_errors(line)


if __name__ == "__main__":
    import tempfile
    if not jsonschema or not os.path.exists(VECTORS):
        print("ok 1 schema # SKIP there is no python3-jsonschema, or no vectors.jsonl\n1..1")
        sys.exit(0)
    if sys.argv[1] == "--lines":
        sys.exit(check_logs(sys.argv[2:]))
    with tempfile.TemporaryDirectory() as directory:
        try:
            sys.exit(bool(run(directory)))
        finally:
            for process in DAEMONS:
                process.kill()
