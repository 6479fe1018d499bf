"""EventBus: the same bus by the names of SwarmBot's design."""

from __future__ import annotations

import asyncio

from . import _native
from .bus import Bus
from .handlers import Handler, Handlers


class _SharedBus(Bus):
    """A Bus whose handlers get what was published here from publish(), and from the inbox only what others published."""

    def __init__(self, name: str, **options: object) -> None:
        super().__init__(name, **options)  # type: ignore[arg-type]
        self._own: dict[int, tuple[int, int]] = {}  # of each writer of ours: the first and the last sequence

    def send(self, event: _native.Event) -> None:
        delivery = self.publish(event)
        first, _ = self._own.get(delivery.writer, (delivery.sequence, 0))
        self._own[delivery.writer] = first, delivery.sequence

    async def _handle(self, event: _native.Event) -> None:
        first, last = self._own.get(event.writer, (1, 0))
        if not first <= event.sequence <= last:
            await super()._handle(event)


class EventBus:
    """Handlers and `await publish(event)`.

        bus = EventBus()                         # of this process
        bus = EventBus("swarm")                  # the shared bus of that name
        number = bus.subscribe("agent.*", handler)
        await bus.publish(Event("agent.created", {"agent_id": "agent-7"}))

    Handlers may be async. When publish() returns, those of this EventBus have run, and with a name the event is in the inboxes of
    all others that match. A handler that fails is logged and keeps nothing from the others. Events of others come in while the
    loop runs. Methods are held weakly: when their object is collected, they are unsubscribed.
    """

    def __init__(self, name: str | None = None, *, source: str | None = None) -> None:
        self._shared = None if name is None else _SharedBus(name, source=source)
        self._handlers = Handlers() if self._shared is None else self._shared._handlers

    async def publish(self, event: _native.Event) -> None:
        """Gives an event to all whose patterns match."""
        if self._shared is not None:
            self._shared.send(event)
            self._shared._serve()
        elif not self._handlers:
            _native.check_type(event.type)
        await self._handlers.call(event)

    def subscribe(self, pattern: str, handler: Handler) -> str:
        """Calls the handler with every event that matches, from now on. The answer is for unsubscribe()."""
        if self._shared is None:
            return self._handlers.add(pattern, handler)
        number = self._shared.add_handler(pattern, handler)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return number  # the first publish() begins to listen
        self._shared._serve()
        return number

    def unsubscribe(self, subscription_id: str) -> None:
        """Ends what subscribe() began; nothing happens if it has ended already."""
        if self._shared is None:
            self._handlers.remove(subscription_id)
        else:
            self._shared.remove_handler(subscription_id)

    def close(self) -> None:
        """Closes the shared bus; one of this process forgets its handlers."""
        if self._shared is None:
            self._handlers = Handlers()
        else:
            self._shared.close()

    def __enter__(self) -> EventBus:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    async def __aenter__(self) -> EventBus:
        if self._shared is not None:
            await self._shared.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._shared is None:
            self.close()
        else:
            await self._shared.__aexit__(*error)
