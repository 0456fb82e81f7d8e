#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of a collector with servers of NATS that are played, so that they answer wrongly,
late or not at all: test_collector.py PROGRAM [TEST]... Needs no nats-server. Prints TAP."""

import contextlib
import json
import random
import sqlite3
import sys
import time

from test_kerrord import FIRST, control, main
from test_nats import Played
from test_fleet import Collector, Machine, events_of, patiently

TESTS = []
EVENTS, HEARTBEATS = b"KERROR", b"KERROR_HEARTBEATS"


def test(function):
    TESTS.append(function)
    return function


def status(code, words):
    """A head without a message"""
    return b"NATS/1.0 %d %s\r\n\r\n" % (code, words)


class Consumers(Played):
    """Two durable consumers: what they have, in which order, is told."""

    def __init__(self, *have):
        super().__init__(None)
        self.have = {EVENTS: list(have), HEARTBEATS: []}
        self.held = set()           # streams that give nothing, and do not say so
        self.once = set()           # those that are held when they have given something
        self.wrong = {}             # of a stream, what a pull is answered with
        self.acknowledged = []
        self.given = 0
        self.pulls = 0

    def take(self, words, data, send):
        subject = words[1]
        if subject.startswith(b"$JS.ACK."):
            self.acknowledged.append((subject, data))
            return
        assert subject.startswith(b"$JS.API.CONSUMER.MSG.NEXT."), subject
        stream, reply, wanted = subject.split(b".")[5], words[2], json.loads(data)
        self.pulls += 1
        if stream in self.wrong:
            if self.wrong[stream]:
                send(reply, b"", self.wrong[stream])
            return
        if stream in self.held:
            if "no_wait" in wanted:
                send(reply, b"", status(408, b"Requests Pending"))
            return
        have = self.have[stream]
        if not have and "no_wait" in wanted:
            send(reply, b"", status(404, b"No Messages"))
        elif not have:
            time.sleep(0.1)
        # Not all at once
        for _ in range(min(len(have), wanted["batch"], 50)):
            self.given += 1
            where, head, body = have.pop(0)
            send(where, body, head, b"$JS.ACK.%s.collector.1.%d.%d.1.%d" % (
                stream, self.given, self.given, len(have)))
            self.held |= self.once & {stream}
        if "no_wait" not in wanted:
            send(reply, b"", status(408, b"Request Timeout"))

    def close(self):
        self.drop()
        self.socket.close()


def played(folder, name, **kernel):
    """A machine, and its messages as it publishes them"""
    server = Played(lambda number, _: b'{"stream":"K","seq":%d}' % (number + 1))
    machine = Machine(folder, [server.port], name, rate=10**6, **kernel)
    events, losses = kernel["events"], int("lost" in kernel)

    def has_told():
        told = json.loads(server.beats[-1][2])["groups"] if server.beats else []
        return [group["next"] for group in told] == [(FIRST + events) % 2**32]

    machine.run_until(lambda: len(server.messages) == events + losses and has_told())
    server.socket.close()
    return machine, server.messages, server.beats[-1]


def watching(folder, server, options="grace = 1s\n"):
    return Collector(folder, [server.port], options=options, more="[json]\npath = FOLDER/json\n")


def keep_asking(server, daemon, seconds, times):
    """Waits until the collector has asked so often, and for so long at least."""
    pulls, end = server.pulls, time.monotonic() + seconds
    patiently(lambda: time.monotonic() > end and server.pulls > pulls + times, daemon)


def keys(place):
    return sorted(event["sequence"] for event in place.lines())


@test
def gaps_doubles_and_reordering_end_in_the_right_store(folder):
    machine, messages, _ = played(folder, "a", events=300)
    chance = random.Random(1)
    gone = {messages[index][0:3] for index in (0, 17, 18, 19, 299)}
    rest = [message for message in messages if message not in gone]
    twice = rest + chance.sample(rest, 100)
    chance.shuffle(twice)
    server = Consumers(*twice)
    collector = watching(folder, server)
    collector.run_until(lambda: collector.lost() == {("a", 2, "stream"): 4})
    # Of the last one nothing tells; the others are there once.
    wanted = {key: event for key, event in events_of(machine).items()
              if (event["sequence"] - FIRST) % 2**32 not in (0, 17, 18, 19, 299)}
    assert collector.events() == wanted and len(wanted) == 295
    assert len(server.acknowledged) == 395 and {data for _, data in server.acknowledged} == {b"+ACK"}
    assert keys(collector) == sorted(event["sequence"] for event in wanted.values())
    assert sum(loss["count"] for loss in collector.lines(item="loss")) == 4
    server.close()


@test
def what_is_on_its_way_is_no_loss(folder):
    """The heartbeat of a dead machine tells of all, long before they come; one never does."""
    machine, messages, beat = played(folder, "a", events=50)
    server = Consumers()
    server.have[HEARTBEATS] = [beat]
    server.held = {EVENTS}
    collector = watching(folder, server)
    daemon = collector.start()
    patiently(lambda: collector.count("gap") == 1, daemon)
    keep_asking(server, daemon, 4, 8)
    assert collector.lost() == {} and collector.count("gap") == 1
    server.have[EVENTS] = messages[:49]
    server.held = set()
    patiently(lambda: collector.lost() == {("a", 2, "stream"): 1}, daemon)
    # It is silent by then, or soon.
    patiently(lambda: collector.sql("SELECT name, key FROM condition") ==
              [("machine-silent", "a")], daemon)
    collector.end(daemon)
    assert collector.stored() == 49
    losses = collector.lines(item="loss")
    assert [(loss["count"], loss["cause"], loss["host"]) for loss in losses] == \
        [(1, "stream", "a")], losses
    server.close()


@test
def a_machine_is_not_silent_while_its_heartbeats_wait(folder):
    _, messages, beat = played(folder, "a", events=10)
    server = Consumers(*messages)
    server.have[HEARTBEATS] = [beat]
    server.once = {HEARTBEATS}
    collector = watching(folder, server)
    daemon = collector.start()
    patiently(lambda: collector.count("machine") == 1, daemon)
    keep_asking(server, daemon, 6, 10)
    assert collector.count("condition") == 0
    # And now there are no more.
    server.held = set()
    patiently(lambda: collector.sql("SELECT name, key FROM condition WHERE cleared IS NULL") ==
              [("machine-silent", "a")], daemon)
    collector.end(daemon)
    server.close()


@test
def the_name_of_a_silent_machine_is_shown(folder):
    """It can be anything, and is part of a line."""
    _, _, (subject, head, beat) = played(folder, "a", events=5)
    beat = subject, head, json.dumps({**json.loads(beat), "host": "a\x1b\nb"}).encode()
    server = Consumers()
    server.have[HEARTBEATS] = [beat]
    collector = watching(folder, server)
    daemon = collector.start()
    patiently(lambda: collector.sql("SELECT key FROM condition WHERE cleared IS NULL") ==
              [("a\\x1b\\x0ab",)], daemon)
    server.have[HEARTBEATS] = [beat]
    patiently(lambda: collector.sql("SELECT max(changes) FROM condition")[0][0] >= 2, daemon)
    _, err = collector.end(daemon)
    assert "\x1b" not in err, err
    server.close()


@test
def a_forgotten_machine_is_shown_no_longer(folder):
    """Until it says something; its events stay, and are known when they come again."""
    machine, messages, beat = played(folder, "a", events=10)
    server = Consumers(*messages)
    server.have[HEARTBEATS] = [beat]
    collector = watching(folder, server)
    daemon = collector.start()
    lasting = "SELECT name, key FROM condition WHERE cleared IS NULL"
    patiently(lambda: collector.sql(lasting) == [("machine-silent", "a")], daemon)
    assert control(collector, "fleet", "--forget=b") == (
        [], "kerrorctl: no machine has the id or name 'b'; kerrorctl fleet shows them\n")
    assert len(control(collector, "fleet")[0]) == 2
    assert control(collector, "fleet", "--forget=" + machine.machine) == (
        [machine.machine + " forgotten"], "")
    assert len(control(collector, "fleet")[0]) == 1 and not control(collector, "fleet", "--json")[0]
    assert control(collector, "fleet", "--forget=a")[0] == []
    server.have[EVENTS] += messages
    keep_asking(server, daemon, 3, 10)
    assert collector.sql(lasting) == [] and collector.count() == 10
    assert len(server.acknowledged) == 21, server.acknowledged
    server.have[HEARTBEATS] = [beat]
    patiently(lambda: len(control(collector, "fleet")[0]) == 2, daemon)
    patiently(lambda: collector.sql(lasting) == [("machine-silent", "a")], daemon)
    collector.end(daemon)
    server.close()


@test
def copies_with_one_machine_id_are_told(folder):
    """They are two boots that go on: none ends the other, whose conditions stay."""
    _, _, (subject, head, beat) = played(folder, "a", events=5)
    beat = json.loads(beat)

    def beats(boot, seconds):
        return subject, head, json.dumps({
            **beat, "boot_id": boot * 8 + beat["boot_id"][8:],
            "time_realtime": beat["time_realtime"] + seconds * 10**9}).encode()

    server = Consumers()
    collector = watching(folder, server)
    daemon = collector.start()
    boot = "SELECT substr(boot_id, 1, 1) FROM machine JOIN boot USING(boot)"

    def tell(*what):
        server.have[HEARTBEATS] += [beats(*one) for one in what]
        patiently(lambda: not server.have[HEARTBEATS], daemon)
        keep_asking(server, daemon, 1.5, 3)

    # A reboot, after which a message of the boot before comes again
    tell(("1", 0))
    tell(("2", 60))
    tell(("1", 0))
    assert collector.sql(boot) == [("2",)]
    tell(("2", 120))
    assert collector.sql(boot) == [("2",)]
    refused = 'kerror_sink_poison_total{sink="collector"}'
    patiently(lambda: collector.metric(refused) == 0, daemon)
    # The boot before goes on.
    tell(("1", 125), ("2", 180))
    patiently(lambda: collector.metric(refused) == 1, daemon)
    assert collector.sql(boot) == [("2",)]
    tell(("3", 190))
    assert collector.sql(boot) == [("3",)]
    _, err = collector.end(daemon)
    assert "runs a newer boot, too; is one a copy? give it an id of its own in /etc/machine-id " \
        "(refused so far: 1)" in err, err
    server.close()


@test
def silent_machines_without_a_key_of_their_own_are_cleared(folder):
    """There are as many conditions as there may be."""
    _, _, beat = played(folder, "a", events=5)
    server = Consumers()
    collector = watching(folder, server)
    collector.run_until(lambda: collector.metric('kerror_sink_up{sink="collector"}') == 1)
    with contextlib.closing(sqlite3.connect(collector.path("db"))) as store, store:
        store.executemany("INSERT INTO condition VALUES('x', ?, '', 3, '', '', '', 0, '', 0, 0, 0,"
                          " 1, NULL, NULL, 1, 1, '')", [(str(key),) for key in range(16384)])
    server.have[HEARTBEATS] = [beat]
    daemon = collector.start()
    conditions = "SELECT key, cleared_by FROM condition WHERE name = 'machine-silent'"
    patiently(lambda: collector.sql(conditions) == [("others", None)], daemon)
    server.have[HEARTBEATS] = [beat]
    patiently(lambda: collector.sql(conditions) == [("others", "heartbeat")], daemon)
    collector.end(daemon)
    server.close()


@test
def wrong_answers_and_none_are_survived(folder):
    machine, messages, _ = played(folder, "a", events=60)
    server = Consumers(*messages)
    collector = watching(folder, server, "stuck = 1s\ntimeout = 1s\n")
    up = 'kerror_sink_up{sink="collector"}'
    for answer, says in ((status(503, b""), "no stream KERROR with a consumer collector answers"),
                         (status(409, b"Consumer Deleted"), "Consumer Deleted (409)")):
        server.wrong[EVENTS] = answer
        _, err = collector.run_until(lambda: collector.metric(up) == 0)
        assert says in err, err
    # It asks, and there is no answer; then the connection is gone.
    server.wrong[EVENTS] = b""
    daemon = collector.start()
    pulls = server.pulls
    patiently(lambda: server.pulls > pulls + 4, daemon)
    assert collector.stored() == 0
    server.silent = True
    server.drop()
    # Nothing comes after the first line of a server.
    patiently(lambda: collector.metric('kerror_sink_stuck{sink="collector"}') == 1, daemon)
    server.wrong = {}
    server.silent = False
    server.drop()
    patiently(lambda: collector.stored() == 60 and len(server.acknowledged) == 60, daemon)
    collector.end(daemon)
    assert collector.events() == events_of(machine) and collector.lost() == {}
    assert len(collector.lines()) == 60
    server.close()


@test
def each_absence_of_heartbeats_is_told(folder):
    machine, messages, _ = played(folder, "a", events=20)
    server = Consumers()
    collector = watching(folder, server)
    with open(collector.path("err"), "w") as err:
        daemon = collector.start(stderr=err)

    def told():
        with open(collector.path("err")) as file:
            return file.read().count("no stream KERROR_HEARTBEATS with a consumer collector")

    for number in range(2):
        server.wrong[HEARTBEATS] = status(503, b"No Responders Available")
        patiently(lambda n=number: told() == n + 1, daemon)
        # Each pull has that answer; it is told once.
        keep_asking(server, daemon, 12, 10)
        assert told() == number + 1
        del server.wrong[HEARTBEATS]
        # It looks each second.
        keep_asking(server, daemon, 5, 10)
    server.have[EVENTS] = list(messages)
    patiently(lambda: collector.stored() == 20, daemon)
    collector.end(daemon)
    assert events_of(machine) == collector.events()
    server.close()


@test
def what_was_acknowledged_in_vain_comes_again(folder):
    machine, messages, _ = played(folder, "a", events=60, lost=3)
    server = Consumers(*messages)
    collector = watching(folder, server)
    daemon = collector.start()
    patiently(lambda: len(server.acknowledged) == len(messages) == 61, daemon)
    server.have[EVENTS] = list(messages)
    patiently(lambda: len(server.acknowledged) == 2 * 61, daemon)
    collector.end(daemon)
    assert collector.events() == events_of(machine)
    assert collector.lost() == {("a", 2, "staging-full"): 3}
    assert len(collector.lines()) == 60 and len(collector.lines(item="loss")) == 1
    server.close()


if __name__ == "__main__":
    sys.exit(main(TESTS))
