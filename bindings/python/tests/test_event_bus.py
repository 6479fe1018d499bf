"""EventBus, private and shared, and the tests of SwarmBot's design as they stand."""
import asyncio
import contextlib
import dataclasses
import gc
import io
import os
import unittest

import binding_harness
import harness
import swarmbus
from swarmbus import Event, EventBus, _native, errors
from binding_harness import eventually_in_loop

try:
    import pytest
    import pytest_asyncio
except ImportError:
    pytest = pytest_asyncio = None


class EventBuses(binding_harness.BusTest):
    def each_kind(self, act):
        """The same on a private and on a shared bus."""
        for name in (None, self.new_bus()):
            with self.subTest("private" if name is None else "shared"):

                async def main():
                    async with EventBus(name) as bus:
                        await act(bus)

                self.run_async(main())

    def test_handlers_have_run_when_publish_returns(self):
        async def act(bus):
            got = []

            async def slow(event):
                await asyncio.sleep(0.001)
                got.append(("slow", event.data["i"]))

            bus.subscribe("a.*", slow)
            bus.subscribe("a.b", lambda event: got.append(("plain", event.data["i"])))
            for i in range(20):
                await bus.publish(Event(type="a.b", data={"i": i}, source="me"))
                self.assertEqual(got[-2:], [("slow", i), ("plain", i)])
            await asyncio.sleep(0.01)
            self.assertEqual(len(got), 40)

        self.each_kind(act)

    def test_a_handler_may_publish(self):
        async def act(bus):
            got = []

            async def first(event):
                await bus.publish(Event("second.step", {}))
                got.append(event.type)

            bus.subscribe("first.*", first)
            bus.subscribe("second.*", lambda event: got.append(event.type))
            await bus.publish(Event("first.step", {}))
            self.assertEqual(got, ["second.step", "first.step"])

        self.each_kind(act)

    def test_unsubscribed_and_collected_handlers_get_nothing(self):
        class Adapter:
            got = []

            def handle(self, event):
                self.got.append(event.type)

        async def act(bus):
            Adapter.got.clear()
            adapter = Adapter()
            number = bus.subscribe("a.*", adapter.handle)
            other = bus.subscribe("a.*", Adapter().handle)
            self.assertNotEqual(number, other)
            gc.collect()
            await bus.publish(Event("a.b"))
            self.assertEqual(Adapter.got, ["a.b"])
            bus.unsubscribe(number)
            bus.unsubscribe(number)
            await bus.publish(Event("a.b"))
            self.assertEqual(Adapter.got, ["a.b"])

        self.each_kind(act)

    def test_a_handler_that_fails_keeps_nothing_from_the_others(self):
        async def act(bus):
            got = []

            async def fails(event):
                raise LookupError("no luck")

            for handler in (fails, lambda event: 1 / 0, got.append):
                bus.subscribe("*", handler)
            with self.assertLogs("swarmbus") as logged:
                await bus.publish(Event("a.b"))
            self.assertEqual((len(got), len(logged.output)), (1, 2))

        self.each_kind(act)

    def test_wrong_names_and_handlers_are_refused(self):
        async def act(bus):
            self.assertRaises(swarmbus.ArgumentError, bus.subscribe, "a..b", print)
            self.assertRaises(TypeError, bus.subscribe, "a.b", 5)
            with self.assertRaises(swarmbus.ArgumentError):
                await bus.publish(Event("a..b"))

        self.each_kind(act)

    def test_private_buses_are_apart_and_shared_ones_are_one(self):
        async def main():
            got, buses = [], [EventBus(), EventBus(), EventBus(self.bus), EventBus(self.bus)]
            for number, bus in enumerate(buses):
                bus.subscribe("*", lambda event, number=number: got.append((number, event.type, event.data)))
            for number, bus in enumerate(buses):
                await bus.publish(Event("a.b", {"from": number}))
            await eventually_in_loop(lambda: len(got) == 6)
            await asyncio.sleep(0.05)
            self.assertEqual(sorted(got, key=repr), [(0, "a.b", {"from": 0}), (1, "a.b", {"from": 1})] + [(to, "a.b", {"from": source}) for to in (2, 3) for source in (2, 3)])
            for bus in buses:
                bus.close()

        async def quiet():
            await main()
            await asyncio.sleep(0)  # for what close() asked of the loop

        self.run_async(quiet())

    def test_events_of_other_processes_come_to_handlers(self):
        async def main():
            async with EventBus(self.bus) as bus:
                got = []
                bus.subscribe("agent.*", got.append)
                publisher = self.start("pub", "agent.created", '{"agent_id":"other"}')
                await eventually_in_loop(lambda: got)
                self.assertEqual(publisher.wait(), 0)
                self.assertEqual(got[0].data, {"agent_id": "other"})

        self.run_async(main())

    def test_a_shared_bus_can_be_used_by_one_loop_after_the_other(self):
        got = []
        with EventBus(self.bus) as bus:
            bus.subscribe("a.*", lambda event: got.append(event.data))

            async def main(number):
                await bus.publish(Event("a.b", {"own": number}))
                self.start("pub", "a.c", str(number))
                await eventually_in_loop(lambda: len(got) == 2 * number)

            for number in (1, 2):
                self.run_async(main(number))
        self.assertEqual(got, [{"own": 1}, "1", {"own": 2}, "2"])

    def test_standard_types_and_their_data_are_those_of_the_schema(self):
        bus = self.open(strict=True)
        subscription = bus.subscribe("*")
        self.assertEqual({str(type) for type in swarmbus.EventTypes}, {name for name, _, _, _ in bus.types()})
        self.assertEqual(set(swarmbus.EVENT_SCHEMAS), {name for name, _, _, _ in bus.types()})
        values = {"str": "x", "list[str]": ["x"], "int": 7, "float": 0.5, "bool": True, "Any": {"x": [1]}}
        for type, kind in swarmbus.EVENT_SCHEMAS.items():
            data = kind(**{field.name: values[field.type.removesuffix(" | None")] for field in dataclasses.fields(kind)})
            bus.publish(type, data)
            self.assertEqual(kind.from_dict(subscription.next(0).data), data)
            self.assertEqual(data.to_dict(), dataclasses.asdict(data))

    def test_every_error_of_the_library_has_a_class(self):
        numbers = {getattr(_native, name): name for name in dir(_native) if name.startswith("SWB_ERR_")}
        self.assertEqual(set(numbers), set(errors.class_of_result))
        for number, kind in errors.class_of_result.items():
            self.assertEqual(kind("what", number).result, number)
            self.assertTrue(kind.__doc__)

    @unittest.skipIf(pytest_asyncio is None, f"the PyPI package pytest-asyncio is not in {binding_harness.PYTHON_TOOLS}; {binding_harness.PYTHON_TOOLS}.log says why")
    def test_the_tests_of_the_design_pass(self):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            folder = os.path.join(os.path.dirname(__file__), "mission")
            status = pytest.main(["-q", "-p", "no:cacheprovider", f"--rootdir={folder}", "-c", os.path.join(folder, "pytest.ini"), folder])
        self.assertEqual(status, 0, said.getvalue())
        self.assertIn("3 passed", said.getvalue())


if __name__ == "__main__":
    harness.main()
