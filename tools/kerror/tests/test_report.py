#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Looks at the page of kerrorctl report in a browser: test_report.py KERRORCTL MAKE_STORE [FOLDER]
Takes pictures of it in Chromium at 400 and 1400 pixels, light and dark, into FOLDER, and
fails if the colours are not those that were asked for, or if something is cut at the
right. Skips all if there is no Chromium. Prints TAP."""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

# What nobody frees at the end of a program is no leak worth a failure.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
SIZES = (400, 2600), (1400, 1800)
# The background of each scheme; how Chromium is told which one is wanted
SCHEMES = {"light": ((255, 255, 255), 1), "dark": ((22, 24, 28), 0)}


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


def main():
    kerrorctl, make_store = (os.path.abspath(path) for path in sys.argv[1:3])
    folder = os.path.abspath(sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp())
    chromium = shutil.which("chromium")
    if not chromium:
        print("1..0 # SKIP there is no chromium; run: apt-get install chromium")
        return
    os.makedirs(folder, exist_ok=True)
    store, page = folder + "/events.db", folder + "/report.html"
    if os.path.exists(store):
        os.unlink(store)
    subprocess.run([make_store, store], check=True)
    with open(page, "w") as file:
        subprocess.run([kerrorctl, "report", "--html", "--since=2023-11-14", "--until=2023-11-15",
                        "--store=" + store], stdout=file, check=True, env=ENVIRONMENT)
    number = 0
    for width, height in SIZES:
        for scheme, (background, preferred) in SCHEMES.items():
            picture = f"{folder}/report-{width}-{scheme}.png"
            take_picture(chromium, page, picture, (width, height), preferred)
            rows = pixels(picture)
            assert len(rows[0]) == width, len(rows[0])
            number += 1
            assert {row[-1] for row in rows} == {background}, "something is cut at the right"
            colors = {pixel for row in rows for pixel in row}
            assert len(colors) > 20, "the page is empty"
            print(f"ok {number} {width} pixels, {scheme}")
    print(f"1..{number}")
    if len(sys.argv) <= 3:
        shutil.rmtree(folder)


main()
