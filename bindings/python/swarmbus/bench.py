"""What events cost in Python: python -m swarmbus.bench [--json]

One process, one core: publishing into one inbox, and taking out of it what was published. The fastest of several rounds, in
nanoseconds an event; json.dumps() and json.loads() of the same dict beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any

import swarmbus

ROUNDS, EVENTS = 40, 1000
BYTES = bytes(range(150))
DATA = {
    "agent_id": "agent-17",
    "previous_status": "idle",
    "new_status": "working",
    "reason": "task t-1234 assigned by the planner",
    "metadata": {"tries": 3},
}


# As a FlatBuffer the whole has 224 bytes, which do not fit in a slot of the default size and go the way of large events.
TEXTS = {name: value for name, value in DATA.items() if name != "metadata"}


def fastest(act: Callable[[], Any], prepare: Callable[[], Any] = lambda: None) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        prepare()
        begin = time.perf_counter_ns()
        act()
        best = min(best, (time.perf_counter_ns() - begin) / EVENTS)
    return best


def measure(bus: swarmbus.Bus) -> dict[str, float]:
    subscription = bus.subscribe("*", capacity=2048)
    figures: dict[str, float] = {}
    text = json.dumps(DATA)
    status = swarmbus.EventTypes.AGENT_STATUS_CHANGED

    def times(act: Callable[[], Any]) -> Callable[[], None]:
        def repeat() -> None:
            for _ in range(EVENTS):
                act()

        return repeat

    def read_data() -> None:
        for event in subscription.drain():
            event.data

    figures["json.dumps"] = fastest(times(lambda: json.dumps(DATA)))
    figures["json.loads"] = fastest(times(lambda: json.loads(text)))
    for name, type, data in (("bytes", "bench.bytes", BYTES), ("dict, JSON", "bench.json", DATA), ("dict, schema", status, TEXTS), ("nested dict, schema", status, DATA)):
        publish = times(lambda: bus.publish(type, data))
        figures[f"publish {name}"] = fastest(publish, subscription.drain)
        figures[f"receive {name}"] = fastest(subscription.drain if name == "bytes" else read_data, lambda: (subscription.drain(), publish()))

    async def iterate() -> float:
        best = float("inf")
        for _ in range(ROUNDS):
            subscription.drain()
            for _ in range(EVENTS):
                bus.publish("bench.bytes", BYTES)
            left, begin = EVENTS, time.perf_counter_ns()
            async for _ in subscription:
                left -= 1
                if left == 0:
                    break
            best = min(best, (time.perf_counter_ns() - begin) / EVENTS)
        return best

    figures["async for bytes"] = asyncio.run(iterate())
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="one object")
    arguments = parser.parse_args()
    name = f"python-bench-{os.getpid()}"
    try:
        with swarmbus.Bus(name) as bus:
            figures = measure(bus)
    finally:
        swarmbus.remove(name, force=True)
    if arguments.json:
        print(json.dumps({name: round(figure) for name, figure in figures.items()}))
        return
    for what, figure in figures.items():
        print(f"{what:24} {figure:6.0f} ns")


if __name__ == "__main__":
    main()
