#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of what kerrord's syslog sink says of a server that closes, dies or is not
the right one; with the played kernel of tests/fake_kernel.c, like test_kerrord.py:
test_syslog.py PROGRAM [TEST]... Prints TAP. Of the servers that are killed again and
again, SYSLOG_EVENTS=100000 makes it the full number of events. Those of TLS need
openssl, for certificates."""

import collections
import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from test_kerrord import DAEMONS, JSON, STORE, Place, main, wait_for

TESTS = []
EVENTS = int(os.environ.get("SYSLOG_EVENTS", "8000"))
KILLS = 20
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "syslog_server.py")


def test(function):
    TESTS.append(function)
    return function


def metric(place, name):
    return place.metric(f'kerror_sink_{name}{{sink="syslog"}}')


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def split_counted(data):
    """Messages of RFC 6587's octet counting; the last may be cut."""
    at = 0
    while (blank := data.find(b" ", at, at + 12)) > 0:
        size = int(data[at:blank])
        at = blank + 1 + size
        if at > len(data):
            return
        yield data[blank + 1:at]


def split_lines(data):
    *lines, _ = data.split(b"\n")
    return lines


def numbers_of(messages):
    """Number of the event that each message is, if it is one"""
    for message in messages:
        if found := re.search(rb"\] event (\d+): text \1$", message):
            yield int(found[1])


class Server:
    """tests/syslog_server.py, to be killed and started again"""

    def __init__(self, folder, *certificates):
        self.folder = os.path.join(folder, "server")
        os.mkdir(self.folder)
        self.port = free_port()
        self.certificates = certificates

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, SERVER, str(self.port), self.folder, *self.certificates],
            stderr=subprocess.DEVNULL)
        DAEMONS.append(self.process)

    def wait(self):
        def answers():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return True
            return False

        wait_for(answers)

    def kill(self, how=signal.SIGKILL):
        self.process.send_signal(how)
        self.process.wait()

    def size(self):
        return sum(entry.stat().st_size for entry in os.scandir(self.folder))

    def messages(self, split=split_counted):
        for entry in os.scandir(self.folder):
            with open(entry.path, "rb") as file:
                yield from split(file.read())


def make_certificates(folder):
    """An authority, and of it a server named localhost and a client"""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "other"):
        openssl("req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem",
                "-subj", f"/CN={name}", "-days", "2")
    with open(os.path.join(folder, "names"), "w") as file:
        file.write("subjectAltName=DNS:localhost,DNS:logs.example\n")
    for name in ("server", "client"):
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile",
                "names")
    return [os.path.join(folder, name) for name in ("server.pem", "server.key", "ca.pem")]


def no_openssl():
    if shutil.which("openssl"):
        return False
    print("# needs openssl")
    return True


TLS = "tls_ca = FOLDER/ca.pem\ntls_cert = FOLDER/client.pem\ntls_key = FOLDER/client.key\n"


@test
def a_server_that_closes_gets_each_event_once(folder):
    """It takes one message, then closes, as one that is idle for long."""
    got = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve():
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                with connection:
                    connection.settimeout(30)
                    got.extend(numbers_of(split_counted(connection.recv(65536))))

        threading.Thread(target=serve, daemon=True).start()
        place = Place(folder, "[syslog]\naddress = tcp:127.0.0.1:%d\n" %
                      server.getsockname()[1], events=12, rate=4)
        _, err = place.run_until(lambda: len(got) >= 12 and
                                 metric(place, "written_total") == 12)
        server.shutdown(socket.SHUT_RDWR)
    assert got == list(range(12)), got
    assert "[syslog]" not in err, err       # no failure, nothing in doubt


def kill_again_and_again(folder, server, options, seed):
    """Returns what came, as a Counter, and what kerrord said."""
    place = Place(folder, f"[syslog]\n{options}", rate=EVENTS // 25, events=EVENTS)
    chance = random.Random(seed)
    server.start()
    daemon = place.start()
    for _ in range(KILLS):
        before = server.size()
        # On a slow machine all can be there before the last kill.
        wait_for(lambda: server.size() > before or
                 metric(place, "written_total") == EVENTS, 300, daemon)
        time.sleep(chance.uniform(0, 0.2))
        server.kill()
        time.sleep(chance.uniform(0, 0.1))
        server.start()
    wait_for(lambda: metric(place, "written_total") == EVENTS, 300, daemon)
    time.sleep(2)
    values = {name: metric(place, name) for name in
              ("repeated_total", "doubtful_total", "dropped_total", "failures_total")}
    _, err = place.end(daemon)
    time.sleep(0.5)
    server.kill()
    got = collections.Counter(numbers_of(server.messages()))
    missing = EVENTS - len(got)
    twice = sum(got.values()) - len(got)
    print(f"# {EVENTS} events, {KILLS} kills: {missing} missing, {twice} doubled, {values}")
    assert missing <= values["doubtful_total"] + values["dropped_total"], err
    assert twice <= values["repeated_total"], (twice, values)
    assert missing == 0, [n for n in range(EVENTS) if n not in got][:20]
    return err


@test
def a_tcp_server_that_is_killed_loses_nothing(folder):
    server = Server(folder)
    kill_again_and_again(folder, server, f"address = tcp:127.0.0.1:{server.port}\n", 1)


@test
def a_tls_server_that_is_killed_loses_nothing(folder):
    if no_openssl():
        return
    server = Server(folder, *make_certificates(folder))
    kill_again_and_again(folder, server,
                         f"address = tls:localhost:{server.port}\n{TLS}", 2)


@test
def a_server_that_stops_reading_and_dies_loses_nothing(folder):
    """What its kernel has acknowledged and it has not read is sent again."""
    count = 5000        # more than fits into the buffers of both sides
    server = Server(folder)
    server.start()
    place = Place(folder, f"[syslog]\naddress = tcp:127.0.0.1:{server.port}\nstuck = 2s\n",
                  events=count, rate=1000)
    daemon = place.start()
    wait_for(lambda: server.size(), 60, daemon)
    server.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: metric(place, "stuck") == 1 and metric(place, "up") == 0, 60, daemon)
    server.kill()
    server.start()
    wait_for(lambda: metric(place, "written_total") == count, 60, daemon)
    wait_for(lambda: metric(place, "up") == 1, 60, daemon)
    repeated = metric(place, "repeated_total")
    _, err = place.end(daemon)
    time.sleep(0.5)
    server.kill()
    got = collections.Counter(numbers_of(server.messages()))
    assert len(got) == count, len(got)
    assert sum(got.values()) - count <= repeated, (sum(got.values()), repeated)
    assert sum(map(int, re.findall(r"cut: (\d+) messages were sent again", err))) == \
        repeated, (repeated, err)


@test
def what_the_last_connection_lost_is_sent_again_without_a_new_event(folder):
    """The server dies with everything unread when there is nothing more to say."""
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen()
    place = Place(folder, "[syslog]\naddress = tcp:127.0.0.1:%d\n" %
                  server.getsockname()[1], events=10, rate=100000)
    daemon = place.start()
    wait_for(lambda: metric(place, "written_total") == 10, 60, daemon)
    server.accept()[0].close()      # unread: a reset
    server.settimeout(60)
    connection = server.accept()[0]
    connection.settimeout(60)
    data = b""
    while len(list(numbers_of(split_counted(data)))) < 10:
        data += connection.recv(65536)
    assert list(numbers_of(split_counted(data))) == list(range(10))
    wait_for(lambda: metric(place, "repeated_total") == 10, 60, daemon)
    _, err = place.end(daemon)
    assert "the connection was cut: 10 messages were sent again" in err, err
    server.close()


@test
def a_message_that_always_meets_a_reset_is_given_up(folder):
    """Whatever the server does, it is asked a limited number of times."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        connections = []

        def serve():
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                connections.append(1)
                connection.recv(1)
                connection.close()      # the rest is unread

        threading.Thread(target=serve, daemon=True).start()
        place = Place(folder, STORE + "[syslog]\naddress = tcp:127.0.0.1:%d\n" %
                      server.getsockname()[1], events=5, rate=100000)
        _, err = place.run_until(lambda: metric(place, "doubtful_total") == 5, 180)
        server.shutdown(socket.SHUT_RDWR)
    assert len(connections) < 60, len(connections)
    # The reports are a minute apart; what came in between is in the next.
    doubts = re.findall(r"the connection was cut: \d+ messages were sent again, the server may "
                        r"have them twice; (\d+) may be lost", err)
    assert sum(map(int, doubts)) == 5, err


@test
def framing_by_newlines(folder):
    server = Server(folder)
    server.start()
    place = Place(folder, f"[syslog]\naddress = tcp:127.0.0.1:{server.port}\n"
                  "framing = newline\n", events=500, rate=100000)
    place.run_until(lambda: metric(place, "written_total") == 500)
    server.kill()
    messages = list(server.messages(split_lines))
    assert list(numbers_of(messages)) == list(range(500))
    assert all(message.startswith(b"<") for message in messages)
    place.write("[syslog]\nframing = lines\n")
    done = subprocess.run([sys.argv[1], "-c", place.path("conf"), "--check-config"],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and \
        "framing: 'lines' is neither octet-counting nor newline" in done.stderr, done


@test
def tls_only_with_the_right_server(folder):
    if no_openssl():
        return
    server = Server(folder, *make_certificates(folder))
    server.start()
    server.wait()
    address = f"address = tls:localhost:{server.port}\n"
    for number, (options, message) in enumerate((
            (address + TLS.replace("ca.pem", "other.pem"), "certificate not accepted for"),
            (address + TLS + "tls_name = www.example\n", "not accepted for 'www.example'"),
            (address + TLS.replace("ca.pem", "none.pem"), "none.pem"),
            (address + "tls_ca = FOLDER/ca.pem\n", "ertificate"))):
        os.mkdir(os.path.join(folder, str(number)))
        place = Place(os.path.join(folder, str(number)), STORE + "[syslog]\n" +
                      options.replace("FOLDER", folder), events=20, rate=100000)
        daemon = place.start()
        wait_for(lambda: metric(place, "up") == 0 and place.stored() == 20, 60, daemon)
        _, err = place.end(daemon)
        assert "[syslog] tls:localhost" in err and message in err, (options, err)
    assert not list(server.messages())
    place = Place(folder, "[syslog]\n" + address.replace("localhost", "127.0.0.1") + TLS +
                  "tls_name = logs.example\n", events=20, rate=100000)
    place.run_until(lambda: metric(place, "written_total") == 20)
    time.sleep(0.2)
    server.kill()
    assert list(numbers_of(server.messages())) == list(range(20))


@test
def an_answer_that_nobody_listens_is_reported(folder):
    """All that UDP tells. Messages before that answer are in doubt; the rest comes."""
    port = free_port()
    place = Place(folder, STORE + f"[syslog]\naddress = udp:127.0.0.1:{port}\n", events=200,
                  rate=50)
    daemon = place.start()
    wait_for(lambda: metric(place, "up") == 0 and metric(place, "doubtful_total") > 0, 60, daemon)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", port))
        server.settimeout(60)
        got = []
        while 199 not in got:
            got += numbers_of([server.recv(65536)])
        wait_for(lambda: metric(place, "written_total") == 200, 60, daemon)
    doubtful = metric(place, "doubtful_total")
    _, err = place.end(daemon)
    assert got == list(range(200 - len(got), 200)), got
    assert 0 < 200 - len(got) <= doubtful, (len(got), doubtful)
    assert "Connection refused; the datagram before is lost" in err, err


@test
def a_local_server_that_is_started_anew_gets_the_rest(folder):
    """Written is what it has read; what died with its socket is sent again."""
    path = os.path.join(folder, "log")
    place = Place(folder, f"[syslog]\naddress = unix:{path}\nstuck = 1s\n", events=50,
                  rate=100000)
    first = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    first.bind(path)
    daemon = place.start()
    first.settimeout(30)
    got = [first.recv(65536) for _ in range(3)]
    wait_for(lambda: metric(place, "stuck") == 1, 60, daemon)
    assert metric(place, "written_total") <= 3
    first.close()           # with datagrams in it
    os.remove(path)
    second = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    second.bind(path)
    second.settimeout(30)
    while len(set(numbers_of(got))) < 50:
        got.append(second.recv(65536))
    wait_for(lambda: metric(place, "written_total") == 50, 60, daemon)
    place.end(daemon)
    second.close()


if __name__ == "__main__":
    sys.exit(main(TESTS))
