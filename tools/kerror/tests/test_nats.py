#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of kerrord's nats sink: test_nats.py PROGRAM [TEST]... with a real server of NATS,
nats-server of PATH or of the variable NATS_SERVER. The stream is compared with
the JSON of kerrorctl. Servers that answer wrongly are played here. Prints TAP."""

import base64
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

from nats_keys import Operator
from test_kerrord import STORE, Place, main, query, wait_for
from test_sinks import free_port
from test_syslog import TLS, make_certificates, no_openssl

SERVER = os.environ.get("NATS_SERVER") or shutil.which("nats-server", path=os.environ["PATH"] +
                                                       ":/usr/sbin")
LEAST = (2, 10, 27)
SUBJECTS = ["kerror.*.evlog", "kerror.*.printk", "kerror.*.raw"]
TESTS = []


def why_not():
    """Why there is no server to test with, or None"""
    if not SERVER:
        return "there is no nats-server in PATH or NATS_SERVER"
    said = subprocess.run([SERVER, "--version"], stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if not found or tuple(map(int, found.groups())) < LEAST:
        return f"{SERVER} is older than 2.10.27: {said.strip()}"
    return None


def test(function):
    TESTS.append(function)
    return function


class Client:
    """So much of the protocol of NATS as requests to JetStream need"""

    def __init__(self, port, context=None, **connect):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        # Byte by byte: what comes behind this line may be of TLS.
        line = b""
        while not line.endswith(b"\n"):
            line += self.socket.recv(1)
        assert line.startswith(b"INFO"), line
        if "say" in connect:
            connect = connect["say"](json.loads(line[5:]))
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.file = self.socket.makefile("rb")
        self.send(b"CONNECT " + json.dumps({"verbose": False, "pedantic": False,
                                            **connect}).encode() + b"\r\nPING\r\n")
        self.send(b"SUB _INBOX.test.* 1\r\n")

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        self.file.close()
        self.socket.close()

    def requests(self, subject, bodies):
        """The answers to some requests at once, in their order"""
        for number, body in enumerate(bodies):
            data = json.dumps(body).encode()
            self.send(f"PUB {subject} _INBOX.test.{number} {len(data)}\r\n".encode() + data +
                      b"\r\n")
        answers = {}
        while len(answers) < len(bodies):
            words = self.file.readline().split()
            assert words, "the server closed"
            if words[0] == b"PING":
                self.send(b"PONG\r\n")
            elif words[0] == b"MSG":
                answers[int(words[1].split(b".")[-1])] = json.loads(
                    self.file.read(int(words[-1]) + 2))
        return [answers[number] for number in range(len(bodies))]

    def request(self, subject, body):
        answer, = self.requests(subject, [body])
        assert "error" not in answer, answer
        return answer


class Stream:
    """A server with a stream, which can be stopped and begun again"""

    def __init__(self, folder, configuration="", user=None, name="KERROR", **limits):
        self.folder = folder
        self.port = free_port()
        self.user = user or {}
        self.configuration = configuration
        self.server = None
        self.start()
        if not name:
            return
        with self.client() as client:
            client.request("$JS.API.STREAM.CREATE." + name, {
                "name": name, "subjects": SUBJECTS, "storage": "file",
                "duplicate_window": 60 * 10**9, **limits})

    def start(self):
        with open(self.folder + "/server.conf", "w") as file:
            file.write(f'listen: "127.0.0.1:{self.port}"\n'
                       f'jetstream {{ store_dir: "{self.folder}/stream" }}\n' +
                       self.configuration)
        self.server = subprocess.Popen([SERVER, "-c", self.folder + "/server.conf"],
                                       stderr=subprocess.DEVNULL)

        def answers():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            return False

        wait_for(answers, 60, self.server)

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.server.wait()

    @contextlib.contextmanager
    def client(self):
        client = Client(self.port, **self.user)
        try:
            yield client
        finally:
            client.close()

    def state(self):
        with self.client() as client:
            return client.request("$JS.API.STREAM.INFO.KERROR", {})["state"]

    def count(self):
        return self.state()["messages"]

    def messages(self):
        """Subject, message id and body of each"""
        state = self.state()
        numbers = range(state["first_seq"], state["last_seq"] + 1)
        found = []
        with self.client() as client:
            for answer in client.requests("$JS.API.STREAM.MSG.GET.KERROR",
                                          [{"seq": number} for number in numbers]):
                message = answer["message"]
                head = base64.b64decode(message["hdrs"]).decode()
                found.append((message["subject"], head.split("Nats-Msg-Id:")[1].split()[0],
                              json.loads(base64.b64decode(message["data"]))))
        return found


@contextlib.contextmanager
def streaming(folder, *arguments, **limits):
    stream = Stream(folder, *arguments, **limits)
    try:
        yield stream
    finally:
        if stream.server.poll() is None:
            stream.stop()


def nats(port, *options):
    return "\n".join([STORE, "[nats]", "collapse = 0", f"servers = nats://127.0.0.1:{port}", *options,
                      ""])


def metric(place, name):
    return place.metric(f'kerror_sink_{name}{{sink="nats"}}')


def in_store(place):
    """What kerrorctl says of each event, by the id that its message is to have"""
    found = {}
    for line in query(place.path("db"), "--json")[0]:
        event = json.loads(line)
        del event["number"]
        found[id_of(event)] = event
    return found


def id_of(event):
    return ":".join(str(event.get(key, 0))
                    for key in ("boot_id", "instance", "group", "sequence"))


def check_all(place, stream, doubles=0):
    """The stream has each event of the store, in order; losses besides."""
    wanted, seen, losses, last = in_store(place), set(), [], {}
    messages = stream.messages()
    for subject, name, body in messages:
        # Without /etc/machine-id a machine is called by its name.
        machine = body.get("machine") or re.sub("[^0-9A-Za-z_-]", "_", body["host"])
        assert subject == f"kerror.{machine}.{body['group']}", subject
        if body["item"] == "loss":
            losses.append((name, body))
            continue
        assert name == id_of(body) and body == wanted[name], (name, body, wanted.get(name))
        if name not in seen:
            key = name.rsplit(":", 1)[0]
            number = (body["sequence"] + 256) % 2**32
            assert last.get(key, -1) < number, (name, last)
            last[key] = number
        seen.add(name)
    assert seen == set(wanted), (len(seen), len(wanted))
    assert len(messages) - len(losses) - len(seen) <= doubles, len(messages)
    return losses


def fails(place):
    """Runs kerrord until its sink is not up; what it said. It may be busy connecting again."""
    daemon = place.start()
    wait_for(lambda: metric(place, "up") == 0, 60, daemon)
    daemon.kill()
    return daemon.communicate()[1]


@test
def the_stream_gets_each_event_once(folder):
    with streaming(folder) as stream:
        place = Place(folder, "[tags]\nrack = r17\n" + nats(stream.port), events=3000,
                      rate=3000, printk=200, lost=7, instance=5000000)
        place.run_until(lambda: metric(place, "written_total") == 3200)
        (name, loss), = check_all(place, stream)
        assert name == f"{loss['boot_id']}:5000000:evlog:loss:staging-full:7", name
        assert loss["count"] == 7 and loss["tag.rack"] == "r17"
        # The next one goes on.
        place.set(events=3100)
        place.run_until(lambda: stream.count() == 3301)
        check_all(place, stream)


@test
def an_outage_over_restarts_loses_nothing(folder):
    """More than the kernel's history holds, of more than one kerrord"""
    with streaming(folder) as stream:
        place = Place(folder, nats(stream.port), events=500, rate=10**6)
        place.run_until(lambda: stream.count() == 500)
        stream.stop()
        place.set(history=150)
        for events in (600, 700, 800):
            place.set(events=events)
            _, err = place.run_until(lambda: place.stored() == events and
                                     metric(place, "up") == 0)
            assert f"kerrord: [nats] nats://127.0.0.1:{stream.port}: " in err, err
        stream.start()
        place.run_until(lambda: stream.count() == 800)
        check_all(place, stream)
        # A server that goes while kerrord runs
        place.set(events=5000, rate=500, history=100000, start=time.time_ns() - 900 * 10**9 // 500)
        daemon = place.start()
        wait_for(lambda: stream.count() > 1000, 60, daemon)
        stream.stop()
        wait_for(lambda: metric(place, "up") == 0, 60, daemon)
        stream.start()
        wait_for(lambda: metric(place, "up") == 1 and place.stored() == 5000 and
                 stream.count() >= 5000, 120, daemon)
        _, err = place.end(daemon)
        assert "works again after" in err, err
        check_all(place, stream, 512)


@test
def a_killed_kerrord_repeats_at_most_a_round(folder):
    # Without a window, in which the server would drop doubles
    with streaming(folder, duplicate_window=10**8) as stream:
        place = Place(folder, nats(stream.port), events=10**9, rate=1000)
        for _ in range(5):
            daemon = place.start()
            time.sleep(1.3)
            daemon.kill()
            daemon.communicate()
        raised = (time.time_ns() - int(place.kernel["FAKE_START"])) * 1000 // 10**9
        place.set(events=raised)
        place.run_until(lambda: place.stored() == raised and stream.count() >= raised)
        check_all(place, stream, 5 * 512)


@test
def a_killed_server_loses_nothing(folder):
    with streaming(folder) as stream:
        place = Place(folder, nats(stream.port), events=10**9, rate=500)
        daemon = place.start()
        for _ in range(4):
            before = stream.count()
            wait_for(lambda: stream.count() > before + 200, 60, daemon)
            stream.server.kill()
            stream.server.wait()
            stream.start()
        place.end(daemon)
        raised = (time.time_ns() - int(place.kernel["FAKE_START"])) * 500 // 10**9
        place.set(events=raised)
        place.run_until(lambda: place.stored() == raised and stream.count() >= raised)
        check_all(place, stream, 4 * 512)


@test
def a_full_stream_and_none_lose_nothing(folder):
    with streaming(folder, max_msgs=300, discard="new") as stream:
        place = Place(folder, nats(stream.port), events=1000, rate=10**6)
        daemon = place.start()
        wait_for(lambda: metric(place, "up") == 0, 60, daemon)
        assert stream.count() == 300
        with stream.client() as client:
            client.request("$JS.API.STREAM.DELETE.KERROR", {})
            time.sleep(3)
            client.request("$JS.API.STREAM.CREATE.KERROR",
                           {"name": "KERROR", "subjects": SUBJECTS, "storage": "file"})
        wait_for(lambda: metric(place, "written_total") == 1000, 120, daemon)
        _, err = place.end(daemon)
        assert "maximum messages exceeded (10077)" in err, err
        # The events of the first stream are gone with it; the rest is here, each once.
        messages = stream.messages()
        assert len(messages) == len({name for _, name, _ in messages}) == 700


@test
def a_message_that_is_too_large_is_skipped_and_told(folder):
    with streaming(folder, max_msg_size=4096) as stream:
        place = Place(folder, nats(stream.port), events=100, rate=10**6, hostile=100)
        _, err = place.run_until(lambda: place.stored() == 100 and
                                 metric(place, "written_total") +
                                 metric(place, "poison_total") == 100)
        assert "bytes are more than the stream takes (skipped so far: 1)" in err, err
        wanted, messages = in_store(place), stream.messages()
        assert all(body == wanted[name] for _, name, body in messages)
        left = [event for name, event in wanted.items()
                if name not in {name for _, name, _ in messages}]
        assert 0 < len(left) < 100 and len(left) + len(messages) == 100, len(left)
        data = dict(place.sql("SELECT sequence, length(data) FROM event"))
        assert min(len(json.dumps(event, ensure_ascii=False)) + data[event["sequence"]] * 4 // 3
                   for event in left) > 3500


@test
def a_machine_publishes_below_its_own_subject_only(folder):
    accounts = """authorization { users = [
        { user: kerrord, password: secret, permissions: {
            publish: "kerror.another.>", subscribe: "_INBOX.>" } },
        { user: admin, password: admin } ] }
    """
    with streaming(folder, accounts, {"user": "admin", "pass": "admin"}) as stream:
        place = Place(folder, nats(stream.port).replace("nats://", "nats://kerrord:secret@") +
                      "timeout = 2s\n", events=50, rate=10**6)
        err = fails(place)
        assert stream.count() == 0
        assert "permissions violation for publish" in err.lower(), err
        assert "secret" not in err, err
        # And with the wrong password, it does not get in.
        place.write(nats(stream.port).replace("nats://", "nats://kerrord:wrong@"))
        err = fails(place)
        assert "authorization" in err.lower() and "wrong" not in err, err


@test
def tls_and_a_certificate_are_needed(folder):
    """The server wants both; the sink takes no server but the one that the authority names."""
    if no_openssl():
        return
    certificate, key, authority = make_certificates(folder)
    tls = f"""tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{authority}",
                     verify: true, timeout: 30 }}
    """
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(folder + "/client.pem", folder + "/client.key")
    with streaming(folder, tls, {"context": context}) as stream:
        url = f"tls://localhost:{stream.port}"
        for text in (f"servers = nats://127.0.0.1:{stream.port}\n",
                     f"servers = {url}\n" + TLS.replace("/ca.pem", "/other.pem"),
                     f"servers = {url}\ntls_ca = FOLDER/ca.pem\n",
                     f"servers = {url}\ntls_name = other.example\n" + TLS):
            place = Place(folder, STORE + "[nats]\n" + text, events=50, rate=10**6)
            fails(place)
            assert stream.count() == 0, text
        place.write(STORE + f"[nats]\nservers = {url}\n" + TLS)
        place.run_until(lambda: stream.count() == 50)
        check_all(place, stream)


# The key that the documentation of NATS has for an example
SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


@test
def an_nkey_opens_the_door(folder):
    accounts = f"""authorization {{ users = [ {{ nkey: {PUBLIC} }},
                                               {{ user: admin, password: admin }} ] }}
    """
    with streaming(folder, accounts, {"user": "admin", "pass": "admin"}) as stream:
        place = Place(folder, nats(stream.port), events=50, rate=10**6)
        fails(place)
        assert stream.count() == 0
        with open(folder + "/seed", "w") as file:
            file.write(SEED + "\n")
        place.write(nats(stream.port, f"nkey = {PUBLIC}", "nkey_seed = FOLDER/seed"))
        place.run_until(lambda: stream.count() == 50)
        check_all(place, stream)


def make_root(folder, name, machine):
    """Where /etc/machine-id says that this is another machine"""
    root = os.path.join(folder, name)
    os.makedirs(root + "/etc")
    os.makedirs(root + "/proc/sys/kernel/random")
    os.symlink("/proc/sys/kernel/random/boot_id", root + "/proc/sys/kernel/random/boot_id")
    with open(root + "/etc/machine-id", "w") as file:
        file.write(machine + "\n")
    return root


@test
def credentials_are_of_one_machine(folder):
    """JWTs of a scoped signing key, over TLS: a machine cannot publish as another."""
    if no_openssl():
        return
    certificate, key, authority = make_certificates(folder)
    operator = Operator(folder, {"pub": {"allow": ["kerror.{{name()}}.>"]},
                                 "sub": {"allow": ["_INBOX.{{name()}}.>"]}})
    machine, other = "0123456789abcdef" * 2, "fedcba9876543210" * 2
    operator.credentials(machine, folder + "/creds")
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{key}", timeout: 30 }}\n'
    with streaming(folder, operator.configuration + tls,
                   {"context": ssl.create_default_context(cafile=authority),
                    "say": operator.admin()}) as stream:
        servers = f"servers = tls://localhost:{stream.port}\n"
        authorities, credentials = "tls_ca = FOLDER/ca.pem\n", "credentials = FOLDER/creds\n"
        roots = {name: make_root(folder, name, name) for name in (machine, other)}
        for name, text, reason in (
                (machine, servers + authorities, "authorization"),
                (other, servers + authorities + credentials, "permissions violation"),
                (machine, servers + credentials, "certificate"),
                # A demand of the server counts as much as the configuration.
                (machine, servers.replace("tls:", "nats:") + credentials, "certificate")):
            place = Place(folder, STORE + "[nats]\n" + text, events=50, rate=10**6,
                          root=roots[name])
            err = fails(place)
            assert reason in err.lower(), (reason, err)
            assert stream.count() == 0, text
            os.remove(place.path("db"))
        with socket.create_connection(("127.0.0.1", stream.port)) as plain:
            with plain.makefile("rb") as file:
                info = json.loads(file.readline()[5:])
                plain.sendall(b"CONNECT " + json.dumps(operator.admin()(info)).encode() +
                              b"\r\nPING\r\n")
                with contextlib.suppress(ConnectionResetError):
                    assert b"PONG" not in file.read(), "it can do without TLS"
        place = Place(folder, STORE + "[nats]\n" + servers + authorities + credentials, events=50,
                      rate=10**6, root=roots[machine])
        place.run_until(lambda: stream.count() == 50)
        check_all(place, stream)
    # And a server without TLS is no server for tls://.
    with streaming(folder, user={}) as stream:
        place.write(STORE + f"[nats]\nservers = tls://localhost:{stream.port}\n" + authorities)
        err = fails(place)
        assert "secure connection" in err.lower() and stream.count() == 0, err


class Played:
    """A server that answers each message as told"""

    def __init__(self, answer, version="2.10.27"):
        self.answer = answer        # of number and id of a message: bytes, or None
        self.version = version
        self.silent = False         # but for its first line
        self.connections = []
        self.taken = []             # their ids
        self.messages = []          # subject, head and body of each
        self.beats = []             # likewise, of each without an id
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.connections.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        info = {"server_id": "played", "version": self.version, "headers": True, "proto": 1,
                "max_payload": 1048576, "port": self.port, "host": "127.0.0.1"}
        sid = b"1"
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as file:
            connection.sendall(b"INFO " + json.dumps(info).encode() + b"\r\n")
            for line in file:
                words = line.split()
                if self.silent:
                    continue
                if words[0] == b"PING":
                    connection.sendall(b"PONG\r\n")
                elif words[0] == b"SUB":
                    sid = words[-1]
                elif words[0] in (b"PUB", b"HPUB"):
                    self.take(words, file.read(int(words[-1]) + 2)[:-2],
                              lambda *what, sid=sid: self.send(connection, sid, *what))

    def drop(self):
        """Closes all connections"""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def send(connection, sid, subject, body, head=b"", reply=b""):
        """A message for the client"""
        words = [b"HMSG" if head else b"MSG", subject, sid, *([reply] if reply else []),
                 *([b"%d" % len(head)] if head else []), b"%d" % len(head + body)]
        connection.sendall(b" ".join(words) + b"\r\n" + head + body + b"\r\n")

    def take(self, words, data, send):
        if words[0] == b"PUB":
            self.beats.append((words[1], b"", data))
            return
        size = int(words[3])
        name = data.split(b"Nats-Msg-Id:")[1].split()[0].decode()
        answer = self.answer(len(self.taken), name)
        self.taken.append(name)
        self.messages.append((words[1], data[:size], data[size:]))
        if callable(answer):
            answer(lambda *what: send(words[2], *what))
        elif answer is not None:
            send(words[2], answer)


@test
def only_a_number_of_the_stream_is_success(folder):
    """Duplicates without a number, errors, nonsense and silence, then the right answer"""
    wrong = [b'{"stream":"K","seq":0,"duplicate":true}', b'{"error":{"code":503,"err_code":10023,'
             b'"description":"insufficient resources"}}', b"nonsense", b"", b"[1]", b'{"seq":"x"}',
             None]
    tried = set()

    def answer(number, name):
        index = (int(name.rsplit(":", 1)[1]) + 256) % 2**32 - 20
        if 0 <= index < len(wrong) and index not in tried:
            tried.add(index)
            return wrong[index]
        return b'{"stream":"K","seq":%d}' % (number + 1)

    server = Played(answer)
    place = Place(folder, nats(server.port, "timeout = 1s"), events=60, rate=10**6)
    _, err = place.run_until(lambda: metric(place, "written_total") == 60)
    assert set(server.taken) == set(in_store(place)), len(server.taken)
    assert len(tried) == len(wrong) and len(server.taken) >= 60 + 40, len(server.taken)
    assert "the answer has no sequence number: {\"stream\":\"K\",\"seq\":0," in err, err
    server.socket.close()


@test
def a_late_answer_is_of_its_own_message(folder):
    """It comes in the next round, in which another message has its place."""
    later, has, refused = [], set(), set()

    def answer(number, name):
        index = (int(name.rsplit(":", 1)[1]) + 256) % 2**32
        if number < 60:
            # The first round: a few have an answer in time, one has no stream.
            if index == 10:
                return lambda send: send(b"", b"NATS/1.0 503\r\n\r\n")
            if index > 10:
                return lambda send: later.append(lambda: send(b'{"stream":"K","seq":99}'))
        elif 30 <= index < 40 and index not in refused:
            # The second: no answers of its own, but those of the first
            refused.add(index)
            while index == 30 and later:
                later.pop()()
            return None
        has.add(index)
        return b'{"stream":"K","seq":%d}' % (index + 1)

    server = Played(answer)
    # First into the store, so that all are of one round
    place = Place(folder, nats(free_port()), events=60, rate=10**6)
    place.run_until(lambda: place.stored() == 60)
    place.write(nats(server.port, "timeout = 3s"))
    _, err = place.run_until(lambda: metric(place, "written_total") == 60)
    assert has == set(range(60)) and len(refused) == 10 and not later, (len(has), len(later))
    assert "no stream takes the subject, or it has no leader" in err, err
    server.socket.close()


@test
def a_number_of_collapsed_events_stays_the_same(folder):
    """A round is killed before its answers; the next one has more events to look at."""
    listens = threading.Event()

    def answer(number, name):
        if ":collapsed:" in name or server.bad:
            server.bad = not listens.is_set()
        return None if server.bad else b'{"stream":"K","seq":%d}' % (number + 1)

    def sums():
        bodies = {}
        for name, (_, _, body) in zip(list(server.taken), list(server.messages)):
            assert bodies.setdefault(name, body) == body, name
        return (sum(":collapsed:" not in name for name in bodies),
                sum(json.loads(body)["count"] for name, body in bodies.items()
                    if ":collapsed:" in name))

    server = Played(answer)
    server.bad = False
    # First into the store, so that a round has many
    place = Place(folder, nats(free_port()), events=2000, rate=10**6)
    place.run_until(lambda: place.stored() == 2000)
    place.write(nats(server.port, "timeout = 60s").replace("collapse = 0", "collapse = 3"))
    daemon = place.start()
    wait_for(lambda: server.bad, 60, daemon)
    daemon.kill()
    daemon.communicate()
    listens.set()
    place.set(events=3000)
    place.run_until(lambda: sum(sums()) >= 3000 and (metric(place, "collapsed_total") or 0) > 0)
    assert sum(sums()) == 3000 and sums()[1] > 1000, sums()
    server.socket.close()


@test
def a_server_that_says_nothing_stops_nobody_else(folder):
    server = Played(lambda number, name: b'{"stream":"K","seq":%d}' % (number + 1))
    server.silent = True
    place = Place(folder, nats(server.port, "stuck = 1s"), events=60, rate=10**6)
    daemon = place.start()
    wait_for(lambda: place.stored() == 60 and metric(place, "stuck") == 1, 60, daemon)
    daemon.terminate()
    _, err = daemon.communicate(timeout=60)
    assert daemon.returncode == 1 and "stuck; the next start goes on where it was" in err, err
    assert not server.taken
    # One that goes away after all
    daemon = place.start()
    wait_for(lambda: metric(place, "stuck") == 1, 60, daemon)
    server.silent = False
    server.drop()
    wait_for(lambda: metric(place, "written_total") == 60, 60, daemon)
    _, err = place.end(daemon)
    assert "is stuck: its peer has taken nothing for 1 s" in err, err
    server.socket.close()


@test
def an_old_server_gets_nothing(folder):
    """It could lose what it has acknowledged."""
    for version, refused in (("2.9.10", True), ("2.10.26", True), ("1.4.1", True),
                             ("2.10.27", False), ("2.11.0-RC.1", False), ("3.0.0", False)):
        server = Played(lambda number, name: b'{"stream":"K","seq":%d}' % (number + 1), version)
        place = Place(folder, nats(server.port), events=10, rate=10**6)
        daemon = place.start()
        wait_for(lambda: metric(place, "up") == 0 if refused else len(server.taken) == 10, 60,
                 daemon)
        _, err = place.end(daemon)
        assert bool(server.taken) != refused, version
        assert not refused or f"nats-server {version} can lose" in err, err
        server.socket.close()
        shutil.rmtree(place.path("state"))
        os.remove(place.path("db"))


@test
def wrong_options_are_refused(folder):
    for text, message in (("[json]\npath = FOLDER/json\n[nats]\n",
                           "[nats] sends what is in the store; make a section [store], too"),
                          (STORE + "[nats]\nnkey = UABC\n", "nkey and nkey_seed need each other"),
                          (STORE + "[nats]\nservers = " + "a:1, " * 17 + "\n",
                           "[nats] servers: 17 of them; name 1 to 16"),
                          (STORE + "[nats]\nservers = ,\n", "[nats] servers: 0 of them"),
                          (STORE + "[nats]\ntls_cert = /x\n", "tls_cert and tls_key need each")):
        place = Place(folder, text)
        daemon = place.start()
        _, err = daemon.communicate(timeout=60)
        assert daemon.returncode == 1 and message in err, (text, err)


if __name__ == "__main__":
    if why_not():
        print(f"1..1\nok 1 - nats # SKIP {why_not()}")
        sys.exit(0)
    sys.exit(main(TESTS))
