#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Independent reader of NETLINK_KERROR, written from <linux/kerror.h> and <linux/evlog.h> alone.

Reads a captured stream (reader.py CAPTURE) or the socket (--live) and prints each event and each
loss notice as a line of JSON; --test checks the reader itself. A capture is in the byte order that
its line ENDIAN names, else in this machine's. Promises that it shares nothing with
kernel and daemon but these headers, prints an event of one group once, interprets none that is not
well-formed by evlog.h (it prints the bytes), and fails at the first datagram that breaks the
protocol.
"""

import collections
import errno
import json
import re
import socket
import struct
import sys
import zlib

NETLINK_KERROR, REPLAY_BOOT = 27, 0x1
NLM_F_REQUEST, NLM_F_DUMP, NLMSG_ERROR, NLMSG_DONE = 0x1, 0x300, 0x2, 0x3
MSG_EVENT, MSG_LOSS, MSG_REPLAY = 0x10, 0x11, 0x12
GROUP_RAW, GROUP_EVLOG, GROUP_PRINTK = 0x1, 0x2, 0x10
GROUP_NAMES = {GROUP_RAW: "raw", GROUP_EVLOG: "evlog", GROUP_PRINTK: "printk"}
EVENT_MAX, DATAGRAM_MAX = 9216, 32768
CAUSES = ("staging-full", "no-staging", "too-long", "nmi", "rate-limit", "abandoned", "history")
LOST_HISTORY = CAUSES.index("history")

BYTE_ORDERS = {"little": "<", "big": ">"}

EVL_MAGIC, FLAG_TRUNCATED, ARG_FLAG_INVALID = 0x7af8, 0x20, 0x1
KINDS = ("nodata", "binary", "string", "printf")
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
CONTEXTS = (0x01, "nmi"), (0x02, "hardirq"), (0x04, "softirq"), (0, "process")
FLAG_NAMES = ((0x08, "boot"), (0x10, "oops"), (FLAG_TRUNCATED, "truncated"),
              (0x40, "printk"), (0x80, "continues"), (0x100, "open"),
              (0x200, "imported"))

WIDTH, PRECISION, S32, U32, S64, U64, CHAR, STRING, POINTER, TEXT = range(1, 11)
VALUE_NAMES = dict(enumerate("s32 u32 s64 u64 char string pointer text".split(), S32))
VALUE_SIZES = {WIDTH: (4,), PRECISION: (4,), S32: (4,), U32: (4,), S64: (8,), U64: (8,),
               CHAR: (1,), POINTER: (4, 8)}
VALUES_OF_LETTER = {b"c": (CHAR,), b"s": (STRING,)}
WIDTH_MAX, PRECISION_MAX = 8388607, 32767

BEFORE_LETTER = (rb"%(?P<flags>[-+ #0]*)(?P<width>\*|[0-9]+)?(?:\.(?P<precision>\*|[0-9]+)?)?"
                 rb"(?P<qualifier>hh|h|ll|l|L|z|t)?")
CONVERSION = re.compile(BEFORE_LETTER + rb"(?:(?P<letter>[diuoxXcs%])|"
                        rb"(?P<pointer>p)(?P<more>[0-9A-Za-z\xc0-\xd6\xd8-\xf6\xf8-\xff]*))")
CUT_CONVERSION = re.compile(BEFORE_LETTER + rb"\Z")

Message = collections.namedtuple("Message", "type sequence thread payload")
Argument = collections.namedtuple("Argument", "type flags data")


def set_byte_order(order):
    """Defines the structures for a kernel of this byte order."""
    global byte_order, NLMSGHDR, LOSS, REQUEST, EVL_HEADER, EVL_ARGUMENT
    byte_order = order
    NLMSGHDR, LOSS, REQUEST, EVL_HEADER, EVL_ARGUMENT = (
        struct.Struct(BYTE_ORDERS[order] + fields)
        for fields in ("IHHII", "QQII", "IIII", "QQ10I4H4B16s60s", "BBH"))


set_byte_order(sys.byteorder)


class Malformed(Exception):
    """A datagram breaks the protocol, or an event is not what evlog.h says."""


def require(condition, reason="not evlog"):
    if not condition:
        raise Malformed(reason)


def name_of(names, number, other):
    return names[number] if number < len(names) else other


def to_text(data):
    return data.decode("utf-8", "backslashreplace")


def to_signed(value, bits):
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def to_integer(argument):
    return int.from_bytes(argument.data, byte_order,
                          signed=argument.type in (WIDTH, PRECISION, S32, S64))


def fill(body, width, flags):
    return body.ljust(width or 0) if b"-" in flags else body.rjust(width or 0)


def render_number(value, letter, flags, width, precision):
    start = b""
    if letter in b"di":
        start = b"-" if value < 0 else b"+" if b"+" in flags else b" " if b" " in flags else b""
    elif b"#" in flags and (letter in b"xX" or letter == b"o" and value):
        start = b"0" + letter.strip(b"o")
    base = letter.decode() if letter in b"oxX" else "d"
    digits = format(abs(value), base).encode().rjust(precision or 0, b"0")
    if b"0" in flags and b"-" not in flags:
        digits = digits.rjust((width or 0) - len(start), b"0")
    return fill(start + digits, width, flags)


def render_value(argument, conversion, flags, width, precision):
    """The bytes that one conversion makes of its value."""
    letter = conversion["letter"] or conversion["pointer"]
    require(argument.type not in (WIDTH, PRECISION))
    if argument.type not in VALUE_NAMES:
        return conversion.group()
    if letter == b"p":
        require(argument.type in ((TEXT,) if conversion["more"] else (POINTER, TEXT)))
    else:
        require(argument.type in VALUES_OF_LETTER.get(letter, (S32, U32, S64, U64)))
    if argument.type == TEXT:
        return argument.data
    if letter in b"cs":
        return fill(argument.data[:precision if letter == b"s" else None], width, flags)
    if letter == b"p":
        if width is None:
            width, flags = 2 * len(argument.data), flags + b"0"
        return render_number(to_integer(argument), b"x", flags, width, precision)
    unreduced = 32 if argument.type in (S32, U32) else 64
    bits = {b"hh": 8, b"h": 16}.get(conversion["qualifier"], unreduced)
    value = to_signed(to_integer(argument), bits)
    return render_number(value if letter in b"di" else value % (1 << bits), letter, flags, width,
                         precision)


def parse_format(template, truncated):
    """Returns the texts and conversions that a format consists of."""
    parts, position = [], 0
    while (start := template.find(b"%", position)) >= 0:
        conversion = CONVERSION.match(template, start)
        if not conversion:
            require(truncated and CUT_CONVERSION.match(template, start))
            return parts + [template[position:start], None]
        stars = (conversion["width"], conversion["precision"]).count(b"*")
        require(conversion["letter"] != b"%" or not stars)
        parts += [template[position:start], conversion]
        position = conversion.end()
    return parts + [template[position:]]


def render(template, arguments, truncated):
    """Returns the values that the format converts, and the text."""
    arguments = collections.deque(arguments)
    values, text = [], b""

    def number(written, kind):
        if written != b"*":
            return int(written[:4000]) if written else None  # int() refuses 4300 digits
        if not arguments:
            return None
        require(arguments[0].type == kind)
        return to_integer(arguments.popleft())

    for part in parse_format(template, truncated):
        if isinstance(part, bytes):
            text += part
            continue
        if part and part["letter"] == b"%":
            text += b"%"
            continue
        if part:
            width, precision = number(part["width"], WIDTH), number(part["precision"], PRECISION)
        if not part or not arguments:
            require(truncated and not arguments)
            return values, text
        flags = part["flags"] + (b"-" if width and width < 0 else b"")
        width = width and min(abs(width), WIDTH_MAX)
        precision = precision and min(max(precision, 0), PRECISION_MAX)
        values.append(arguments.popleft())
        text += render_value(values[-1], part, flags, width, precision)
    require(not arguments)
    return values, text


def parse_arguments(data):
    arguments, offset = [], 0
    while offset < len(data):
        require(len(data) - offset >= EVL_ARGUMENT.size)
        kind, flags, size = EVL_ARGUMENT.unpack_from(data, offset)
        start = offset + EVL_ARGUMENT.size
        offset = start + (size + 3) // 4 * 4
        require(offset <= len(data) and not any(data[start + size:offset]) and
                size in VALUE_SIZES.get(kind, (size,)))
        arguments.append(Argument(kind, flags, data[start:start + size]))
    return arguments


def describe_argument(argument):
    if argument.type not in VALUE_NAMES:
        return {"type": "unknown"}
    value = to_text(argument.data) if argument.type in (STRING, TEXT) else to_integer(argument)
    if argument.type == POINTER:    # as its text is: beyond what JSON's numbers hold
        value = f"{value:0{2 * len(argument.data)}x}"
    invalid = argument.type == STRING and argument.flags & ARG_FLAG_INVALID
    described = {"type": VALUE_NAMES[argument.type], "value": value}
    return {**described, "invalid": True} if invalid else described


def describe_evlog(data):
    require(len(data) >= EVL_HEADER.size)
    (time_realtime, time_boot, event_id, event_type, _, flags, cpu, uid, gid, pid, tid,
     variable_size, magic, header_size, device_size, format_size, _, severity, kind, _,
     comm, facility) = EVL_HEADER.unpack_from(data)
    require(magic == EVL_MAGIC and header_size >= EVL_HEADER.size)
    require(header_size + device_size + variable_size == len(data))
    require(comm[-1] == facility[-1] == 0)
    item = {"time_realtime": time_realtime, "time_boot": time_boot,
            "severity": name_of(SEVERITIES, severity, "unknown"),
            "facility": to_text(facility.split(b"\0")[0]),
            "context": next(name for flag, name in CONTEXTS if flags & flag == flag),
            "cpu": cpu, "uid": uid, "gid": gid, "pid": pid, "tid": tid, "event_type": event_type,
            "comm": to_text(comm.split(b"\0")[0]), "kind": name_of(KINDS, kind, "binary")}
    item.update((name, True) for flag, name in FLAG_NAMES if flags & flag)
    device = data[header_size:header_size + device_size]
    variable = data[header_size + device_size:]
    if device:
        require(device.find(b"\0") == len(device) - 1)
        if device[:-1]:
            item["device"] = to_text(device[:-1])
    require(item["kind"] != "nodata" or not variable)
    if item["kind"] == "binary":
        item["data"] = variable.hex()
    elif item["kind"] == "string":
        item["text"] = to_text(variable)
    elif item["kind"] == "printf":
        template, arguments = variable[:format_size], variable[format_size:]
        require(template and template.find(b"\0") == format_size - 1)
        values, text = render(template[:-1], parse_arguments(arguments), flags & FLAG_TRUNCATED)
        item.update(event_id="%08x" % event_id, format=to_text(template[:-1]),
                    arguments=[describe_argument(value) for value in values], text=to_text(text))
    return item


def describe_event(group, message):
    item = {"item": "event", "group": GROUP_NAMES.get(group, "unknown"),
            "sequence": message.sequence, "thread": message.thread}
    try:
        require(group in (GROUP_EVLOG, GROUP_PRINTK))
        item.update(describe_evlog(message.payload))
    except Malformed:
        item["data"] = message.payload.hex()
    return item


def describe_loss(message):
    count, total, group, cause = LOSS.unpack_from(message.payload)
    return {"item": "loss", "group": GROUP_NAMES.get(group, "unknown"),
            "cause": CAUSES[cause] if cause < len(CAUSES) else "unknown",
            "count": count, "total": total}


def parse_datagram(groups, data):
    """Returns the messages of one datagram."""
    messages, offset = [], 0
    require(0 < len(data) <= DATAGRAM_MAX, "datagram of %d bytes" % len(data))
    while offset < len(data):
        left = len(data) - offset
        require(left >= NLMSGHDR.size, "%d bytes after a message" % left)
        length, kind, _, sequence, thread = NLMSGHDR.unpack_from(data, offset)
        require(NLMSGHDR.size <= length <= left, "nlmsg_len %d of %d" % (length, left))
        payload = data[offset + NLMSGHDR.size:offset + length]
        least = {MSG_LOSS: LOSS.size, NLMSG_ERROR: 4}.get(kind, 0)
        require(least <= len(payload) and (kind != MSG_EVENT or len(payload) <= EVENT_MAX),
                "message of type %d with %d bytes" % (kind, len(payload)))
        messages.append(Message(kind, sequence, thread, payload))
        offset += (length + 3) // 4 * 4
    require(not groups or len(messages) == bin(groups).count("1") == 1,
            "broadcast of %d messages to groups %#x" % (len(messages), groups))
    return messages


def emit(item):
    print(json.dumps(item, separators=(",", ":")), flush=True)


def read_capture(lines):
    """Returns (group, message) pairs and what is wrong with the stream, or None.

    No message of a replay tells its group: that is in the line REPLAY before it."""
    pairs, problem, replayed = [], "no STREAM line", 0
    for number, line in enumerate(lines, 1):
        endian = re.fullmatch(rb"ENDIAN (little|big)", line.rstrip())
        if endian:
            set_byte_order(endian[1].decode())
        replay = re.fullmatch(rb"REPLAY ([0-9]+)", line.rstrip())
        if replay:
            replayed = int(replay[1])
        if not line.startswith(b"STREAM "):
            continue
        problem = None
        try:
            fields = re.fullmatch(rb"STREAM ([0-9]+) ((?:[0-9A-Fa-f]{2})+)", line.rstrip())
            require(fields, "not STREAM <nl_groups> <hex bytes>")
            groups, data = int(fields[1]), bytes.fromhex(fields[2].decode())
            pairs += [(groups or replayed, message)
                      for message in parse_datagram(groups, data)]
        except Malformed as error:
            return pairs, "line %d: %s" % (number, error)
    return pairs, problem


def print_capture(pairs):
    printed = set()
    for group, message in pairs:
        if message.type == MSG_EVENT:
            key, item = (group, message.sequence), describe_event(group, message)
        elif message.type == MSG_LOSS:
            key, item = message.payload[8:LOSS.size], describe_loss(message)
        else:
            continue
        # Notices differ in their totals, except that those of the history have none.
        if key not in printed or item.get("total") == 0:
            printed.add(key)
            emit(item)


class LiveReader:
    """Follows all groups, and replays what it knows that it missed."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KERROR)
        self.socket.bind((0, sum(GROUP_NAMES)))
        self.expected = {group: None for group in GROUP_NAMES}
        self.totals = {}
        self.behind = {GROUP_EVLOG, GROUP_PRINTK}
        self.replaying = None

    def start_replay(self):
        self.replaying = self.behind.pop()
        first = self.expected[self.replaying]
        request = REQUEST.pack(self.replaying, REPLAY_BOOT if first is None else 0, first or 0, 0)
        self.socket.sendto(NLMSGHDR.pack(NLMSGHDR.size + len(request), MSG_REPLAY,
                                         NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + request, (0, 0))

    def distance(self, group, sequence, if_none_expected):
        expected = self.expected.get(group)
        return if_none_expected if expected is None else to_signed(sequence - expected, 32)

    def handle_event(self, groups, message):
        group = groups or self.replaying
        must_wait = groups in self.behind | {self.replaying}
        distance = self.distance(group, message.sequence, int(must_wait))
        # After a gap in a replay another one would bring nothing more.
        if distance == 0 or distance > 0 and not groups:
            emit(describe_event(group, message))
            self.expected[group] = (message.sequence + 1) % (1 << 32)
        elif distance > 0:
            self.behind.add(group)

    def handle_loss(self, message):
        _, total, group, cause = LOSS.unpack_from(message.payload)
        if cause == LOST_HISTORY and self.distance(group, message.sequence, 1) > 0:
            self.expected[group] = message.sequence
        if 0 < total <= self.totals.get((group, cause), 0):
            return
        self.totals[group, cause] = total
        emit(describe_loss(message))

    def handle(self, groups, message):
        if message.type == MSG_EVENT and (groups or self.replaying) in self.expected:
            self.handle_event(groups, message)
        elif message.type == MSG_LOSS:
            self.handle_loss(message)
        elif message.type == NLMSG_DONE:
            self.replaying = None
        elif message.type == NLMSG_ERROR:
            code = -struct.unpack_from("=i", message.payload)[0]
            require(code in (0, errno.ENOBUFS), "request refused, errno %d" % code)

    def run(self):
        while True:
            try:
                if self.replaying is None and self.behind:
                    self.start_replay()
                data, (port, groups) = self.socket.recvfrom(DATAGRAM_MAX)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.behind = set(self.expected)
                continue
            for message in parse_datagram(groups, data) if port == 0 else ():
                self.handle(groups, message)


def pack_argument(kind, data, flags=0):
    return EVL_ARGUMENT.pack(kind, flags, len(data)) + data + bytes(-len(data) % 4)


def pack_printf(template, arguments=b"", flags=0, header_size=0, device=b""):
    header_size = header_size or EVL_HEADER.size
    variable = template + b"\0" + arguments
    header = EVL_HEADER.pack(1, 2, zlib.crc32(template), 0, zlib.crc32(b"sd"), flags, 0, 0, 0, 7, 8,
                             len(variable), EVL_MAGIC, header_size, len(device), len(template) + 1,
                             4, 3, 3, 0, b"comm", b"sd")
    return header + bytes(header_size - EVL_HEADER.size) + device + variable


def self_test(order):
    set_byte_order(order)
    integers = {WIDTH: "i", PRECISION: "i", S32: "i", U32: "I", S64: "q", U64: "Q"}
    w, p, i, u, q, uq = (lambda value, kind=kind: pack_argument(kind, struct.pack(
        BYTE_ORDERS[byte_order] + integers[kind], value)) for kind in integers)
    c, s, t = (lambda data, flags=0, kind=kind: pack_argument(kind, data, flags)
               for kind in (CHAR, STRING, TEXT))
    p8, p4 = (pack_argument(POINTER, (0xabc).to_bytes(size, byte_order)) for size in (8, 4))
    renderings = (
        ("%d", i(-1), "-1"), ("%4d", i(-5), "  -5"), ("%u", i(-1), "4294967295"),
        ("%d", u(0xffffffff), "-1"), ("%x", i(-1), "ffffffff"), ("%#X", q(-1), "0X" + "F" * 16),
        ("%ld", uq(2**64 - 1), "-1"), ("%hx", i(-2), "fffe"), ("%lld", q(-2**63), str(-2**63)),
        ("%hhd", i(255), "-1"), ("%hhu", i(-1), "255"), ("%hd", i(0x18000), "-32768"),
        ("% d", i(5), " 5"), ("%+ d", i(5), "+5"), ("%+u", u(5), "5"), ("%#x", u(0), "0x0"),
        ("%#o", u(8), "010"), ("%#.3o", u(8), "0010"), ("%#d", i(8), "8"), ("%#o", u(0), "0"),
        ("%.3d", i(-5), "-005"), ("%.d", i(5), "5"), ("%05d", i(-5), "-0005"), ("%i|", i(5), "5|"),
        ("%-05d|", i(5), "5    |"), ("%06.3d", i(5), "000005"), ("%6.3d", i(5), "   005"),
        ("%#06x", u(10), "0x000a"), ("%0*d|", w(-4) + i(5), "5   |"), ("%.*d", p(-3) + i(0), "0"),
        ("%*.*d", w(5) + p(2) + i(1), "   01"), ("%.40000d", i(1), "1".zfill(32767)),
        ("%9999999d", i(1), "1".rjust(8388607)), ("%c%c", c(b"\xc3") + c(b"\xa4"), "\xe4"),
        ("%3c|%-3c|", c(b"a") + c(b"\0"), "  a|\0  |"), ("%03c", c(b"a"), "  a"),
        ("%s", s(b"a\xffb\xe2\x82"), "a\\xffb\\xe2\\x82"), ("%05s", s(b"ab"), "   ab"),
        ("%.*s|", p(-1) + s(b"abc"), "|"), ("%.s", s(b"abc"), "abc"), ("%.2s", s(b"abc"), "ab"),
        ("%.0d", i(0), "0"), ("%-4s|%4s", s(b"cd") + s(b"\xc3\xa4"), "cd  |  \xe4"),
        ("%p", p8, "0000000000000abc"), ("%p", p4, "00000abc"), ("%5p", p8, "  abc"),
        ("%-p|", p4, "abc     |"), ("%#p", p8, "0x00000000000abc"), ("%*p", w(6) + p8, "   abc"),
        ("%pI4, %d", t(b"1.2.3.4") + i(1), "1.2.3.4, 1"), ("%*pbl.", w(8) + t(b"0-3"), "0-3."),
        ("100%%, %-5%%d", i(1), "100%, %1"),
        ("%d %-5s.", pack_argument(99, b"?") + pack_argument(0, b""), "%d %-5s."))

    def describe(data, group=GROUP_EVLOG):
        return describe_event(group, Message(MSG_EVENT, 0, 0, data))

    def capture(line):
        set_byte_order("big" if order == "little" else "little")
        lines = ["ENDIAN " + order] + line.split("\n")
        return read_capture([each.encode() + b"\r\n" for each in lines])

    cut = describe(pack_printf(b"%d %s%% %d", i(1) + s(b"a", ARG_FLAG_INVALID), 0x2a))
    datagram = "STREAM 1 " + NLMSGHDR.pack(NLMSGHDR.size + 1, MSG_EVENT, 0, 5, 6).hex() + "ff"
    checks = [(form, describe(pack_printf(form.encode(), arguments)).get("text"), text)
              for form, arguments, text in renderings]
    checks += [
        ("truncated", cut["text"], "1 a% "), ("context", cut["context"], "hardirq"),
        ("flags", [key for key in cut if cut[key] is True], ["boot", "truncated"]),
        ("arguments", [list(value.values()) for value in cut["arguments"]],
         [["s32", 1], ["string", "a", True]]),
        ("event_id", cut["event_id"], "%08x" % zlib.crc32(b"%d %s%% %d")),
        ("device", describe(pack_printf(b"", header_size=152, device=b"n2\0"))["device"], "n2"),
        ("absent or left argument", ["kind" in describe(pack_printf(*bad)) for bad in (
            (b"%d",), (b"", i(1)), (b"%d", s(b"")), (b"%*d", i(1) + i(1)), (b"%w", i(1)),
            (b"%*%", w(1)), (b"%pX", p8), (b"%s", t(b"")), (b"%d %", i(1)))], [False] * 9),
        ("cut conversion", describe(pack_printf(b"%d %-0", i(1), FLAG_TRUNCATED))["text"], "1 "),
        ("cut event", describe(pack_printf(b"")[:-1])["data"], pack_printf(b"")[:-1].hex()),
        ("event", capture(datagram), ([(1, Message(MSG_EVENT, 5, 6, b"\xff"))], None)),
        ("replay", capture("REPLAY 16\n" + datagram.replace("STREAM 1", "STREAM 0"))[0][0][0], 16),
        ("groups", ["kind" in describe(pack_printf(b""), group) for group in GROUP_NAMES],
         [False, True, True]),
        ("no stream", capture(""), ([], "no STREAM line")),
        ("cut datagram", capture(datagram[:-2])[1], "line 2: nlmsg_len 17 of 16"),
        ("odd hex", capture(datagram[:-1])[1], "line 2: not STREAM <nl_groups> <hex bytes>")]
    failed = [check for check in checks if check[1] != check[2]]
    for check in failed:
        print("FAILED %s: %.200r, not %.200r" % check)
    print("%s-endian: %d passed, %d failed" % (order, len(checks) - len(failed), len(failed)))
    return bool(failed)


def main(argument):
    try:
        if argument == "--test":
            return any([self_test(order) for order in BYTE_ORDERS])
        if argument == "--live":
            LiveReader().run()
        with open(argument, "rb") as capture:
            pairs, problem = read_capture(capture)
        print_capture(pairs)
        sys.stdout.flush()
        return "reader.py: %s: %s" % (argument, problem) if problem else 0
    except (OSError, Malformed, KeyboardInterrupt) as error:
        return "reader.py: %s" % (str(error) or "interrupted")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "usage: reader.py CAPTURE|--live|--test")
