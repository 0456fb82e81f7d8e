#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what kerrord's sinks and metrics say and do when a peer is stuck, dies
or is not there; with the played kernel of tests/fake_kernel.c, like
test_kerrord.py: test_sinks.py PROGRAM [TEST]... Prints TAP."""

import http.client
import os
import socket
import sys
import time

from test_kerrord import JSON, STORE, Place, main, wait_for

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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get_metrics(host, port):
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", "/metrics")
    response = connection.getresponse()
    assert response.status == 200, response.status
    return response.read()


# ---- Metrics ----

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
    assert time.monotonic() - begin < 5
    assert "[metrics] listen: 'no.such.host.invalid:9817': " in err, err


@test
def metrics_over_ipv6(folder):
    if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
        print("# needs IPv6")
        return
    port = free_port()
    place = Place(folder, JSON, events=10, rate=100000)
    add_metrics(place, f"listen = [::1]:{port}")
    daemon = place.start()
    wait_for(lambda: len(place.lines()) == 10, 60, daemon)
    assert b"kerror_events_total" in get_metrics("::1", port)
    place.end(daemon)


if __name__ == "__main__":
    sys.exit(main(TESTS))
