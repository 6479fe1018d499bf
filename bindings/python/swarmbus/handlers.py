"""Functions that are called with events: which of them match, and when they have gone."""

from __future__ import annotations

import inspect
import itertools
import logging
import weakref
from collections.abc import Callable
from typing import Any

from . import _native

log = logging.getLogger("swarmbus")
Handler = Callable[[_native.Event], Any]

_numbers = itertools.count(1)


def _reference(handler: Handler, gone: Callable[[], None]) -> Callable[[], Handler | None]:
    """Methods are held weakly: the object they are of may be collected, and `gone` is called then. Functions stay."""
    if inspect.ismethod(handler):
        return weakref.WeakMethod(handler, lambda _: gone())
    return lambda: handler


class Handlers:
    """The handlers of a bus, in the order they came."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[str, Callable[[], Handler | None]]] = {}
        self._matching: dict[str, list[str]] = {}  # by type, for the types seen
        self.gone: list[str] = []  # whose objects were collected

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, pattern: str, handler: Handler) -> str:
        """Raises ArgumentError if it is no pattern."""
        _native.check_pattern(pattern)
        if not callable(handler):
            raise TypeError(f"a handler is something to call, not {type(handler).__name__}")
        number = f"sub-{next(_numbers)}"
        own = weakref.ref(self)

        def gone() -> None:
            handlers = own()
            if handlers is not None and handlers.remove(number):
                handlers.gone.append(number)

        self._entries[number] = (pattern, _reference(handler, gone))
        self._matching.clear()
        return number

    def remove(self, number: str) -> bool:
        if self._entries.pop(number, None) is None:
            return False
        self._matching.clear()
        return True

    def matching(self, type: str) -> list[str]:
        found = self._matching.get(type)
        if found is None:
            found = [number for number, (pattern, _) in self._entries.items() if _native.match(pattern, type)]
            if len(self._matching) < 4096:
                self._matching[type] = found
        return found

    async def call(self, event: _native.Event) -> None:
        """Calls every handler that matches, one after the other; coroutines are awaited. One that fails is logged, and keeps
        nothing from the others."""
        for number in self.matching(event.type):
            answer = self._start(number, event)
            if inspect.isawaitable(answer):
                try:
                    await answer
                except Exception:
                    log.exception("a handler failed with %r", event)

    def call_plain(self, event: _native.Event) -> None:
        """The same where no loop runs: coroutines can't be awaited and are an error."""
        for number in self.matching(event.type):
            answer = self._start(number, event)
            if inspect.iscoroutine(answer):
                answer.close()
                raise TypeError("an async handler needs asyncio: use the bus with `async with`")

    def _start(self, number: str, event: _native.Event) -> Any:
        entry = self._entries.get(number)
        handler = entry[1]() if entry is not None else None
        if handler is None:
            return None
        try:
            return handler(event)
        except Exception:
            log.exception("a handler failed with %r", event)
            return None
