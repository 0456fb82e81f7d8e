#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Judges what the guest script "faults" has printed: faults.py RULES_FOLDER LOG. Prints a
# table: fault, rule, condition with its key, what cleared it, typed values of the event.
# Fails if a fault of which the kernel said anything was not recognised, if a condition was
# not cleared that should be, or if a rule matched before the fault, or when there was none.
# A fault that ends the guest leaves no event to any program: the formats of the rules are
# looked for in the last lines of its console.
#
# faults.py --table RULES_FOLDER NAME=LOG... prints one table of several kernels.
import collections
import configparser
import glob
import json
import os
import re
import sys

# True of each guest: the modules that it tests are not of Debian.
EXPECTED_ALWAYS = ("kernel-tainted",)
VALUES_MAX = 110


class Fault:
    """What is between FAULT and END."""

    def __init__(self, name, conditions):
        self.name, self.before, self.conditions = name, conditions, dict(conditions)
        self.wanted, self.cleared, self.events, self.dies = [], [], [], []
        self.skipped, self.ended, self.said, self.begin = None, False, [], 0
        self.hangs = None

    def line(self, line):
        word, _, rest = line.partition(" ")
        if word == "SKIP":
            self.skipped = rest
        elif word == "BEGIN":
            self.events, self.begin = [], int(rest or 0) * 10**9
        elif word == "HANGS":
            self.hangs = rest
        elif word == "DIES":
            self.dies.append(rest)
        elif word == "RAISED":
            self.wanted.append(rest.split(" ", 1))
        elif word == "CLEARED":
            self.cleared.append(rest.split(" ", 1))
        elif line.startswith("{") and line.endswith("}"):
            self.item(json.loads(line))
        elif line:
            self.said.append(line)

    def item(self, item):
        if item["item"] == "condition":
            self.conditions[item["name"], item["key"]] = item
        elif item["item"] == "event":
            self.events.append(item)

    def messages(self):
        """Those of the kernel since it began"""
        return [event for event in self.events if event["group"] == "printk"]

    def changed(self):
        return [condition for key, condition in self.conditions.items()
                if condition["last"] != self.before.get(key, {}).get("last")]

    def find(self, wanted):
        name, key = (wanted + [""])[:2]
        return [condition for condition in self.conditions.values()
                if condition["name"] == name and condition["key"].startswith(key)]

    def lines(self):
        """Text and arguments of each line of the log, which several events may make up"""
        begun = {}
        for event in self.messages():
            before = ("", [])
            if event.get("continues"):
                before = begun.pop(event["tid"], before)
            text, arguments = before
            line = text + event["text"], arguments + event.get("arguments", [])
            if event.get("open"):
                begun[event["tid"]] = line
            yield line

    def values(self, condition):
        """Of the event that the condition had last"""
        found = ""
        for text, arguments in self.lines():
            if text.replace("\n", "\\x0a").startswith(condition["text"]):
                found = " ".join(f"{a['type']}={a.get('value')}" for a in arguments)
        return found


class Rules:
    """Of what the installed rules look for, the formats"""

    def __init__(self, folder):
        self.formats = []
        for path in sorted(glob.glob(os.path.join(folder, "*.conf"))):
            rules = configparser.ConfigParser(interpolation=None, delimiters=("=",))
            rules.read(path)
            for name in rules.sections():
                for form in re.findall(r'format[=~]=?"([^"]*)"', rules[name]["filter"]):
                    self.formats.append((name.removeprefix("rule "), rules[name].get("raises"),
                                         self.pattern(form)))

    @staticmethod
    def pattern(form):
        """What can be made of a format that may end in a star"""
        parts = re.split(r"(%[-+ #0-9.*]*(?:hh|h|ll|l|L|z)?p?[A-Za-z]|\*)", form)
        return re.compile("".join(".*" if i % 2 else re.escape(part)
                                  for i, part in enumerate(parts)))

    def find(self, condition, lines):
        """The rule that raises it, and the line of the console that it is about"""
        for name, raises, pattern in self.formats:
            for line in lines:
                line = re.sub(r"^\[ *[0-9.]+\] ", "", line)
                if raises == condition and pattern.fullmatch(line):
                    return name, line
        return None


def read(path):
    faults, fault, conditions = [], None, {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            line = line.rstrip("\n")
            if line == "BOOT":
                fault, conditions = None, {}
            elif line.startswith("FAULT "):
                fault = Fault(line[6:], conditions)
                faults.append(fault)
            elif fault and line == "END":
                fault.ended, conditions, fault = True, fault.conditions, None
            elif fault:
                fault.line(line)
    return faults


def judge(fault, rules):
    """Whether it was recognised, None if it does not count, and why"""
    changed = fault.changed()
    if fault.skipped:
        return None, "skipped: " + fault.skipped
    if fault.hangs:
        return False, fault.hangs
    if fault.dies and not fault.ended:
        missing = [name for name in fault.dies if not rules.find(name, fault.said)]
        return not missing, "no last line of " + ", ".join(missing)
    if not fault.ended:
        return False, "the guest did not survive it"
    false = [f"{c['rule']} by '{c['text']}'" for c in changed
             if c["name"] not in EXPECTED_ALWAYS and
             (fault.name == "none" or c["last"] < fault.begin)]
    if false:
        return False, "false match: " + ", ".join(false)
    if fault.name == "none":
        return None, "no rule, as it should be"
    missing = [" ".join(wanted) for wanted in fault.wanted
               if not any(condition in changed for condition in fault.find(wanted))]
    if missing:
        return False, "no condition " + ", ".join(missing)
    lasting = [" ".join(wanted) for wanted in fault.cleared
               if not any(not condition["raised"] for condition in fault.find(wanted))]
    if lasting:
        return False, "not cleared: " + ", ".join(lasting)
    if fault.dies:
        return False, "the guest survived it"
    if changed:
        return True, ""
    return (False, "no rule") if fault.messages() else (None, "the kernel says nothing")


def rows(fault, rules):
    """Rule, condition, what cleared it, values"""
    for name in [] if fault.ended else fault.dies:
        rule, line = rules.find(name, fault.said)
        yield rule, name, "", f"none: the console's last lines have '{line}'"
    for condition in fault.changed():
        cleared = "" if condition["raised"] else \
            "cleared by " + condition["cleared_by"].removeprefix("rule ")
        # The driver with bugs was built somewhere.
        name, values = (re.sub(r"/\S*/module/module/", "", text) for text in
                        (f"{condition['name']} {condition['key']}".strip(),
                         fault.values(condition)))
        yield (condition["rule"].removeprefix("rule "), name, cleared,
               values[:VALUES_MAX] + ("..." if len(values) > VALUES_MAX else ""))


def show(fault, rules):
    """Prints it; whether it was recognised"""
    recognised, why = judge(fault, rules)
    if recognised is not True:
        print(f"{fault.name} | {'NOT ' if recognised is False else ''}{why}")
        if recognised is False:
            for line in fault.said[-8:] + [m["text"] + "   " + repr(m.get("format", ""))
                                           for m in fault.messages()[:12]]:
                print("    " + line)
        return recognised
    for number, row in enumerate(rows(fault, rules)):
        print(" | ".join((fault.name if not number else "",) + row))
    return recognised


def table(rules, logs):
    """Of each fault, a row for each of its conditions, with the kernels that had it"""
    kernels = [log.partition("=")[0] for log in logs]
    words, found = collections.defaultdict(dict), {}
    for kernel, _, path in (log.partition("=") for log in logs):
        for fault in read(path):
            recognised, why = judge(fault, rules)
            words[fault.name][kernel] = {True: "yes", False: "NO"}.get(recognised,
                                                                      why.partition(":")[0])
            mine = found.setdefault(fault.name, {})
            for rule, condition, cleared, values in rows(fault, rules) if recognised else ():
                # Its key may differ, as names of disks do.
                mine.setdefault(condition.split()[0], ([], condition, cleared, values))[0].append(
                    (kernel, rule))
    print("| fault |", " | ".join(kernels), "| rule | condition | cleared | values |")
    print("|---" * (len(kernels) + 5) + "|")
    for name, conditions in found.items():
        for number, (ways, condition, cleared, values) in \
                enumerate(list(conditions.values()) or [((), "", "", "")]):
            by_rule = collections.defaultdict(list)
            for kernel, rule in ways:
                by_rule[rule].append(kernel)
            of_rules = ", ".join(rule if len(of) == len(kernels) else f"{rule} ({', '.join(of)})"
                                 for rule, of in by_rule.items())
            heads = [name] + [words[name].get(kernel, "-") for kernel in kernels] \
                if not number else [""] * (len(kernels) + 1)
            print("|", " | ".join(heads + [of_rules, condition, cleared,
                                           values.replace("|", "\\|")]), "|")


def main():
    if sys.argv[1] == "--table":
        table(Rules(sys.argv[2]), sys.argv[3:])
        return 0
    rules, counts = Rules(sys.argv[1]), {True: 0, False: 0, None: 0}
    print("fault | rule | condition | cleared | values")
    missed = []
    for fault in read(sys.argv[2]):
        recognised = show(fault, rules)
        counts[recognised] += 1
        if recognised is False:
            missed.append(f"NOT recognised: {fault.name}: {judge(fault, rules)[1]}")
    # Once more where the end of a long log shows it
    print("\n".join(missed), end="\n" if missed else "")
    print(f"{counts[True]} recognised, {counts[False]} not")
    return counts[False] > 0 or not counts[True]


sys.exit(main())
