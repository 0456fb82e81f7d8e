#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Many machines: accept_machines.py KERRORD KERRORCTL [NAME=VALUE]... Three servers of NATS on
loopback, a kerrord for each machine, whose kernel is played, and a collector. What kerrorctl
says of the fleet is compared with the truth: while events are raised, when all are stored, and
when some machines have been switched off, and on again. Prints what it saw.

rate: events of a machine a second; heartbeat: seconds; off: machines that are switched off;
silent: intervals after which they have to be shown as silent"""

import json
import os
import subprocess
import sys
import tempfile
import time

from test_kerrord import DAEMONS, wait_for
from test_nats import why_not
from test_fleet import Collector, Machine
from accept_fleet import Cluster, Progress, Runner, check, say, set_values

VALUES = {"machines": 1000, "events": 200, "rate": 1, "heartbeat": 30, "off": 10, "silent": 2,
          "patience": 1800}
RACKS, RELEASES = 40, 3


class Light(Machine):
    """One of so many that each is to write little"""

    def __init__(self, folder, ports, index, values):
        super().__init__(folder, ports[index % 3:] + ports[:index % 3], f"m{index:04}",
                         f"heartbeat = {values['heartbeat']}s\n",
                         f"[tags]\nrack = r{index % RACKS}\n", events=values["events"],
                         rate=values["rate"], lost=index % 3,
                         release=f"6.1.{index % RELEASES}", tick=1000)

    def write(self, sections):
        super().write(sections)
        with open(self.path("conf")) as file:
            text = file.read()
        with open(self.path("conf"), "w") as file:
            file.write(text.replace("interval = 1s", "interval = 1m"))


def ask(collector, *words):
    """What kerrorctl says, and the seconds that it takes"""
    begin = time.monotonic()
    done = subprocess.run([sys.argv[2], words[0], "--store=" + collector.path("db"), "--json",
                           *words[1:]], check=False, stdout=subprocess.PIPE, text=True)
    # 3: conditions last
    assert done.returncode in (0, 3), words
    return [json.loads(line) for line in done.stdout.splitlines()], time.monotonic() - begin


def silent(collector):
    return {line["host"] for line in ask(collector, "fleet")[0] if line["silent"]}


def cpu(process):
    """Seconds of it that a process has had"""
    with open(f"/proc/{process}/stat") as file:
        return sum(map(int, file.read().split(")")[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def play(folder, values, cluster):
    first = Collector(folder, cluster.ports, options=f"silent = {values['silent']}\n")
    collector = Runner(first)
    machines = [Light(folder, cluster.ports, index, values) for index in range(values["machines"])]
    runners = []
    begin = time.monotonic()
    for machine in machines:
        machine.set(start=time.time_ns())
        runners.append(Runner(machine))
    say(len(runners), "machines are on, started in", round(time.monotonic() - begin), "s")
    progress = Progress(machines, first, values["events"], values["rate"])
    total = values["events"] * len(machines)
    lag = 0

    def all_are_stored():
        nonlocal lag
        progress.look()
        before = first.stored()
        answer, seconds = ask(first, "fleet")
        raised = progress.raised()
        stored = first.stored()
        lag = max(lag, raised - stored) if raised < total else lag
        told = sum(line["lag"] for line in answer)
        assert told <= raised - before, (told, raised, before)
        say(f"{raised} events are raised, {stored} are stored; 'kerrorctl fleet' took {seconds:.2f}"
            f" s: {len(answer)} machines, lag {told}")
        time.sleep(5)
        return stored >= total and told == 0 and len(answer) == len(machines)

    wait_for(all_are_stored, values["patience"])
    say("most that were raised and not stored:", lag, "; stored at most", round(progress.fastest),
        "a second over 10 seconds")
    check(first, machines, values["events"], 0)
    check_answers(first, machines, values)
    switch(first, runners, values)
    for runner in runners + [collector]:
        runner.measure()
    for node in cluster.nodes:
        node.measure()
    memory = sorted(runner.memory for runner in runners)
    say("kerrord", memory[len(memory) // 2], "to", memory[-1], "KiB at most, collector",
        collector.memory, "KiB, servers", [node.memory for node in cluster.nodes], "KiB")
    say("CPU time: collector", round(cpu(collector.daemon.pid)), "s, servers",
        [round(cpu(node.process.pid)) for node in cluster.nodes], "s, all kerrord",
        round(sum(cpu(runner.daemon.pid) for runner in runners)), "s")


def check_answers(collector, machines, values):
    answer, seconds = ask(collector, "fleet")
    truth = [(machine.name, machine.machine, machine.boot_id, f"6.1.{index % RELEASES}",
              values["heartbeat"], False, False, 0, index % 3, 0, 0)
             for index, machine in enumerate(machines)]
    found = [tuple(line[name] for name in ("host", "machine", "boot_id", "release", "interval",
                                           "behind", "silent", "lag", "lost", "collapsed",
                                           "conditions")) for line in answer]
    assert found == truth, set(found) ^ set(truth)
    say(f"'kerrorctl fleet' says the truth of {len(found)} machines in {seconds:.2f} s")
    for what, of in (("host", [machine.name for machine in machines]),
                     ("tag.rack", [f"r{index % RACKS}" for index in range(len(machines))]),
                     ("release", [f"6.1.{index % RELEASES}" for index in range(len(machines))])):
        answer, seconds = ask(collector, "query", "--count-by=" + what)
        found = {line[what]: (line["count"], line["hosts"]) for line in answer}
        assert found == {name: (of.count(name) * values["events"], of.count(name))
                         for name in of}, (what, found)
        say(f"'kerrorctl query --count-by={what}' says the truth in {seconds:.2f} s:", len(found),
            "lines")
    # Each machine is one of another release only; its kinds of events are the same.
    for what, wanted in (("host", len(machines[1::RELEASES])), ("event", 0)):
        answer, seconds = ask(collector, "query", "--count-by=" + what, "--new-in=6.1.1")
        assert len(answer) == wanted, (what, answer)
        say(f"'kerrorctl query --count-by={what} --new-in=6.1.1' says the truth in {seconds:.2f}"
            " s:", len(answer), "lines")


def switch(collector, runners, values):
    """Machines off, and on again"""
    off = {runner.place.name: runner for runner in runners[3::len(runners) // values["off"]]}
    begin = time.monotonic()
    shown = {}
    for runner in off.values():
        runner.kill()
    while len(shown) < len(off):
        for name in silent(collector):
            assert name in off, name + " is on"
            shown.setdefault(name, time.monotonic() - begin)
        assert time.monotonic() - begin < values["patience"], shown
        time.sleep(0.2)
    say(len(off), "machines are off, and shown silent", f"{min(shown.values()):.1f} to",
        f"{max(shown.values()):.1f} s later, at an interval of {values['heartbeat']} s")
    # The server is asked once a second for what is there.
    assert max(shown.values()) < values["silent"] * values["heartbeat"] + 5, shown
    found = {line["key"] for line in ask(collector, "health")[0]
             if line["name"] == "machine-silent"}
    assert found == set(off), found
    for runner in off.values():
        runner.start()
    wait_for(lambda: not silent(collector), values["patience"])
    say("they are on again, and none is silent")


if __name__ == "__main__":
    if why_not():
        print("#", why_not())
        sys.exit(1)
    set_values(VALUES, sys.argv[3:])
    with tempfile.TemporaryDirectory() as directory:
        SERVERS = Cluster(directory)
        try:
            SERVERS.make(3)
            play(directory, VALUES, SERVERS)
        finally:
            SERVERS.stop()
            for daemon in DAEMONS:
                daemon.kill()
