# SPDX-License-Identifier: LGPL-2.1-or-later
"""Filters: kerror-filter(7) has their text. One filter may be asked for any number of events."""

from __future__ import annotations

import ctypes
from typing import Optional, Union

from ._event import Event, address_of
from ._library import lib


class FilterError(ValueError):
    """The text is no filter; the message says where, and what is possible instead."""


class Filter:
    """A condition that events have to match, such as Filter('severity<=err && facility=="ata"')"""

    def __init__(self, text: str) -> None:
        message = ctypes.create_string_buffer(400)
        address = ctypes.c_void_p()
        self._address = 0
        self.text = text
        if "\0" in text:
            raise FilterError("a filter has no NUL")
        if lib.filter_new(address, text.encode("utf-8", "surrogateescape"), message, len(message)):
            if not message.value:
                raise MemoryError("libkerror has no memory")
            raise FilterError(message.value.decode("utf-8", "backslashreplace"))
        self._address = address.value or 0

    def __del__(self) -> None:
        if getattr(self, "_address", 0):
            lib.filter_free(self._address)

    def matches(self, event: Event) -> bool:
        if not isinstance(event, Event):
            raise TypeError(f"a filter is for a kerror.Event, not {type(event).__name__}")
        return bool(lib.filter_matches(self._address, address_of(event)))

    def explain(self) -> str:
        """A line for each comparison: whether the kernel decides it"""
        size = int(lib.filter_explain(self._address, None, 0)) + 1
        buffer = ctypes.create_string_buffer(size)
        lib.filter_explain(self._address, buffer, size)
        return buffer.value.decode("utf-8", "backslashreplace")

    def __repr__(self) -> str:
        return f"kerror.Filter({self.text!r})"


def filter_of(given: Union[Filter, str, None]) -> Optional[Filter]:
    if given is None or isinstance(given, Filter):
        return given
    return Filter(given)


def address_of_filter(given: Filter) -> int:
    return given._address
