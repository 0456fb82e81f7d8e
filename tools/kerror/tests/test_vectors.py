#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests decoders of events against vectors/vectors.jsonl, and makes that file.

test_vectors.py DECODER [MUTATIONS] prints TAP: libkerror, by DECODER (decode_events.c), and
reader.py of the selftests, if it is there, have to print what the vectors say; then both have to
agree on that many mutated events. test_vectors.py --make CAPTURE... prints vectors made of what
the guest script "capture" has recorded, one file for each kernel, NAME=FILE.
"""

import importlib.util
import json
import os
import random
import re
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors", "vectors.jsonl")
READER = os.path.join(HERE, "..", "..", "testing", "selftests", "kerror", "reader.py")
VERSION = 2
GROUPS = {"raw": 1, "evlog": 2, "printk": 16}
EACH, LARGEST = 36, 420     # events of each kernel, and their bytes
MUTATIONS = 60000
TRUNCATED, PRINTK = 0x20, 0x40
# \xHH stands for a byte of Latin-1 that belongs to a p.
CONVERSION = (r"%[-+ #0]*(\*|[0-9]*)(\.(\*|[0-9]*))?(hh|h|ll|l|L|z|t)?"
              r"([diuoxXcs%]|p([0-9A-Za-z]|\\x(?!d7|f7)[c-f][0-9a-f])*|$)")
WIDTH, PRECISION, S32, U32, S64, U64, CHAR, STRING, POINTER, TEXT = range(1, 11)

# Offsets in struct evl_header, and the struct module's letter
FIELDS = {"flags": (28, "I"), "variable_size": (52, "I"), "magic": (56, "H"),
          "header_size": (58, "H"), "device_size": (60, "H"), "format_size": (62, "H"),
          "version": (64, "B"), "severity": (65, "B"), "format": (66, "B"), "reserved": (67, "B"),
          "comm_end": (83, "B"), "facility_end": (143, "B"), "facility_middle": (142, "B")}
HEADER_SIZE = 144


def load_reader():
    if not os.path.exists(READER):
        return None
    spec = importlib.util.spec_from_file_location("reader", READER)
    reader = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(reader)
    return reader


def read_as(reader, order, group, sequence, thread, data):
    reader.set_byte_order(order)
    return reader.describe_event(group, reader.Message(reader.MSG_EVENT, sequence, thread, data))


def sign(order):
    return "<" if order == "little" else ">"


# ---- Making them ----

def put(data, field, value, order):
    offset, letter = FIELDS[field]
    at = struct.Struct(sign(order) + letter)
    return data[:offset] + at.pack(value) + data[offset + at.size:]


def argument(order, kind, value, flags=0, padding=b"\0"):
    if isinstance(value, int):
        size = {CHAR: 1, S64: 8, U64: 8, POINTER: 8}.get(kind, 4)
        value = (value % (1 << 8 * size)).to_bytes(size, order)
    return (struct.pack(sign(order) + "BBH", kind, flags, len(value)) + value +
            padding * (-len(value) % 4))


def with_format(data, order, form, arguments=b"", flags=0):
    """The header of an event with another variable part, and no device"""
    variable = form + b"\0" + arguments
    for field, value in (("flags", flags), ("variable_size", len(variable)), ("format", 3),
                         ("device_size", 0), ("header_size", HEADER_SIZE),
                         ("format_size", len(form) + 1)):
        data = put(data, field, value, order)
    return data[:HEADER_SIZE] + variable


def with_data(data, order, kind, variable):
    data = put(with_format(data, order, b""), "format", kind, order)
    return put(data, "variable_size", len(variable), order)[:HEADER_SIZE] + variable


def with_device(data, order, device):
    data = put(data, "device_size", len(device), order)
    return data[:HEADER_SIZE] + device + data[HEADER_SIZE:]


def rules(data, order):
    """Yields rule of <linux/evlog.h>, whether the event is well-formed, why, and its bytes."""
    def arg(*what, **more):
        return argument(order, *what, **more)

    def form(*what, **more):
        return with_format(data, order, *what, **more)

    plain = form(b"%d %s", arg(S32, -5) + arg(STRING, b"ab"))
    grown = put(plain, "header_size", HEADER_SIZE + 12, order)
    yield 1, False, "no bytes", b""
    yield 1, False, "less than a header", plain[:HEADER_SIZE - 1]
    yield 1, False, "magic", put(plain, "magic", 0x7af9, order)
    yield 2, False, "header_size of less", put(plain, "header_size", 140, order)
    yield 2, False, "header_size does not add up", put(plain, "header_size", 148, order)
    yield 2, True, "a larger header", grown[:HEADER_SIZE] + bytes(range(12)) + grown[HEADER_SIZE:]
    yield 2, False, "a byte more", plain + b"\0"
    yield 2, False, "a byte less", plain[:-1]
    yield 2, False, "a sum over 32 bits", put(plain, "variable_size", 0xffffffff, order)
    yield 3, False, "comm without an end", put(plain, "comm_end", 0x61, order)
    yield 3, False, "facility without an end", put(plain, "facility_end", 0x61, order)
    yield 3, True, "bytes behind facility", put(plain, "facility_middle", 0x61, order)
    yield 4, True, "device", with_device(plain, order, b"b8:0\0")
    yield 4, True, "device of a NUL", with_device(plain, order, b"\0")
    yield 4, False, "device without NUL", with_device(plain, order, b"b8:0")
    yield 4, False, "device with two", with_device(plain, order, b"b8\0\0")
    yield 5, True, "no data", with_data(data, order, 0, b"")
    yield 5, False, "no data, with bytes", with_data(data, order, 0, b"x")
    yield 6, False, "format_size 0", put(plain, "format_size", 0, order)
    yield 6, False, "format_size of less", put(plain, "format_size", 5, order)
    yield 6, False, "format_size of all and more", put(plain, "format_size", 4000, order)
    yield 6, False, "two NULs in a format", put(form(b"a\0b"), "format_size", 4, order)
    yield 6, True, "an empty format", form(b"")
    yield 6, False, "no variable part", with_data(data, order, 3, b"")
    for text in (b"%w", b"%hhhd", b"%5", b"%", b"%-*5d", b"%.-3d", b"%LLd", b"%1$d", b"%n",
                 b"%\xc3"):
        yield 7, False, "no conversion", form(text, arg(S32, 1))
    yield 7, True, "letters of Latin-1", form(b"%pX\xe9\xd7", arg(TEXT, b"t"))
    yield 7, True, "all in %%", form(b"%-+ #08.3ll%|%5%|%.%")
    yield 7, False, "a star in %%", form(b"%*%", arg(WIDTH, 1))
    yield 7, True, "cut within a conversion", form(b"a %-08.3l", flags=TRUNCATED)
    yield 7, True, "cut behind %", form(b"%d %", arg(S32, 7), flags=TRUNCATED)
    yield 7, False, "cut, not at the end", form(b"a %w %-0", flags=TRUNCATED)
    yield (7, False, "no conversion behind the last argument",
           form(b"%d %d %w", arg(S32, 7), flags=TRUNCATED))
    yield 8, False, "half an argument", form(b"%d", arg(S32, 1)[:6])
    yield 8, False, "bytes behind the last", form(b"%d", arg(S32, 1) + b"\0\0\0")
    yield 8, False, "no padding", form(b"%s", arg(STRING, b"a")[:-3])
    yield 8, False, "padding of ones", form(b"%s", arg(STRING, b"a", padding=b"\1"))
    yield 8, False, "a size over the end", form(b"%s", arg(STRING, b"a" * 8)[:8])
    for kind, letter in ((S32, b"d"), (U32, b"u"), (S64, b"lld"), (U64, b"llx"), (CHAR, b"c"),
                         (POINTER, b"p")):
        for size in (0, 1, 2, 3, 4, 5, 8, 12):
            fits = size in {CHAR: (1,), POINTER: (4, 8), S64: (8,), U64: (8,)}.get(kind, (4,))
            if fits or size in (0, 2, 12):
                yield (9, fits, f"{size} bytes",
                       form(b"<%" + letter + b">", arg(kind, b"\x81" * size)))
    yield 9, False, "a width of 8 bytes", form(b"%*d", arg(WIDTH, bytes(8)) + arg(S32, 1))
    yield 9, True, "a string of none", form(b"<%5s>", arg(STRING, b""))
    values = {S32: -2, U32: 2**32 - 2, S64: -2, U64: 2**64 - 2, CHAR: 0x41, STRING: b"str",
              POINTER: 0xabcdef, TEXT: b"text", 0: b"", 11: b"new", 255: b"\0\1\2\3"}
    takes = {b"d": (S32, U32, S64, U64), b"hhx": (S32, U32, S64, U64), b"c": (CHAR,),
             b"s": (STRING,), b"p": (POINTER, TEXT), b"pI4": (TEXT,)}
    for letter, kinds in takes.items():
        for kind, value in values.items():
            yield (10, kind in kinds or kind in (0, 11, 255), f"type {kind} of {letter.decode()}",
                   form(b"<%8" + letter + b">", arg(kind, value)))
    star = arg(WIDTH, 6) + arg(PRECISION, 3)
    yield 10, True, "stars", form(b"<%-*.*d>", star + arg(S32, 7))
    yield (10, True, "negative stars",
           form(b"<%*.*s>", arg(WIDTH, -6) + arg(PRECISION, -3) + arg(STRING, b"abc")))
    yield 10, True, "a width of 0 of p", form(b"<%*p>", arg(WIDTH, 0) + arg(POINTER, 0xab))
    yield 10, True, "a precision of p", form(b"<%.20p>", arg(POINTER, 0xab))
    yield 10, False, "stars the other way round", form(b"%*.*d", star[8:] + star[:8] + arg(S32, 7))
    yield 10, False, "a width of no star", form(b"%d", arg(WIDTH, 6) + arg(S32, 7))
    yield 10, False, "a star without width", form(b"%*d", arg(S32, 6) + arg(S32, 7))
    yield 10, False, "a width for a value", form(b"%d", arg(WIDTH, 6))
    yield 11, False, "one more", form(b"%d", arg(S32, 1) + arg(S32, 2))
    yield 11, False, "one more, cut", form(b"%d", arg(S32, 1) + arg(S32, 2), flags=TRUNCATED)
    yield 11, False, "one of no conversion", form(b"100%%", arg(S32, 1))
    yield 11, False, "one less", form(b"a %d b %d c", arg(S32, 1))
    yield 11, True, "one less, cut", form(b"a %d b %d c %% d", arg(S32, 1), flags=TRUNCATED)
    yield 11, True, "a width only, cut", form(b"a %*.*d b", arg(WIDTH, 1), flags=TRUNCATED)
    yield 11, True, "stars only, cut", form(b"a %*.*d b", star, flags=TRUNCATED)
    yield 11, False, "a width only", form(b"a %*d b", arg(WIDTH, 1))
    for severity in (7, 8, 255):
        yield 0, True, "severity", put(plain, "severity", severity, order)
    for kind in (1, 2, 4, 255):
        yield 0, True, "format number", with_data(data, order, kind, b"\0a\xff")
    for field in ("version", "reserved"):
        yield 0, True, field, put(plain, field, 0xff, order)
    yield 0, True, "all flags", put(plain, "flags", 0xffffffff, order)
    yield (0, True, "format_size without a format",
           put(with_data(data, order, 2, b"text"), "format_size", 9, order))
    yield (0, True, "the flag of another type",
           form(b"%d %p", arg(S32, 1, flags=255) + arg(TEXT, b"t", flags=1)))
    yield 0, True, "an invalid string", form(b"<%8s>", arg(STRING, b"(null)", flags=1))
    yield 0, True, "digits beyond the limits", form(b"%.99999999d", arg(S32, 1))
    yield 0, True, "more than EVL_VARIABLE_MAX", with_data(data, order, 1, bytes(8193))
    # From here on, what a decoder that was written from the headers alone asked for
    # A reader that turns arguments without a look at header_size makes an event of it.
    other = ">" if order == "little" else "<"
    turned = struct.pack(other + "IHH", 40, 0x7af8, HEADER_SIZE)[::-1]
    yield 1, False, "an argument within the header", (
        bytes(48) + struct.pack(sign(order) + "BBH", S32, 0, 8) + turned +
        struct.pack(sign(order) + "HHBBBB", 0, 8, 0, 0, 3, 0) + bytes(76) + b"abxyz%s\0" +
        struct.pack(other + "BBH", STRING, 0, 28) + b"A" * 28)
    text = with_data(data, order, 2, b"abcdefgh")
    yield 2, False, "header_size 140, and the sum fits", put(
        put(text, "header_size", 140, order), "variable_size", 12, order)
    yield 2, False, "the sum fits modulo 2^32", put(
        put(with_data(data, order, 2, bytes(56)), "device_size", 156, order),
        "variable_size", 2**32 - 100, order)
    yield 2, False, "text and a byte more", text + b"i"
    yield 7, False, "cut before its letter, not truncated", form(b"x%5.3l")
    yield 7, False, "a lone %, not truncated", form(b"x%")
    yield 7, False, "a precision star in %%", form(b"%.*%", arg(PRECISION, 3))
    yield 7, False, "stars in %%, without arguments", form(b"%*.*%")
    yield 7, True, "cut behind a star", form(b"x%*", flags=TRUNCATED)
    yield 7, False, "cut behind a star, with its width", form(
        b"x%*", arg(WIDTH, 4), flags=TRUNCATED)
    yield 7, False, "cut behind a star, with its precision", form(
        b"x%.*l", arg(PRECISION, 4), flags=TRUNCATED)
    for letters in (b"n", b"f"):
        yield 7, False, "no letter, with text", form(b"%" + letters, arg(TEXT, b"x"))
    for length in (b"jd", b"qd", b"Zu"):
        yield 7, False, "no length", form(b"%" + length, arg(S64, 1))
    yield 9, False, "a precision of 8 bytes", form(
        b"%.*d", arg(PRECISION, bytes(8)) + arg(S32, 1))
    for byte in (b"\xf7", b"\xd7", b"\xa9"):
        yield 10, True, "no letter behind p", form(b"%p" + byte, arg(POINTER, 1))
    yield 10, True, "a letter behind p", form(b"%p\xdf.", arg(TEXT, b"x"))
    yield 10, True, "a length that decides nothing", form(
        b"%d %u %x %lld %llu %hp", arg(S64, -2**40) + arg(U64, 2**40) + arg(S64, -1) +
        arg(U32, 2**32 - 1) + arg(S32, -1) + arg(POINTER, 0x123456789abcdef))
    yield 10, True, "a precision of c", form(
        b"[%.0c][%.*c]", arg(CHAR, 0x41) + arg(PRECISION, 0) + arg(CHAR, 0x42))
    yield 0, True, "NUL in a string", form(
        b"[%4s][%.2s]", arg(STRING, b"a\0b") + arg(STRING, b"a\0b"))
    yield 0, True, "precisions beyond the limit", form(
        b"%.32768d%.*d", arg(S32, 7) + arg(PRECISION, 40000) + arg(S32, -7))


def kind_of(item):
    """Events that are of one kind need not all be in the vectors."""
    return tuple(sorted(key for key in item if key not in ("text", "device"))), item["group"], \
        item.get("context"), item.get("kind"), item.get("format"), \
        tuple(a["type"] for a in item.get("arguments", ()))


def captured(reader, name, path):
    """Yields vectors of what a kernel has sent."""
    with open(path, "rb") as file:
        lines = file.readlines()
    order = next(line.split()[1] for line in lines if line.startswith(b"ENDIAN")).decode()
    pairs, problem = reader.read_capture(lines)
    assert not problem, problem
    found = {}
    for group, message in pairs:
        if message.type != reader.MSG_EVENT or len(message.payload) > LARGEST:
            continue
        item = read_as(reader, order, group, message.sequence, message.thread, message.payload)
        found.setdefault(kind_of(item), (item, message.payload))
    chosen = sorted(found.values(), key=lambda pair: json.dumps(pair[0], sort_keys=True))
    random.Random(name).shuffle(chosen)
    for item, payload in chosen[:EACH]:
        yield {"from": "Linux " + name, "order": order, "bytes": payload.hex(), "event": item}


def make(captures):
    reader = load_reader()
    vectors, base = [], {}
    for name, path in (capture.split("=", 1) for capture in captures):
        vectors += captured(reader, name, path)
        for vector in vectors:
            if vector["event"].get("kind") == "printf":
                base.setdefault(vector["order"], bytes.fromhex(vector["bytes"]))
    for order, data in sorted(base.items()):
        for rule, well_formed, why, event in rules(data, order):
            item = read_as(reader, order, GROUPS["evlog"], len(vectors), 42, event)
            assert ("kind" in item) == well_formed, (rule, why, item)
            vectors.append({"from": f"rule {rule}: {why}" if rule else f"no rule: {why}",
                            "order": order, "bytes": event.hex(), "event": item})
    print(json.dumps({"version": VERSION, "vectors": len(vectors)}))
    for vector in vectors:
        print(json.dumps(vector, separators=(",", ":")))


# ---- Testing decoders with them ----

def decode(decoder, events):
    """What libkerror makes of (group, sequence, thread, bytes)"""
    lines = "".join(f"{group} {sequence} {thread} {data.hex()}\n"
                    for group, sequence, thread, data in events)
    output = subprocess.run([decoder], input=lines.encode(), capture_output=True, check=True).stdout
    return [without_digits(json.loads(line)) for line in output.splitlines()]


def without_digits(item):
    """The same without the keys that others tell, which have to be right"""
    if isinstance(item, list):
        return [without_digits(each) for each in item]
    if not isinstance(item, dict):
        return item
    for key in item:
        if key.endswith("_string"):
            assert item[key] == str(item[key[:-7]]) and abs(int(item[key])) > 2**53, item
        elif key.endswith("_bytes"):
            told, text = bytes.fromhex(item[key]), item[key[:-6]]
            assert told.decode("utf-8", "backslashreplace") == text != told.decode(
                "utf-8", "replace"), item
    if "format" in item:
        assert item.get("own_id") is (None if has_letter(item["format"]) else False), item
    return {key: without_digits(value) for key, value in item.items()
            if not key.endswith(("_string", "_bytes")) and key != "own_id"}


def has_letter(form):
    """Whether there is one outside of the conversions, or a byte that is not ASCII"""
    return re.search(r"[A-Za-z\x80-\U0010ffff]", re.sub(CONVERSION, "", form))


def same(one, other):
    """Decoders need not make all of a text that is millions of bytes long."""
    if one.get("text_truncated"):
        one = dict(one, text=other["text"][:len(one["text"])] if
                   other.get("text", "").startswith(one["text"][:1000]) else one["text"])
        del one["text_truncated"]
        other = dict(other, text=one["text"])
    return one == other


def report(number, what, pairs):
    """pairs: of what was asked, the answer, and the answer that is right"""
    different = [pair for pair in pairs if not same(pair[1], pair[2])]
    for asked, answer, right in different[:5]:
        print(f"# {asked}\n# {json.dumps(answer)[:1000]}\n# {json.dumps(right)[:1000]}")
    print(f"{'not ok' if different or not pairs else 'ok'} {number} {what}: {len(pairs)}, "
          f"{len(different)} different")
    return bool(different) or not pairs


def mutated(vectors, count):
    """Yields events with some bytes changed, taken out or put in; of this machine's order"""
    chance = random.Random(7)
    sources = [bytes.fromhex(vector["bytes"]) for vector in vectors]
    interesting = [FIELDS[name][0] for name in FIELDS]
    for _ in range(count):
        data = bytearray(chance.choice(sources))
        for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
            if not data:
                break
            at = chance.choice((chance.randrange(len(data)), chance.choice(interesting),
                                HEADER_SIZE + chance.randrange(40)))
            at = min(at, len(data) - 1)
            how = chance.randrange(10)
            if how < 4:
                data[at] ^= 1 << chance.randrange(8)
            elif how < 7:
                data[at] = chance.choice(b"\0\1\2\3\4\5\6\7\10\11\12\13%%%*.-0dscpx\xff")
            elif how == 7:
                data[at] = chance.randrange(256)
            else:
                # A size that is right again, so that not all ends at rule 2
                less = 4 * chance.randrange(1, 4)
                del data[max(HEADER_SIZE, len(data) - less):]
                if len(data) >= HEADER_SIZE:
                    device = int.from_bytes(data[60:62], sys.byteorder)
                    left = (len(data) - HEADER_SIZE - device) % (1 << 32)
                    data[52:56] = left.to_bytes(4, sys.byteorder)
        yield GROUPS["evlog"], 1, 2, bytes(data)


def test(decoder, mutations):
    if not os.path.exists(VECTORS):     # as in a kernel's tree
        print("ok 1 vectors # SKIP there is no vectors.jsonl\n1..1")
        return False
    with open(VECTORS, encoding="ascii") as file:
        head, *vectors = map(json.loads, file)
    assert head == {"version": VERSION, "vectors": len(vectors)}, head
    for vector in vectors:
        item = vector["event"]
        vector["asked"] = (GROUPS[item["group"]], item["sequence"], item["thread"],
                           bytes.fromhex(vector["bytes"]))
    own = [vector for vector in vectors if vector["order"] == sys.byteorder]
    answers = decode(decoder, [vector["asked"] for vector in own])
    failed = report(1, f"libkerror, vectors of {sys.byteorder}-endian kernels",
                    [(v["from"], answer, v["event"]) for v, answer in zip(own, answers)])
    reader = load_reader()
    if not reader:
        print("ok 2 reader.py # SKIP it is not here\nok 3 mutated events # SKIP likewise\n1..3")
        return failed
    failed |= report(2, "reader.py, vectors of both byte orders", [
        (v["from"], read_as(reader, v["order"], *v["asked"]), v["event"]) for v in vectors])
    events = list(mutated(own, mutations))
    pairs = [(event[3].hex(), answer, read_as(reader, sys.byteorder, *event))
             for event, answer in zip(events, decode(decoder, events))]
    failed |= report(3, "libkerror and reader.py, mutated events", pairs)
    kept = sum("kind" in answer for _, answer, _ in pairs)
    print(f"# {kept} of the mutated events were well-formed\n1..3")
    return failed or not 0.05 < kept / mutations < 0.95


if __name__ == "__main__":
    if sys.argv[1:2] == ["--make"]:
        sys.exit(make(sys.argv[2:]))
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(test(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else MUTATIONS))
