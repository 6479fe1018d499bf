"""The bus: publishing, subscribing, handlers."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from . import _native
from .errors import ClosedError, SwarmBusError
from .handlers import Handler, Handlers, log
from .subscription import Subscription

F = TypeVar("F", bound=Callable[..., Any])


class Bus(_native.Bus):
    """This process on the bus of that name, which is made if it is not there.

        with Bus("demo") as bus: ...             # or `async with`
        bus.publish("agent.created", {"agent_id": "agent-7"})
        for event in bus.subscribe("agent.*", "task.failed"): ...

    A Bus may be used by many threads. It can be sent to a process that multiprocessing starts (it is opened anew there), but one
    that was opened before fork() is of no use in the child and says so: ForkedError.

    source: who publishes; the program's name and process number by default. mode: "open_or_create", "open" or "create". reattach:
    when the bus was removed, open it anew. capacity, overflow ("drop_oldest", "drop_newest" or "block"), spin and
    stall_timeout (seconds) are for subscriptions that say nothing else; block_timeout (seconds) is the longest that publishing
    waits for full ones. The others are limits of a bus that is made; docs/python.md has them all.
    """

    def __init__(
        self,
        name: str,
        *,
        source: str | None = None,
        mode: str = "open_or_create",
        reattach: bool = False,
        capacity: int | None = None,
        overflow: str | None = None,
        block_timeout: float | None = None,
        spin: float | None = None,
        stall_timeout: float | None = None,
        **limits: Any,
    ) -> None:
        self._options = dict(
            source=source, mode=mode, reattach=reattach, capacity=capacity, overflow=overflow,
            block_timeout=block_timeout, spin=spin, stall_timeout=stall_timeout, **limits,
        )
        super().__init__(name, self._options)
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._handlers = Handlers()
        self._inbox: Subscription | None = None  # what handlers are fed from
        self._inbox_ids: dict[str, int] = {}
        self._entered = False
        self._server: asyncio.Task[None] | None = None
        self._stopped = False

    # ---------------------------------------------------------------- subscribing

    def subscribe(
        self,
        *patterns: str,
        capacity: int | None = None,
        overflow: str | None = None,
        spin: float | None = None,
        on_loss: Callable[[dict[str, int]], Any] | None = None,
    ) -> Subscription:
        """Every event that matches and is published from now on. `*` stands for one or more characters, dots included; `+` for
        one segment; `>` as the last one for the rest.

        capacity: how many events its inbox holds, a power of two. overflow: what happens when it is full. on_loss: called with
        a dict of causes and counts when events were lost; the next event tells it, too.
        """
        if not patterns:
            raise TypeError("subscribe() wants one pattern or more; '*' is everything")
        own = dict(capacity=capacity, overflow=overflow, spin=spin)
        options: dict[str, Any] = {}
        if any(value is not None for value in own.values()):
            inherited = {name: self._options[name] for name in ("capacity", "overflow", "block_timeout", "spin", "stall_timeout")}
            options = inherited | {name: value for name, value in own.items() if value is not None}
        return Subscription(self, patterns, options, on_loss)

    def on(self, *patterns: str) -> Callable[[F], F]:
        """Calls a function with every event that matches:

            @bus.on("agent.*")
            async def changed(event): ...

        Functions may be async. They are called one after the other: under `async with` by the loop, else by run(). Methods are
        held weakly: when their object is collected, they are called no more.
        """
        if not patterns:
            raise TypeError("on() wants one pattern or more; '*' is everything")

        def register(handler: F) -> F:
            for pattern in patterns:
                self.add_handler(pattern, handler)
            return handler

        return register

    def add_handler(self, pattern: str, handler: Handler) -> str:
        """What on() does, for one pattern; the answer is for remove_handler()."""
        number = self._handlers.add(pattern, handler)
        try:
            if self._inbox is None:
                self._inbox = Subscription(self, (), {})
            self._forget_gone()
            self._inbox_ids[number] = self._inbox._add(pattern)
        except BaseException:
            self._handlers.remove(number)
            raise
        if self._entered:
            self._serve()
        return number

    def remove_handler(self, number: str) -> None:
        """The handler is called no more."""
        self._handlers.remove(number)
        self._forget(number)

    def _forget(self, number: str) -> None:
        known = self._inbox_ids.pop(number, None)
        if known is not None and self._inbox is not None and not self._inbox.closed:
            self._inbox._remove(known)

    def _forget_gone(self) -> None:
        while self._handlers.gone:
            self._forget(self._handlers.gone.pop())

    # ---------------------------------------------------------------- calling handlers

    def run(self, timeout: float | None = None) -> None:
        """Calls handlers until stop() or close(), or for `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        self._stopped = False
        while not self._stopped and self._inbox is not None and not self._inbox.closed:
            left = 0.1 if end is None else min(0.1, end - time.monotonic())
            if left <= 0:
                return
            self._forget_gone()
            try:
                event = self._inbox.next(left)
            except ClosedError:
                return
            if event is not None:
                self._handlers.call_plain(event)

    def stop(self) -> None:
        """Ends run(), from a handler or another thread."""
        self._stopped = True

    def _serve(self) -> None:
        if self._inbox is not None and (self._server is None or self._server.done()):
            self._server = asyncio.get_running_loop().create_task(self._serving(self._inbox), name=f"swarmbus handlers of {self.name}")

    async def _serving(self, inbox: Subscription) -> None:
        try:
            async for event in inbox:
                self._forget_gone()
                await self._handle(event)
        except SwarmBusError:
            log.exception("the handlers of bus %s get no more events", self.name)

    async def _handle(self, event: _native.Event) -> None:
        await self._handlers.call(event)

    # ---------------------------------------------------------------- the end

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None and not server.get_loop().is_closed():
            server.get_loop().call_soon_threadsafe(server.cancel)
        for subscription in list(self._subscriptions):
            subscription.close()
        super().close()

    close.__doc__ = _native.Bus.close.__doc__

    def __enter__(self) -> Bus:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> Bus:
        self._entered = True
        self._serve()
        return self

    async def __aexit__(self, *error: object) -> None:
        self._entered = False
        server, self._server = self._server, None
        if server is not None:
            server.cancel()
            try:
                await server
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    self.close()
                    raise
        self.close()

    def __reduce__(self):
        return _open_again, (type(self), self.name, self._options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}{', closed' if self.closed else ''})"


def _open_again(kind: type[Bus], name: str, options: dict[str, Any]) -> Bus:
    """A Bus that was sent to another process: the same bus, by a handle of that process."""
    return kind(name, **options | {"mode": "open"})
