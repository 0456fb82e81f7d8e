#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests wireshark/kerror.lua: tshark has to show each event of vectors/ as the vector says.

The capture is made of the vectors, as an nlmon device has it (LINKTYPE_NETLINK). Prints TAP, and
skips all without tshark."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors", "vectors.jsonl")
SCRIPT = os.path.join(HERE, "..", "wireshark", "kerror.lua")
SEVERITIES = "emerg alert crit err warning notice info debug".split()
# The last one may have any character in it.
FIELDS = ("type sequence thread severity event_id time_realtime arg.type arg.signed arg.unsigned "
          "arg.pointer format").split()


def message(order, kind, sequence, thread, payload):
    head = struct.pack(("<" if order == "little" else ">") + "IHHII", 16 + len(payload), kind, 0,
                       sequence, thread)
    return head + payload


def capture(file, messages):
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 253))
    for data in messages:
        # Outgoing, ARPHRD_NETLINK, padding, and the protocol
        data = struct.pack(">HH10xH", 4, 824, 27) + data
        file.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)
    file.flush()


def shown(path):
    """What tshark says of each message: a dictionary of lists"""
    fields = [option for name in FIELDS for option in ("-e", "kerror." + name)]
    done = subprocess.run(["tshark", "-n", "-X", "lua_script:" + SCRIPT, "-r", path, "-T", "fields",
                           "-E", "separator=\x1f", "-E", "aggregator=\x1e", *fields],
                          capture_output=True, check=True)
    text = done.stdout.decode("utf-8", "replace")
    assert b"Lua" not in done.stderr, done.stderr
    for line in text.rstrip("\n").split("\n"):
        values = line.split("\x1f", len(FIELDS) - 1)
        yield {name: value.split("\x1e") if value else [] for name, value in zip(FIELDS, values)}


def expected(event):
    """The same of a vector"""
    found = {"type": ["0x0010"], "sequence": [str(event["sequence"])],
             "thread": [str(event["thread"])]}
    if "kind" in event:
        found["time_realtime"] = [str(event["time_realtime"])]
        if event["severity"] in SEVERITIES:
            found["severity"] = [str(SEVERITIES.index(event["severity"]))]
    if "arguments" in event:
        values = event["arguments"]
        found["event_id"] = ["0x" + event["event_id"]]
        for key, kinds in (("arg.signed", ("s32", "s64")), ("arg.unsigned", ("u32", "u64", "char"))):
            found[key] = [str(v["value"]) for v in values if v["type"] in kinds]
    return found


def check(vector, row):
    event = vector["event"]
    form = event.get("format", "")
    # One that is not well-formed is bytes, and nothing else.
    if ("kind" in event) != bool(row["severity"]):
        return False
    # tshark shows characters beyond ASCII in a way of its own.
    if form.isascii() and form.isprintable() and "\\" not in form and \
            row["format"] != ([form] if form else []):
        return False
    # The values of '*' are among those of tshark.
    stars = any(kind in ("1", "2") for kind in row["arg.type"])
    return all(row[key] == value for key, value in expected(event).items()
               if key != "arg.signed" or not stars)


def main():
    if not shutil.which("tshark") or not os.path.exists(VECTORS):
        print("ok 1 wireshark # SKIP there is no tshark, or no vectors.jsonl\n1..1")
        return False
    with open(VECTORS, encoding="ascii") as file:
        vectors = [json.loads(line) for line in list(file)[1:]]
    # Wireshark calls no dissector for a message without anything in it.
    vectors = [vector for vector in vectors if vector["bytes"]]
    loss = [message(order, 0x11, 7, 0, struct.pack(sign + "QQII", 3, 9, 16, 6))
            for order, sign in (("little", "<"), ("big", ">"))]
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        capture(file, loss + [message(v["order"], 0x10, v["event"]["sequence"],
                                      v["event"]["thread"], bytes.fromhex(v["bytes"]))
                              for v in vectors])
        rows = list(shown(file.name))
        losses = subprocess.run(["tshark", "-n", "-X", "lua_script:" + SCRIPT, "-r", file.name, "-Y",
                                 "kerror.cause == 6 && kerror.count == 3 && kerror.group == 16",
                                 "-T", "fields", "-e", "kerror.total"], capture_output=True,
                                check=True).stdout.split()
    wrong = [(vector, row) for vector, row in zip(vectors, rows[2:]) if not check(vector, row)]
    for vector, row in wrong[:5]:
        print("#", vector["from"], json.dumps(row)[:400], json.dumps(vector["event"])[:600])
    bad = wrong or len(rows) != len(vectors) + 2
    print(f"{'not ok' if bad else 'ok'} 1 events: {len(rows) - 2}, {len(wrong)} different")
    print(f"{'ok' if losses == [b'9', b'9'] else 'not ok'} 2 losses of both byte orders")
    print("1..2")
    return bool(bad) or losses != [b"9", b"9"]


if __name__ == "__main__":
    sys.exit(main())
