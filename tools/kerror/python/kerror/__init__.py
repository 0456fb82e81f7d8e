# SPDX-License-Identifier: LGPL-2.1-or-later
"""Structured error events of the Linux kernel.

Socket gives events as the kernel raises them, Store those that kerrord has stored, load() those of
a file. All give the same two: Event, and Loss for events that are missing. The README has recipes.

    with kerror.Socket(filter='severity<=err') as events:
        for event in events:
            print(event.json())

Everything is decoded by libkerror(3). Objects may be used by one thread at a time.
"""

from ._event import TEXT_LIMIT, Argument, Event, Flag, Item, Loss, Severity
from ._file import FileError, dump, load, messages
from ._filter import Filter, FilterError
from ._library import lib as _lib
from ._socket import Position, Socket
from ._store import Store, StoreError

#: The version of libkerror that decodes, such as "1.0.0"
library_version = ".".join(str(_lib.version() >> shift & 0xff) for shift in (16, 8, 0))

__all__ = ["Argument", "Event", "FileError", "Filter", "FilterError", "Flag", "Item", "Loss",
           "Position", "Severity", "Socket", "Store", "StoreError", "TEXT_LIMIT", "dump",
           "library_version", "load", "messages"]
