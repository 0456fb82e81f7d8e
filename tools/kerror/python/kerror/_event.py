# SPDX-License-Identifier: LGPL-2.1-or-later
"""Events, their arguments, and losses: what the socket, a store and a file give.

An Event has its bytes and is valid as long as somebody has it. Its values are libkerror's, and
its JSON has the keys of kerrorctl(1). Text of the kernel may be any bytes: str has those that are
no UTF-8 as surrogates (PEP 383), JSON as \\xHH, with all bytes in another key.
"""

from __future__ import annotations

import ctypes
import dataclasses
import datetime
import enum
import json
import struct
import sys
from typing import TYPE_CHECKING, Any, Mapping, Optional, Union

from ._library import GROUPS, VALUE_BYTES, VALUE_FLAG, VALUE_HEX, VALUE_NONE, VALUE_SIGNED, \
    VALUE_TEXT, Field, lib, must, name_of

if TYPE_CHECKING:
    from ._filter import Filter

#: Bytes of an event's text that are made. A driver can ask for millions.
TEXT_LIMIT = 65536

# Numbers up to this one are exact in JavaScript; one beyond has a key with its digits, too.
_EXACT = 1 << 53
_KINDS = ("nodata", "binary", "string", "printf")
_HEADER_SIZE, _PRINTF = 144, 3
_NUMBERS = (1, 2, 3, 4, 5, 6, 9)    # EVL_ARG of 4 or 8 bytes
_ARG, _TEXT, _DATA, _FORMAT, _MACHINE, _BOOT_ID, _INSTANCE, _TYPE, _ID = (
    lib.field_number(name.encode()) for name in (
        "arg", "text", "data", "format", "machine", "boot_id", "instance", "type", "id"))


class Severity(enum.IntEnum):
    """Severities by name, the worst first; an event may have a number beyond."""
    EMERG = 0
    ALERT = 1
    CRIT = 2
    ERR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6
    DEBUG = 7


class Flag(enum.IntFlag):
    """EVL_FLAG bits; without the first three an event is of process context."""
    NMI = 0x01
    INTERRUPT = 0x02
    SOFTIRQ = 0x04
    BOOT = 0x08
    OOPS = 0x10
    TRUNCATED = 0x20
    PRINTK = 0x40
    CONTINUES = 0x80
    OPEN = 0x100
    IMPORTED = 0x200


@dataclasses.dataclass(frozen=True)
class Argument:
    """One value of a format.

    type is s32, u32, s64, u64, char, string, pointer, text or unknown. value is an int, a str for
    string and text, None for unknown. invalid: the pointer of a %s was NULL or an error."""
    type: str
    value: Union[int, str, None]
    invalid: bool = False


@dataclasses.dataclass(frozen=True)
class Loss:
    """Events that are missing: how many, and why. total counts those of this cause since boot."""
    group: str
    cause: str
    count: int
    total: int
    time_realtime: Optional[int] = None
    origin: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The object that kerrorctl prints as JSON"""
        item: dict[str, Any] = {"item": "loss"}
        if self.time_realtime:
            _put(item, "time_realtime", self.time_realtime)
        _put_series(item, self.origin)
        item.update(group=self.group, cause=self.cause)
        _put(item, "count", self.count)
        _put(item, "total", self.total)
        item.update((name, _printable(value.encode("utf-8", "surrogateescape")))
                    for name, value in self.origin.items() if name not in ("boot_id", "instance"))
        return item

    def json(self) -> str:
        """A line of JSON, without its newline"""
        return _line(self.to_dict())


class Event:
    """One event. Of a raw one, kind, severity and time are None, and all other context is 0 or
    empty: only group, sequence, thread, data and text tell of it."""

    __slots__ = ("_address", "_bytes", "byteorder", "number", "acknowledged", "received")

    #: Byte order of the kernel that sent it: "little" or "big"
    byteorder: str
    #: Its number in a store, None if it is of none
    number: Optional[int]
    #: Of a store: when an operator acknowledged it, nanoseconds since 1970, or None
    acknowledged: Optional[int]
    #: Of a store, and only of a raw event, which tells no time: when kerrord received it,
    #: nanoseconds since 1970, or None
    received: Optional[int]

    def __init__(self, address: int) -> None:
        """Takes an event of libkerror, which it frees: for this package. See decode()."""
        self._address = address
        self._bytes: Optional[bytes] = None     # if they are of another byte order
        self.byteorder = sys.byteorder
        self.number = self.acknowledged = self.received = None

    def __del__(self) -> None:
        if getattr(self, "_address", 0):
            lib.event_free(self._address)

    @classmethod
    def decode(cls, data: bytes, *, group: str = "evlog", sequence: int = 0, thread: int = 0,
               byteorder: str = sys.byteorder) -> Event:
        """An event of its bytes, such as those of another Event; group, sequence and thread are
        not among them. byteorder is that of the kernel that sent it."""
        if group not in GROUPS:
            raise ValueError(f"{group!r} is no group; use {', '.join(GROUPS)}")
        if byteorder not in ("little", "big"):
            raise ValueError(f"{byteorder!r} is no byte order; use little or big")
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"an event is bytes, not {type(data).__name__}")
        for name, number in (("sequence", sequence), ("thread", thread)):
            if not 0 <= number < 1 << 32:
                raise ValueError(f"{name} {number} is not a number of 32 bits")
        data = bytes(data)
        native = data if byteorder == sys.byteorder else _to_native(data, byteorder)
        event = cls(must(lib.event_new(GROUPS[group], sequence, thread, native, len(native))))
        event.byteorder = byteorder
        event._bytes = data if byteorder != sys.byteorder else None
        return event

    # ---- Fields of every event ----

    @property
    def group(self) -> str:
        return name_of(lib.group_name(lib.event_group(self._address)))

    @property
    def sequence(self) -> int:
        return int(lib.event_sequence(self._address))

    @property
    def thread(self) -> int:
        """The thread that was current when it was raised"""
        return int(lib.event_thread(self._address))

    @property
    def data(self) -> bytes:
        """Its bytes, as the kernel sent them"""
        return self._bytes if self._bytes is not None else self._native

    @property
    def _native(self) -> bytes:
        size = ctypes.c_size_t()
        return _bytes_at(lib.event_data(self._address, size), size.value)

    @property
    def text(self) -> str:
        """The text that printk() would have made; hexadecimal for bytes. At most TEXT_LIMIT"""
        return _str(self._text()[0])

    @property
    def text_truncated(self) -> bool:
        """Whether the text is longer"""
        return self._text()[1]

    def _text(self) -> tuple[bytes, bool]:
        if self._bytes is not None and self.kind is None:
            return self._bytes.hex(" ").encode()[:TEXT_LIMIT], 3 * len(self._bytes) > TEXT_LIMIT
        size = 1024
        while True:
            buffer = ctypes.create_string_buffer(size)
            whole = int(lib.event_text(self._address, buffer, size))
            if whole < size:
                return buffer.raw[:whole], False
            if size > TEXT_LIMIT:
                return _whole_characters(buffer.raw[:TEXT_LIMIT]), True
            size = min(whole, TEXT_LIMIT) + 1

    @property
    def origin(self) -> dict[str, str]:
        """Where it comes from: machine, host, boot_id, release and others that are known"""
        found: dict[str, str] = {}
        origin, value = lib.event_origin(self._address), ctypes.c_char_p()
        if not origin:
            return {}
        while True:
            name = lib.origin_at(origin, len(found), value)
            if name is None:
                return found
            found[name_of(name)] = _str(value.value or b"")

    # ---- The context of an evlog event ----

    @property
    def kind(self) -> Optional[str]:
        """printf, string, binary or nodata; None: this is a raw event"""
        kind = lib.event_kind(self._address)
        return None if kind < 0 else _KINDS[kind] if kind < len(_KINDS) else "binary"

    @property
    def severity(self) -> Optional[int]:
        """0 (emerg) to 7 (debug); see Severity. Of a store it may be the operator's."""
        severity = int(lib.event_severity(self._address))
        return None if severity < 0 else severity

    @property
    def severity_name(self) -> Optional[str]:
        severity = self.severity
        return None if severity is None else name_of(lib.severity_name(severity))

    @property
    def time(self) -> Optional[datetime.datetime]:
        """When it was raised, to the microsecond, in UTC; time_realtime has the nanoseconds."""
        if self.kind is None:
            return None
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(
            microseconds=self.time_realtime // 1000)

    @property
    def time_realtime(self) -> int:
        """Nanoseconds since 1970"""
        return int(lib.event_time_realtime(self._address))

    @property
    def time_boot(self) -> int:
        """Nanoseconds since boot"""
        return int(lib.event_time_boot(self._address))

    @property
    def flags(self) -> Flag:
        return Flag(lib.event_flags(self._address))

    @property
    def context(self) -> str:
        """nmi, hardirq, softirq or process"""
        return "" if self.kind is None else name_of(lib.context_name(self.flags))

    @property
    def facility(self) -> str:
        """The driver or subsystem"""
        return _str(lib.event_facility(self._address))

    @property
    def device(self) -> str:
        """Such as +pci:0000:00:1f.2; empty if there is none"""
        return _str(lib.event_device(self._address))

    @property
    def id(self) -> int:
        """CRC-32 of the format, which tells events of one call from others; 0 without a format"""
        return int(lib.event_id(self._address))

    @property
    def own_id(self) -> bool:
        """False if the format has no letter but in conversions: many messages have that id"""
        found = lib.event_format(self._address)
        return found is not None and bool(lib.format_own_id(found))

    @property
    def type(self) -> int:
        """The driver's number for this kind of event"""
        return int(lib.event_type(self._address))

    @property
    def comm(self) -> str:
        """The task that was current; so are pid, tid, uid and gid of it"""
        return _str(lib.event_comm(self._address))

    @property
    def cpu(self) -> int:
        return int(lib.event_cpu(self._address))

    @property
    def uid(self) -> int:
        return int(lib.event_uid(self._address))

    @property
    def gid(self) -> int:
        return int(lib.event_gid(self._address))

    @property
    def pid(self) -> int:
        return int(lib.event_pid(self._address))

    @property
    def tid(self) -> int:
        return int(lib.event_tid(self._address))

    # ---- Its text and arguments ----

    @property
    def format(self) -> Optional[str]:
        """The format string; None unless kind is printf"""
        found = lib.event_format(self._address)
        return None if found is None else _str(found)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """The values of the format"""
        found: list[Argument] = []
        field = Field()
        while not lib.event_field(self._address, _ARG, len(found), field):
            value: Union[int, str, None] = field.number
            if field.value == VALUE_SIGNED:
                value = _signed(field.number)
            elif field.value == VALUE_TEXT:
                value = _str(_bytes_at(field.text, field.size))
            elif field.value == VALUE_NONE:
                value = None
            found.append(Argument(name_of(lib.argument_name(field.type)), value, field.invalid))
        return tuple(found)

    @property
    def payload(self) -> bytes:
        """The driver's bytes of an event of kind binary or string"""
        size = ctypes.c_size_t()
        return _bytes_at(lib.event_payload(self._address, size), size.value)

    # ---- As a whole ----

    def matches(self, filter: Filter) -> bool:
        return filter.matches(self)

    def to_dict(self) -> dict[str, Any]:
        """The object that kerrorctl prints as JSON"""
        item: dict[str, Any] = {"item": "event"}
        if self.number is not None:
            item["number"] = self.number
        if self.acknowledged:
            _put(item, "acknowledged", self.acknowledged)
        if self.received:
            _put(item, "time_realtime", self.received)
        _put_series(item, self.origin)
        field = Field()
        while lib.event_next_field(self._address, field):
            if field.id == _ARG:
                argument: dict[str, Any] = {"type": name_of(lib.argument_name(field.type))}
                if field.value != VALUE_NONE:
                    _put_field(argument, "value", field)
                if field.invalid:
                    argument["invalid"] = True
                item["arguments"].append(argument)
            elif field.id == _TEXT:
                if self.kind in ("printf", "string"):
                    text, truncated = self._text()
                    _put_text(item, "text", text)
                    if truncated:
                        item["text_truncated"] = True
            elif field.id == _DATA and self.kind is None:
                item["data"] = self.data.hex()
            elif field.id not in (_BOOT_ID, _INSTANCE):
                _put_field(item, {_TYPE: "event_type", _ID: "event_id"}.get(
                    field.id, name_of(field.name)), field)
                if field.id == _FORMAT:
                    if not self.own_id:
                        item["own_id"] = False
                    item["arguments"] = []
        return item

    def json(self) -> str:
        """A line of JSON, without its newline"""
        return _line(self.to_dict())

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return (f"<kerror.Event {self.group} {self.sequence} {self.severity_name or 'raw'} "
                f"{self.facility} {self.text[:200]!r}>")


Item = Union[Event, Loss]


def take(address: Any) -> Event:
    """An event of libkerror that this package has to free"""
    return Event(must(address))


def set_origin(event: Event, origin: int) -> None:
    lib.event_set_origin(event._address, origin)


def set_severity(event: Event, severity: int) -> None:
    lib.event_set_severity(event._address, severity)


def address_of(event: Event) -> int:
    return event._address


def _bytes_at(address: Optional[int], size: int) -> bytes:
    return ctypes.string_at(address, size) if address and size else b""


def _str(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _printable(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _whole_characters(text: bytes) -> bytes:
    """Without the last character if it is cut"""
    for back in range(1, 4):
        byte = text[-back]
        if byte & 0xc0 != 0x80:
            return text[:-back] if byte >= (0xc0, 0xe0, 0xf0)[back - 1] else text
    return text


def _line(item: dict[str, Any]) -> str:
    return json.dumps(item, separators=(",", ":"))


def _put(item: dict[str, Any], key: str, number: int) -> None:
    item[key] = number
    if abs(number) > _EXACT:
        item[key + "_string"] = str(number)


def _put_text(item: dict[str, Any], key: str, text: bytes) -> None:
    item[key] = _printable(text)
    if item[key].encode() != text:      # \xHH stands for a byte
        item[key + "_bytes"] = text.hex()


def _put_field(item: dict[str, Any], key: str, field: Field) -> None:
    if field.value == VALUE_TEXT:
        text = _bytes_at(field.text, field.size)
        if field.id < _MACHINE:
            _put_text(item, key, text)
        else:
            item[key] = _printable(text)
    elif field.value == VALUE_BYTES:
        item[key] = _bytes_at(field.text, field.size).hex()
    elif field.value == VALUE_HEX:
        item[key] = f"{field.number:0{2 * field.size}x}"
    elif field.value == VALUE_FLAG:
        item[key] = True
    else:
        _put(item, key, _signed(field.number) if field.value == VALUE_SIGNED else field.number)


def _put_series(item: dict[str, Any], origin: Mapping[str, str]) -> None:
    """Names the numbers that belong together: boot, and load of the module"""
    if "boot_id" in origin:
        item["boot_id"] = origin["boot_id"]
    if "instance" in origin:
        _put(item, "instance", int(origin["instance"]))


def _to_native(data: bytes, byteorder: str) -> bytes:
    """The event in the byte order of this machine. One that is not well-formed does not become so."""
    layout = "QQ10I4H"
    order = "<" if byteorder == "little" else ">"
    if len(data) < _HEADER_SIZE:
        return data
    native = bytearray(data)
    header = struct.unpack_from(order + layout, data)
    struct.pack_into("=" + layout, native, 0, *header)
    _, header_size, device_size, format_size = header[-4:]
    # A smaller header would have the arguments begin within it.
    if data[66] != _PRINTF or header_size < _HEADER_SIZE:
        return bytes(native)
    at = header_size + device_size + format_size
    while at + 4 <= len(data):
        kind, _, size = struct.unpack_from(order + "BBH", data, at)
        struct.pack_into("=H", native, at + 2, size)
        if kind in _NUMBERS and size in (4, 8):
            native[at + 4:at + 4 + size] = data[at + 4:at + 4 + size][::-1]
        at += 4 + (size + 3) // 4 * 4
    return bytes(native)
