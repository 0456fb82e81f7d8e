#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Lets kernels die, and looks for their events: crashes.py FOLDER NUMBER WAYS KERNEL...

FOLDER has KERNEL.command, by guest.sh, for each KERNEL. Each boot is a process of QEMU, on
memory and a disk that are files: so they outlive it. The module test_evlog_crash notes in
that memory how far each source of events has come; this program reads it when the machine
is dead. A later boot, of any of the kernels, tells what kerrord has stored.

An event of which the call has returned must be in the store once, or counted as lost. The
one that was being raised may be there. No boot may be missing in "kerrorctl boots", or have
ended otherwise. Prints a line per crash, then a table. The status is 1 if any was wrong.

With MINUTES in the environment, it begins no crash later than that. TIMEOUT are the seconds
for one boot.
"""
import collections
import json
import os
import random
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

MARKS = 0x18900000
MEMORY = 512 << 20
DISK = 512 << 20
KINDS = ("process", "softirq", "hardirq", "nmi")
CPUS = 2
# The store's words for each way to die
WAYS = {
    "panic-process": "panic", "panic-softirq": "panic", "panic-hardirq": "panic",
    "panic-nmi": "panic", "hang-one": "cut", "hang-all": "cut", "triple-fault": "cut",
    "sysrq-b": "cut", "reset": "cut",
}
# Crashes of one memory and disk
SESSION = 25
# In this many boots one after another kerrord may have no time: more would not fit.
EARLY_MOST = 2
# Seconds for one boot, on a busy machine
TIMEOUT = int(os.environ.get("TIMEOUT", 1800))
UNTIL = time.monotonic() + 60 * float(os.environ.get("MINUTES", "inf"))
QUERY = """
    SELECT source, count(*), count(DISTINCT number), max(number)
    FROM (SELECT CAST(substr(text, 8) AS INTEGER) source,
        CAST(substr(text, instr(text, 'event ') + 6) AS INTEGER) number
        FROM event JOIN boot USING (boot)
        WHERE boot_id = ? AND facility = 'test_evlog_crash')
    GROUP BY source"""
LOSSES = """
    SELECT cause, sum(count) FROM loss JOIN boot USING (boot)
    WHERE boot_id = ? AND event_group = 2 GROUP BY cause"""


def source_name(source):
    return f"{KINDS[source % len(KINDS)]}/{source // len(KINDS)}"


class Machine:
    """Memory and a disk, in which kernels boot."""

    def __init__(self, folder):
        self.folder = folder
        # No disk has to write what a kernel does there.
        self.memory_file = tempfile.NamedTemporaryFile(dir="/dev/shm", prefix="crashes-")
        self.memory_file.truncate(MEMORY)
        self.memory = self.memory_file.name
        self.disk = os.path.join(folder, "disk")
        with open(self.disk, "wb") as file:
            file.truncate(DISK)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", self.disk], check=True)

    def command(self, kernel, parameters):
        with open(os.path.join(self.folder, kernel + ".command"), encoding="utf-8") as file:
            command = file.read().splitlines()
        machine = command.index("-M") + 1
        disk = "virtio-blk-device" if "microvm" in command[machine] else "nvme,serial=kerror"
        command[machine] += ",memory-backend=memory"
        command[command.index("-append") + 1] += " " + parameters
        return command + [
            "-object", f"memory-backend-file,id=memory,size={MEMORY},mem-path={self.memory},share=on",
            # The disk outlives QEMU, and needs not outlive the host.
            "-drive", f"file={self.disk},format=raw,cache=unsafe,if=none,id=disk",
            "-device", disk + ",drive=disk", "-device", "ib700",
            "-chardev", f"socket,id=monitor,path={self.folder}/monitor,server=on,wait=off",
            "-mon", "chardev=monitor"]

    def monitor(self, command):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(os.path.join(self.folder, "monitor"))
            sock.sendall(command + b"\n")
            # It does the command after its greeting.
            sock.settimeout(20)
            try:
                while sock.recv(4096):
                    pass
            except OSError:
                pass

    def boot(self, kernel, parameters, reset=None):
        """Returns the lines that the guest printed, and whether it ended in time."""
        lines = []
        with open(os.path.join(self.folder, "console"), "ab") as log, \
             subprocess.Popen(self.command(kernel, parameters), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as qemu:
            hung = threading.Timer(TIMEOUT, qemu.kill)
            hung.start()
            for line in qemu.stdout:
                log.write(line)
                lines.append(line.decode(errors="replace").strip())
                if lines[-1] == "FLOOD" and reset is not None:
                    threading.Timer(reset, self.monitor, (b"system_reset",)).start()
            hung.cancel()
            return lines, qemu.wait() == 0

    def marks(self):
        """What each source has noted: number begun, number done, refused, time."""
        size = struct.calcsize("<4Q")
        with open(self.memory, "rb") as file:
            file.seek(MARKS)
            page = file.read(size * CPUS * len(KINDS))
        return {i: list(struct.unpack_from("<4Q", page, i * size))
                for i in range(CPUS * len(KINDS)) if any(page[i * size:(i + 1) * size])}

    def store(self):
        """The store, when the disk is not in use."""
        path = os.path.join(self.folder, "events.db")
        subprocess.run(["debugfs", "-R", f"dump /events.db {path}", self.disk], check=True,
                       stderr=subprocess.DEVNULL)
        return sqlite3.connect(path)


class Results(list):
    """All crashes so far, in a file."""

    def __init__(self, folder):
        super().__init__()
        self.path = os.path.join(folder, "results.json")
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                self += json.load(file)

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self, file)
        os.replace(self.path + ".new", self.path)


def words_of(lines, first):
    return [line.split()[1:] for line in lines if line.split()[:1] == [first]]


def judge(crash, stored, lost, how):
    """Adds to a crash what was recovered. Returns what is wrong, a list."""
    wrong = []
    missing = 0
    for source, (begun, done, _refused, _time) in crash["marks"].items():
        count, distinct, last = stored.get(int(source), (0, 0, 0))
        if count != distinct:
            wrong.append(f"{source_name(int(source))}: {count - distinct} twice")
        if last > begun:
            wrong.append(f"{source_name(int(source))}: {last} is there, {begun} was the last")
        missing += done - distinct + (last > done)
    source = max(crash["marks"], key=lambda source: crash["marks"][source][3])
    crash["raised"] = sum(mark[1] for mark in crash["marks"].values())
    crash["last"] = [source_name(int(source)), crash["marks"][source][1]]
    crash["recovered"] = stored.get(int(source), (0, 0, 0))[2]
    crash["missing"] = missing
    crash["lost"] = lost
    if missing > sum(lost.values()):
        wrong.append(f"{missing} are missing, {sum(lost.values())} are counted")
    if how is None:
        wrong.append("the boot is not listed")
    elif how != WAYS[crash["way"]]:
        wrong.append(f"it is listed as {how}")
    return wrong


def text_of_lost(lost):
    return ", ".join(f"{count} {cause}" for cause, count in sorted(lost.items())) or "0"


def show(number, crash):
    print(f"{number:4} {crash['way']:14} {crash['kernel']:10} raised {crash['raised']:6}, "
          f"last {crash['last'][0]} {crash['last'][1]}, recovered {crash['recovered']}, "
          f"missing {crash['missing']}, lost {text_of_lost(crash['lost'])}: "
          f"{'; '.join(crash['wrong']) or 'ok'}", flush=True)


class Session:
    """Crashes of one machine."""

    def __init__(self, folder, results):
        self.folder, self.results = folder, results
        self.machine = Machine(folder)
        self.pending, self.judged = [], []
        self.early = 0

    def look(self, lines):
        """What a boot has told of those before."""
        how = dict(words_of(lines, "LISTED"))
        tables = {name: words_of(lines, name) for name in ("STORED", "LOST")}
        for crash in self.pending:
            mine = {name: [row[1:] for row in rows if row[0] in crash["boots"]]
                    for name, rows in tables.items()}
            stored = {int(row[0]): tuple(map(int, row[1:])) for row in mine["STORED"]}
            lost = {row[0]: int(row[1]) for row in mine["LOST"]}
            listed = [how[boot] for boot in crash["boots"] if boot in how]
            crash["wrong"] += judge(crash, stored, lost, listed[0] if listed else None)
            self.results.append(crash)
            show(len(self.results), crash)
        self.judged += self.pending
        self.pending = []
        for line in lines:
            if line.startswith("WRONG") and self.judged:
                self.judged[-1]["wrong"].append(line)
                print("     " + line, flush=True)
        self.results.save()

    def one(self, kernel, way):
        """A boot that looks at those before, and dies."""
        for crash in self.pending:
            crash.setdefault("next", kernel)
        early = int(way != "none" and self.early < EARLY_MOST and random.random() < 0.25)
        self.early = self.early + 1 if early else 0
        after = random.randrange(3000)
        look = ",".join(boot for crash in self.pending for boot in crash["boots"])
        lines, ended = self.machine.boot(
            kernel, f"way={way} after={after} early={early} marks={MARKS:#x} look={look}",
            after / 1000 if way == "reset" else None)
        marks = self.machine.marks()
        if "LOOKED" in lines:
            self.look(lines)
        if not ended or not (early or "LOOKED" in lines):
            print(f"{kernel}: it hangs; see {self.folder}/console", flush=True)
        if way == "none":
            return
        crash = {"kernel": kernel, "way": way, "after": after, "early": early, "wrong": [],
                 "marks": marks, "boots": []}
        if not ended or "FLOOD" not in lines:
            crash["wrong"].append("the machine hangs")
        for row in words_of(lines, "KEPT"):
            crash["boots"] += row[:1] if row[1] == "runs" else []
        crash["boots"] += [row[0] for row in words_of(lines, "BOOT")]
        self.pending.append(crash)

    def run(self, crashes):
        for kernel, way in crashes:
            self.one(kernel, way)
            if time.monotonic() > UNTIL:
                break
        self.one(kernel, "none")
        # All of it again: nothing has vanished since, or come twice.
        store = self.machine.store()
        for crash in self.judged:
            for boot in crash["boots"]:
                rows = store.execute(QUERY, (boot,)).fetchall()
                if rows or boot == crash["boots"][-1]:
                    break
            lost = dict(store.execute(LOSSES, (boot,)).fetchall())
            again = judge(crash, {row[0]: row[1:] for row in rows}, lost, WAYS[crash["way"]])
            if again and again != crash["wrong"]:
                crash["wrong"] += ["at the end: " + text for text in again]
                print(f"     {boot}: at the end: {'; '.join(again)}", flush=True)
        if any(crash["wrong"] for crash in self.judged) or self.pending:
            kept = os.path.join(self.folder, f"wrong-{int(time.time())}")
            os.mkdir(kept)
            for name in ("disk", "console", "events.db"):
                shutil.copy(os.path.join(self.folder, name), kept)
            print(f"     kept: {kept}", flush=True)
        os.remove(os.path.join(self.folder, "console"))
        if self.pending:
            raise SystemExit("crashes.py: the last boot hangs")


def table(results):
    print("\n| way to die | kernel | crashes | events raised | last raised | last recovered | "
          "lost, counted as | wrong |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    for way in WAYS:
        for kernel in sorted({crash["kernel"] for crash in results}):
            these = [c for c in results if (c["kernel"], c["way"]) == (kernel, way)]
            if not these:
                continue
            lost = {}
            for crash in these:
                for cause, count in crash["lost"].items():
                    lost[cause] = lost.get(cause, 0) + count
            last = max(these, key=lambda crash: crash["last"][1] - crash["recovered"])
            print(f"| {way} | {kernel} | {len(these)} | {sum(c['raised'] for c in these)} | "
                  f"{last['last'][0]} {last['last'][1]} | {last['last'][0]} {last['recovered']} | "
                  f"{text_of_lost(lost)} | {sum(bool(c['wrong']) for c in these)} |")


def main():
    folder, number, ways, kernels = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(), sys.argv[4:]
    ways = list(WAYS) if ways == ["all"] else ways
    for way in ways:
        if way not in WAYS:
            raise SystemExit(f"crashes.py: there is no way {way}; say one of: {' '.join(WAYS)}")
    results = Results(folder)
    done = sum(c["kernel"] in kernels and c["way"] in ways for c in results)
    if done:
        print(f"{done} of {number} crashes were before; rm -r {folder} begins anew", flush=True)
    # At random, but as many of each.
    left, counts = [], collections.Counter((c["kernel"], c["way"]) for c in results)
    pairs = [(kernel, way) for kernel in kernels for way in ways]
    while len(left) < number - done:
        left.append(min(pairs, key=lambda pair: (counts[pair], random.random())))
        counts[left[-1]] += 1
    while left and time.monotonic() < UNTIL:
        Session(folder, results).run(left[:SESSION])
        left = left[SESSION:]
        results.save()
    table(results)
    wrong = sum(bool(crash["wrong"]) for crash in results)
    other = sum(crash.get("next", crash["kernel"]) != crash["kernel"] for crash in results)
    print(f"\n{len(results)} crashes, {sum(c['raised'] for c in results)} events: {wrong} wrong. "
          f"In {other} the next kernel was another.")
    sys.exit(bool(wrong or not results))


if __name__ == "__main__":
    main()
