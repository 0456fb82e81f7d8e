#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests kerrorctl report: test_report.py KERRORCTL MAKE_STORE [FOLDER]
The page, JSON and text have to tell the same numbers as query --count-by, and what a
driver reports has to stay text. Then it looks at the page in Chromium, at 400 and 1400
pixels, light and dark: the pictures, in FOLDER if that is given, have the colours that
were asked for, and nothing is cut at the right. Prints TAP."""

import html.parser
import json
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zlib

KERRORCTL, MAKE_STORE = (os.path.abspath(path) for path in sys.argv[1:3])
# Memory that is in use at the end of a program is no leak worth a failure.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", TZ="UTC")
ROWS = 10
BANDS = "crit", "err", "warning", "other"
SIZES = (400, 2600), (1400, 1800)
# The background of each scheme; how Chromium is told which one is wanted
SCHEMES = {"light": ((255, 255, 255), 1), "dark": ((22, 24, 28), 0)}


def kerrorctl(*arguments):
    return subprocess.run([KERRORCTL, *arguments], check=True, stdout=subprocess.PIPE,
                          env=ENVIRONMENT, timeout=120).stdout.decode()


class Page(html.parser.HTMLParser):
    """parts: for each heading, the rows of its table, each a list of cells; tiles by name"""
    VOID = {"meta", "line", "br", "rect"}

    def __init__(self, text):
        super().__init__()
        self.open, self.data, self.parts, self.tiles, self.cells = [], [], {}, {}, None
        self.feed(text)
        assert not self.open, self.open
        self.shown = " ".join("".join(self.data).split())

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "img", "i"), tag
        assert not {name for name, _ in attributes} & {"src", "href", "onload"}, attributes
        if tag not in self.VOID or tag == "rect":
            self.open.append(tag)
        if tag == "h2":
            self.data.append("\n")
            self.parts[None] = []
        elif tag == "tr":
            self.cells = []
            self.parts[None].append(self.cells)
        elif tag in ("td", "small"):
            self.cells.append("")

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, (tag, self.open)
        if tag == "tr":
            self.cells = None
        if tag in ("td", "p", "div", "h2"):
            self.data.append(" ")

    def handle_data(self, data):
        self.data.append(data)
        if self.open and self.open[-1] == "h2":
            self.parts[data] = self.parts[None]
        elif self.cells and self.open[-1] != "title":
            self.cells[-1] += data
        elif self.open[-2:] == ["div", "b"]:
            self.tiles[None] = int(data) if data.isdigit() else data
        elif self.open and self.open[-1] == "div" and None in self.tiles:
            self.tiles[data.strip()] = self.tiles.pop(None)

    def rows(self, heading):
        """Without the head, and without the cells that have but a bar"""
        return [[cell.strip() for cell in row if cell.strip()] for row in self.parts[heading][1:]]


def count_by(store, keys, *arguments):
    return [json.loads(line) for line in
            kerrorctl("query", "--store=" + store, "--count-by=" + keys, "--json",
                      *arguments).splitlines()]


def numbers_are_the_same_everywhere(store, *period):
    report = json.loads(kerrorctl("report", "--store=" + store, "--json", *period))
    page = Page(kerrorctl("report", "--store=" + store, "--html", *period))
    text = kerrorctl("report", "--store=" + store, *period)
    items = [json.loads(line) for line in
             kerrorctl("query", "--store=" + store, "--json", "--losses", *period).splitlines()]
    events = [item for item in items if item["item"] == "event"]
    lost = sum(item["count"] for item in items if item["item"] == "loss")
    unseen = sum("acknowledged" not in event for event in events)

    assert report["events"] == page.tiles["events"] == len(events) > 0
    assert report["lost"] == page.tiles["lost"] == lost
    assert report["unacknowledged"] == page.tiles["not acknowledged"] == unseen
    assert f"\n{len(events)} events, {unseen} not acknowledged, {lost} lost\n" in text
    by_severity = {row.get("severity", "none"): row["count"]
                   for row in count_by(store, "severity", *period)}
    assert {name: count for name, count in report["severities"].items() if count} == by_severity
    for name, count in by_severity.items():
        assert re.search(rf"^  {'-' if name == 'none' else name} +{count}$", text, re.M), name
    worst = sum(by_severity.get(name, 0) for name in ("emerg", "alert", "crit"))
    assert page.tiles["crit and worse"] == worst
    assert page.tiles["err"] == by_severity.get("err", 0)

    for part, heading, keys in (("kinds", "Most frequent", "facility,event"),
                                ("devices", "Devices", "facility,device"),
                                ("facilities", "Facilities", "facility")):
        rows = count_by(store, keys, *period)
        if part == "devices":
            rows = [row for row in rows if "device" in row]
        assert report[part] == rows, part
        shown = page.rows(heading)
        table = text[text.index("\n" + heading + "\n"):].split("\n\n")[0]
        counts = [int(count) for count in re.findall(r"^ +(\d+)  \d{4}-", table, re.M)]
        assert [int(row[0]) for row in shown] == counts == [row["count"] for row in rows[:ROWS]]
        assert [row[1] for row in shown] == [row.get("severity", "-") for row in rows[:ROWS]]
    assert {json.dumps(row) for row in report["new_kinds"]} <= \
        {json.dumps(row) for row in report["kinds"]}

    # Columns are full hours, or minutes, or days
    slots = [(slot["begin"], sum(slot[band] for band in BANDS)) for slot in report["slots"]]
    assert len(slots) <= 60
    for begin, count in slots:
        assert begin % report["slot"] == 0
        # A raw event has but the time of its arrival, which JSON does not tell.
        assert count >= sum(0 <= event.get("time_realtime", 0) - begin < report["slot"]
                            for event in events)
    assert sum(count for _, count in slots) == len(events)
    boots = [sum(boot["events"].values()) for boot in report["boots"]]
    assert sum(boots) == len(events)
    ends = [boot["end"] for boot in report["boots"]]
    shown = page.rows("Boots")
    assert [int(row[4]) for row in shown] == boots and [row[3] for row in shown] == ends
    for end, count in zip(ends, boots):
        assert re.search(rf"^[0-9a-f]{{8}}  .*  {end} +{count} ", text, re.M), text
    return report, page, text


def the_same_numbers(folder, store):
    report, _, _ = numbers_are_the_same_everywhere(store, "--since=all")
    assert len(report["new_kinds"]) == 6
    assert [boot["end"] for boot in report["boots"]] == ["unknown", "running"]
    assert {(loss["cause"], loss["count"]) for loss in report["losses"]} == \
        {("staging-full", 5), ("sink", 2)}
    # Of a part of it: what is new there, and only that
    report, _, _ = numbers_are_the_same_everywhere(
        store, "--since=2023-11-14T22:16", "--until=2023-11-14T23:00", "-p", "warning")
    assert report["events"] == 2 and report["severities"]["crit"] == 1
    assert sorted(row["kind"] for row in report["new_kinds"]) == ["binary", "printf"]
    # An hour each
    report, _, _ = numbers_are_the_same_everywhere(
        store, "--since=2023-11-14T12:34", "--until=2023-11-15T12:34")
    assert report["slot"] == 3600 * 10**9
    hours = count_by(store, "hour", "--until=2023-11-15")
    assert [row["count"] for row in hours] == \
        [sum(slot[band] for band in BANDS) for slot in report["slots"]
         if any(slot[band] for band in BANDS)]


def what_is_reported_is_text(folder, store):
    """Names that HTML could take for its own, in a copy; and messages of two machines"""
    hostile = folder + "/hostile.db"
    database = sqlite3.connect(hostile)
    with sqlite3.connect(store) as origin:
        origin.backup(database)
    for number, data in database.execute("SELECT id, data FROM event").fetchall():
        data = data.replace(b"net\0", b"<i>\0").replace(b"link %s", b"link&%s")
        database.execute("UPDATE event SET data = ? WHERE id = ?", (data, number))
    database.execute("INSERT INTO condition VALUES(?, ?, ?, 3, ?, ?, ?, 0, ?, 1, 1, 0, 2, NULL,"
                     " NULL, 1, 0, '')", ("disk", "<sda>", "rule", "It fails.", "Replace it.",
                                      "bad & worse", "boot"))
    database.commit()
    report, page, text = numbers_are_the_same_everywhere(hostile, "--since=all")
    assert "<i>" in page.shown and "link&%s down" in page.shown and "disk <sda>" in page.shown
    assert "bad & worse" in page.shown and "link&eth0 down, error -5" in page.shown
    assert "\\x1b[2J" in page.shown and report["conditions"][0]["name"] == "disk"
    assert "err disk <sda>: 2 events" in text
    page = kerrorctl("report", "--store=" + hostile, "--html", "--since=all")
    assert "http" not in page.replace("http-equiv", "")


def pixels(path):
    """The rows of a PNG picture without interlacing, each pixel 3 bytes"""
    data = open(path, "rb").read()
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", data[at + 8:at + 18])
        elif kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    assert depth == 8 and color in (2, 6), (depth, color)
    step = 3 if color == 2 else 4
    raw, before, rows = zlib.decompress(packed), bytearray(width * step), []
    for y in range(height):
        begin = y * (width * step + 1)
        method, row = raw[begin], bytearray(raw[begin + 1:begin + 1 + width * step])
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            above = before[i]
            corner = before[i - step] if i >= step else 0
            if method == 1:
                row[i] = (value + left) & 255
            elif method == 2:
                row[i] = (value + above) & 255
            elif method == 3:
                row[i] = (value + (left + above) // 2) & 255
            elif method == 4:
                guess = left + above - corner
                best = min((left, above, corner), key=lambda other: abs(guess - other))
                row[i] = (value + best) & 255
        before = row
        rows.append([tuple(row[i:i + 3]) for i in range(0, width * step, step)])
    return rows


def take_picture(chromium, page, picture, size, preferred):
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu",
                        "--hide-scrollbars", "--user-data-dir=" + home,
                        f"--blink-settings=preferredColorScheme={preferred}",
                        f"--window-size={size[0]},{size[1]}", "--screenshot=" + picture,
                        "file://" + page], check=True, timeout=300,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def look_at(chromium, folder, store, size, scheme):
    page, picture = folder + "/report.html", f"{folder}/report-{size[0]}-{scheme}.png"
    background, preferred = SCHEMES[scheme]
    with open(page, "w") as file:
        file.write(kerrorctl("report", "--html", "--since=2023-11-14", "--until=2023-11-15",
                             "--store=" + store))
    take_picture(chromium, page, picture, size, preferred)
    rows = pixels(picture)
    assert len(rows[0]) == size[0], len(rows[0])
    assert {row[-1] for row in rows} == {background}, "something is cut at the right"
    assert len({pixel for row in rows for pixel in row}) > 20, "the page is empty"


def main():
    folder = os.path.abspath(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp())
    os.makedirs(folder, exist_ok=True)
    store, chromium = folder + "/events.db", shutil.which("chromium")
    for name in ("events.db", "hostile.db"):
        if os.path.exists(f"{folder}/{name}"):
            os.unlink(f"{folder}/{name}")
    subprocess.run([MAKE_STORE, store], check=True)
    number = 0
    for test in the_same_numbers, what_is_reported_is_text:
        test(folder, store)
        number += 1
        print(f"ok {number} {test.__name__}", flush=True)
    for size in SIZES:
        for scheme in SCHEMES:
            number += 1
            if chromium:
                look_at(chromium, folder, store, size, scheme)
                print(f"ok {number} {size[0]} pixels, {scheme}", flush=True)
            else:
                print(f"ok {number} # SKIP there is no chromium; run: apt-get install chromium")
    print(f"1..{number}")
    if len(sys.argv) <= 3:
        shutil.rmtree(folder)


main()
