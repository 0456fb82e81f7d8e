#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Turns measurements into tables: bench-report.py FOLDER DATA > README.md

FOLDER has um.txt, qemu.txt, instructions.txt and hook.txt, as scripts/bench.sh makes
them of what the program bench printed. Prints Markdown, and writes to DATA what bench.gnuplot
draws.
"""
import sys
from statistics import median

FOLDER, DATA = sys.argv[1:]
PLACES = {"um": "User Mode Linux", "qemu": "QEMU, 2 CPUs", "instructions": "QEMU, instructions"}


class Run:
    """What was measured in one boot."""

    def __init__(self, path):
        self.about, self.costs, self.rates, self.latencies = {}, {}, {}, {}
        self.ratios, self.memory = {}, {}
        for line in open(path):
            kind, *rest = line.split()
            if kind == "cost":
                what, context, listeners = rest[:3]
                self.costs[what, context, int(listeners)] = \
                    [float(word) for word in rest[3:6]] + [int(rest[6])]
            elif kind == "ratio":
                what, context, listeners = rest[:3]
                self.ratios[what, context, int(listeners)] = float(rest[3])
            elif kind == "rate":
                self.rates[rest[0]] = [int(word) for word in rest[1:]]
            elif kind == "latency":
                self.latencies[rest[0], rest[1]] = [int(word) for word in rest[2:]]
            elif kind == "memory":
                self.memory[" ".join(rest[:-1])] = int(rest[-1])
            else:
                self.about[kind] = line.split(" ", 1)[1].strip()

    def cost(self, what, context="process", listeners=0):
        """Median, or None."""
        found = self.costs.get((what, context, listeners))
        return found and found[0]


RUNS = {place: Run(f"{FOLDER}/{place}.txt") for place in PLACES}

# Of boots in turns: nanoseconds, or ratios, by what, kernel and number of the boot
BOOTS, BOOT_RATIOS = {}, {}
for line in open(f"{FOLDER}/hook.txt"):
    kind, number, kernel, what, _, _, value, *_ = line.split()
    (BOOTS if kind == "cost" else BOOT_RATIOS)[what, kernel, int(number)] = float(value)
LAST_BOOT = max(number for _, _, number in BOOTS)


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def ratio(a, b):
    return a / b if a is not None and b else None


def worst(ratios):
    """The greatest of those that could be measured."""
    known = [value for value in ratios if value is not None]
    return max(known) if known else None


def boot_ratios(what, kernel, other, behind=0):
    """Of each boot of one kernel to one of another, from the least to the most."""
    return sorted(BOOTS[what, kernel, number + behind] / BOOTS[what, other, number]
                  for number in range(1, LAST_BOOT + 1 - behind))


def forwarded_ratios(what):
    return sorted(BOOT_RATIOS[f"{what}_forwarded", "um-bench", number]
                  for number in range(1, LAST_BOOT + 1))


def forwarded_ratio(run, what):
    """Of a budget so near, the median of several boots, where there are some."""
    if run is RUNS["um"]:
        return median(forwarded_ratios(what))
    return run.ratios[f"{what}_forwarded", "process", 0]


def budgets(run):
    """Name, what may be, what is (None: not measured there), met or not."""
    evl = [run.cost("evl_printf_3", "process", n) for n in (0, 1, 32)]
    rates, latencies = run.rates, run.latencies

    def rate_ratio(peer):
        return ratio(rates["kerror"][0], rates[peer][0]) if "kerror" in rates else None

    def latency_ratio():
        if ("kerror", "idle") not in latencies:
            return None
        return ratio(latencies["kerror", "idle"][0], latencies["uevent", "idle"][0])

    def trace_ratio(n):
        return worst(ratio(run.cost(f"evl_printf_{n}", *where), run.cost(f"trace_event_{n}", where[0]))
                     for where in (("process", 0), ("process", 1), ("process", 32),
                                   ("softirq", 0), ("hardirq", 0)))

    return [
        ("evl_printf, 3 arguments / trace event", "<= 1.0", trace_ratio(3), 1.0, False),
        ("evl_printf, 8 arguments / trace event", "<= 1.0", trace_ratio(8), 1.0, False),
        ("evl_printf, 3 arguments / printk", "<= 0.25",
         worst(ratio(cost, run.cost("printk_3")) for cost in evl), 0.25, False),
        ("evl_printf, 3 arguments / trace_printk", "<= 1.0",
         worst(ratio(cost, run.cost("trace_printk_3")) for cost in evl), 1.0, False),
        ("evl_printf, 3 arguments / broadcast to one listener", "<= 0.25",
         worst(ratio(cost, run.cost("broadcast_3", "process", 1)) for cost in evl), 0.25, False),
        ("evl_printf, 3 arguments / floor", "<= 1.5; 4 in QEMU",
         ratio(evl[0], run.cost("floor_3")), 1.5 if run is RUNS["um"] else 4, False),
        ("evl_write, 64 B / floor", "<= 2",
         ratio(run.cost("evl_write_64"), run.cost("floor_64")), 2, False),
        *((f"{name}, {n} arguments, forwarded / not", "<= 1.15",
           forwarded_ratio(run, f"{name}_{n}"), 1.15, False)
          for name, n in (("printk", 0), ("printk", 3), ("printk", 8), ("dev_printk", 3))),
        ("first after a rest, evl_printf / printk", "<= 1.0",
         ratio(run.cost("evl_printf_3", "rest"), run.cost("printk_3", "rest")), 1.0, False),
        ("evl_printf, 32 listeners / 1", "<= 1.05",
         ratio(evl[2], evl[1]), 1.05, False),
        ("decoded events/s / /dev/kmsg's", ">= 3", rate_ratio("kmsg") if rates else None, 3, True),
        ("decoded events/s / trace_pipe_raw's", ">= 1.5",
         rate_ratio("trace_pipe_raw") if rates else None, 1.5, True),
        ("call to reader, idle / uevent's", "<= 1", latency_ratio(), 1, False),
    ]


def show_budgets():
    columns = {place: budgets(run) for place, run in RUNS.items()}
    rows = []
    for i, (name, limit, *_) in enumerate(columns["um"]):
        row = [name, limit]
        for place in PLACES:
            *_, value, bound, at_least = columns[place][i]
            if value is None:
                row.append("-")
                continue
            met = value >= bound if at_least else value <= bound
            row.append(f"{value:.2f}" + ("" if met else " **missed**"))
        rows.append(row)
    table(["what", "budget", *PLACES.values()], rows)


def show_costs(run):
    names = list(dict.fromkeys(what for what, _, _ in run.costs))
    columns = [("process", 0), ("process", 1), ("process", 32), ("softirq", 0),
               ("softirq", 1), ("softirq", 32), ("hardirq", 0), ("hardirq", 1),
               ("hardirq", 32), ("all-cpus", 0), ("rest", 0)]
    columns = [column for column in columns
               if any((name, *column) in run.costs for name in names)]
    rows = []
    for name in names:
        row = [name]
        for column in columns:
            found = run.costs.get((name, *column))
            row.append("-" if not found else
                       f"{found[0]:.0f} ({found[1]:.0f}-{found[2]:.0f})" +
                       (f" {found[3]} failed" if found[3] else ""))
        rows.append(row)
    table(["ns"] + [f"{context}, {n}" for context, n in columns], rows)


def show_parts():
    """Of what evl_printf() with three arguments takes: differences of medians."""
    def difference(run, more, less):
        return f"{run.cost(more, 'hardirq') - run.cost(less, 'hardirq'):.0f}"

    parts = [("a look at the clock", "clock", "nothing"),
             ("reserve, commit, wake; copy of 64 bytes", "kernel_error_event_64", "clock"),
             ("header of evlog", "evl_write_64", "kernel_error_event_64"),
             ("format instead of data", "evl_printf_0", "evl_write_64"),
             ("three arguments", "evl_printf_3", "evl_printf_0")]
    table(["part, ns", *PLACES.values()],
          [[name, *(difference(run, more, less) for run in RUNS.values())]
           for name, more, less in parts])


def show_hook():
    """Ratios of boots in turns: of two kernels, and of one with itself."""
    def show(ratios):
        return f"{median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f})"

    plain = "um-bench-unforwarded"
    rows = [[what,
             show(boot_ratios(what, "um-bench", plain)),
             show(boot_ratios(what, "um-bench", "um-bench", 1)),
             show(boot_ratios(what, plain, plain, 1)),
             show(forwarded_ratios(what))]
            for what in dict.fromkeys(what for what, _, _ in BOOTS)
            if not what.endswith("_forwarded")]
    table(["", "with / without", "with / with", "without / without", "forwarded / not"], rows)


def plot_data():
    for place, run in RUNS.items():
        if place == "instructions":
            continue
        bars = ["floor_3", "evl_printf_3", "evl_write_64", "kernel_error_event_64",
                "trace_event_3", "trace_printk_3", "printk_3", "broadcast_3",
                "kobject_uevent_3", "audit_log_3"]
        with open(f"{DATA}/{place}-cost.dat", "w") as file:
            for name in bars:
                listeners = 1 if (name, "process", 1) in run.costs else 0
                cost = run.costs.get((name, "process", listeners))
                if cost:
                    print(name.replace("_", "\\\\_"), *cost[:3], file=file)
        for title, names in (("listeners", ("evl_printf_3", "broadcast_3")),):
            with open(f"{DATA}/{place}-{title}.dat", "w") as file:
                for name in names:
                    for (what, context, n), cost in sorted(run.costs.items()):
                        if what == name and context == "process":
                            print(n, *cost[:3], file=file)
                    print("\n", file=file)
        with open(f"{DATA}/{place}-arguments.dat", "w") as file:
            for name in ("evl_printf", "trace_printk", "printk"):
                for n in (0, 3, 8):
                    print(n, *run.costs[f"{name}_{n}", "process", 0][:3], file=file)
                print("\n", file=file)
        with open(f"{DATA}/{place}-size.dat", "w") as file:
            for name in ("evl_write", "floor"):
                for n in (64, 256, 1024, 4096):
                    print(n, *run.costs[f"{name}_{n}", "process", 0][:3], file=file)
                print("\n", file=file)
        with open(f"{DATA}/{place}-rate.dat", "w") as file:
            for name, rate in run.rates.items():
                print(name.replace("_", "\\\\_"), *rate[:3], file=file)
        with open(f"{DATA}/{place}-latency.dat", "w") as file:
            for name in run.rates:
                if (name, "idle") not in run.latencies:
                    continue
                print(name.replace("_", "\\\\_"), *(value / 1000 for load in ("idle", "load")
                      for value in run.latencies[name, load][:2]), file=file)


def main():
    print("# What an error event costs, beside its peers\n")
    print("`make bench` made this page, the plots and the files of measurements (um.txt,")
    print("qemu.txt, instructions.txt). Machines differ and are shared: read ratios, which are of one boot.\n")
    for place, title in PLACES.items():
        about = RUNS[place].about
        print(f"- {title}: {about['kernel']}; {about['processor']}, load {about['load']};")
        print(f"  clock source {about['clocksource']}; configuration {about['config']};")
        print(f"  command: {about['command']}")
    print("\n## Budgets\n")
    show_budgets()
    print("The worst of 0, 1 and 32 listeners counts; of a trace event, softirqs and hard interrupts")
    print("count, too. Where instructions are counted (QEMU's -icount), one takes one nanosecond, and")
    print("nothing else that this machine does matters. Why a budget is missed and what it would take")
    print("is in [profile.md](profile.md).\n")
    print("## Where the caller's time goes\n")
    print("In hard interrupts, where nothing else runs meanwhile.\n")
    show_parts()
    for place, title in PLACES.items():
        print(f"## Caller's cost, {title}\n")
        print("Nanoseconds per call: median of the rounds (10th to 90th percentile), by context and")
        print("number of listeners. _N: arguments or bytes; floor_N: a look at the clock and a copy of")
        print("the same bytes; all-cpus: hard interrupts on all CPUs at the same time. broadcast is")
        print("alloc_skb() + nlmsg_put() + netlink_broadcast() of the bytes of evl_printf_3, to a")
        print("protocol of its own. printk has no console output; printk_N_forwarded makes an event of")
        print("each message, too. rest: one call after 20 ms without one. \"-\" is a call that the context")
        print("does not allow.\n")
        show_costs(RUNS[place])
        if place == "instructions":
            continue
        for plot in ("cost", "listeners", "arguments", "size"):
            print(f"![{plot}]({place}-{plot}.svg)")
        print()
    print("## What the hook in printk() costs\n")
    print("User Mode Linux with CONFIG_KERROR_PRINTK, nothing forwarded, and without it, booted in")
    print("turns: ratios of a boot to the next, median (least to most). Two boots of the same kernel")
    print("show what is noise. Forwarded: a message becomes an event; in the same boot, in turns with")
    print("messages that do not, the median ratio of a round to the one right before.\n")
    show_hook()
    run = RUNS["qemu"]
    print("## Delivered, QEMU\n")
    print("Events per second into a program that takes time, task and the three arguments from each,")
    print("raised as fast as one CPU can; the reader is bound to the other CPU. kerrord_store and")
    print("kerrord_json are kerrord, which writes each event to SQLite, or to a file as a line of JSON,")
    print("on tmpfs; its events come no faster than the history can hold, and all are written.\n")
    table(["reader", "decoded/s (least-most)", "raised/s", "reader's ns/event", "kernel thread's ns/event"],
          [(name, f"{rate[0]} ({rate[1]}-{rate[2]})", rate[3], rate[4], rate[5] or "-")
           for name, rate in run.rates.items()])
    print("![rate](qemu-rate.svg)\n")
    print("Microseconds from right before the call until the program has the arguments; load is a busy")
    print("process on each CPU.\n")
    table(["reader", "idle: median", "99 %", "load: median", "99 %"],
          [(name, *(f"{value / 1000:.0f}" for load in ("idle", "load")
                    for value in run.latencies[name, load][:2]))
           for name in run.rates if (name, "idle") in run.latencies])
    print("![latency](qemu-latency.svg)\n")
    print("## Memory\n")
    table(["what", "bytes"], [(what, size) for what, size in run.memory.items()])
    plot_data()


main()
