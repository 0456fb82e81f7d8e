#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kerrord's otlp sink: test_otlp.py PROGRAM [TEST]... A receiver here takes the
requests over HTTP and decodes them with Google's protobuf: by the published interface below
the folder OTLP_PROTO, or below /usr/include (Debian 13: libopentelemetry-proto-dev), or
else by otlp.proto here. Each attribute is compared with kerrord's JSON. Prints TAP."""

import base64
import collections
import contextlib
import gzip
import http.server
import importlib
import io
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest

from test_kerrord import FIRST, JSON, Place, main, wait_for
try:
    from google.protobuf import json_format
    NEEDS = "" if shutil.which("protoc") else "protoc (Debian: protobuf-compiler)"
except ImportError:
    NEEDS = "Google's protobuf for Python (Debian: python3-protobuf)"

TESTS = []
SEVERITIES = dict(zip("emerg alert crit err warning notice info debug".split(),
                      (21, 19, 18, 17, 13, 10, 9, 5)))
# The published files, of Debian's package if it is there, or the one here
PUBLISHED = os.environ.get("OTLP_PROTO") or \
    ("/usr/include" if os.path.isdir("/usr/include/opentelemetry/proto") else None)


def test(function):
    TESTS.append(function)
    return function


def load_interface(folder):
    """The classes of requests and answers, made by protoc"""
    here = os.path.dirname(os.path.abspath(__file__))
    root = PUBLISHED or here
    files = ([f"opentelemetry/proto/{name}.proto" for name in
              ("collector/logs/v1/logs_service", "logs/v1/logs", "common/v1/common",
               "resource/v1/resource")] if PUBLISHED else ["otlp.proto"])
    subprocess.run(["protoc", "-I", root, "--python_out=" + folder, *files], check=True)
    sys.path.insert(0, folder)
    module = importlib.import_module("opentelemetry.proto.collector.logs.v1.logs_service_pb2"
                                     if PUBLISHED else "otlp_pb2")
    return module.ExportLogsServiceRequest, module.ExportLogsServiceResponse


def value_of(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes_of(message):
    names = [attribute.key for attribute in message.attributes]
    assert len(names) == len(set(names)), names
    return {attribute.key: value_of(attribute.value) for attribute in message.attributes}


def event_uid(record):
    attributes = attributes_of(record)
    return None if "kerror.loss.cause" in attributes else attributes.get("log.record.uid")


class Receiver:
    """Answers each request as the next of its answers says, then with success."""

    def __init__(self, answers=(), judge=None):
        self.answers = list(answers)
        self.judge = judge          # of the records of a request: an answer, or None
        self.taken = []             # records that were answered by success
        self.requests = []          # time and answer of each
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                with receiver.lock:
                    receiver.answer(self)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1/logs"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def decode(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = REQUEST()
        if handler.headers["Content-Type"] == "application/json":
            json_format.Parse(body, request)
        else:
            assert handler.headers["Content-Type"] == "application/x-protobuf"
            request.ParseFromString(body)
        return [(resource.resource, record)
                for resource in request.resource_logs
                for scope in resource.scope_logs
                for record in scope.log_records]

    def answer(self, handler):
        assert handler.path == "/v1/logs"
        records = self.decode(handler)
        answer = self.answers.pop(0) if self.answers else None
        if answer is None and self.judge:
            answer = self.judge(records)
        self.requests.append((time.monotonic(), answer))
        if answer == "reset":       # unread or not: the client cannot know
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
            handler.connection.close()
            return
        if answer == "silence":
            time.sleep(3)
            handler.close_connection = True
            return
        status, headers, body = answer or (200, {}, RESPONSE().SerializeToString())
        if status == 200:
            self.taken += records
        handler.send_response(status)
        for name, value in {"Content-Type": "application/x-protobuf", **headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def uids(self):
        """Of events; None for other records"""
        with self.lock:
            return [event_uid(record) for _, record in self.taken]

    def named(self, name):
        with self.lock:
            return [record for _, record in self.taken if record.event_name == name]


@contextlib.contextmanager
def receiving(*arguments, **options):
    receiver = Receiver(*arguments, **options)
    try:
        yield receiver
    finally:
        receiver.close()


def otlp(receiver, *options, name="otlp"):
    return "\n".join([f"[{name}]", f"endpoint = {receiver.url}", *options, ""])


def metric(place, name, sink="otlp"):
    return place.metric(f'kerror_sink_{name}{{sink="{sink}"}}')


def shown(value):
    """As other outputs than JSON show it: what controls a terminal as \\xHH"""
    def one(character):
        code = ord(character)
        if code < 0x20 or 0x7f <= code < 0xa0 or code in (0x61c, 0x200e, 0x200f) or \
                0x2028 <= code <= 0x202e or 0x2066 <= code <= 0x2069:
            return "".join(f"\\x{byte:02x}" for byte in character.encode())
        return character

    return "".join(map(one, value))


RESOURCE = {"machine": "host.id", "host": "host.name", "release": "service.version",
            "version": "os.description", "arch": "host.arch", "boot_id": "kerror.boot_id",
            "instance": "kerror.instance", "livepatch": "kerror.livepatch"}
NAMES = {"cpu": "cpu.logical_number", "pid": "process.pid", "uid": "process.real_user.id"}
ARCHES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "x86"}


def uid_of(event):
    return ":".join(str(event.get(key, 0))
                    for key in ("boot_id", "instance", "group", "sequence"))


def expected_of(event):
    """Attributes of the resource and of the record of an event in JSON"""
    resource = {"service.name": "linux-kernel", "os.type": "linux"}
    record = {"log.record.uid": uid_of(event)}
    for name, value in event.items():
        if name in RESOURCE or name.startswith("tag."):
            resource[RESOURCE.get(name, "kerror." + name)] = shown(str(value))
        elif name == "data":
            record["kerror.data"] = bytes.fromhex(value)
        elif name == "arguments":
            if value:
                record["kerror.arguments"] = [
                    shown(one["value"]) if isinstance(one.get("value"), str) else
                    str(one.get("value", "?")) for one in value]
                record["kerror.argument_types"] = [one["type"] for one in value]
        elif name not in ("item", "time_realtime", "severity", "text") and \
                not name.endswith(("_string", "_bytes")):   # OTLP has no need of these
            record[NAMES.get(name, "kerror." + name)] = \
                shown(value) if isinstance(value, str) else value
    resource["host.arch"] = ARCHES.get(resource["host.arch"], resource["host.arch"])
    return resource, record


def check_event(event, resource, record):
    expected = expected_of(event)
    assert attributes_of(resource) == expected[0], (attributes_of(resource), expected[0])
    assert attributes_of(record) == expected[1], (attributes_of(record), expected[1])
    severity = event.get("severity", "unknown")
    assert record.severity_number == SEVERITIES.get(severity, 13), (severity, record)
    assert record.severity_text == severity
    if "time_realtime" in event:
        assert record.time_unix_nano == event["time_realtime"]
    assert abs(record.observed_time_unix_nano - time.time_ns()) < 600 * 10**9
    if "text" in event:
        assert record.body.string_value == shown(event["text"])
    if "event_id" in event:
        assert record.event_name == \
            f"kerror.{shown(event['facility'])}.{event['event_id']}", record.event_name


def check_all(place, receiver):
    events = {uid_of(event): event for event in place.lines()}
    with receiver.lock:
        seen = set()
        for resource, record in receiver.taken:
            uid = event_uid(record)
            if uid:
                check_event(events[uid], resource, record)
                seen.add(uid)
    assert seen == set(events), (len(seen), len(events))


@test
def each_attribute_is_that_of_json(folder):
    for name, options, kernel in (
            ("plain", [], {"printk": 200, "instance": 7000000}), ("json", ["encoding = json"], {"lost": 7}),
            ("hostile", ["compression = none"], {"hostile": 1, "printk": 100}),
            ("hostile json", ["encoding = json", "compression = none"], {"hostile": 1})):
        os.mkdir(f"{folder}/{name}")
        with receiving() as receiver:
            place = Place(f"{folder}/{name}", "[tags]\nrack = r17\nrole = a \"b\" \\ ä\n" +
                          JSON + otlp(receiver, "timeout = 60s", *options),
                          events=400, rate=20000, **kernel)
            count = 400 + kernel.get("printk", 0)
            _, err = place.run_until(lambda: len(place.lines()) == count and
                                     metric(place, "written_total") == count)
            assert len(receiver.uids()) == len(set(receiver.uids()) - {None}) + \
                len(receiver.named("kerror.loss")), receiver.requests
            check_all(place, receiver)
            assert len(receiver.requests) < count / 4, len(receiver.requests)
            losses = receiver.named("kerror.loss")
            assert len(losses) == ("lost" in kernel)
            if losses:
                boot_id = place.lines()[0]["boot_id"]
                assert attributes_of(losses[0]) == {
                    "log.record.uid": f"{boot_id}:0:evlog:loss:staging-full:total:7",
                    "kerror.group": "evlog", "kerror.loss.cause": "staging-full",
                    "kerror.loss.count": 7, "kerror.loss.total": 7}
                assert losses[0].severity_number == 13
                assert losses[0].body.string_value == "7 evlog events lost: staging-full"


@test
def both_encodings_say_the_same(folder):
    with receiving() as one, receiving() as two:
        place = Place(folder, otlp(one, "timeout = 60s", name="otlp one") +
                      otlp(two, "encoding = json", "compression = none", "timeout = 60s",
                           name="otlp two"),
                      events=1000, rate=10**6, hostile=500, printk=300)
        place.run_until(lambda: all(metric(place, "written_total", f"otlp {name}") == 1300
                                    for name in ("one", "two")))
        both = [{attributes_of(record)["log.record.uid"]: (resource, record)
                 for resource, record in receiver.taken if record.event_name != "kerror.report"}
                for receiver in (one, two)]
        assert len(both[0]) == 1300 and both[0] == both[1]


BUSY = (503, {}, b"")
WAIT = (429, {"Retry-After": "3"}, b"")
GATEWAY = (504, {"Content-Type": "text/html"}, b"<html>\x1b[31m")


@test
def a_busy_server_gets_each_event(folder):
    """429 with a time, 502 to 504, resets and silence, again and again"""
    answers = [WAIT, None, BUSY, "reset", None, GATEWAY, (502, {}, b""), None, "silence"]
    with receiving(answers) as receiver:
        place = Place(folder, JSON + otlp(receiver, "timeout = 1s"), events=2000, rate=1000)
        _, err = place.run_until(lambda: metric(place, "written_total") == 2000)
        check_all(place, receiver)
        times = [when for when, _ in receiver.requests]
        assert [answer for _, answer in receiver.requests[:9]] == answers
        # Not before the time that it named
        assert times[1] - times[0] >= 2.9, times
        # A batch without an answer may be there twice; nothing else is.
        counts = collections.Counter(receiver.uids())
        assert max(counts.values()) <= 2, counts.most_common(3)
        for text in ("HTTP status 429", "HTTP status 503", "works again after"):
            assert text in err, (text, err)
        assert "lost" not in err.replace("0 lost", ""), err
        assert metric(place, "poison_total") == 0


def boots_of(log, folder):
    """By boot, the events of the last store that a log of scripts/faults.sh has of it"""
    with open(log, errors="replace") as file:
        boots = file.read().split("\nBOOT\n")
    for number, boot in enumerate(boots):
        stores = [part.split("\n\n")[0] for part in boot.split("\nSTORE\n")[1:]]
        if not stores:      # It ended in its first fault.
            continue
        into = f"{folder}/boot{number}"
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(stores[-1])), mode="r:gz") as file:
            file.extractall(into)
        with contextlib.closing(sqlite3.connect(f"{into}/events.db")) as store:
            yield [data for data, in store.execute(
                "SELECT data FROM event WHERE facility IS NOT NULL ORDER BY id")]


@test
def boots_with_faults_arrive_whole(folder):
    """The events of real kernels, from a log of scripts/faults.sh, OTLP_FAULTS"""
    log = os.environ.get("OTLP_FAULTS")
    if not log:
        raise unittest.SkipTest("OTLP_FAULTS names no log")
    part = RESPONSE()
    part.partial_success.rejected_log_records = 2
    answers = [WAIT, BUSY, "reset", (200, {}, part.SerializeToString())]
    total = 0
    for number, events in enumerate(boots_of(log, folder)):
        os.mkdir(f"{folder}/{number}")
        with open(f"{folder}/{number}/messages", "wb") as file:
            file.writelines(struct.pack("=I", len(data)) + data for data in events)
        with receiving(answers) as receiver:
            place = Place(f"{folder}/{number}", JSON + otlp(receiver, "timeout = 1s"), events=0,
                          printk=len(events), rate=200, messages=f"{folder}/{number}/messages")
            place.run_until(lambda: len(place.lines()) == len(events) and
                            len(set(receiver.uids()) - {None}) == len(events), 600)
            check_all(place, receiver)
            assert [answer for _, answer in receiver.requests[:4]] == answers, receiver.requests
            kinds = {event.get("event_id") for event in place.lines()}
        total += len(events)
        print(f"# boot {number}: {len(events)} events of {len(kinds)} kinds, "
              f"{len(receiver.requests)} requests")
    assert total > 0, log


@test
def a_partial_success_is_counted_and_not_repeated(folder):
    part = RESPONSE()
    part.partial_success.rejected_log_records = 3
    part.partial_success.error_message = "too\x1b old"
    in_json = b'{"partialSuccess":{"rejectedLogRecords":"4","errorMessage":"no"}}'
    with receiving([(200, {}, part.SerializeToString()),
                    (200, {"Content-Type": "application/json"}, in_json),
                    (200, {}, os.urandom(5000)),
                    (200, {"Content-Type": "application/json"}, b'{"partialSuccess":[')]) \
            as receiver:
        place = Place(folder, JSON + otlp(receiver, "timeout = 60s"), events=1000, rate=500)
        _, err = place.run_until(lambda: metric(place, "written_total") == 1000)
        assert len(receiver.requests) >= 4
        check_all(place, receiver)
        assert max(collections.Counter(receiver.uids()).values()) == 1
        assert metric(place, "rejected_total") == 7
        assert "has refused 3 records of a request: too\\x1b old (refused so far: 3)" in err, err


@test
def a_refused_event_is_skipped_and_told(folder):
    """The server takes no request that has one of two events."""
    bad = {7, 300}
    asked = []

    def judge(records):
        for _, record in records:
            if record.event_name == "kerror.loss":
                # It is asked again, with the same name of its own.
                asked.append(attributes_of(record)["log.record.uid"])
                if len(asked) == 1:
                    return BUSY
            values = attributes_of(record).get("kerror.arguments", ["-1"])
            if int(values[0]) in bad:
                return (400, {"Content-Type": "application/json"}, b'{"message":"no \x1b"}')
        return None

    with receiving(judge=judge) as receiver:
        place = Place(folder, JSON + otlp(receiver), events=600, rate=5000)
        _, err = place.run_until(lambda: metric(place, "written_total") == 598 and
                                 len(receiver.named("kerror.loss")) == 2)
        numbers = [int(attributes_of(record)["kerror.arguments"][0])
                   for _, record in receiver.taken if record.event_name.startswith("kerror.fake")]
        assert sorted(set(numbers)) == sorted(set(range(600)) - bad)
        losses = receiver.named("kerror.loss")
        assert [attributes_of(loss)["kerror.loss.cause"] for loss in losses] == ["poison"] * 2
        boot_id = place.lines()[0]["boot_id"]
        assert [attributes_of(loss)["log.record.uid"] for loss in losses] == [
            f"{boot_id}:0:evlog:loss:poison:next:{(FIRST + number + 1) % 2**32}"
            for number in sorted(bad)]
        assert asked[0] == asked[1] and len(set(asked)) == 2, asked
        assert "HTTP status 400: {\"message\":\"no \\x1b\"}" in err, err
        assert metric(place, "poison_total") == 2


@test
def a_closed_door_loses_nothing(folder):
    for number, status in enumerate((401, 403, 404, 307)):
        os.mkdir(f"{folder}/{number}")
        place_of = f"{folder}/{number}"
        with receiving([(status, {"Location": "http://127.0.0.1:1/"}, b"")] * 2) as receiver:
            place = Place(place_of, JSON + otlp(receiver), events=100, rate=10**6)
            daemon = place.start()
            wait_for(lambda: metric(place, "up") == 0, 60, daemon)
            wait_for(lambda: metric(place, "written_total") == 100, 60, daemon)
            _, err = place.end(daemon)
            check_all(place, receiver)
            assert f"HTTP status {status}" in err and "works again after" in err, err


@test
def what_the_history_has_no_longer_is_a_loss(folder):
    with receiving([BUSY] * 3) as receiver:
        place = Place(folder, JSON + otlp(receiver, "queue = 64K", "timeout = 60s"),
                      events=3000, rate=500, history=1000)

        def lost():
            return sum(attributes_of(loss)["kerror.loss.count"]
                       for loss in receiver.named("kerror.loss"))

        place.run_until(lambda: len(set(receiver.uids()) - {None}) + lost() == 3000)
        uids = [uid for uid in receiver.uids() if uid]
        assert len(uids) == len(set(uids)) and uids[-1].endswith(f":{2999 - 256}"), uids[-1]
        names = [attributes_of(loss)["log.record.uid"] for loss in receiver.named("kerror.loss")]
        assert len(names) == len(set(names)), names
        # Of a machine that is slow, the receiver itself may have come too late.
        assert "sink" in {attributes_of(loss)["kerror.loss.cause"]
                          for loss in receiver.named("kerror.loss")}


@test
def a_restart_repeats_at_most_one_request(folder):
    with receiving() as receiver:
        place = Place(folder, JSON + otlp(receiver), events=10**9, rate=2000)
        for _ in range(5):
            daemon = place.start()
            time.sleep(0.7)
            daemon.kill()
            daemon.communicate()
        raised = (time.time_ns() - int(place.kernel["FAKE_START"])) * 2000 // 10**9
        place.set(events=raised)
        place.run_until(lambda: len(place.lines()) == raised and
                        len(set(receiver.uids())) >= raised)
        check_all(place, receiver)
        counts = collections.Counter(receiver.uids())
        assert sum(count - 1 for count in counts.values()) <= 5 * 512, counts.most_common(3)


@test
def a_silent_server_does_not_hold_up_the_end(folder):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        place = Place(folder, JSON + f"[otlp]\nendpoint = http://127.0.0.1:"
                      f"{silent.getsockname()[1]}/v1/logs\ntimeout = 60s\nstuck = 1s\n",
                      events=100, rate=10**6)
        daemon = place.start()
        wait_for(lambda: metric(place, "stuck") == 1, 60, daemon)
        begin = time.monotonic()
        _, err = place.end(daemon)
        assert time.monotonic() - begin < 20
        assert "[otlp] is stuck: its peer has taken nothing for 1 s" in err, err
        assert "records that waited for it are not written" in err, err


@test
def headers_come_out_of_a_file(folder):
    with receiving() as receiver:
        place = Place(folder, otlp(receiver, "headers = FOLDER/headers"), events=10)
        daemon = place.start()
        wait_for(lambda: metric(place, "up") == 0, 60, daemon)
        seen = []
        receiver.judge = lambda records: seen.append(len(records))
        take = receiver.decode

        def decode(handler):
            seen.append(handler.headers["Authorization"])
            return take(handler)

        receiver.decode = decode
        # Nothing is sent without them: neither if they cannot be read, nor the half of one.
        os.mkdir(place.path("headers"))
        failures = metric(place, "failures_total")
        wait_for(lambda: metric(place, "failures_total") > failures + 1, 60, daemon)
        assert not seen, seen
        os.rmdir(place.path("headers"))
        token = "Bearer " + 5000 * "x"
        with open(place.path("headers"), "w") as file:
            file.write(f"# a secret\nAuthorization: {token}\n")
        wait_for(lambda: metric(place, "written_total") == 10, 60, daemon)
        _, err = place.end(daemon)
        assert token in seen, seen
        assert f"headers: {folder}/headers: No such file" in err and "Bearer" not in err, err


@test
def wrong_options_are_refused(folder):
    for option, message in (("endpoint = 127.0.0.1:4318", "endpoint: '127.0.0.1:4318' is none of"),
                            ("endpoint = ftp://x/y", "endpoint: 'ftp://x/y' is none of"),
                            ("encoding = xml", "encoding: 'xml' is neither protobuf nor json"),
                            ("compression = zip", "compression: 'zip' is neither none nor gzip"),
                            ("tls_cert = /x", "tls_cert and tls_key need each other")):
        place = Place(folder, f"[otlp]\n{option}\n")
        daemon = place.start()
        _, err = daemon.communicate(timeout=60)
        assert daemon.returncode == 1 and message in err, (option, err)


if __name__ == "__main__":
    if NEEDS:
        print(f"1..1\nok 1 - otlp # SKIP it needs {NEEDS}")
        sys.exit(0)
    with tempfile.TemporaryDirectory() as made:
        REQUEST, RESPONSE = load_interface(made)
        status = main(TESTS)
    sys.exit(status)
