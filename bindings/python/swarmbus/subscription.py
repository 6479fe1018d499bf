"""Subscriptions: events as an iterator, for threads and for asyncio."""

from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING, Any

from . import _native
from .errors import ClosedError

if TYPE_CHECKING:
    from .bus import Bus


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class Subscription(_native.Subscription):
    """What `bus.subscribe("agent.*")` gives. It has an inbox of its own, so that it loses nothing to other parts of the program.

        for event in subscription: ...           # in a thread; other threads go on meanwhile
        async for event in subscription: ...     # under asyncio
        subscription.next(timeout=1)             # an Event or None
        await subscription.anext(timeout=1)
        subscription.drain()                     # what is there, as a list

    Iterating ends when it is closed. Giving an `anext()` up, by a timeout or by cancelling it, loses no event.
    """

    def __init__(self, bus: Bus, patterns: tuple[str, ...], options: dict[str, Any], on_loss: Any = None) -> None:
        super().__init__(bus, " ".join(patterns), options, on_loss)
        self._waiters: collections.deque[asyncio.Future[None]] = collections.deque()
        self._loop: asyncio.AbstractEventLoop | None = None  # in which somebody waits
        self._descriptor = -1  # that it watches
        bus._subscriptions.add(self)

    # ---------------------------------------------------------------- asyncio

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> _native.Event:
        event = self._take()
        if event is None:
            event = await self._wait()
        if event is None:
            raise StopAsyncIteration
        return event

    async def anext(self, timeout: float | None = None) -> _native.Event | None:
        """The next event; None if none came within `timeout` seconds. ClosedError when the subscription is closed."""
        event = self._take()
        if event is None:
            event = await self._wait(timeout)
        if event is None and self.closed:
            raise ClosedError("the subscription was closed; subscribe anew", _native.SWB_ERR_CLOSED)
        return event

    async def _wait(self, timeout: float | None = None) -> _native.Event | None:
        """The next event when there is none yet; None when it is closed or the time is over. Once for each batch others of the loop
        have their turn."""
        if self.closed:
            return None
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        if self._receive() or timeout == 0:
            await asyncio.sleep(0)
        while True:
            event = self._take()
            if event is not None:
                return event
            if self.closed or (end is not None and loop.time() >= end):
                return None
            await self._until_readable(loop, end)

    async def _until_readable(self, loop: asyncio.AbstractEventLoop, end: float | None) -> None:
        if self._loop is not loop:
            if self._loop is not None and not self._loop.is_closed():
                raise RuntimeError("another event loop waits for this subscription; subscribe once for each loop")
            self._waiters.clear()
            self._descriptor = self.fileno()
            loop.add_reader(self._descriptor, self._readable)
            self._loop = loop
        waiter = loop.create_future()
        self._waiters.append(waiter)
        timer = None if end is None else loop.call_at(end, _wake, waiter)
        try:
            await waiter
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            if not self._waiters:
                self._stop_watching()

    def _readable(self) -> None:
        """Called by the loop, again and again while there is something: so whoever waits has a turn, also when the one that was
        told has given up since."""
        try:
            if not self._receive():
                return
        except Exception as error:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_exception(error)
            return
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
                return

    def _stop_watching(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed() and not self.closed:
            loop.remove_reader(self._descriptor)

    # ---------------------------------------------------------------- the end

    def close(self) -> None:
        loop = self._loop
        if loop is None or loop.is_closed() or self.closed:
            super().close()
            return
        try:
            here = asyncio.get_running_loop() is loop
        except RuntimeError:
            here = False
        if here:
            self._close_in_loop()
        else:
            loop.call_soon_threadsafe(self._close_in_loop)

    close.__doc__ = _native.Subscription.close.__doc__

    def _close_in_loop(self) -> None:
        self._stop_watching()
        super().close()
        for waiter in self._waiters:
            _wake(waiter)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self):
        raise TypeError("a subscription belongs to its process; send the bus, and subscribe there")
