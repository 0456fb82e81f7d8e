#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of examples/container: test_container.py PROGRAM [TEST]... Runs kerrord, with a kernel
that is played, as daemonset.yaml says: in a root of its own that is read-only, with its
mounts and its capabilities, in the network namespace of the host and in another one.
Needs root, unshare and setpriv. Prints TAP."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from test_kerrord import DAEMONS, PROGRAM, main, query, wait_for

try:
    import yaml
except ImportError:
    yaml = None

HERE = os.path.dirname(os.path.abspath(__file__))
# Without sanitizers, of which a container has no libraries
KERRORD = PROGRAM.replace("/san/", "/obj/")
MACHINE = "0123456789abcdef" * 2
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def example():
    with open(os.path.join(HERE, "../examples/container/daemonset.yaml"), encoding="utf-8") as file:
        text = file.read()
    if yaml:
        assert [part["kind"] for part in yaml.safe_load_all(text)] == ["ConfigMap", "DaemonSet"]
    return text


def mounts(text):
    """Of each: its path in the container, that of the host or None, and whether it is read-only"""
    found = []
    for name, path, rest in re.findall(r"- \{ name: (\S+), mountPath: (\S+?)(,.*)? \}", text):
        host = re.search(r"- \{ name: %s, hostPath: \{ path: (\S+)," % name, text)
        found.append((path, host and host[1], "readOnly: true" in rest))
    assert len(found) == text.count("mountPath"), found
    return found


def install(program, root, at):
    """A program with its libraries"""
    os.makedirs(os.path.dirname(root + at), exist_ok=True)
    shutil.copy(program, root + at)
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+) \(0x", said):
        os.makedirs(os.path.dirname(root + library), exist_ok=True)
        shutil.copy(library, root + library)


class Container:
    def __init__(self, folder):
        if os.geteuid() or subprocess.run(["unshare", "-m", "-n", "true"], check=False,
                                          stderr=subprocess.DEVNULL).returncode:
            raise unittest.SkipTest("this needs root, and namespaces")
        self.text = example()
        self.root, self.host = folder + "/root", folder + "/host"
        os.makedirs(self.host + "/etc")
        with open(self.host + "/etc/machine-id", "w", encoding="ascii") as file:
            file.write(MACHINE + "\n")
        install(KERRORD, self.root, "/usr/sbin/kerrord")
        install(shutil.which("setpriv"), self.root, "/usr/bin/setpriv")
        for name in ("proc", "sys"):
            os.mkdir(f"{self.root}/{name}")
        self.script = ["set -e", f"mount --bind {self.root} {self.root}",
                       f"mount --rbind /proc {self.root}/proc", f"mount --rbind /sys {self.root}/sys"]
        for path, host, is_read_only in mounts(self.text):
            self.mount(path, self.host + (host or path), is_read_only)
        conf = re.search(r"kerrord.conf: \|\n((    .*\n)+)", self.text)[1]
        with open(self.host + "/etc/kerror/kerrord.conf", "w", encoding="ascii") as file:
            file.write(conf.replace("\n    ", "\n")[4:])
        drop, add = re.search(r"drop: \[ (\w+) \], add: \[ (\w+) \]", self.text).groups()
        self.script += [f"mount -o remount,ro,bind {self.root}",
                        f"exec chroot {self.root} /usr/bin/setpriv --bounding-set -{drop.lower()},"
                        f"+{add.lower()} --no-new-privs /usr/sbin/kerrord"]

    def mount(self, path, host, is_read_only):
        at = self.root + path
        if path == "/etc/machine-id":
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, "w", encoding="ascii"):
                pass
        else:
            os.makedirs(at)
            os.makedirs(host, exist_ok=True)
        self.script.append(f"mount --bind {host} {at}")
        if is_read_only:
            self.script.append(f"mount -o remount,ro,bind {at}")

    def start(self, *namespaces, events=100):
        daemon = subprocess.Popen(
            ["unshare", "--mount", *namespaces, "sh", "-c", "\n".join(self.script)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "FAKE_EVENTS": str(events), "FAKE_RATE": "1000000",
                 "FAKE_NAMESPACE": str(os.stat("/proc/self/ns/net").st_ino)})
        DAEMONS.append(daemon)
        return daemon


@test
def as_a_daemonset_it_stores_the_events_of_its_node(folder):
    container = Container(folder)
    assert "hostNetwork: true" in container.text
    daemon = container.start()
    path = container.host + "/var/lib/kerror/kerror.db"
    wait_for(lambda: os.path.exists(path) and len(query(path)[0]) == 100, 60, daemon)
    with open(f"/proc/{daemon.pid}/status", encoding="ascii") as file:
        capabilities = dict(re.findall(r"(Cap\w+):\t(\w+)", file.read()))
    # CAP_SYSLOG
    assert {int(capabilities[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {1 << 34}, \
        capabilities
    daemon.terminate()
    _, err = daemon.communicate(timeout=60)
    assert daemon.returncode == 0, err
    for line in query(path, "--json")[0]:
        event = json.loads(line)
        assert (event["machine"], event["host"]) == (MACHINE, os.uname().nodename), event
    # The next one goes on.
    daemon = container.start(events=150)
    wait_for(lambda: len(query(path)[0]) >= 150, 60, daemon)
    daemon.terminate()
    daemon.communicate(timeout=60)
    assert len(query(path)[0]) == 150


@test
def in_another_network_namespace_it_says_so(folder):
    container = Container(folder)
    daemon = container.start("--net")
    _, err = daemon.communicate(timeout=60)
    assert daemon.returncode == 1 and len(err.splitlines()) == 1, err
    assert "this is not the initial network namespace; kernel events exist there only; " \
        "a container needs the host's network" in err, err


if __name__ == "__main__":
    sys.exit(main(TESTS))
