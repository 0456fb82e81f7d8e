# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kernel's events as they are raised, and those of before that it still has.

A Socket is an iterator, and an asynchronous one. It gives each event once and in the order of its
group, and a Loss for those that are missing. Promises that an event or loss is only given with its
place in position, so that a program that saves it neither repeats nor skips.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import math
import time
from types import TracebackType
from typing import Iterable, Optional, TypedDict, Union

from . import _library
from ._event import Event, Item, Loss, take
from ._filter import Filter, address_of_filter, filter_of
from ._library import GROUPS, failed, groups_of, lib, must, name_of, new_origin

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_REMEDIES = {
    errno.EPERM: "it needs CAP_SYSLOG, or CAP_NET_ADMIN for groups without printk",
    errno.EPROTONOSUPPORT: "this kernel has no NETLINK_KERROR; load kerror.ko and evlog.ko, or "
                           "build it with CONFIG_KERROR=y",
    errno.ENONET: "this is not the initial network namespace, which alone has events",
}


class Position(TypedDict):
    """How far a program has read; it can be saved as JSON."""
    boot_id: str
    instance: int
    #: The next event of each group, by its sequence number
    next: dict[str, int]
    #: Of each group and cause, the total of the last loss
    lost: dict[str, dict[str, int]]


class Socket:
    """Listens to the kernel.

    groups are names of raw, evlog and printk. Only events that match filter are given. It begins
    with what comes from now on, with since_boot with all that the kernel has of this boot, and with
    position where that was taken, if it is of this boot. Iteration ends when nothing has come for
    timeout seconds; without timeout it does not end.

    An error that the kernel or libkerror tells of is raised as OSError; one can go on after it.
    """

    def __init__(self, groups: Union[str, Iterable[str]] = ("evlog", "printk"), *,
                 filter: Union[Filter, str, None] = None,
                 since_boot: bool = False, position: Optional[Position] = None,
                 timeout: Optional[float] = None) -> None:
        self._socket = self._reader = 0
        self._groups = groups_of(groups)
        self._filter = filter_of(filter)
        self._timeout = timeout
        self._lost: dict[str, dict[str, int]] = {}
        address = ctypes.c_void_p()
        error = lib.socket_open(address, self._groups)
        if error:
            raise OSError(-error, "cannot listen: " + _REMEDIES.get(
                -error, str(failed(error, "socket"))))
        self._socket = address.value or 0
        self._reader = must(lib.reader_new(self._groups))
        with open(_BOOT_ID, encoding="ascii") as file:
            self._boot_id = file.read().strip()
        self._instance = int(lib.socket_instance(self._socket))
        fields = [("boot_id", self._boot_id)]
        if self._instance:
            fields.append(("instance", str(self._instance)))
        origin = new_origin(fields)
        lib.reader_set_origin(self._reader, origin)
        lib.origin_release(origin)
        if position is not None:
            self._go_on(position)
        elif since_boot:
            lib.reader_from_boot(self._reader)
        if self._filter and not lib.socket_set_filter(self._socket,
                                                      address_of_filter(self._filter)):
            lib.reader_filtered(self._reader)

    def _go_on(self, position: Position) -> None:
        try:
            here = (position["boot_id"], position["instance"]) == (self._boot_id, self._instance)
            places = dict(position["next"])
            lost = {group: dict(causes) for group, causes in position["lost"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"position is none that a kerror.Socket gave: {error!r}") from error
        lib.reader_from_boot(self._reader)
        if not here:
            return
        causes = {name_of(lib.cause_name(number)): number for number in range(7)}
        for group, sequence in places.items():
            if groups_of(group) & self._groups and lib.reader_from(
                    self._reader, GROUPS[group], sequence):
                raise ValueError(f"position has {sequence!r} for group {group}")
            for cause, total in lost.get(group, {}).items():
                if cause in causes:
                    lib.reader_from_loss(self._reader, _library.Loss(
                        0, total, GROUPS[group], causes[cause]))
        self._lost = lost

    def close(self) -> None:
        if self._reader:
            lib.reader_free(self._reader)
        if self._socket:
            lib.socket_close(self._socket)
        self._socket = self._reader = 0

    def __del__(self) -> None:
        if hasattr(self, "_reader"):
            self.close()

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def _open(self) -> int:
        if not self._socket:
            raise ValueError("this kerror.Socket is closed")
        return self._socket

    def fileno(self) -> int:
        """For select(): readable means that next(0) has work to do, until it returns None."""
        return int(lib.socket_fd(self._open()))

    @property
    def position(self) -> Position:
        """Where another Socket can go on behind the last item given"""
        self._open()
        places, sequence = {}, ctypes.c_uint32()
        for name, group in GROUPS.items():
            if group & self._groups and not lib.reader_cursor(self._reader, group, sequence):
                places[name] = sequence.value
        return {"boot_id": self._boot_id, "instance": self._instance, "next": places,
                "lost": {group: dict(causes) for group, causes in self._lost.items()}}

    @property
    def received(self) -> int:
        """Events that came, whether they matched or not"""
        self._open()
        return int(lib.reader_received(self._reader))

    @property
    def lost(self) -> int:
        """Events that are known to be lost"""
        self._open()
        return int(lib.reader_lost(self._reader))

    def next(self, timeout: Optional[float] = None) -> Optional[Item]:
        """The next item, or None if nothing comes for timeout seconds; 0 does not wait."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        item = ctypes.c_int()
        while True:
            left = -1 if end == math.inf else math.ceil(max(0, end - time.monotonic()) * 1000)
            error = lib.socket_next(self._open(), self._reader, left, item)
            if error == -errno.EINTR:
                continue
            if error:
                raise failed(error, "cannot receive")
            found = self._take(item.value)
            if found or item.value == _library.ITEM_NONE and time.monotonic() >= end:
                return found

    def _take(self, item: int) -> Optional[Item]:
        if item == _library.ITEM_EVENT:
            event = take(lib.event_copy(lib.reader_event(self._reader)))
            return event if not self._filter or self._filter.matches(event) else None
        if item == _library.ITEM_LOSS:
            told = lib.reader_loss(self._reader).contents
            loss = Loss(name_of(lib.group_name(told.group)), name_of(lib.cause_name(told.cause)),
                        told.count, told.total,
                        origin={"boot_id": self._boot_id,
                                **({"instance": str(self._instance)} if self._instance else {})})
            if loss.total:
                self._lost.setdefault(loss.group, {})[loss.cause] = loss.total
            return loss
        if item == _library.ITEM_ERROR:
            raise failed(lib.reader_error(self._reader), "a request to the kernel failed")
        return None

    def __iter__(self) -> Socket:
        return self

    def __next__(self) -> Item:
        item = self.next(self._timeout)
        if item is None:
            raise StopIteration
        return item

    def __aiter__(self) -> Socket:
        return self

    async def __anext__(self) -> Item:
        loop = asyncio.get_running_loop()
        end = math.inf if self._timeout is None else loop.time() + self._timeout
        while True:
            # Others have their turn in a flood, too.
            await asyncio.sleep(0)
            item = self.next(0)
            if item is not None:
                return item
            readable: asyncio.Future[None] = loop.create_future()
            loop.add_reader(self.fileno(), _set, readable)
            try:
                await asyncio.wait_for(readable, None if end == math.inf else end - loop.time())
            except asyncio.TimeoutError:
                raise StopAsyncIteration from None
            finally:
                if self._socket:
                    loop.remove_reader(self.fileno())


def _set(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)


__all__ = ["Event", "Position", "Socket"]
