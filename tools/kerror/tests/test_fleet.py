#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of a fleet: test_fleet.py PROGRAM [TEST]... with real servers of NATS, as
test_nats.py, whose stream has the events of several machines that are played, and with
collectors. The store of a collector is compared with those of the machines. Prints TAP."""

import base64
import contextlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
import uuid

from test_kerrord import FIRST, PROGRAM, STORE, Place, control, main, query, wait_for
from test_nats import Client, Stream, id_of, why_not

try:
    import jsonschema
except ImportError:
    jsonschema = None

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "schema",
                      "kerror.schema.json")
TESTS = []
GROUPS = ("evlog", "printk", "raw")
EVENTS = ["kerror.*." + group for group in GROUPS]
PATIENCE = int(os.environ.get("PATIENCE", 600))


def test(function):
    TESTS.append(function)
    return function


def make_streams(client, replicas=1, ack_wait=30, **limits):
    """What kerrord --make-streams makes"""
    for stream, subjects, more in (("KERROR", EVENTS, {"duplicate_window": 60 * 10**9, **limits}),
                                   ("KERROR_HEARTBEATS", ["kerror.*.heartbeat"],
                                    {"max_msgs_per_subject": 1})):
        client.request("$JS.API.STREAM.CREATE." + stream, {
            "name": stream, "subjects": subjects, "storage": "file", "num_replicas": replicas,
            **more})
        client.request(f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.collector", {
            "stream_name": stream, "config": {
                "durable_name": "collector", "ack_policy": "explicit", "ack_wait": ack_wait * 10**9,
                "max_ack_pending": 20000, "max_deliver": -1, "deliver_policy": "all"}})


class Fleet(Stream):
    """A server with the streams of a fleet"""

    def __init__(self, folder, configuration="", user=None, **options):
        super().__init__(folder, configuration, {"headers": True, **(user or {})}, None)
        with self.client() as client:
            make_streams(client, **options)

    @contextlib.contextmanager
    def running(self):
        try:
            yield self
        finally:
            if self.server.poll() is None:
                self.stop()


def fleet(folder, *arguments, **options):
    return Fleet(folder, *arguments, **options).running()


def patiently(done, daemon):
    wait_for(done, PATIENCE, daemon)


class Member(Place):
    """However slow the machine is that this runs on"""

    def run_until(self, done, patience=PATIENCE, **options):
        return super().run_until(done, patience, **options)


class Machine(Member):
    """One that is played: with an id, a name and a boot of its own"""

    def __init__(self, folder, ports, name, options="heartbeat = 1s\n", before="", **kernel):
        self.name = name
        self.machine = uuid.uuid5(uuid.NAMESPACE_DNS, name).hex
        self.boot_id = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        at = os.path.join(folder, name)
        os.makedirs(at + "/root/etc")
        os.makedirs(at + "/root/proc/sys/kernel/random")
        for file, text in (("etc/machine-id", self.machine),
                           ("proc/sys/kernel/random/boot_id", self.boot_id)):
            with open(f"{at}/root/{file}", "w") as out:
                out.write(text + "\n")
        if "collapse" not in options:
            options += "collapse = 0\n"
        self.text = before + STORE + "[nats]\n" + servers(ports) + options
        super().__init__(at, self.text, host=name, root=at + "/root", **kernel)

    def sent(self):
        """Whether the stream has all of its store, and how many events that is"""
        return self.metric('kerror_sink_written_total{sink="nats"}') or 0


def servers(ports):
    return "servers = " + " ".join(f"nats://127.0.0.1:{port}" for port in ports) + "\n"


class Collector(Member):
    def __init__(self, folder, ports, name="collector", options="", more="", store=None):
        at = os.path.join(folder, name)
        os.makedirs(at, exist_ok=True)
        self.text = ("[kerrord]\nsource = nats\n" +
                     (STORE.replace("FOLDER/db", store) if store else STORE) +
                     "[collector]\n" + servers(ports) + options + more)
        super().__init__(at, self.text)

    def sql(self, statement, name="db"):
        while True:
            try:
                return super().sql(statement, name)
            except sqlite3.DatabaseError as error:
                # Else it is made just now.
                if "locked" not in str(error):
                    return [(0,) * 4] if "count(*)" in statement else []

    def events(self):
        return events_of(self)

    def count(self, what="event"):
        return self.sql(f"SELECT count(*) FROM {what}")[0][0]

    def lost(self):
        """Of each machine and group, the losses by cause"""
        found = {}
        for host, group, cause, count in self.sql(
                "SELECT host, event_group, cause, sum(count) FROM loss JOIN boot USING(boot)"
                " GROUP BY 1, 2, 3"):
            found[(host, group, cause)] = count
        return found


def events_of(place):
    """What kerrorctl says of each event, by its key"""
    found = {}
    for line in query(place.path("db"), "--json")[0]:
        event = json.loads(line)
        del event["number"]
        assert id_of(event) not in found, event
        found[id_of(event)] = event
    return found


def losses_of(place):
    lines = query(place.path("db"), "--json", "--losses")[0]
    return sorted(line for line in lines if json.loads(line)["item"] == "loss")


def publish(client, subject, name, body, **headers):
    """One message; its sequence number in the stream"""
    head = "NATS/1.0\r\n" + "".join(f"{key}: {value}\r\n" for key, value in
                                    {"Nats-Msg-Id": name, **headers}.items()) + "\r\n"
    client.send(f"HPUB {subject} _INBOX.test.0 {len(head)} {len(head) + len(body)}\r\n"
                .encode() + head.encode() + body + b"\r\n")
    while True:
        words = client.file.readline().split()
        assert words, "the server closed"
        if words[0] == b"PING":
            client.send(b"PONG\r\n")
        elif words[0] == b"MSG":
            answer = json.loads(client.file.read(int(words[-1]) + 2))
            assert "error" not in answer, answer
            return answer["seq"]


def fetch(client, number):
    """Subject, headers and body of a message of the stream"""
    message = client.request("$JS.API.STREAM.MSG.GET.KERROR", {"seq": number})["message"]
    headers = {}
    for line in base64.b64decode(message["hdrs"]).decode().split("\r\n")[1:]:
        if line:
            key, value = line.split(":", 1)
            headers[key.strip()] = value.strip()
    return message["subject"], headers, base64.b64decode(message["data"])


@test
def the_collector_has_what_the_machines_have(folder):
    """Byte for byte, hostile events too; each once, whatever comes twice"""
    with fleet(folder) as stream:
        machines = [Machine(folder, [stream.port], "a", rate=10**6, events=300, printk=100,
                            hostile=1),
                    Machine(folder, [stream.port], "b", rate=10**6, events=500, lost=7,
                            before="[tags]\nrack = r1\n", instance=5000000),
                    Machine(folder, [stream.port], "c", rate=10**6, events=200)]
        # With a loss
        for machine, count in zip(machines, (400, 901, 1101)):
            machine.run_until(lambda n=count: stream.count() == n)
        collector = Collector(folder, [stream.port], more="[json]\npath = FOLDER/json\n")
        collector.run_until(lambda: collector.stored() == 1100 and collector.count("loss") == 1 and
                            len(collector.lines()) == 1100)
        wanted = {}
        for machine in machines:
            wanted.update(events_of(machine))
        assert collector.events() == wanted
        # Those of before a loss was told have the same origin.
        assert losses_of(collector) == sorted(
            loss for machine in machines for loss in losses_of(machine))
        assert collector.count("gap") == 0
        assert {id_of(event) for event in collector.lines()} == set(wanted)
        loss, = collector.lines(item="loss")
        assert (loss["host"], loss["cause"], loss["count"]) == ("b", "staging-full", 7), loss
        # All again, under other message ids and to a consumer that begins anew
        with stream.client() as client:
            for number in range(1, 1102):
                subject, headers, body = fetch(client, number)
                headers["Nats-Msg-Id"] = f"again {number}"
                publish(client, subject, headers.pop("Nats-Msg-Id"), body, **headers)
        collector.run_until(lambda: pending(stream) == (0, 0))
        assert collector.events() == wanted and len(collector.lines()) == 1100
        assert collector.lost() == {("b", 2, "staging-full"): 7}, collector.lost()
        assert "b" in query(collector.path("db"), '--filter=tag.rack=="r1"', "--json")[0][0]


def pending(stream):
    """Messages that the consumer has not given, and those without an acknowledgement"""
    with stream.client() as client:
        info = client.request("$JS.API.CONSUMER.INFO.KERROR.collector", {})
    return info["num_pending"], info["num_ack_pending"]


@test
def what_is_missing_is_named_once_and_taken_back(folder):
    with fleet(folder) as stream:
        machine = Machine(folder, [stream.port], "a", rate=10**6, events=100)
        machine.run_until(lambda: machine.sent() == 100)
        gone = (1, 2, 11, 12, 13, 51)
        with stream.client() as client:
            kept = {number: fetch(client, number) for number in gone}
            for number in gone:
                client.request("$JS.API.STREAM.MSG.DELETE.KERROR", {"seq": number})
        collector = Collector(folder, [stream.port], options="grace = 1s\n",
                              more="[json]\npath = FOLDER/json\n")
        _, err = collector.run_until(lambda: collector.lost() == {("a", 2, "stream"): 6} and
                                     len(collector.lines(item="loss")) > 0)
        assert collector.stored() == 94
        losses = collector.lines(item="loss")
        assert sum(loss["count"] for loss in losses) == 6, losses
        assert {loss["machine"] for loss in losses} == {machine.machine}
        # Three of them were only late.
        with stream.client() as client:
            for number in (2, 12, 51):
                subject, headers, body = kept[number]
                headers.pop("Nats-Msg-Id", None)
                publish(client, subject, f"late {number}", body, **headers)
        collector.run_until(lambda: collector.stored() == 97)
        assert collector.lost() == {("a", 2, "stream"): 3}
        # And once more, which is once too often
        with stream.client() as client:
            subject, headers, body = kept[12]
            headers.pop("Nats-Msg-Id", None)
            publish(client, subject, "later", body, **headers)
        collector.run_until(lambda: pending(stream) == (0, 0))
        assert collector.stored() == 97
        assert collector.lost() == {("a", 2, "stream"): 3}


@test
def what_a_machine_has_told_is_not_named_again(folder):
    with fleet(folder) as stream:
        machine = Machine(folder, [stream.port], "a", rate=10**6, events=100)
        machine.run_until(lambda: machine.sent() == 100)
        machine.set(events=300, history=50)
        machine.run_until(lambda: stream.count() == 151)
        # One that keeps some back
        other = Machine(folder, [stream.port], "b", options="filter = severity<=err\n",
                        rate=10**6, events=80)
        other.run_until(lambda: stream.count() == 191)
        collector = Collector(folder, [stream.port], options="grace = 1s\n")
        collector.run_until(lambda: collector.stored() == 190 and collector.count("gap") == 0)
        assert collector.lost() == {("a", 2, "history"): 150}, collector.lost()


@test
def wrong_messages_are_refused(folder):
    with fleet(folder) as stream:
        machine = Machine(folder, [stream.port], "a", rate=10**6, events=20)
        machine.run_until(lambda: machine.sent() == 20)
        with stream.client() as client:
            subject, headers, body = fetch(client, 1)
            headers.pop("Nats-Msg-Id", None)
            other = subject.replace(machine.machine, "0" * 32)
            data = base64.b64decode(headers["Kerror-Event"])
            swapped = base64.b64encode(data[::-1]).decode()
            event = json.loads(body)
            wrong = [(other, headers, body),
                     (subject.replace(".evlog", ".printk"), headers, body),
                     (subject, {}, body), (subject, {"Kerror-Event": "?"}, body),
                     (subject, {"Kerror-Event": swapped}, body),
                     # As if it were a word of the server
                     (subject, {"Status": "404"}, body),
                     (subject, headers, b""), (subject, headers, b"[1]"),
                     (subject, headers, b"{"),
                     (subject, headers, json.dumps({**event, "boot_id": "x" * 99}).encode()),
                     (subject, headers, json.dumps({**event, "sequence": "x"}).encode()),
                     (subject, headers, json.dumps({**event, "item": "report"}).encode()),
                     # A copy of the machine that was resumed
                     (other, headers, json.dumps({**event, "machine": "0" * 32}).encode()),
                     # One that speaks for it, and tells no id of its own
                     (other, headers, json.dumps({key: value for key, value in {
                         **event, "host": "0" * 32}.items() if key != "machine"}).encode())]
            for number, (where, more, what) in enumerate(wrong):
                publish(client, where, f"wrong {number}", what, **more)
        collector = Collector(folder, [stream.port])
        # A machine that stands still may get some twice.
        _, err = collector.run_until(lambda: collector.stored() == 20 and
                                     pending(stream) == (0, 0) and
                                     collector.metric('kerror_sink_poison_total'
                                                      '{sink="collector"}') >= len(wrong))
        assert "is refused: " in err and "refused so far: 1)" in err, err
        assert collector.events() == events_of(machine)


def check_collapsed(collector, machines, collapsed):
    """What is not there is counted, exactly; the first and the last of a kind are there."""
    total = 0
    for machine in machines:
        wanted = events_of(machine)
        found = {name: event for name, event in collector.events().items()
                 if event["host"] == machine.name}
        assert all(event == wanted[name] for name, event in found.items())
        kinds, there = {}, {}
        for events, of in ((wanted, kinds), (found, there)):
            for event in events.values():
                of.setdefault((event["facility"], event["severity"], event["device"],
                               event["time_boot"] // 10**9), []).append(event["sequence"] ^ 2**31)
        for kind, numbers in kinds.items():
            assert {min(numbers), max(numbers)} <= set(there[kind]), kind
            assert len(there[kind]) == len(numbers) or len(there[kind]) > 3, kind
        counted = collector.lost().get((machine.name, 2, "collapsed"), 0)
        assert len(found) + counted == len(wanted), (len(found), counted, len(wanted))
        total += counted
    assert total == collapsed and not [key for key in collector.lost() if key[2] != "collapsed"]


@test
def a_storm_is_collapsed_and_counted(folder):
    """Over kills, too: each number is an event, or counted once."""
    with fleet(folder) as stream:
        machines = [Machine(folder, [stream.port], name, "heartbeat = 1s\ncollapse = 3\n",
                            rate=rate, events=20000) for name, rate in (("a", 10**6), ("b", 4000))]
        chance = random.Random(1)
        for _ in range(6):
            daemons = [machine.start() for machine in machines]
            time.sleep(chance.uniform(0.3, 2))
            for daemon in daemons:
                daemon.kill()
                daemon.communicate()
        for machine in machines:
            machine.run_until(lambda m=machine: m.metric('kerror_sink_up{sink="nats"}') == 1 and
                              m.stored() == 20000 and not behind(stream, m))
        collector = Collector(folder, [stream.port], options="grace = 1s\n",
                              more="[json]\npath = FOLDER/json\n")

        def collapsed():
            return sum(count for (_, _, cause), count in collector.lost().items()
                       if cause == "collapsed")

        collector.run_until(lambda: pending(stream) == (0, 0) and collector.count("machine") == 2 and
                            collapsed() > 0 and collector.count("gap") == 0)
        assert collapsed() > 30000, collector.lost()
        check_collapsed(collector, machines, collapsed())
        assert sum(line["count"] for line in collector.lines(item="collapsed")) == collapsed()
        assert collector.lines(item="loss") == [], collector.lines(item="loss")
        validate(collector.lines(item="collapsed")[0])
        assert " events collapsed" in "".join(query(collector.path("db"), "--losses")[0])
        for line in map(json.loads, control(collector, "fleet", "--json")[0]):
            assert line["lost"] == line["lag"] == 0, line
            assert line["collapsed"] == collector.lost()[(line["host"], 2, "collapsed")], line


def behind(stream, machine):
    """Whether its last heartbeat says so, or there is none yet"""
    with stream.client() as client:
        answer, = client.requests("$JS.API.STREAM.MSG.GET.KERROR_HEARTBEATS", [{
            "last_by_subj": f"kerror.{machine.machine}.heartbeat"}])
    if "error" in answer:
        return True
    beat = json.loads(base64.b64decode(answer["message"]["data"]))
    return beat["behind"] or [group["next"] for group in beat["groups"]] != \
        [(FIRST + int(machine.kernel["FAKE_EVENTS"])) % 2**32]


@test
def collectors_share_the_work(folder):
    with fleet(folder, ack_wait=5) as stream:
        names = "abcde"
        machines = [Machine(folder, [stream.port], name, rate=500, events=1000)
                    for name in names]
        daemons = [machine.start() for machine in machines]
        first = Collector(folder, [stream.port])
        second = Collector(folder, [stream.port], "second", store=first.path("db"))
        pair = [first.start(), second.start()]
        patiently(lambda: first.stored() >= 1000, pair[0])
        pair[0].kill()
        pair[0].communicate()
        patiently(lambda: first.stored() == 5000, pair[1])
        second.end(pair[1])
        for machine, daemon in zip(machines, daemons):
            machine.end(daemon)
        wanted = {}
        for machine in machines:
            wanted.update(events_of(machine))
        assert first.events() == wanted and first.lost() == {}


@test
def a_silent_machine_is_a_condition(folder):
    """And the last event, of which only its heartbeat tells, is a loss."""
    with fleet(folder) as stream:
        machine = Machine(folder, [stream.port], "a", rate=10**6, events=50)
        collector = Collector(folder, [stream.port], options="grace = 1s\nsilent = 6\n")
        daemon = machine.start()
        with open(collector.path("err"), "w") as err:
            watch = collector.start(stderr=err)
        patiently(lambda: collector.stored() == 50 and collector.count("machine") == 1, watch)
        machine.end(daemon)
        # Said, and not sent
        beat = {"item": "heartbeat", "boot_id": machine.boot_id, "machine": machine.machine,
                "host": "a", "time_realtime": 10**18, "interval": 1, "behind": True,
                "groups": [{"group": "evlog", "next": (FIRST + 53) % 2**32, "lost": 0}]}
        with stream.client() as client:
            publish(client, f"kerror.{machine.machine}.heartbeat", "beat",
                    json.dumps(beat).encode())

        def conditions():
            return collector.sql("SELECT name, key, cleared_by FROM condition")

        patiently(lambda: conditions() == [("machine-silent", "a", None)], watch)
        (text,), = collector.sql("SELECT text FROM condition")
        assert int(text.split()[-2]) >= 6, text
        # Its clock is wrong, and of no interest.
        (heard, sent), = collector.sql("SELECT heard, sent FROM machine")
        assert sent == 10**18 and abs(heard - time.time_ns()) < 600 * 10**9, (heard, sent)
        patiently(lambda: collector.lost() == {("a", 2, "stream"): 3}, watch)
        # It lives, and has them after all.
        machine.set(events=60)
        daemon = machine.start()
        patiently(lambda: conditions() == [("machine-silent", "a", "heartbeat")] and
                  collector.stored() == 60, watch)
        patiently(lambda: collector.lost() == {}, watch)
        machine.end(daemon)

        def says(text):
            with open(collector.path("err")) as file:
                return text in file.read()

        # The sink of the store says it, a second later.
        patiently(lambda: says("condition machine-silent a raised: a (") and
                  says("condition machine-silent a cleared by heartbeat"), watch)
        collector.end(watch)


RULES = """[rule up]
filter = arg[0]==3
raises = trouble
key = facility
expires = boot
[rule down]
filter = arg[0]==7
clears = trouble
"""


@test
def conditions_are_of_a_machine(folder):
    with fleet(folder) as stream:
        for name, events in (("a", 5), ("b", 5), ("b2", 9)):
            machine = Machine(folder, [stream.port], name, rate=10**6, events=events)
            machine.run_until(lambda m=machine, n=events: m.sent() == n)
        collector = Collector(folder, [stream.port], more=RULES)

        def lasting():
            # The machines do not run, and may be silent.
            return collector.sql("SELECT name, key FROM condition WHERE cleared IS NULL AND"
                                 " name = 'trouble' ORDER BY key")

        wanted = [("trouble", "a fake0"), ("trouble", "b fake0")]
        collector.run_until(lambda: collector.stored() == 19 and lasting() == wanted)
        # The next boot of one, of which its heartbeat tells
        with open(folder + "/a/root/proc/sys/kernel/random/boot_id", "w") as file:
            file.write(str(uuid.uuid4()) + "\n")
        again = Place.__new__(Machine)
        again.__dict__.update(machine.__dict__)
        again.folder = folder + "/a"
        again.kernel = {**machine.kernel, "FAKE_HOST": "a", "FAKE_ROOT": folder + "/a/root",
                        "FAKE_EVENTS": "1"}
        daemon = again.start()
        collector.run_until(lambda: lasting() == wanted[1:])
        again.end(daemon)


@test
def without_a_stream_it_says_so(folder):
    stream = Stream(folder, name=None)
    try:
        collector = Collector(folder, [stream.port])
        daemon = collector.start()
        patiently(lambda: collector.metric('kerror_sink_up{sink="collector"}') == 0, daemon)
        with stream.client() as client:
            make_streams(client)
        patiently(lambda: collector.metric('kerror_sink_up{sink="collector"}') == 1, daemon)
        _, err = collector.end(daemon)
        assert "'kerrord --make-streams' makes both" in err and "works again" in err, err
    finally:
        stream.stop()


# As in Documentation/fleet.md, with passwords in the place of keys
USERS = """authorization {{ users = [
    {{ user: machine, password: m, permissions: {{
        publish: "kerror.{machine}.>", subscribe: "_INBOX.{machine}.>" }} }},
    {{ user: collector, password: c, permissions: {{
        publish: [ "$JS.API.CONSUMER.MSG.NEXT.KERROR.collector",
                   "$JS.API.CONSUMER.MSG.NEXT.KERROR_HEARTBEATS.collector",
                   "$JS.ACK.KERROR.collector.>", "$JS.ACK.KERROR_HEARTBEATS.collector.>" ],
        subscribe: "_INBOX.collector.>" }} }},
    {{ user: admin, password: admin }} ] }}
"""


def is_refused(stream, user, lines):
    """What a client of that user may not do"""
    for line in lines:
        client = Client(stream.port, **user)
        client.send(line + b"\r\nPING\r\n")
        said = b""
        # One more is for CONNECT.
        while said.count(b"PONG\r\n") < 2:
            said += client.file.readline()
        client.close()
        assert b"Permissions Violation" in said, (line, said)


@test
def each_may_do_its_own_work_only(folder):
    machine_id = uuid.uuid5(uuid.NAMESPACE_DNS, "a").hex
    with fleet(folder, USERS.format(machine=machine_id),
               {"user": "admin", "pass": "admin"}) as stream:
        machine = Machine(folder, [stream.port], "a", rate=10**6, events=50, lost=2)
        machine.write(machine.text.replace("nats://", "nats://machine:m@"))
        collector = Collector(folder, [stream.port])
        collector.write(collector.text.replace("nats://", "nats://collector:c@"))
        daemon = machine.start()
        collector.run_until(lambda: collector.stored() == 50 and collector.count("machine") == 1 and
                            collector.count("loss") == 1 and pending(stream) == (0, 0))
        machine.end(daemon)
        assert collector.lost() == {("a", 2, "staging-full"): 2}
        is_refused(stream, {"user": "machine", "pass": "m"}, [
            b"PUB kerror.other.evlog 2\r\n{}", b"PUB $JS.API.STREAM.INFO.KERROR 0\r\n",
            b"PUB $JS.API.CONSUMER.MSG.NEXT.KERROR.collector _INBOX.x 0\r\n",
            b"SUB kerror.> 5", b"SUB _INBOX.> 5"])
        is_refused(stream, {"user": "collector", "pass": "c"}, [
            b"PUB kerror.%s.evlog 2\r\n{}" % machine_id.encode(),
            b"PUB $JS.API.STREAM.DELETE.KERROR 0\r\n",
            b"PUB $JS.API.STREAM.MSG.GET.KERROR 0\r\n", b"SUB kerror.> 5"])
        assert stream.count() == 51, stream.count()


@test
def an_answer_to_the_api_purges_nothing(folder):
    """A machine says where the answer to its message goes. That has a "seq", as a purge has."""
    machine = uuid.uuid5(uuid.NAMESPACE_DNS, "a").hex
    stream = Stream(folder, USERS.format(machine=machine), {"user": "admin", "pass": "admin"},
                    name=None)
    try:
        collector = Collector(folder, [stream.port], options="replicas = 1\n")
        collector.write(collector.text.replace("nats://", "nats://admin:admin@"))
        subprocess.run([PROGRAM, "--config", collector.path("conf"), "--make-streams"],
                       check=True, stdout=subprocess.DEVNULL, timeout=60)
        client = Client(stream.port, **{"user": "machine", "pass": "m"})
        for _ in range(3):
            client.send(b"PUB kerror.%s.raw $JS.API.STREAM.PURGE.KERROR 2\r\n{}\r\n" %
                        machine.encode())
        wait_for(lambda: stream.state()["last_seq"] == 3, 60)
        client.close()
        # A purge that is on its way
        time.sleep(1)
        assert stream.count() == 3, stream.state()
    finally:
        stream.stop()


@test
def kills_in_a_cluster_lose_nothing(folder):
    """A short form of make acceptance-fleet: each of three servers, kerrords and collectors"""
    # It imports this file.
    from accept_fleet import VALUES, accept
    accept(folder, {**VALUES, "events": 900, "machines": 3, "kills": 1, "down": 2, "rate": 30,
                    "pause": 10, "restore": 0, "patience": 600})


@test
def what_a_full_stream_dropped_is_a_loss(folder):
    """Likewise, of a stream at its limit"""
    from accept_fleet import VALUES, accept
    accept(folder, {**VALUES, "events": 3000, "machines": 3, "kills": 0, "rate": 100,
                    "restore": 0, "limit": 500, "patience": 600})


@test
def streams_are_made(folder):
    """Twice; and a fleet's questions are answered."""
    stream = Stream(folder, user={"headers": True}, name=None)
    try:
        collector = Collector(folder, [stream.port], options="replicas = 1\nstream_size = 100M\n")
        for _ in range(2):
            done = subprocess.run([PROGRAM, "--config", collector.path("conf"), "--make-streams"],
                                  capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0 and done.stdout.splitlines() == [
                "stream KERROR: there", "consumer collector of stream KERROR: there",
                "stream KERROR_HEARTBEATS: there",
                "consumer collector of stream KERROR_HEARTBEATS: there"], done
        for old, new, error in (("= 100M", "= 200M", "different configuration; set 'replicas' and"),
                                ("replicas = 1", "replicas = 2", "; set 'replicas' of [collector] to")):
            collector.write(collector.text.replace(old, new))
            done = subprocess.run([PROGRAM, "--config", collector.path("conf"), "--make-streams"],
                                  capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 1 and error in done.stderr, done
        collector.write(collector.text)
        # And a consumer that somebody has set
        with stream.client() as client:
            client.request("$JS.API.CONSUMER.DURABLE.CREATE.KERROR.collector", {
                "stream_name": "KERROR", "config": {
                    "durable_name": "collector", "ack_policy": "explicit", "ack_wait": 20 * 10**9,
                    "max_ack_pending": 20000, "max_deliver": -1, "deliver_policy": "all"}})
        done = subprocess.run([PROGRAM, "--config", collector.path("conf"), "--make-streams"],
                              capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1 and "consumer already exists" in done.stderr, done
        machines = [Machine(folder, [stream.port], name, "heartbeat = 10m\n", rate=10**6,
                            events=events, lost=lost, before=f"[tags]\nrack = {rack}\n",
                            release=release)
                    for name, events, lost, rack, release in (("a", 10, 0, "r1", "6.1.0"),
                                                              ("b", 20, 4, "r1", "6.12.0"),
                                                              ("c", 30, 0, "r2", "6.12.0"))]
        daemons = [machine.start() for machine in machines]
        collector.run_until(lambda: collector.stored() == 60 and collector.count("machine") == 3 and
                            collector.count("loss") == 1)
        for machine, daemon in zip(machines, daemons):
            machine.end(daemon)
        found = [json.loads(line) for line in control(collector, "fleet", "--json")[0]]
        assert [(line["host"], line["lag"], line["lost"], line["conditions"], line["silent"],
                 line["machine"]) for line in found] == [
            (machine.name, 0, lost, 0, False, machine.machine)
            for machine, lost in zip(machines, (0, 4, 0))], found
        assert [line["release"] for line in found] == ["6.1.0", "6.12.0", "6.12.0"]
        assert len(control(collector, "fleet")[0]) == 4
        # Of each value: how many events, and on how many machines
        for what, release, wanted in (
                ("host", "*", {"a": (10, 1), "b": (20, 1), "c": (30, 1)}),
                ("tag.rack", "*", {"r1": (30, 2), "r2": (30, 1)}),
                ("tag.rack", "6.12.0", {"r2": (30, 1)}),
                ("release", "6.12*", {"6.12.0": (50, 2)}),
                ("facility", "6.12*", {})):
            rows = [json.loads(line) for line in query(
                collector.path("db"), "--json", "--count-by=" + what, "--new-in=" + release)[0]]
            assert {row[what]: (row["count"], row["hosts"]) for row in rows} == wanted, (what, rows)
        assert len(query(collector.path("db"), "--host=a", "--host=c")[0]) == 40
        check_heartbeats(stream, machines)
    finally:
        stream.stop()


def validate(line):
    if jsonschema:
        with open(SCHEMA, encoding="utf-8") as file:
            jsonschema.Draft202012Validator(json.load(file)).validate(line)


def check_heartbeats(stream, machines):
    with stream.client() as client:
        for machine in machines:
            answer = client.request("$JS.API.STREAM.MSG.GET.KERROR_HEARTBEATS", {
                "last_by_subj": f"kerror.{machine.machine}.heartbeat"})
            beat = json.loads(base64.b64decode(answer["message"]["data"]))
            assert beat["machine"] == machine.machine and beat["interval"] == 600, beat
            validate(beat)


@test
def wrong_options_are_refused(folder):
    for text, message in (("[json]\npath = FOLDER/json\n[kerrord]\nsource = nats\n",
                           "source: nats needs a section [collector]"),
                          (STORE + "[collector]\n", "[collector] needs 'source = nats'"),
                          ("[kerrord]\nsource = nats\n[collector]\n",
                           "[collector] fills the store; make a section [store], too"),
                          ("[kerrord]\nsource = x\n", "source: 'x' is neither kernel nor nats")):
        place = Place(folder, text)
        daemon = place.start()
        _, err = daemon.communicate(timeout=60)
        assert daemon.returncode == 1 and message in err, (text, err)


if __name__ == "__main__":
    if why_not():
        print(f"1..1\nok 1 - fleet # SKIP {why_not()}")
        sys.exit(0)
    sys.exit(main(TESTS))
