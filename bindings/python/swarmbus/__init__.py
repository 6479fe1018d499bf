"""SwarmBus: typed events between the processes of one machine, through shared memory.

    import swarmbus

    with swarmbus.Bus("demo") as bus:
        bus.publish("agent.created", {"agent_id": "agent-7"})
        for event in bus.subscribe("agent.*"):
            print(event.type, event.data)

Under asyncio the same with `async with` and `async for`. EventBus is the bus by the names of SwarmBot's design.
"""

from ._native import Delivery, Event, buses, check_pattern, check_type, match, remove
from ._native import version as __version__
from .bus import Bus
from .errors import (
    AccessError,
    ArgumentError,
    BusExistsError,
    BusyError,
    ClosedError,
    ForkedError,
    FullError,
    GoneError,
    IncompatibleError,
    NoBusError,
    NoSchemaError,
    PayloadError,
    SwarmBusError,
    SystemFault,
)
from .event_bus import EventBus
from .standard import EVENT_SCHEMAS, AgentStatusEvent, EventTypes, TaskEvent
from .subscription import Subscription

__all__ = [
    "EVENT_SCHEMAS",
    "AccessError",
    "AgentStatusEvent",
    "ArgumentError",
    "Bus",
    "BusExistsError",
    "BusyError",
    "ClosedError",
    "Delivery",
    "Event",
    "EventBus",
    "EventTypes",
    "ForkedError",
    "FullError",
    "GoneError",
    "IncompatibleError",
    "NoBusError",
    "NoSchemaError",
    "PayloadError",
    "Subscription",
    "SwarmBusError",
    "SystemFault",
    "TaskEvent",
    "__version__",
    "buses",
    "check_pattern",
    "check_type",
    "match",
    "remove",
]
