#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kerrord with 10,000 hostile events (tests/hostile.h) of a kernel that is played,
through all sinks at once, in a limited address space: test_hostile.py PROGRAM.
PROGRAM has no sanitizers, which need more. Prints TAP."""

import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

PROGRAM = os.path.abspath(sys.argv[1])
EVENTS = int(os.environ.get("HOSTILE_EVENTS", 10000))
FIRST_NUMBER = int(os.environ.get("HOSTILE_SEED", 100))
ADDRESS_SPACE = 256 << 20
RESIDENT = 96 << 20         # less than kerrord(8) states for these sinks

CONFIG = """[kerrord]
user = root
state = FOLDER/state
explain = FOLDER/explain
groups = evlog
[metrics]
textfile = FOLDER/metrics
interval = 1s
[store]
path = FOLDER/db
max_age = 0
[json]
path = FOLDER/json
[text]
path = FOLDER/text
[syslog]
address = unix:FOLDER/log
[syslog udp]
address = udp:127.0.0.1:PORT
[rule few]
filter = text~"*disk*" && id!=12345678
threshold = 500 in 1d
command = /bin/true
"""


class Datagrams(threading.Thread):
    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.messages = server, []
        self.start()

    def run(self):
        while True:
            self.messages.append(self.server.recv(1 << 20))


def metric(folder, name, sink):
    try:
        with open(folder + "/metrics") as file:
            for line in file:
                if line.startswith(f'{name}{{sink="{sink}"}} '):
                    return int(line.split()[-1])
    except FileNotFoundError:
        pass
    return 0


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def check(folder):
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    unix.bind(folder + "/log")
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    local = Datagrams(unix)
    Datagrams(udp)
    with open(folder + "/conf", "w") as conf:
        conf.write(CONFIG.replace("FOLDER", folder)
                   .replace("PORT", str(udp.getsockname()[1])))
    daemon = subprocess.Popen(
        [PROGRAM, "-c", folder + "/conf"], stderr=subprocess.PIPE, text=True,
        preexec_fn=limit, env={**os.environ, "MALLOC_ARENA_MAX": "1",
                               "FAKE_START": str(time.time_ns()), "FAKE_RATE": "5000",
                               "FAKE_EVENTS": str(EVENTS),
                               "FAKE_HOSTILE": str(FIRST_NUMBER)})
    sinks = ("store", "json", "text", "syslog", "syslog udp")

    def had(sink):
        return sum(metric(folder, f"kerror_sink_{what}_total", sink)
                   for what in ("written", "dropped", "poison"))

    end = time.monotonic() + 300
    while not all(had(sink) == EVENTS for sink in sinks):
        assert daemon.poll() is None, daemon.communicate()
        assert time.monotonic() < end, {sink: had(sink) for sink in sinks}
        time.sleep(0.2)
    with open(f"/proc/{daemon.pid}/status") as status:
        peak = [int(line.split()[1]) << 10 for line in status
                if line.startswith("VmHWM")][0]
    daemon.send_signal(signal.SIGTERM)
    _, err = daemon.communicate(timeout=60)
    assert daemon.returncode == 0, (daemon.returncode, err)
    assert peak < RESIDENT, peak

    lines = []
    with open(folder + "/json", encoding="utf-8") as file:
        for line in file:
            lines.append(json.loads(line))
    events = [line for line in lines if line["item"] == "event"]
    skipped = {sink: (metric(folder, "kerror_sink_dropped_total", sink),
                      metric(folder, "kerror_sink_poison_total", sink)) for sink in sinks}
    assert len(events) + sum(skipped["json"]) == EVENTS, (len(events), skipped)
    for event in events:
        # A byte that is no UTF-8 is shown as four characters.
        assert len(event.get("text", "")) <= 4 * 65536
    stored = sqlite3.connect(folder + "/db").execute("SELECT count(*) FROM event").fetchone()
    assert stored[0] + sum(skipped["store"]) == EVENTS
    cut = sum("text_truncated" in event for event in events)
    assert cut >= EVENTS // 100
    print(f"# {EVENTS} events, {cut} texts cut, peak {peak >> 10} KiB; skipped "
          "(dropped, poison): " + ", ".join(f"{sink} {count}" for sink, count in
                                            skipped.items()), flush=True)
    assert len(local.messages) >= EVENTS - sum(skipped["syslog"])


with tempfile.TemporaryDirectory() as place:
    try:
        check(place)
        print("ok 1 hostile events stop no sink and take a stated amount of memory\n1..1")
    except AssertionError as error:
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        print(f"not ok 1 hostile events: line {line}: {str(error)[:3000]}\n1..1")
        sys.exit(1)
