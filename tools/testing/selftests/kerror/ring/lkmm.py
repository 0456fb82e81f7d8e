#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Tells whether a litmus test can end as its "exists" clause says.

"make check" runs it on litmus/, which has a test for each pair of barriers of
kerror. The tests are of the format of tools/memory-model: herd7 reads them, too,
and gives the same answers.

usage: lkmm.py FILE...

Promise: a line of TAP for each test. It is ok if the answer is the "Result:" of
the test. If that is Never, each barrier of the test is then left out or made
weaker, one at a time. That must make the end possible. So no test passes because
it cannot fail. A line with the comment "spare" has a barrier that other tests
need.

Rules: all candidate executions are built: values that reads return (rf), orders
of the writes to each variable (co). One counts if it has no cycle that
linux-kernel.cat forbids: coherence, atomicity, happens-before (with
dependencies, fences and propagation) and propagation by full barriers.

Limits: integers and addresses; READ_ONCE, WRITE_ONCE, smp_load_acquire,
smp_store_release, xchg_relaxed, the barriers, "if (register == value)" without
else. No plain accesses, locks or RCU: data of a record are written here with
WRITE_ONCE. So what a compiler may do is not looked at.
"""
import itertools
import re
import sys


class Unsupported(Exception):
    pass


# ---------------------------------------------------------------- parsing

FENCES = {"smp_mb": "mb", "smp_wmb": "wmb", "smp_rmb": "rmb",
          "smp_mb__after_atomic": "after"}
STATEMENT = re.compile(r"""
    (?P<fence>smp_\w+)\s*\(\s*\)\s*; |
    (?P<store>WRITE_ONCE|smp_store_release)\s*
        \(\s*\*?(?P<to>\w+)\s*,\s*(?P<value>-?\w+)\s*\)\s*; |
    (?:int\s+(?:\*\s*)?)?(?P<register>\w+)\s*=\s*
        (?P<load>READ_ONCE|smp_load_acquire|xchg_relaxed)\s*
        \(\s*\*?(?P<of>\w+)\s*(?:,\s*(?P<new>-?\w+)\s*)?\)\s*; |
    if\s*\(\s*(?P<test>\w+)\s*==\s*(?P<equal>-?\w+)\s*\)\s*(?P<brace>\{)? |
    (?P<end>\}) |
    int\s+[^;=]*;
    """, re.VERBOSE)


def parse_block(text, at, one=False):
    """Returns the statements up to the closing brace, and where it ends."""
    block = []
    while True:
        while text[at].isspace():
            at += 1
        match = STATEMENT.match(text, at)
        if not match:
            raise Unsupported(text[at:].split("\n")[0])
        at = match.end()
        if match["end"]:
            return block, at
        if match["test"]:
            body, at = parse_block(text, at, not match["brace"])
            block.append(("if", match["test"], match["equal"], body))
        elif match["fence"]:
            if match["fence"] not in FENCES:
                raise Unsupported(match["fence"])
            block.append(("fence", FENCES[match["fence"]]))
        elif match["store"]:
            block.append(("store", match["to"], match["value"],
                          match["store"] == "smp_store_release"))
        elif match["load"]:
            block.append(("load", match["register"], match["of"],
                          match["load"] == "smp_load_acquire", match["new"]))
        if one:
            return block, at


class Test:
    def __init__(self, text):
        text = re.sub(r"\(\*\s.*?\*\)|/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
        head = re.match(r"\s*C\s+(\S+)\s*(?:\"[^\"]*\")?\s*\{(.*?)\}", text, re.S)
        if not head:
            raise Unsupported("no header")
        self.start = dict(re.findall(r"(\w+)\s*=\s*&?(-?\w+)", head[2]))
        self.threads = []
        at = head.end()
        for thread in re.finditer(r"P\d+\s*\(([^)]*)\)\s*\{", text[at:]):
            for name in re.findall(r"(\w+)\s*(?:,|$)", thread[1]):
                self.start.setdefault(name, "0")
            self.threads.append(parse_block(text, at + thread.end())[0])
        clause = re.search(r"exists\s*(.*)", text, re.S)
        if not clause or re.search(r"\\/|~|!", clause[1]):
            raise Unsupported("clause")
        self.wanted = re.findall(r"(?:(\d+):)?(\w+)\s*=\s*(-?\w+)", clause[1])


# ------------------------------------------------------ candidate executions

class Event:
    def __init__(self, thread, kind, var=None, value=None, order=None):
        self.thread, self.kind, self.var = thread, kind, var
        self.value, self.order = value, order
        self.data, self.addr, self.ctrl = set(), set(), set()
        self.rmw = None


def paths(test, number, domain):
    """All ways in which one thread may run: (events, registers)."""
    def value_of(name, registers):
        """Value of a register, number or variable; reads that it depends on."""
        return registers.get(name, (name, set()))

    def run(todo, events, registers):
        if not todo:
            yield events, {name: value for name, (value, _) in registers.items()}
            return
        (step, ctrl), todo = todo[0], todo[1:]
        if step[0] == "fence":
            yield from run(todo, events + [Event(number, step[1])], registers)
        elif step[0] == "if":
            value, depends = value_of(step[1], registers)
            if value == step[2]:
                inner = [(inner, ctrl | depends) for inner in step[3]]
                todo = inner + todo
            yield from run(todo, events, registers)
        elif step[0] == "store":
            value, depends = value_of(step[2], registers)
            var, addr = value_of(step[1], registers)
            event = Event(number, "W", var, value, "release" if step[3] else None)
            event.data, event.addr, event.ctrl = depends, addr, ctrl
            yield from run(todo, events + [event], registers)
        else:
            _, register, of, acquire, new = step
            var, addr = value_of(of, registers)
            for value in domain:
                read = Event(number, "R", var, value, "acquire" if acquire else None)
                read.addr, read.ctrl = addr, ctrl
                more = [read]
                if new is not None:
                    written, depends = value_of(new, registers)
                    write = Event(number, "W", var, written)
                    write.data, write.addr, write.ctrl = depends, addr, ctrl
                    write.rmw = read
                    more.append(write)
                yield from run(todo, events + more,
                               {**registers, register: (value, {read})})

    return run([(step, frozenset()) for step in test.threads[number]], [], {})


def join(*relations):
    """The pairs that all of them make, one after the other."""
    result = relations[0]
    for relation in relations[1:]:
        after = {}
        for a, b in relation:
            after.setdefault(a, []).append(b)
        result = {(a, c) for a, b in result for c in after.get(b, ())}
    return result


def closure(relation):
    result = set(relation)
    while True:
        more = join(result, relation) - result
        if not more:
            return result
        result |= more


def acyclic(relation):
    return all(a is not b for a, b in closure(relation))


def fenced(threads, kinds, before="RW", after="RW"):
    """Pairs of accesses with a fence between."""
    return {(a, b) for events in threads
            for i, f in enumerate(events) if f.kind in kinds
            for a in events[:i] if a.kind in before
            for b in events[i + 1:] if b.kind in after}


def allowed(threads, events, rf, co):
    """Whether the model of linux-kernel.cat allows this execution."""
    same = {(e, e) for e in events}
    po = {(a, b) for thread in threads for i, a in enumerate(thread)
          for b in thread[i + 1:] if a in events and b in events}
    source = {b: a for a, b in rf}
    fr = {(r, w) for r, s in source.items() for a, w in co if a is s}
    internal = lambda relation: {(a, b) for a, b in relation
                                 if a.thread == b.thread}
    external = lambda relation: relation - internal(relation)
    com = rf | co | fr
    if not acyclic({(a, b) for a, b in po if a.var == b.var} | com):
        return False
    rmw = {(w.rmw, w) for w in events if w.rmw}
    if rmw & join(external(fr), external(co)):
        return False

    after = {(a, b) for thread in threads for i, f in enumerate(thread)
             if f.kind == "after" for k, w in enumerate(thread[:i]) if w.rmw
             for a in thread[:k + 1] if a.kind in "RW"
             for b in thread[i + 1:] if b.kind in "RW"}
    mb = fenced(threads, ("mb",)) | after
    wmb = fenced(threads, ("wmb",), "W", "W")
    rmb = fenced(threads, ("rmb",), "R", "R")
    release = {(a, b) for a, b in po if b.order == "release"}
    acquire = {(a, b) for a, b in po if a.order == "acquire"}
    fence = mb | wmb | rmb | release | acquire

    addr = {(r, e) for e in events for r in e.addr}
    dep = addr | {(r, e) for e in events for r in e.data}
    ctrl = {(r, e) for e in events for r in e.ctrl}
    to_w = {(a, b) for a, b in dep | ctrl if b.kind == "W"} | internal(co | fr)
    to_r = {(a, b) for a, b in addr if b.kind == "R"} | join(dep, internal(rf))
    ppo = to_w | to_r | fence

    rfe = external(rf)
    cumul = mb | release
    cumul = cumul | join(rfe, cumul) | wmb
    cumul = join(cumul, closure(join(rf, rmw)) | same)
    prop = join(external(co | fr) | same, closure(cumul) | same, rfe | same)
    hb = ppo | rfe | {(a, b) for a, b in internal(prop) if a is not b}
    if not acyclic(hb):
        return False
    return acyclic(join(prop, mb, closure(hb) | same))


def possible(test):
    """Whether an allowed execution ends as the test asks."""
    domain = {"0"} | set(test.start.values()) | {value for _, _, value in test.wanted}
    domain |= set(re.findall(r"'(-?\w+)'", repr(test.threads))) & \
        (set(test.start) | {str(i) for i in range(10)})
    starts = [Event(-1, "W", var, value) for var, value in test.start.items()]
    ways = [list(paths(test, i, domain)) for i in range(len(test.threads))]
    for way in itertools.product(*ways):
        registers = [registers for _, registers in way]
        if any(thread and registers[int(thread)].get(name) != value
               for thread, name, value in test.wanted):
            continue
        threads = [events for events, _ in way]
        events = {e for thread in threads for e in thread if e.kind in "RW"}
        if any(e.var not in test.start for e in events):
            continue
        writes = [e for e in events if e.kind == "W"] + starts
        reads = [e for e in events if e.kind == "R"]
        choices = [[w for w in writes if w.var == r.var and w.value == r.value]
                   for r in reads]
        orders = [[(start, *order) for order in itertools.permutations(
                   [w for w in writes if w.var == start.var and w is not start])]
                  for start in starts]
        for order in itertools.product(*orders):
            last = {writes[-1].var: writes[-1].value for writes in order}
            if any(not thread and last.get(name) != value
                   for thread, name, value in test.wanted):
                continue
            co = {pair for writes in order
                  for pair in itertools.combinations(writes, 2)}
            for sources in itertools.product(*choices):
                if allowed(threads, events | set(starts), set(zip(sources, reads)), co):
                    return True
    return False


# ---------------------------------------------------------------- tests

WEAKER = [
    (re.compile(r"smp_(mb|wmb|rmb|mb__after_atomic)\(\);"), ""),
    (re.compile(r"smp_store_release\((\w+)"), r"WRITE_ONCE(*\1"),
    (re.compile(r"smp_load_acquire\((\w+)\)"), r"READ_ONCE(*\1)"),
]


def weakened(text):
    """The test without one of its barriers, for each: (line, text)."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for barrier, weaker in WEAKER:
            changed = barrier.sub(weaker, line)
            if changed != line and "spare" not in line:
                yield line.strip(), "\n".join(lines[:number] + [changed] +
                                              lines[number + 1:])


def check(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    name = path.split("/")[-1].removesuffix(".litmus")
    expected = re.search(r"Result: (Never|Sometimes)", text)
    try:
        result = "Sometimes" if possible(Test(text)) else "Never"
        if not expected or expected[1] != result:
            return f"not ok - {name}: {result}"
        weaker = list(weakened(text)) if result == "Never" else []
        for line, changed in weaker:
            if not possible(Test(changed)):
                return f"not ok - {name}: not needed: {line}"
    except Unsupported as error:
        return f"not ok - {name}: cannot be read: {error}"
    needed = f", needed barriers: {len(weaker)}" if weaker else ""
    return f"ok - {name}: {result}{needed}"


def main():
    lines = [check(path) for path in sys.argv[1:]]
    print("\n".join(lines))
    return any(line.startswith("not ok") for line in lines)


sys.exit(main())
