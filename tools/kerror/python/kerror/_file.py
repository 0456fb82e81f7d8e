# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of raw events, as the program "capture" of the selftests writes them, and dump() too.

Lines of text: "ENDIAN little" or "ENDIAN big" is the byte order of what follows; "REPLAY GROUP"
the group of datagrams that do not name one; "STREAM GROUP HEX" a datagram of the kernel.
Promises that load() names the first line that is none of these and that dump() loses no byte.
"""

from __future__ import annotations

import dataclasses
import os
import re
import struct
import sys
from types import MappingProxyType
from typing import Iterable, Iterator, Mapping, Optional, TextIO, Union

from ._event import Event, Item, Loss, set_origin
from ._library import GROUPS, lib, name_of, new_origin

_LINE = re.compile(r"(?:ENDIAN (little|big)|REPLAY ([0-9]{1,9})|STREAM ([0-9]{1,9}) "
                   r"((?:[0-9A-Fa-f]{2})+))")
_EVENT, _LOSS = 0x10, 0x11
_HEADER, _LOSS_LAYOUT = "IHHII", "QQII"


class FileError(ValueError):
    """A file is none of raw events, or ends too early; the message names the line."""


def load(path: Union[str, os.PathLike[str]]) -> Iterator[Item]:
    """The events and losses in a file, in its order"""
    order, replayed = sys.byteorder, 0
    with open(path, encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, 1):
            found = _LINE.fullmatch(line.strip())
            if not found:
                raise FileError(f"{os.fspath(path)}:{number}: this is no file of raw events; "
                                "kerror.dump() writes one")
            if found[1]:
                order = "little" if found[1] == "little" else "big"
            elif found[2]:
                replayed = int(found[2])
            else:
                try:
                    mask = int(found[3]) or replayed
                    yield from _messages(bytes.fromhex(found[4]), order,
                                         name_of(lib.group_name(mask)), str(mask))
                except FileError as error:
                    raise FileError(f"{os.fspath(path)}:{number}: {error}") from error


def messages(data: bytes, *, group: str, byteorder: str = sys.byteorder,
             origin: Mapping[str, str] = MappingProxyType({})) -> Iterator[Item]:
    """The events and losses in messages of the kernel, such as a datagram or a piece of a dump of
    its memory; origin is where they come from. FileError names what is no message."""
    place = new_origin(origin.items())
    try:
        for item in _messages(data, byteorder, group, group):
            if isinstance(item, Event):
                set_origin(item, place)
                yield item
            else:
                yield dataclasses.replace(item, origin=dict(origin))
    finally:
        lib.origin_release(place)


def _messages(datagram: bytes, order: str, name: str, told: str) -> Iterator[Item]:
    sign, at = "<" if order == "little" else ">", 0
    while at < len(datagram):
        if len(datagram) - at < 16:
            raise FileError("the datagram is cut")
        size, kind, _, sequence, thread = struct.unpack_from(sign + _HEADER, datagram, at)
        if not 16 <= size <= len(datagram) - at:
            raise FileError(f"a message has {size} bytes, and {len(datagram) - at} are left")
        data = datagram[at + 16:at + size]
        at += (size + 3) // 4 * 4
        if kind == _EVENT:
            if name not in GROUPS:
                raise FileError(f"{told} is no group of events")
            yield Event.decode(data, group=name, sequence=sequence, thread=thread, byteorder=order)
        elif kind == _LOSS:
            if len(data) < 24:
                raise FileError("a loss is cut")
            count, total, lost_group, cause = struct.unpack_from(sign + _LOSS_LAYOUT, data)
            yield Loss(name_of(lib.group_name(lost_group)), name_of(lib.cause_name(cause)),
                       count, total)


def dump(items: Iterable[Item], file: TextIO) -> int:
    """Writes events as load() reads them, and returns how many. Losses are left out, and so is
    what the kernel does not send: number, origin, and a severity of the operator's."""
    order: Optional[str] = None
    count = 0
    for item in items:
        if not isinstance(item, (Event, Loss)):
            raise TypeError(f"what is dumped is a kerror.Event, not {type(item).__name__}")
        if isinstance(item, Loss):
            continue
        if item.byteorder != order:
            order = item.byteorder
            file.write(f"ENDIAN {order}\n")
        data = item.data
        header = struct.pack(("<" if order == "little" else ">") + _HEADER, 16 + len(data), _EVENT,
                             0, item.sequence, item.thread)
        file.write(f"STREAM {GROUPS[item.group]} "
                   f"{(header + data + bytes(-len(data) % 4)).hex()}\n")
        count += 1
    return count
