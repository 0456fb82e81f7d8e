#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests the alerts and the dashboard in prometheus/: test_prometheus.py [PROMTOOL].

promtool tests the alerts and takes each expression of the dashboard; each metric in them is one of
kerrord's. Prints TAP, and skips what needs a promtool."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "prometheus")


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def metrics_of_kerrord():
    """Names in the sources, which each print with metrics_describe() or in a table"""
    names = set()
    for name in ("metrics.c", "conditions.c"):
        with open(os.path.join(HERE, "..", "kerrord", name), encoding="utf-8") as file:
            names |= set(re.findall(r'"(kerror_[a-z_]+)"', file.read()))
    return names


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print("".join(f"# {line}\n" for line in (done.stdout + done.stderr).splitlines()), end="")
    return done.returncode == 0


def test_alerts(promtool):
    return run(promtool, "test", "rules", os.path.join(FOLDER, "kerror-alerts-test.yml"))


def test_each_alert_is_tested(_):
    names = re.findall(r"alert: (\w+)", read("kerror-alerts.yml"))
    tests = read("kerror-alerts-test.yml")
    raised = re.findall(r"alertname: (\w+)\n *exp_alerts:\n *- exp_labels", tests)
    return len(names) > 5 and sorted(set(raised)) == sorted(names) == sorted(
        set(re.findall(r"alertname: (\w+)", tests)))


def test_alerts_notice(promtool):
    """A rule without its condition is not what the test expects."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        alerts = read("kerror-alerts.yml")
        for what in ("== 1", "> 60", "and on (instance) kerror_raw_events_total offset 5m"):
            assert what in alerts
            with open(os.path.join(folder, "kerror-alerts.yml"), "w", encoding="utf-8") as file:
                file.write(alerts.replace(what, ""))
            done = subprocess.run([promtool, "test", "rules",
                                   os.path.join(folder, "kerror-alerts-test.yml")],
                                  capture_output=True, check=False)
            if done.returncode == 0:
                return False
    return True


def expressions():
    for panel in json.loads(read("kerror-dashboard.json"))["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")


def test_dashboard(promtool):
    dashboard = json.loads(read("kerror-dashboard.json"))
    if dashboard["uid"] != "kerror" or len({p["id"] for p in dashboard["panels"]}) != \
            len(dashboard["panels"]):
        return False
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        rules = [{"record": f"panel:{i}", "expr": expr} for i, expr in enumerate(expressions())]
        json.dump({"groups": [{"name": "panels", "rules": rules}]}, file)
        file.flush()
        return run(promtool, "check", "rules", file.name)


def test_metrics(_):
    text = read("kerror-alerts.yml") + "".join(expressions())
    used = set(re.findall(r"\bkerror_[a-z_]+", text))
    print("# of", ", ".join(sorted(used)))
    return len(used) > 8 and used <= metrics_of_kerrord()


def main(promtool="promtool"):
    tests = [test_each_alert_is_tested, test_metrics, test_alerts, test_alerts_notice,
             test_dashboard]
    failed = False
    for number, test in enumerate(tests, 1):
        name = test.__name__[5:].replace("_", " ")
        if number > 2 and not shutil.which(promtool):
            print(f"ok {number} {name} # SKIP there is no promtool (Debian: prometheus)")
            continue
        good = test(promtool)
        print(f"{'ok' if good else 'not ok'} {number} {name}")
        failed |= not good
    print(f"1..{len(tests)}")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
