# SPDX-License-Identifier: LGPL-2.1-or-later
"""Loads libkerror by ctypes, and declares what the rest of the package calls of it.

The library knows the protocol; this package knows no layout but those of the structures below,
which are part of libkerror's ABI. Objects of the library are addresses here: the classes that have
them free them. Promises that a missing library is an ImportError that says what to install.
"""

from __future__ import annotations

import ctypes
import errno
import os
from ctypes import POINTER, c_bool, c_char_p, c_int, c_size_t, c_uint, c_uint8, c_uint32, \
    c_uint64, c_void_p
from typing import Any, Iterable, Union

GROUPS = {"raw": 0x01, "evlog": 0x02, "printk": 0x10}

ITEM_NONE, ITEM_EVENT, ITEM_LOSS, ITEM_STATISTICS, ITEM_REQUEST, ITEM_ERROR = range(6)
VALUE_NONE, VALUE_NUMBER, VALUE_SIGNED, VALUE_HEX, VALUE_FLAG, VALUE_TEXT, VALUE_BYTES = range(7)


class Field(ctypes.Structure):
    """struct kerror_field"""
    _fields_ = [("id", c_int), ("value", c_int), ("name", c_char_p), ("number", c_uint64),
                ("text", c_void_p), ("size", c_size_t), ("index", c_size_t), ("type", c_uint8),
                ("invalid", c_bool), ("place", c_size_t)]


class Loss(ctypes.Structure):
    """struct kerror_loss"""
    _fields_ = [("count", c_uint64), ("total", c_uint64), ("group", c_uint32),
                ("cause", c_uint32)]


# Result and arguments of each function; p: an address of an object
_P, _S = c_void_p, POINTER(c_size_t)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "version": (c_uint, []),
    "event_new": (_P, [c_uint32, c_uint32, c_uint32, c_char_p, c_size_t]),
    "event_copy": (_P, [_P]),
    "event_free": (None, [_P]),
    "event_group": (c_uint32, [_P]),
    "event_sequence": (c_uint32, [_P]),
    "event_thread": (c_uint32, [_P]),
    "event_data": (_P, [_P, _S]),
    "event_payload": (_P, [_P, _S]),
    "event_severity": (c_int, [_P]),
    "event_kind": (c_int, [_P]),
    "event_flags": (c_uint32, [_P]),
    "event_time_realtime": (c_uint64, [_P]),
    "event_time_boot": (c_uint64, [_P]),
    "event_facility": (c_char_p, [_P]),
    "event_comm": (c_char_p, [_P]),
    "event_device": (c_char_p, [_P]),
    "event_format": (c_char_p, [_P]),
    "event_id": (c_uint32, [_P]),
    "format_own_id": (c_bool, [c_char_p]),
    "event_type": (c_uint32, [_P]),
    "event_cpu": (c_uint32, [_P]),
    "event_uid": (c_uint32, [_P]),
    "event_gid": (c_uint32, [_P]),
    "event_pid": (c_uint32, [_P]),
    "event_tid": (c_uint32, [_P]),
    "event_text": (c_size_t, [_P, c_char_p, c_size_t]),
    "event_next_field": (c_bool, [_P, POINTER(Field)]),
    "event_field": (c_int, [_P, c_int, c_size_t, POINTER(Field)]),
    "event_set_severity": (None, [_P, c_uint]),
    "event_set_origin": (None, [_P, _P]),
    "event_origin": (_P, [_P]),
    "field_number": (c_int, [c_char_p]),
    "origin_new": (_P, []),
    "origin_set": (c_int, [_P, c_char_p, c_char_p]),
    "origin_at": (c_char_p, [_P, c_size_t, POINTER(c_char_p)]),
    "origin_release": (None, [_P]),
    "severity_name": (c_char_p, [c_uint]),
    "cause_name": (c_char_p, [c_uint]),
    "group_name": (c_char_p, [c_uint32]),
    "context_name": (c_char_p, [c_uint32]),
    "argument_name": (c_char_p, [c_uint]),
    "filter_new": (c_int, [POINTER(_P), c_char_p, c_char_p, c_size_t]),
    "filter_free": (None, [_P]),
    "filter_matches": (c_bool, [_P, _P]),
    "filter_explain": (c_size_t, [_P, c_char_p, c_size_t]),
    "reader_new": (_P, [c_uint32]),
    "reader_free": (None, [_P]),
    "reader_from_boot": (None, [_P]),
    "reader_from": (c_int, [_P, c_uint32, c_uint32]),
    "reader_from_loss": (c_int, [_P, POINTER(Loss)]),
    "reader_filtered": (None, [_P]),
    "reader_set_origin": (None, [_P, _P]),
    "reader_event": (_P, [_P]),
    "reader_loss": (POINTER(Loss), [_P]),
    "reader_error": (c_int, [_P]),
    "reader_cursor": (c_int, [_P, c_uint32, POINTER(c_uint32)]),
    "reader_received": (c_uint64, [_P]),
    "reader_lost": (c_uint64, [_P]),
    "socket_open": (c_int, [POINTER(_P), c_uint32]),
    "socket_close": (None, [_P]),
    "socket_fd": (c_int, [_P]),
    "socket_instance": (c_uint64, [_P]),
    "socket_set_filter": (c_int, [_P, _P]),
    "socket_next": (c_int, [_P, _P, c_int, POINTER(c_int)]),
}


class _Library:
    """The functions of libkerror, without their prefix kerror_"""

    def __init__(self) -> None:
        try:
            library = ctypes.CDLL("libkerror.so.1")
            for name, (returned, taken) in _FUNCTIONS.items():
                function = getattr(library, "kerror_" + name)
                function.restype, function.argtypes = returned, taken
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            raise ImportError(f"python3-kerror needs libkerror 1.0 ({error}); "
                              "install libkerror1") from error

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


lib = _Library()


def must(address: Any) -> int:
    """The address of a new object, or MemoryError"""
    if not address:
        raise MemoryError("libkerror has no memory")
    return int(address)


def failed(code: int, message: str) -> OSError:
    """The exception for a negative errno of the library"""
    return OSError(-code, f"{message}: {os.strerror(-code)}")


def name_of(name: bytes) -> str:
    return name.decode("ascii")


def groups_of(groups: Union[str, Iterable[str]]) -> int:
    """The mask of groups that are named"""
    mask = 0
    for name in (groups,) if isinstance(groups, str) else groups:
        if name not in GROUPS:
            raise ValueError(f"{name!r} is no group; use {', '.join(GROUPS)}")
        mask |= GROUPS[name]
    if not mask:
        raise ValueError(f"no group is named; use {', '.join(GROUPS)}")
    return mask


def new_origin(fields: Iterable[tuple[str, str]]) -> int:
    """An origin, to be released"""
    origin = must(lib.origin_new())
    for name, value in fields:
        # A name that this library does not know is none of its fields.
        if lib.origin_set(origin, name.encode(),
                          value.encode("utf-8", "surrogateescape")) == -errno.ENOMEM:
            lib.origin_release(origin)
            raise MemoryError("libkerror has no memory")
    return origin
