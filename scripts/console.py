#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Types commands at the serial console of a guest: console.py SESSION LOG COMMAND...

COMMAND runs QEMU with the console on its standard streams. The guest's shell shows the
status of each command in its prompt, "[0] guest# ". SESSION has a command on each line.
The output of the guest goes to standard output and to LOG. The first command with a status
other than 0 ends the session, and so does one that takes an hour; a line that begins
with "fails: " wants a command that fails. The status is 0 if each line did what it should.
"""
import os
import re
import select
import subprocess
import sys
import time

SECONDS = 3600
PROMPT = re.compile(rb"\[(\d+)\] guest# $")


def main():
    with open(sys.argv[1]) as session:
        lines = [line.rstrip("\n") for line in session]
    lines = [line for line in lines if line and not line.startswith("#")]
    with open(sys.argv[2], "wb") as log, subprocess.Popen(
            sys.argv[3:], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as guest:
        try:
            wrong = talk(guest, log, [""] + lines)
        finally:
            guest.kill()
    print()
    if wrong:
        sys.exit("console.py: " + wrong)


def talk(guest, log, lines):
    """None, or what went wrong"""
    for line, following in zip(lines, lines[1:] + [None]):
        status = wait_for_prompt(guest, log)
        if status is None:
            return f"no prompt after: {line or 'the start'}"
        if line and (status != 0) != line.startswith("fails: "):
            return f"status {status}: {line}"
        if following is not None:
            typed = following.removeprefix("fails: ").encode()
            guest.stdin.write(typed + b"\n")
            guest.stdin.flush()
    return None


def wait_for_prompt(guest, log):
    """The status that the prompt shows, or None"""
    shown = b""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if not select.select([guest.stdout], [], [], 1)[0]:
            continue
        some = os.read(guest.stdout.fileno(), 65536)
        if not some:
            return None
        some = some.replace(b"\r", b"")
        log.write(some)
        log.flush()
        sys.stdout.buffer.write(some)
        sys.stdout.flush()
        shown = (shown + some)[-200:]
        match = PROMPT.search(shown)
        if match:
            return int(match[1])
    return None


main()
