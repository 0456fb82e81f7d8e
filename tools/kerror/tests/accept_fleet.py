#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A fleet under kills: accept_fleet.py PROGRAM [NAME=VALUE]... Three servers of NATS on
loopback, machines that are played, and two collectors. Each server, kerrord and collector
is killed at random, and the whole cluster is down for a while once. With restore=1, a server
gets back the files that it had long before, as after a loss of power. At the end, what was
raised is stored once, or in a loss with its cause. With limit=N, the stream holds N messages, and
the collectors are away until it has dropped some. Prints what it saw.

pause: about half of the seconds in which the kills are; rate: events of a machine a second"""

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from test_kerrord import DAEMONS, FIRST, wait_for
from test_nats import SERVER, Client, why_not
from test_fleet import Collector, Machine, make_streams

VALUES = {"events": 1000000, "machines": 20, "kills": 20, "down": 300, "rate": 40, "pause": 600,
          "restore": 1, "limit": 0, "seed": 1, "patience": 3600}


def set_values(values, arguments):
    """Each argument is NAME=VALUE."""
    for argument in arguments:
        name, value = argument.split("=")
        assert name in values, f"{name} is none of {', '.join(values)}"
        values[name] = int(value)
    print("#", " ".join(f"{name}={value}" for name, value in values.items()))


def peak(process):
    """KiB of memory that it has had at most; 0 if it is gone"""
    try:
        with open(f"/proc/{process}/status") as status:
            return max((int(line.split()[1]) for line in status if line.startswith("VmHWM:")),
                       default=0)
    except OSError:
        return 0


class Node:
    def __init__(self, folder, index, ports, routes):
        self.folder = f"{folder}/server{index}"
        self.port = ports[index]
        os.makedirs(self.folder)
        with open(self.folder + "/conf", "w") as file:
            file.write(f'listen: "127.0.0.1:{self.port}"\nserver_name: n{index}\n'
                       f'jetstream {{ store_dir: "{self.folder}/js" }}\n'
                       f'cluster {{ name: c, listen: "127.0.0.1:{routes[index]}", routes: [ ' +
                       ", ".join(f'"nats://127.0.0.1:{route}"' for route in routes) + " ] }\n")
        self.kills = 0
        self.memory = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen([SERVER, "-c", self.folder + "/conf"],
                                        stderr=subprocess.DEVNULL)

    def kill(self):
        self.measure()
        self.process.kill()
        self.process.wait()
        self.kills += 1

    def measure(self):
        self.memory = max(self.memory, peak(self.process.pid))

    def copy(self, source, target):
        """While it is dead"""
        self.kill()
        shutil.rmtree(f"{self.folder}/{target}", ignore_errors=True)
        shutil.copytree(f"{self.folder}/{source}", f"{self.folder}/{target}")
        self.start()


class Cluster:
    """Three servers; a client of the first that answers"""

    def __init__(self, folder):
        probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
        ports = [probe.getsockname()[1] for probe in probes]
        for probe in probes:
            probe.close()
        self.ports, routes = ports[:3], ports[3:]
        self.nodes = [Node(folder, index, self.ports, routes) for index in range(3)]

    def client(self):
        for port in self.ports:
            try:
                return Client(port, headers=True)
            except (OSError, AssertionError):
                continue
        raise OSError("no server answers")

    def make(self, replicas, **limits):
        def made():
            try:
                client = self.client()
                client.socket.settimeout(10)
                try:
                    make_streams(client, replicas, 5, **limits)
                    return True
                finally:
                    client.close()
            except (OSError, AssertionError):   # no leader yet
                return False
        wait_for(made, 120)

    def dropped(self):
        """Messages that made way, and those that are there; None without an answer"""
        try:
            client = self.client()
            client.socket.settimeout(10)
            try:
                state = client.request("$JS.API.STREAM.INFO.KERROR", {})["state"]
                return state["first_seq"] - 1, state["messages"]
            finally:
                client.close()
        except (OSError, AssertionError):
            return None

    def stop(self):
        for node in self.nodes:
            node.process.kill()
            node.process.wait()


class Runner:
    """A kerrord that is killed and begun anew"""

    def __init__(self, place):
        self.place = place
        self.kills = 0
        self.memory = 0
        self.start()

    def start(self):
        with open(self.place.path("err"), "a") as err:
            self.daemon = self.place.start(stdout=subprocess.DEVNULL, stderr=err)

    def kill(self):
        self.measure()
        self.daemon.kill()
        self.daemon.wait()
        self.kills += 1

    def measure(self):
        self.memory = max(self.memory, peak(self.daemon.pid))

    def end(self):
        self.measure()
        self.daemon.terminate()
        self.daemon.wait(60)


def say(*words):
    print(f"# {time.monotonic() - BEGIN:7.1f} s:", *words, flush=True)


class Progress:
    """How many events are raised and stored, and how fast"""

    def __init__(self, machines, collector, each, rate):
        self.starts = [int(machine.kernel["FAKE_START"]) for machine in machines]
        self.collector, self.each, self.rate = collector, each, rate
        self.last = (time.monotonic(), 0)
        self.fastest = 0

    def raised(self):
        now = time.time_ns()
        return sum(min(self.each, (now - start) * self.rate // 10**9) for start in self.starts)

    def look(self):
        """At least 10 seconds after the last time"""
        now = time.monotonic()
        if now - self.last[0] >= 10:
            stored = self.collector.stored()
            self.fastest = max(self.fastest, (stored - self.last[1]) / (now - self.last[0]))
            self.last = now, stored

    def __str__(self):
        return f"{self.raised()} events are raised, {self.collector.stored()} are stored"


def accept(folder, values):
    """Runs it; an exception if it is not exact"""
    cluster = Cluster(folder)
    try:
        cluster.make(3, **({"max_msgs": values["limit"]} if values["limit"] else {}))
        play(folder, values, cluster)
    finally:
        cluster.stop()
        for daemon in DAEMONS:
            daemon.kill()


def play(folder, values, cluster):
    chance = random.Random(values["seed"])
    say("three servers, streams with 3 replicas")
    each = values["events"] // values["machines"]
    machines = [Machine(folder, chance.sample(cluster.ports, 3), f"m{index}", events=each,
                        rate=values["rate"], lost=index % 3)
                for index in range(values["machines"])]
    runners = [Runner(machine) for machine in machines]
    first = Collector(folder, cluster.ports, options="grace = 30s\n")
    second = Collector(folder, cluster.ports, "second", options="grace = 30s\n",
                       store=first.path("db"))
    collectors = [Runner(first), Runner(second)]
    progress = Progress(machines, first, each, values["rate"])
    if values["limit"]:
        overflow(values, cluster, collectors)
    victims = [one for one in cluster.nodes + runners + collectors
               for _ in range(values["kills"])]
    chance.shuffle(victims)
    down_at = len(victims) // 2
    pause = values["pause"] * 2 / max(1, len(victims))
    for number, victim in enumerate(victims):
        victim.kill()
        time.sleep(chance.uniform(0, pause))
        victim.start()
        if values["restore"] and number == len(victims) // 4:
            cluster.nodes[2].copy("js", "old")
        if values["restore"] and number == len(victims) * 3 // 4:
            cluster.nodes[2].copy("old", "js")
            say("a server has its old files again,", progress)
        if number == down_at:
            say("the whole cluster goes down,", progress)
            for node in cluster.nodes:
                node.kill()
            time.sleep(values["down"])
            for node in cluster.nodes:
                node.start()
            say("it is back,", progress)
        time.sleep(chance.uniform(0, pause))
        progress.look()
    say(len(victims), "kills,", progress)

    def settled():
        progress.look()
        lost = sum(count for (_, _, cause), count in first.lost().items()
                   if cause != "staging-full")
        return first.stored() + lost >= each * len(machines) and not first.count("gap")

    wait_for(settled, values["patience"])
    heartbeats = "SELECT count(*) FROM collected WHERE told = " + str(each)
    wait_for(lambda: first.sql(heartbeats) == [(len(machines),)], values["patience"])
    say(first.stored(), "events are stored, losses:", dict(sorted(first.lost().items())))
    for node in cluster.nodes:
        node.measure()
    for runner in runners + collectors:
        runner.end()
    check(first, machines, each, values["limit"])
    if values["limit"]:
        assert any(cause == "stream" for _, _, cause in first.lost()), "nothing was dropped"
    say("kerrord at most", max(runner.memory for runner in runners), "KiB, collectors",
        max(runner.memory for runner in collectors), "KiB, servers",
        max(node.memory for node in cluster.nodes), "KiB")
    say("raised by all", values["rate"] * len(machines), "a second, stored at most",
        round(progress.fastest), "a second over 10 seconds")


def overflow(values, cluster, collectors):
    """Keeps the collectors away until the stream has dropped messages that they did not have"""
    first = collectors[0].place
    wait_for(lambda: first.stored() > 0, values["patience"])
    for collector in collectors:
        collector.kill()
    stored = first.stored()
    wait_for(lambda: (cluster.dropped() or (0,))[0] > stored + values["limit"] // 4,
             values["patience"])
    say("the stream is at its limit: dropped and there", cluster.dropped(), "stored", stored)
    for collector in collectors:
        collector.start()


def check(collector, machines, each, limit):
    """Each number of each machine is stored once, or one of a loss by name."""
    wanted = {(FIRST + index) % 2**32 for index in range(each)}
    lost = collector.lost()
    rows = collector.sql("SELECT host, sequence, text FROM event JOIN boot USING(boot)")
    assert len(rows) == len(set(rows)), "some are there twice"
    stored = {machine.name: set() for machine in machines}
    for host, sequence, text in rows:
        stored[host].add(sequence)
        index = (sequence - FIRST) % 2**32
        assert text == f"event {index}: text {index}", (sequence, text)
    for index, machine in enumerate(machines):
        name = machine.name
        missing = wanted - stored[name]
        assert stored[name] <= wanted, name
        named = sum(count for (host, _, cause), count in lost.items()
                    if host == name and cause != "staging-full")
        assert len(missing) == named, (name, len(missing), lost)
        told = collector.sql("SELECT lost FROM collected JOIN boot USING(boot) WHERE host = '%s'"
                             " AND event_group = 2" % name)
        # Of a loss without a number that the stream has dropped, the heartbeat tells.
        assert told == [(index % 3,)], (name, told)
        assert lost.get((name, 2, "staging-full"), 0) in (index % 3, 0 if limit else index % 3), \
            (name, lost)
    say("raised = stored once + losses:", each * len(machines), "=", len(rows), "+",
        each * len(machines) - len(rows), "of", len(machines), "machines")


BEGIN = time.monotonic()

if __name__ == "__main__":
    if why_not():
        print("#", why_not())
        sys.exit(1)
    set_values(VALUES, sys.argv[2:])
    with tempfile.TemporaryDirectory() as directory:
        accept(directory, VALUES)
