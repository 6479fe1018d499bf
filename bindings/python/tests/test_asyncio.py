"""The bus under asyncio, and under uvloop where that is installed."""
import asyncio
import gc
import random
import subprocess
import threading
import unittest
import weakref

import binding_harness
import harness
import swarmbus
from binding_harness import eventually_in_loop

PATIENCE = binding_harness.PATIENCE
try:
    import uvloop
except ImportError:
    uvloop = None


class Asyncio(binding_harness.BusTest):
    def test_events_come_while_the_loop_does_other_things(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                got = []

                async def listen():
                    async for event in bus.subscribe("agent.*", "task.failed"):
                        got.append(event.data)

                task = asyncio.create_task(listen())
                await asyncio.sleep(0)
                for i in range(5):
                    bus.publish("agent.x", i)
                    bus.publish("task.failed", {"attempt": i})
                    bus.publish("task.started", {})
                    await eventually_in_loop(lambda: len(got) == 2 * (i + 1))
            await task  # it ends with the bus
            self.assertEqual(got, [data for i in range(5) for data in (i, {"attempt": i})])

        self.run_async(main())

    def test_events_of_other_processes_wake_the_loop(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                subscription = bus.subscribe("a.*")
                publisher = self.start_python("bus = swarmbus.Bus(sys.argv[1])\nfor line in sys.stdin: print(bus.publish('a.b', int(line)).delivered)", self.bus,
                                              stdin=subprocess.PIPE)
                for i in range(10):
                    waiting = asyncio.create_task(subscription.anext())
                    await asyncio.sleep(0.001)
                    publisher.write(b"%d\n" % i)
                    self.assertEqual((await waiting).data, i)

        self.run_async(main())

    def test_cancelling_ten_thousand_waits_loses_and_doubles_nothing(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                subscription, dice = bus.subscribe("a.*", capacity=16384), random.Random(7)
                got, sent = [], 0
                for _ in range(10000):
                    waiting = asyncio.ensure_future(subscription.anext())
                    for _ in range(dice.randrange(3)):
                        if dice.random() < 0.6:
                            bus.publish("a.b", sent)
                            sent += 1
                        await asyncio.sleep(0)
                    waiting.cancel()
                    try:
                        got.append((await waiting).data)
                    except asyncio.CancelledError:
                        pass
                while (event := await subscription.anext(timeout=0.05)) is not None:
                    got.append(event.data)
                self.assertGreater(sent, 3000)
                self.assertEqual(got, list(range(sent)))

        self.run_async(main())

    def test_of_two_who_wait_one_can_give_up_when_it_was_its_turn(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                subscription = bus.subscribe("a.*")
                for turns in list(range(4)) * 50:
                    first, second = (asyncio.create_task(subscription.anext()) for _ in range(2))
                    await asyncio.sleep(0)
                    bus.publish("a.b", 1)
                    for _ in range(turns):  # after two, the loop has told the first, which does not know yet
                        await asyncio.sleep(0)
                    first.cancel()
                    await asyncio.wait([first])
                    if first.cancelled():
                        self.assertEqual((await second).data, 1)
                    else:
                        second.cancel()
                        await asyncio.wait([second])

        self.run_async(main())

    def test_a_timeout_is_none(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                subscription = bus.subscribe("a.*")
                self.assertIsNone(await subscription.anext(timeout=0.01))
                self.assertIsNone(await subscription.anext(timeout=0))
                bus.publish("a.b", 1)
                self.assertEqual((await subscription.anext(timeout=0)).data, 1)
                bus.publish("a.b", 2)
                self.assertEqual((await anext(subscription)).data, 2)

        self.run_async(main())

    def test_closing_ends_who_waits_also_from_another_thread(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                for close in (lambda it: it.close(), lambda it: threading.Thread(target=it.close).start()):
                    subscription = bus.subscribe("a.*")
                    iterating = asyncio.create_task(self.all_of(subscription))
                    waiting = asyncio.create_task(subscription.anext())
                    await asyncio.sleep(0.01)
                    close(subscription)
                    self.assertEqual(await iterating, [])
                    with self.assertRaises(swarmbus.ClosedError):
                        await waiting

        self.run_async(main())

    @staticmethod
    async def all_of(subscription):
        return [event async for event in subscription]

    def test_the_loop_has_its_turn_while_events_never_end(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                subscription, turns = bus.subscribe("a.*"), 0

                async def other():
                    nonlocal turns
                    while True:
                        turns += 1
                        await asyncio.sleep(0)

                task, count = asyncio.create_task(other()), 0
                bus.publish("a.b")
                async for _ in subscription:
                    bus.publish("a.b")
                    bus.publish("a.b")
                    count += 1
                    if count == 5000:
                        break
                task.cancel()
                self.assertGreater(turns, 10)

        self.run_async(main())

    def test_nothing_is_watched_when_nobody_waits(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                subscription = bus.subscribe("a.*")
                descriptor = subscription.fileno()
                await subscription.anext(timeout=0.01)
                self.assertFalse(asyncio.get_running_loop().remove_reader(descriptor))
                gone = weakref.ref(subscription)
                del subscription
                gc.collect()
                self.assertIsNone(gone())

        self.run_async(main())

    def test_a_subscription_can_be_used_by_one_loop_after_the_other(self):
        bus = self.open()
        subscription = bus.subscribe("a.*")
        for i in range(2):
            self.assertIsNone(self.run_async(subscription.anext(timeout=0.01)))
            bus.publish("a.b", i)
            self.assertEqual(self.run_async(subscription.anext()).data, i)

    def test_handlers_are_called_by_the_loop_one_after_the_other(self):
        async def main():
            got, inside = [], 0
            bus = swarmbus.Bus(self.bus)

            @bus.on("a.*")
            async def slow(event):
                nonlocal inside
                inside += 1
                self.assertEqual(inside, 1)
                await asyncio.sleep(0.001)
                inside -= 1
                got.append(("slow", event.data))

            async with bus:
                bus.on("a.b")(lambda event: got.append(("plain", event.data)))
                for i in range(5):
                    bus.publish("a.b", i)
                bus.publish("a.c", 9)
                await eventually_in_loop(lambda: len(got) == 11)
                self.assertEqual(len([task for task in asyncio.all_tasks() if "swarmbus" in task.get_name()]), 1)
            self.assertEqual(got, [(who, i) for i in range(5) for who in ("slow", "plain")] + [("slow", 9)])
            self.assertTrue(bus.closed)

        self.run_async(main())

    def test_an_async_handler_that_fails_is_logged(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                got = []

                @bus.on("a.*")
                async def fails(event):
                    raise LookupError("no luck")

                bus.on("a.*")(got.append)
                with self.assertLogs("swarmbus") as logged:
                    bus.publish("a.b")
                    await eventually_in_loop(lambda: got)
                self.assertIn("no luck", logged.output[0])

        self.run_async(main())

    def test_a_removed_bus_ends_who_waits_with_its_error(self):
        async def main():
            async with swarmbus.Bus(self.bus) as bus:
                waiting = asyncio.create_task(bus.subscribe("a.*").anext())
                await asyncio.sleep(0.01)
                swarmbus.remove(self.bus, force=True)
                with self.assertRaises(swarmbus.GoneError):
                    await waiting

        self.run_async(main())

    @unittest.skipIf(uvloop is None, f"the PyPI package uvloop is not in {binding_harness.PYTHON_TOOLS}; {binding_harness.PYTHON_TOOLS}.log says why")
    def test_uvloop_does_all_this_too(self):
        names = [name for name in dir(self) if name.startswith("test_") and "uvloop" not in name]
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        try:
            for name in names:
                with self.subTest(name):
                    self.bus = self.new_bus()
                    getattr(self, name)()
        finally:
            asyncio.set_event_loop_policy(None)


if __name__ == "__main__":
    harness.main()
