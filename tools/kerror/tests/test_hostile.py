#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""kerrord with 10,000 hostile events (tests/hostile.h) of a kernel that is played,
through sinks of every kind at once, each with a peer that reads, in a limited address
space: test_hostile.py PROGRAM. Each peer gets each event once, or kerrord counts it as
skipped. PROGRAM has no sanitizers, which need more. Prints TAP. Needs openssl."""

import collections
import json
import os
import queue
import re
import resource
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from test_kerrord import DAEMONS, FIRST, Place, Units, write_script
from test_nats import Played
from test_syslog import TLS, make_certificates

EVENTS = int(os.environ.get("HOSTILE_EVENTS", 10000))
FIRST_NUMBER = int(os.environ.get("HOSTILE_SEED", 100))

SINKS = {
    "store": "path = FOLDER/db\nmax_age = 0",
    "json": "path = FOLDER/json",
    "json stream": "path = unix:FOLDER/stream",
    "json pipe": "path = FOLDER/pipe",
    "text": "path = FOLDER/text",
    "text output": "path = -",
    "journald": "",
    "syslog": "address = unix:FOLDER/log",
    "syslog udp": "address = udp:127.0.0.1:UDP",
    "syslog tcp": "address = tcp:127.0.0.1:TCP",
    "syslog lines": "address = tcp:127.0.0.1:LINES\nframing = newline",
    "syslog tls": "address = tls:localhost:TLS\n" + TLS,
    "otlp": "encoding = json\ncompression = none\nendpoint = http://127.0.0.1:HTTP",
    "nats": "servers = nats://127.0.0.1:NATS\ntimeout = 60s",
    "rule direct": "runner =\ncommand = /bin/sh FOLDER/script FOLDER/direct",
    "rule unit": "runner = FOLDER/rules.socket\n"
                 "command = /bin/sh FOLDER/script FOLDER/unit",
}

# It takes what its filter does; the others are to take all events.
FEW = '[rule few]\nfilter = text~"*disk*" && id!=12345678\nthreshold = 500 in 1d\n' \
      "runner =\ncommand = /bin/true\n"

# The bound of kerrord(8) for these sinks, MEMORY; all of the address space is to be less.
STATED = sum((18 << 20) + 24 * 65536 + (8 << 20) * bool(re.search("t(cp|ls):", options))
             for options in (*SINKS.values(), FEW))


# ---- Numbers of the events in what a peer got; None: one that shows no number ----

def of_json(line):
    item = json.loads(line)
    return [item["sequence"]] if item["item"] == "event" else []


def of_text(line):
    return [] if line.startswith(b"-- ") else [None]


def of_syslog(message):
    """A datagram may be too short for the structured data."""
    found = re.match(rb'<\d+>1 \S+ \S+ \S+ - (\S+) (?:\[kerror@32473 '
                     rb'(?:text_truncated="1" )?(?:group="\w+" )?sequence="(\d+)")?', message)
    if found[1] in (b"loss", b"report"):
        return []
    return [int(found[2]) if found[2] else None]


def of_otlp(body):
    numbers = []
    for resource in json.loads(body)["resourceLogs"]:
        for record in resource["scopeLogs"][0]["logRecords"]:
            # A report of kerrord, such as of a sink that is slow, has none.
            values = {pair["key"]: pair["value"] for pair in record.get("attributes", ())}
            if "kerror.sequence" in values:
                numbers.append(int(values["kerror.sequence"]["intValue"]))
    return numbers


def of_journal(entry):
    fields, at = {}, 0
    while at < len(entry):
        end = entry.index(b"\n", at)
        name, equals, value = entry[at:end].partition(b"=")
        at = end + 1
        if not equals:
            end = at + 8 + int.from_bytes(entry[at:at + 8], "little")
            value = entry[at + 8:end]
            at = end + 1
        fields[name] = value
    if b"KERROR_SEQUENCE" in fields:
        return [int(fields[b"KERROR_SEQUENCE"])]
    assert b"MESSAGE_ID" in fields, entry[:1000]
    return []


# ---- Peers ----

class Peer(threading.Thread):
    """Reads what a sink writes, and keeps the numbers only."""

    def __init__(self, messages, numbers_of):
        super().__init__(daemon=True)
        self.messages, self.numbers_of = messages, numbers_of
        self.numbers, self.error = [], None
        self.start()

    def run(self):
        try:
            for message in self.messages:
                self.numbers += self.numbers_of(message)
        except Exception:       # told by the check
            self.error = traceback.format_exc()


def datagrams(server):
    """An entry of the journal that is too large for a datagram is a file in one."""
    while True:
        data, files, _, _ = socket.recv_fds(server, 1 << 20, 1)
        for file in files:
            data = os.pread(file, os.fstat(file).st_size, 0)
            os.close(file)
        yield data


def connection_of(server, context=None):
    connection = server.accept()[0]
    if context:
        connection = context.wrap_socket(connection, server_side=True)
    return connection.makefile("rb")


def lines(opened):
    with opened() as file:
        yield from file


def counted(opened):
    """Messages of RFC 6587's octet counting"""
    with opened() as file:
        size = b""
        while byte := file.read(1):
            if byte != b" ":
                size += byte
                continue
            yield file.read(int(size))
            size = b""


def requests(server):
    """The bodies of HTTP requests, each of which is answered"""
    connection = server.accept()[0]
    with connection.makefile("rwb") as file:
        size = 0
        while line := file.readline():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
            if line == b"\r\n":
                yield file.read(size)
                file.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                file.flush()


def bound(family, kind, address):
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    server.bind(address)
    if kind == socket.SOCK_STREAM:
        server.listen()
    return server


def drops(udp):
    """Datagrams that the kernel had no room for"""
    with open("/proc/net/udp") as file:
        for line in file:
            if line.split()[1].endswith(f":{udp.getsockname()[1]:04X}"):
                return int(line.split()[-1])
    raise AssertionError("/proc/net/udp lacks the server")


def of_nats(name):
    return [] if ":loss:" in name else [int(name.rsplit(":", 1)[1])]


def start_nats():
    """A server that takes every message, and the peer that has their ids"""
    names = queue.Queue()

    def take(number, name):
        names.put(name)
        return b'{"stream":"K","seq":%d}' % (number + 1)

    return Played(take), Peer(iter(names.get, None), of_nats)


def start_peers(folder):
    """By the names of their sinks; and the ports, and the server of UDP"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key, authority = make_certificates(folder)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    local = {name: bound(socket.AF_UNIX, kind, f"{folder}/{name}") for name, kind in (
        ("log", socket.SOCK_DGRAM), ("journal", socket.SOCK_DGRAM),
        ("stream", socket.SOCK_STREAM))}
    udp = bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
    tcp = {name: bound(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
           for name in ("TCP", "LINES", "TLS", "HTTP")}
    os.mkfifo(folder + "/pipe")
    output = os.pipe()
    peers = {
        "json stream": Peer(lines(lambda: connection_of(local["stream"])), of_json),
        "json pipe": Peer(lines(lambda: open(folder + "/pipe", "rb")), of_json),
        "text output": Peer(lines(lambda: open(output[0], "rb")), of_text),
        "journald": Peer(datagrams(local["journal"]), of_journal),
        "syslog": Peer(datagrams(local["log"]), of_syslog),
        "syslog udp": Peer(datagrams(udp), of_syslog),
        "syslog tcp": Peer(counted(lambda: connection_of(tcp["TCP"])), of_syslog),
        "syslog lines": Peer(lines(lambda: connection_of(tcp["LINES"])), of_syslog),
        "syslog tls": Peer(counted(lambda: connection_of(tcp["TLS"], context)), of_syslog),
        "otlp": Peer(requests(tcp["HTTP"]), of_otlp),
    }
    ports = {name: server.getsockname()[1] for name, server in tcp.items()}
    server, peers["nats"] = start_nats()
    ports["NATS"] = server.port
    return peers, {**ports, "UDP": udp.getsockname()[1]}, udp, output[1]


def told_by(notes):
    """How many events the commands of a rule were told of"""
    with open(notes) as file:
        return sum(1 + int(line.split()[1]) for line in file)


# ---- The check ----

def metric(place, name, sink):
    return place.metric(f'kerror_{name}{{sink="{sink}"}}') or 0


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (STATED, STATED))


def memory(daemon, name):
    with open(f"/proc/{daemon.pid}/status") as status:
        return [int(line.split()[1]) << 10 for line in status if line.startswith(name)][0]


def run(place, output, peers):
    """Until all sinks have all events; the memory that it took, and what it said"""
    daemon = place.start(preexec_fn=limit, stdout=output)
    os.close(output)

    def had(sink):
        return sum(metric(place, f"sink_{what}_total", sink)
                   for what in ("written", "dropped", "poison"))

    end = time.monotonic() + 500
    while not all(had(sink) == EVENTS for sink in SINKS) or any(
            metric(place, "rule_waiting", sink) for sink in SINKS if sink[:4] == "rule"):
        assert daemon.poll() is None, daemon.communicate()
        for name, peer in peers.items():
            assert peer.is_alive(), (name, peer.error)
        if time.monotonic() > end:
            daemon.kill()
            raise AssertionError({sink: had(sink) for sink in SINKS}, daemon.communicate()[1])
        time.sleep(0.2)
    peak = memory(daemon, "VmHWM:"), memory(daemon, "VmPeak:")
    return peak, place.end(daemon)[1]


def check_numbers(place, sink, numbers, lost):
    """Each event once, or known to be skipped, or lost by the peer's kernel"""
    count = len(numbers)
    shown = collections.Counter(number for number in numbers if number is not None)
    twice = sum(shown.values()) - len(shown)
    skipped = lost + sum(metric(place, f"sink_{what}_total", sink)
                         for what in ("dropped", "poison"))
    missing = EVENTS - (count - twice)
    assert not set(shown) - {(FIRST + i) % 2**32 for i in range(EVENTS)}, sink
    assert twice <= metric(place, "sink_repeated_total", sink), (sink, twice)
    assert skipped <= missing <= skipped + metric(place, "sink_doubtful_total", sink), \
        (sink, count, twice, skipped)
    return f"{sink} {count - twice}" + (f" (and {skipped} lost)" if skipped else "")


def check(folder):
    peers, ports, udp, output = start_peers(folder)
    sections = "".join(f"[{name}]\n{options}\n" for name, options in SINKS.items()) + FEW
    for name, port in ports.items():
        sections = sections.replace(f":{name}\n", f":{port}\n")
    place = Place(folder, sections, events=EVENTS, rate=5000, hostile=FIRST_NUMBER,
                  journal=folder + "/journal")
    place.kernel["MALLOC_ARENA_MAX"] = "1"
    kinds = subprocess.run([sys.argv[1], "--print-config"], stdout=subprocess.PIPE, text=True,
                           check=True).stdout
    kinds = set(re.findall(r"^#?\[(\w+)", kinds, re.M)) - {"kerrord", "metrics", "tags", "collector"}
    assert kinds == {name.split()[0] for name in SINKS}, kinds
    write_script(place, "script", 'echo "$KERROR_SEQUENCE $KERROR_MORE" >>"$1"\n')
    Units(place)
    (resident, space), err = run(place, output, peers)
    assert metric(place, "rule_fired_total", "rule few") > 0
    for sink in SINKS:
        assert metric(place, "rule_failures_total", sink) == 0, (sink, err)

    def lost(sink):
        return drops(udp) if sink == "syslog udp" else 0

    numbers = {"rule " + name: [None] * told_by(f"{folder}/{name}") for name in ("direct", "unit")}
    with open(folder + "/json", "rb") as file:
        events = [item for item in map(json.loads, file) if item["item"] == "event"]
    cut = sum("text_truncated" in event for event in events)
    # A byte that is no UTF-8 is shown as four characters.
    assert all(len(event.get("text", "")) <= 4 * 65536 for event in events)
    assert cut >= EVENTS // 100
    numbers["json"] = [event["sequence"] for event in events]
    with open(folder + "/text", "rb") as file:
        numbers["text"] = [number for line in file for number in of_text(line)]
    numbers["store"] = [row[0] for row in place.sql("SELECT sequence FROM event")]
    end = time.monotonic() + 60
    while time.monotonic() < end and any(
            len(peer.numbers) + lost(name) < EVENTS for name, peer in peers.items()):
        time.sleep(0.1)
    for name, peer in peers.items():
        assert not peer.error, (name, peer.error)
        numbers[name] = peer.numbers
    got = [check_numbers(place, sink, numbers[sink], lost(sink)) for sink in SINKS]
    print(f"# {EVENTS} events, {cut} texts cut, peak {resident >> 10} KiB, of address space "
          f"{space >> 10} KiB; received: " + ", ".join(got), flush=True)
    assert resident < STATED // 2, (resident, STATED)


with tempfile.TemporaryDirectory() as folder_of_test:
    try:
        check(folder_of_test)
        print("ok 1 hostile events stop no sink and take a stated amount of memory\n1..1")
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        print(f"not ok 1 hostile events: line {line}: {error!r:.3000}\n1..1")
        sys.exit(1)
    finally:
        for process in DAEMONS:
            process.kill()
