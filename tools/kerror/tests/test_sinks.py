#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what kerrord's sinks and metrics say and do when a peer is stuck, dies
or is not there; with the played kernel of tests/fake_kernel.c, like
test_kerrord.py: test_sinks.py PROGRAM [TEST]... Prints TAP."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import sys
import threading
import time

from test_kerrord import FIRST, JSON, STORE, Place, main, wait_for

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def add_metrics(place, option):
    """Puts an option into the section that Place.write() has made."""
    with open(place.path("conf")) as conf:
        text = conf.read().replace("interval = 1s\n", f"interval = 1s\n{option}\n")
    with open(place.path("conf"), "w") as conf:
        conf.write(text)


def free_port(host="127.0.0.1"):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def get_metrics(host, port):
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", "/metrics")
    response = connection.getresponse()
    assert response.status == 200, response.status
    return response.read()


# ---- Metrics ----

WARNED = ("emerg", "alert", "crit", "err", "warning")


@test
def each_series_is_there_once(folder):
    odd = [b"bad\xff", b"bad\xfe", b"others", b'q"\\b', b"nl\nx", b"cr\rx", b"del\x7f",
           "caf\u00e9".encode(), b"cut\xc3", b"over\xc0\xaf"]
    names = odd + [b"f%d" % number for number in range(300)]
    place = Place(folder, JSON, events=3 * len(names), rate=100000)
    place.kernel["FAKE_FACILITIES"] = os.fsdecode(b" ".join(names))
    place.run_until(lambda: len(place.lines()) == 3 * len(names))
    with open(place.path("metrics"), "rb") as file:
        lines = file.read().decode("utf-8").split("\n")     # valid UTF-8, or it ends
    series = [line.rpartition(" ")[0] for line in lines
              if line.startswith("kerror_events_total{")]
    assert len(series) == len(set(series)), [one for one in series if series.count(one) > 1]
    count = sum(int(line.rpartition(" ")[2]) for line in lines
                if line.startswith("kerror_events_total{"))
    assert count == 3 * len(names), count
    facilities = {line.split('"')[1] for line in series}
    for name in ("bad\\\\xff", "bad\\\\xfe", "others", "nl\\\\x0ax", "cr\\\\x0dx",
                 "del\\\\x7f", "caf\u00e9", "cut\\\\xc3", "over\\\\xc0\\\\xaf"):
        assert name in facilities, (name, sorted(facilities)[:15])
    assert any(line.startswith('kerror_events_total{facility="q\\"\\\\b"') for line in lines)
    assert not [line for line in lines if any(ord(byte) < 32 for byte in line)]
    events = place.lines()
    ids = [line for line in lines if line.startswith("kerror_id_events_total{")]
    assert len({line.rpartition(" ")[0] for line in ids}) == len(ids)
    assert any('id="%s"' % events[0]["event_id"] in line for line in ids), (events[0], ids[:3])
    assert sum(int(line.rpartition(" ")[2]) for line in ids) == \
        sum(event["severity"] in WARNED for event in events), (ids, events[:3])


@test
def a_taken_port_costs_no_event(folder):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        place = Place(folder, STORE + JSON, events=500, rate=100000)
        add_metrics(place, f"listen = 127.0.0.1:{port}")
        daemon = place.start()
        wait_for(lambda: place.stored() == 500, 60, daemon)
        wait_for(lambda: place.lines(item="report"), 60, daemon)
    deadline = time.monotonic() + 30        # Now it is free.
    while True:
        try:
            body = get_metrics("127.0.0.1", port)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert b'kerror_sink_written_total{sink="store"} 500' in body
    _, err = place.end(daemon)
    assert f"[metrics] listen: '127.0.0.1:{port}': Address already in use; tried again" \
        in err, err
    assert f"[metrics] listens at 127.0.0.1:{port} now" in err, err
    assert err.count("Address already in use") == 1, err


@test
def a_name_that_does_not_resolve_costs_no_event(folder):
    place = Place(folder, STORE, events=500, rate=100000)
    add_metrics(place, "listen = no.such.host.invalid:9817")
    daemon = place.start()
    wait_for(lambda: place.stored() == 500, 60, daemon)
    time.sleep(0.5)
    begin = time.monotonic()
    _, err = place.end(daemon)
    assert time.monotonic() - begin < 20
    assert "[metrics] listen: 'no.such.host.invalid:9817': " in err, err


@test
def a_client_that_never_reads_costs_nobody_anything(folder):
    """More clients than the server takes ask for metrics, and read none."""
    port = free_port()
    place = Place(folder, STORE, events=10**9, rate=5000)
    add_metrics(place, f"listen = 127.0.0.1:{port}")
    daemon = place.start()
    wait_for(lambda: place.stored() > 0, 60, daemon)
    get_metrics("127.0.0.1", port)
    clients = []
    for number in range(40):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.connect(("127.0.0.1", port))
        # Half of them do not even end their request; others ask again and again.
        client.settimeout(0.1)
        with contextlib.suppress(OSError):
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n" +
                           (b"" if number % 2 else b"\r\n") * 500)
        clients.append(client)
    before = place.stored()
    wait_for(lambda: place.stored() > before + 10000, 60, daemon)
    assert metric(place, "up", "store") == 1 and metric(place, "dropped_total", "store") == 0
    deadline = time.monotonic() + 60    # The server lets go of idle ones.
    while True:
        try:
            assert b"kerror_events_total" in get_metrics("127.0.0.1", port)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    begin = time.monotonic()
    place.end(daemon)
    assert time.monotonic() - begin < 20, time.monotonic() - begin
    for client in clients:
        client.close()


@test
def a_syslog_name_that_is_gone_costs_no_event(folder):
    """It comes by a reload, while the server before it works."""
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        server.settimeout(30)
        sections = STORE + "[syslog]\naddress = udp:{}:%d\n" % port
        place = Place(folder, sections.format("127.0.0.1"), events=100, rate=50)
        daemon = place.start()
        server.recv(65536)
        place.write(sections.format("no.such.host.invalid"))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: metric(place, "up", "syslog") == 0, 60, daemon)
        wait_for(lambda: place.stored() == 100, 60, daemon)
        place.write(sections.format("localhost"))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: metric(place, "written_total", "store") == 100 and
                 metric(place, "up", "syslog") == 1, 60, daemon)
        while b" event 99: " not in server.recv(65536):
            pass
        _, err = place.end(daemon)
    assert "[syslog] no.such.host.invalid:" in err, err


@test
def metrics_over_ipv6(folder):
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        print("# needs IPv6")
        return
    port = free_port("::1")
    place = Place(folder, JSON, events=10, rate=100000)
    add_metrics(place, f"listen = [::1]:{port}")
    daemon = place.start()
    wait_for(lambda: len(place.lines()) == 10, 60, daemon)
    assert b"kerror_events_total" in get_metrics("::1", port)
    place.end(daemon)


# ---- Peers that take nothing ----

def metric(place, name, sink):
    return place.metric(f'kerror_sink_{name}{{sink="{sink}"}}')


STUCK = ("json fifo", "syslog", "json stream")


@test
def a_stuck_peer_is_seen_and_harms_no_other(folder):
    """A pipe, a syslogd and a stream whose reader does nothing, then goes on."""
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(os.path.join(folder, "log"))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.path.join(folder, "stream"))
    listener.listen()
    os.mkfifo(os.path.join(folder, "fifo"))
    pipe = os.open(os.path.join(folder, "fifo"), os.O_RDONLY | os.O_NONBLOCK)
    place = Place(folder, STORE + "".join(
        f"[{name}]\n{option}\nqueue = 256K\nstuck = 1s\n" for name, option in (
            ("json fifo", "path = FOLDER/fifo"), ("syslog", "address = unix:FOLDER/log"),
            ("json stream", "path = unix:FOLDER/stream"))), rate=5000, events=20000)
    daemon = place.start()
    for name in STUCK:
        wait_for(lambda: metric(place, "stuck", name) == 1, 60, daemon)
        assert metric(place, "up", name) == 0
    wait_for(lambda: place.stored() == 20000, 60, daemon)
    wait_for(lambda: metric(place, "written_total", "store") == 20000, 60, daemon)
    assert metric(place, "up", "store") == 1 and metric(place, "dropped_total", "store") == 0
    # Now they read: each gets all there is, once.
    stream = listener.accept()[0]
    stop = threading.Event()
    got = {name: [] for name in STUCK}

    def read(name, receive, whole):
        rest = b""
        while not stop.is_set():
            try:
                data = receive()
            except BlockingIOError:
                time.sleep(0.005)
                continue
            if whole:
                got[name].append(data)
                continue
            *lines, rest = (rest + data).split(b"\n")
            got[name] += lines

    stream.settimeout(0.2)
    log.setblocking(False)
    stream.setblocking(False)
    readers = [threading.Thread(target=read, args=arguments) for arguments in (
        ("json fifo", lambda: os.read(pipe, 65536), False),
        ("syslog", lambda: log.recv(65536), True),
        ("json stream", lambda: stream.recv(65536), False))]
    for reader in readers:
        reader.start()
    try:
        for name in STUCK:
            wait_for(lambda: metric(place, "written_total", name) == 20000, 120, daemon)
            wait_for(lambda: metric(place, "up", name) == 1, 60, daemon)
            assert metric(place, "stuck", name) == 0
        _, err = place.end(daemon)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    for name in STUCK:
        events = [line for line in got[name]
                  if b'"item":"event"' in line or b" 12345678 [" in line]
        assert len(events) == 20000, (name, len(events))
        assert f"[{name}] is stuck: its peer has taken nothing for 1 s" in err, err
        assert f"[{name}] is no longer stuck" in err, err


@test
def a_stuck_peer_does_not_delay_the_end(folder):
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(os.path.join(folder, "log"))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.path.join(folder, "stream"))
    listener.listen()
    os.mkfifo(os.path.join(folder, "fifo"))
    pipe = os.open(os.path.join(folder, "fifo"), os.O_RDONLY | os.O_NONBLOCK)
    os.mkfifo(os.path.join(folder, "unread"))
    place = Place(folder, STORE + "[json fifo]\npath = FOLDER/fifo\n"
                  "[json unread]\npath = FOLDER/unread\n"
                  "[syslog]\naddress = unix:FOLDER/log\n"
                  "[json stream]\npath = unix:FOLDER/stream\n[text]\n",
                  rate=100000, events=3000)
    daemon = place.start()
    wait_for(lambda: place.stored() == 3000, 60, daemon)
    begin = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(timeout=60)     # Nobody reads its standard output.
    assert time.monotonic() - begin < 20, time.monotonic() - begin
    err = daemon.communicate()[1]
    assert daemon.returncode == 0, err
    assert "[json unread] " in err and "nobody reads this pipe" in err, err
    for name in ("json fifo", "syslog", "json stream", "text"):
        assert f"[{name}] does not work; " in err, (name, err)
    os.close(pipe)


@test
def a_stuck_standard_error_stops_nothing(folder):
    """A pipe and a socket, full, whose readers do nothing."""
    for number, ends in enumerate((os.pipe(), [one.detach() for one in socket.socketpair()])):
        os.set_blocking(ends[1], False)
        with contextlib.suppress(BlockingIOError):
            while os.write(ends[1], b"x" * 4096):
                pass
        with contextlib.suppress(BlockingIOError):
            while os.write(ends[1], b"x"):
                pass
        os.set_blocking(ends[1], True)
        os.mkdir(f"{folder}/{number}")
        place = Place(f"{folder}/{number}", JSON + "[json full]\npath = /dev/full\n", events=300,
                      rate=100000)
        os.mkdir(place.path("explain"))
        os.mkfifo(place.path("explain/a.ini"))      # a warning of the receiver's
        daemon = place.start(stderr=ends[1])
        wait_for(lambda: len(place.lines()) == 300, 30)
        wait_for(lambda: any("/dev/full" in line["text"] for line in place.lines(item="report")), 30)
        begin = time.monotonic()
        place.end(daemon)
        assert time.monotonic() - begin < 20
        for end in ends:
            os.close(end)


@test
def a_command_may_print_more_than_a_pipe_holds(folder):
    """Its standard error is that of kerrord, but waits for its reader."""
    with open(folder + "/script", "w") as script:
        script.write("#!/bin/sh\nset -e\nfor i in $(seq 4000); do\n"
                     "\techo 'more than a pipe holds' >&2\ndone\necho done >$0.done\n")
    os.chmod(folder + "/script", 0o755)
    place = Place(folder, "[rule x]\nrunner =\ncommand = FOLDER/script\nthreshold = 10 in 1d\n"
                  "retries = 0\n", events=10, rate=100000)
    daemon = place.start()
    time.sleep(2)
    assert not os.path.exists(folder + "/script.done")
    reader = threading.Thread(target=daemon.stderr.read, daemon=True)
    reader.start()
    wait_for(lambda: os.path.exists(folder + "/script.done"), 60, None)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(60) == 0
    reader.join()


@test
def a_slow_sink_is_fed_from_the_history(folder):
    """Its queue has room for a hundredth; the others do not wait for it."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.path.join(folder, "stream"))
    listener.listen()
    place = Place(folder, STORE + JSON + "[json stream]\npath = unix:FOLDER/stream\n"
                  "queue = 64K\n", rate=1000000, events=10000, printk=3000)
    daemon = place.start()
    stream = listener.accept()[0].makefile()
    numbers = {"evlog": [], "printk": []}
    while sum(map(len, numbers.values())) < 13000:
        line = json.loads(stream.readline())
        if line["item"] == "event":
            numbers[line["group"]].append(line["sequence"])
        if sum(map(len, numbers.values())) == 500:
            wait_for(lambda: place.stored() == 13000, 60, daemon)
    wait_for(lambda: metric(place, "behind", "json stream") == 0, 60, daemon)
    assert metric(place, "dropped_total", "json stream") == 0
    place.end(daemon)
    for group, count in (("evlog", 10000), ("printk", 3000)):
        assert numbers[group] == [(FIRST + i) % 2**32 for i in range(count)], group


@test
def a_reader_that_dies_gets_the_rest_again(folder):
    """It closes with lines unread, a socket and then a pipe; the next one gets them."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.path.join(folder, "stream"))
    listener.listen()
    os.mkfifo(os.path.join(folder, "fifo"))
    place = Place(folder, "[json stream]\npath = unix:FOLDER/stream\n"
                  "[json fifo]\npath = FOLDER/fifo\n", rate=2000, events=2000)
    pipe = os.open(os.path.join(folder, "fifo"), os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(pipe, True)
    daemon = place.start()
    got = {"json stream": [], "json fifo": []}

    def parts(name):
        """Readers one after the other, of which the first two die"""
        for number in itertools.count():
            # Those that die take no more than what they look at.
            buffering = 0 if number < 2 else -1
            if name == "json stream":
                file = listener.accept()[0].makefile("rb", buffering)
            else:
                file = open(pipe if not number else os.path.join(folder, "fifo"), "rb",
                            buffering)
            with file:
                for count, line in enumerate(file):
                    if not line.endswith(b"\n"):
                        break       # the writer may have died within a line
                    event = json.loads(line)
                    if event["item"] == "event":
                        got[name].append(event["arguments"][0]["value"])
                    if count == 100 and number < 2:
                        break

    readers = [threading.Thread(target=parts, args=(name,), daemon=True) for name in got]
    for reader in readers:
        reader.start()
    for name in got:
        wait_for(lambda: metric(place, "written_total", name) == 2000, 150, daemon)
    place.end(daemon)
    for name, events in got.items():
        assert set(events) == set(range(2000)), (name, len(set(events)))


@test
def who_waits_at_a_pipe_is_not_told_of_an_end(folder):
    names = [f"pipe{number}" for number in range(5)]
    got = {name: [] for name in names}
    place = Place(folder, "".join(f"[json {name}]\npath = FOLDER/{name}\n" for name in names),
                  events=100, rate=100000)

    def read(name):
        with open(place.path(name), "rb") as pipe:
            got[name] += [line for line in pipe if b'"item":"event"' in line]

    for name in names:
        os.mkfifo(place.path(name))
    readers = [threading.Thread(target=read, args=(name,), daemon=True) for name in names]
    for reader in readers:
        reader.start()
    _, err = place.run_until(lambda: all(metric(place, "written_total", f"json {name}") == 100
                                         for name in names), 30)
    for reader in readers:
        reader.join()
    assert all(len(lines) == 100 for lines in got.values()), got
    assert "nobody reads" not in err, err


@test
def a_stopped_journal_is_stuck(folder):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(os.path.join(folder, "journal"))
        server.settimeout(60)
        place = Place(folder, "[journald]\nstuck = 1s\n" + STORE, events=300, rate=100000,
                      journal=os.path.join(folder, "journal"))
        daemon = place.start()
        wait_for(lambda: metric(place, "stuck", "journald") == 1, 60, daemon)
        assert metric(place, "written_total", "journald") == 0
        assert place.stored() == 300
        begin = time.monotonic()
        _, err = place.end(daemon)
        assert time.monotonic() - begin < 20
        assert "[journald] is stuck: its peer has taken nothing for 1 s" in err, err
        daemon = place.start()      # From here on it reads.
        seen = set()
        while len(seen) < 300:
            fields = server.recv(65536).split(b"\n")
            seen.update(field for field in fields if field.startswith(b"KERROR_ARG_0="))
        wait_for(lambda: metric(place, "written_total", "journald") == 300, 60, daemon)
        place.end(daemon)


if __name__ == "__main__":
    sys.exit(main(TESTS))
