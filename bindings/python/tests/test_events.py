"""Publishing and receiving: what data becomes, and what is refused."""
import array
import collections
import copy
import json
import os
import pickle

import binding_harness
import harness
import swarmbus
from swarmbus import Event

ORDERS = """table Line { item:string; count:int; weight:double; }
table Order (event: "shop.order.placed") { id:ulong; lines:[Line]; paid:bool; note:string; raw:[ubyte]; }
"""


class Events(binding_harness.BusTest):
    def setUp(self):
        super().setUp()
        self.handle = self.open()
        self.all = self.handle.subscribe("*")

    def through(self, *arguments, **named):
        """The event that a publication arrives as."""
        delivery = self.handle.publish(*arguments, **named)
        self.assertEqual((delivery.delivered, delivery.dropped), (1, 0))
        event = self.all.next(0)
        self.assertEqual((event.writer, event.sequence), (delivery.writer, delivery.sequence))
        return event

    def test_a_dict_of_a_type_with_a_schema_is_a_flatbuffer_and_a_dict_again(self):
        data = {"agent_id": "agent-7", "new_status": "working", "metadata": {"load": 0.5, "deep": [1, [2, {"x": None}]]}}
        event = self.through("agent.status.changed", data)
        self.assertEqual((event.encoding, event.data), ("flatbuffers", data))
        self.assertNotIn(b"{", event.payload)

    def test_json_keeps_every_value(self):
        for value in ({}, [], [[]], {"": ""}, 0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 10**18, -(10**17), 0.1, -0.0, 1e300, 5e-324, True, None,
                      {"ü": "\u0000\n\"\\/\u2028\U0001f600", "long": "x" * 5000}, list(range(300)), [{"a": i} for i in range(50)]):
            event = self.through("test.json", {"value": value})
            self.assertEqual(event.data, {"value": value})
            self.assertEqual(json.loads(event.payload), {"value": value})
            self.assertIs(type(event.data["value"]), type(value))

    def test_what_stands_for_dicts_and_lists_is_taken_for_them(self):
        data = {"order": collections.OrderedDict(a=1), "tuple": (1, 2), "deque": collections.deque([3]), "chain": collections.ChainMap({"x": 1})}
        self.assertEqual(self.through("test.json", data).data, {"order": {"a": 1}, "tuple": [1, 2], "deque": [3], "chain": {"x": 1}})
        status = swarmbus.AgentStatusEvent("agent-7", new_status="idle")
        self.assertEqual(self.through("agent.status.changed", status).data, {"agent_id": "agent-7", "new_status": "idle"})

    def test_json_of_others_is_read_as_json_readers_do(self):
        for text in (r'{"a": "\u00fc\ud83d\ude00\t\/"}', ' [ 1 , -2.5e-3,\n1E2, 0.0, -0 ] ', '"\\u0041"', "12345678901234567890", '{"a":1,"b":{}}', "[[[]],{}]"):
            self.assertEqual(self.through("test.json", text, encoding="json").data, json.loads(text), text)

    def test_texts_and_bytes_stay_what_they_are(self):
        self.assertEqual(self.through("test.text", "grüße").data, "grüße")
        for data in (b"", b"\0\xff", bytearray(b"ab"), memoryview(b"cd"), array.array("i", [1, 2])):
            event = self.through("test.bytes", data)
            self.assertEqual((event.encoding, event.data, event.payload), ("bytes", bytes(data), bytes(data)))
            self.assertEqual(memoryview(event), bytes(data))

    def test_a_mebibyte_arrives(self):
        data = os.urandom(1 << 20)
        self.assertEqual(self.through("test.bytes", data).payload, data)
        text = "x" * (1 << 20)
        self.assertEqual(self.through("test.json", {"text": text}).data["text"], text)

    def test_an_event_has_all_its_fields(self):
        event = self.through("agent.created", {"agent_id": "a"}, subject="agent-7", source="me")
        self.assertEqual((event.type, event.source, event.subject, event.lost, event.lost_by), ("agent.created", "me", "agent-7", 0, {}))
        self.assertEqual(event.timestamp, event.time_ns / 1e9)
        self.assertIn("agent-7", repr(event))
        with self.assertRaises(AttributeError):
            event.type = "other"

    def test_a_received_event_can_be_passed_on_copied_and_pickled(self):
        event = self.through("agent.created", {"agent_id": "a"}, subject="s", source="me")
        again = self.through(event)
        self.assertEqual((again.type, again.payload, again.encoding, again.source, again.subject), (event.type, event.payload, "flatbuffers", "me", "s"))
        for twin in (copy.copy(event), pickle.loads(pickle.dumps(event))):
            self.assertEqual((twin.type, twin.data, twin.timestamp, twin.source, twin.subject), (event.type, event.data, event.timestamp, "me", "s"))
        made = self.through(Event("agent.created", {"agent_id": "b"}, source="x"))
        self.assertEqual((made.data, made.source), ({"agent_id": "b"}, "x"))

    def test_data_stays_readable_when_the_bus_is_closed(self):
        kept = [self.through("agent.created", {"agent_id": str(i)}) for i in range(3)]
        self.handle.close()
        self.assertEqual([event.data["agent_id"] for event in kept], ["0", "1", "2"])

    def test_types_of_ones_own_have_schemas(self):
        self.handle.register_types(ORDERS)
        order = {"id": 2**64 - 1, "lines": [{"item": "pen", "count": 2, "weight": 0.25}], "paid": True, "raw": [1, 255]}
        self.assertEqual(self.through("shop.order.placed", order).data, order)
        self.assertIn(("shop.order.placed", "Order", 1), [(name, root, version) for name, root, _, version in self.handle.types()])
        with self.assertRaisesRegex(swarmbus.PayloadError, r"lines\[0\]\.count: expected"):
            self.handle.publish("shop.order.placed", {"lines": [{"count": "many"}]})
        with self.assertRaises(swarmbus.IncompatibleError):
            self.handle.register_types('table Order (event: "shop.order.placed") { id:string; }')

    def test_what_can_not_be_data_is_refused_with_its_place(self):
        circle = []
        circle.append(circle)
        for data, place in (({"a": float("nan")}, r"data\['a'\]: JSON has no nan"), ({"a": [float("inf")]}, r"data\['a'\]\[0\]: JSON has no infinity"),
                            ({"a": {1: 2}}, r"data\['a'\]\[1\]: names"), ([object()], r"data\[0\]: JSON has nothing for object"),
                            (circle, "more than 63"), ({"a": "\ud800"}, r"data\['a'\]: .* surrogate"), ("\ud800", "surrogate"),
                            ({"a": b"x"}, "nothing for bytes"), ({"a": 2**70 + 1}, "."), ('{"a":', "no valid JSON")):
            with self.subTest(place), self.assertRaisesRegex(swarmbus.PayloadError, place):
                self.handle.publish("agent.created" if place == "." else "test.json", {"metadata": data} if place == "." else data,
                                    encoding="json" if place.startswith("no valid") else None)
        self.assertIsNone(self.all.next(0))

    def test_payloads_that_are_not_what_they_say_are_told_when_they_are_read(self):
        self.handle.publish("agent.created", b"no flatbuffer", encoding="flatbuffers")
        self.handle.publish("unknown.type", b"no schema here", encoding="flatbuffers")
        self.publish_raw("test.text", encoding=1, payload=b"\xff")
        self.publish_raw("test.json", encoding=2, payload=b'{"a":\xff}')
        errors = [swarmbus.PayloadError, swarmbus.NoSchemaError, swarmbus.PayloadError, swarmbus.PayloadError]
        events = self.all.drain()
        for event, error in zip(events, errors, strict=True):
            for _ in range(2):
                self.assertRaises(error, getattr, event, "data")
            self.assertIn(event.type, repr(event))
            self.assertTrue(event.payload)

    def test_wrong_arguments_are_named(self):
        for call, error, text in (
            (lambda: self.handle.publish(), TypeError, "takes an event type"),
            (lambda: self.handle.publish(5), TypeError, "the type is a str, not int"),
            (lambda: self.handle.publish("a..b"), swarmbus.ArgumentError, "position 2"),
            (lambda: self.handle.publish("bus.own"), swarmbus.ArgumentError, "bus"),
            (lambda: self.handle.publish("a.b", x=1), TypeError, "'x'"),
            (lambda: self.handle.publish("a.b", b"", encoding="xml"), swarmbus.ArgumentError, "one of bytes, text, json"),
            (lambda: self.handle.publish("a.b", {}, encoding="flatbuffers"), swarmbus.ArgumentError, "flatbuffers is for bytes"),
            (lambda: self.handle.publish("a.b", subject="x" * 200), swarmbus.ArgumentError, "200 bytes"),
            (lambda: self.handle.publish("a.b", subject="a\0b"), swarmbus.ArgumentError, "zero"),
            (lambda: self.handle.subscribe(), TypeError, "pattern"),
            (lambda: self.handle.subscribe("a.%"), swarmbus.ArgumentError, "position 2"),
            (lambda: self.handle.subscribe("a", capacity=17), swarmbus.ArgumentError, "power of two"),
            (lambda: self.handle.subscribe("a", overflow="spill"), swarmbus.ArgumentError, "drop_oldest, drop_newest, block"),
            (lambda: self.all.next(-1), swarmbus.ArgumentError, "timeout"),
            (lambda: swarmbus.Bus("no/name"), swarmbus.ArgumentError, "no/name"),
            (lambda: swarmbus.Bus(self.new_bus(), mode="open"), swarmbus.NoBusError, "there is no bus"),
            (lambda: swarmbus.Bus(self.bus, mode="create"), swarmbus.BusExistsError, "exists"),
            (lambda: swarmbus.Bus(self.bus, slot_bytes=512), swarmbus.IncompatibleError, "slot_bytes"),
            (lambda: swarmbus.Bus(self.bus, slots=1), TypeError, "slots"),
            (lambda: swarmbus.Bus(self.bus, capacity=-1), swarmbus.ArgumentError, "capacity"),
            (lambda: Event("a.b", timestamp=-5), ValueError, "timestamp"),
            (lambda: Event(5), TypeError, "type of an event"),
        ):
            with self.subTest(text), self.assertRaisesRegex(error, text):
                call()

    def test_what_is_closed_says_so(self):
        self.all.close()
        self.all.close()
        self.assertRaises(swarmbus.ClosedError, self.all.next, 0)
        self.assertEqual(list(self.all), [])
        other = self.handle.subscribe("*")
        self.handle.close()
        self.handle.close()
        self.assertTrue(self.handle.closed and other.closed)
        self.assertRaises(swarmbus.ClosedError, self.handle.publish, "a.b")
        self.assertRaises(swarmbus.ClosedError, self.handle.subscribe, "a.b")

    def test_what_is_not_opened_can_not_crash(self):
        bus = swarmbus.Bus.__new__(swarmbus.Bus)
        subscription = swarmbus.Subscription.__new__(swarmbus.Subscription)
        self.assertRaises(swarmbus.ClosedError, bus.publish, "a.b")
        self.assertRaises(swarmbus.ClosedError, subscription.next, 0)
        self.assertRaises(swarmbus.ClosedError, subscription.drain)
        self.assertRaises(swarmbus.ArgumentError, self.handle.__init__, self.bus)

    def test_errors_can_be_pickled(self):
        with self.assertRaises(swarmbus.ClosedError) as caught:
            self.handle.close()
            self.handle.publish("a.b")
        twin = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((type(twin), str(twin), twin.result), (swarmbus.ClosedError, str(caught.exception), caught.exception.result))

    def test_a_removed_bus_is_gone_unless_it_is_to_be_opened_anew(self):
        lasting = self.open(reattach=True)
        told = []
        subscription = lasting.subscribe("*", on_loss=told.append)
        swarmbus.remove(self.bus, force=True)
        self.assertIsNone(subscription.next(0.01) if not told else None)
        with self.assertRaises(swarmbus.GoneError):
            while True:
                self.all.next(0.1)
        binding_harness.eventually(lambda: subscription.next(0.05) is None and told, "opening anew")
        lasting.publish("a.b", 1)
        self.assertEqual(subscription.next(binding_harness.PATIENCE).data, 1)
        self.assertEqual(told, [{"reattached": 1}])

    def test_names_patterns_and_buses_can_be_looked_at(self):
        self.assertIn(self.bus, swarmbus.buses())
        self.assertTrue(swarmbus.match("agent.+.changed", "agent.status.changed"))
        self.assertFalse(swarmbus.match("agent.*", "agent"))
        self.assertRaises(swarmbus.ArgumentError, swarmbus.check_pattern, "a..b")
        self.assertRaises(swarmbus.BusExistsError, swarmbus.remove, self.bus)


class Losses(binding_harness.BusTest):
    def test_losses_are_told_by_the_next_event_and_at_once_to_who_wants_to_be_called(self):
        bus, told = self.open(), []
        oldest = bus.subscribe("*", capacity=16, on_loss=told.append)
        newest = bus.subscribe("*", capacity=16, overflow="drop_newest")
        delivered = [bus.publish("a.b", i) for i in range(100)]
        self.assertEqual(sum(delivery.dropped for delivery in delivered), 84)
        events = oldest.drain()
        self.assertEqual(events[0].lost, 100 - len(events))
        self.assertEqual(events[0].lost_by, {"evicted": events[0].lost})
        self.assertEqual(told, [events[0].lost_by])
        self.assertEqual(oldest.losses(), events[0].lost_by)
        self.assertEqual([event.data for event in newest.drain()], list(range(16)))
        bus.publish("a.b", 100)
        self.assertEqual(newest.next(0).lost_by, {"full": 84})

    def test_losses_with_nothing_behind_them_are_told_once_and_the_next_event_has_them(self):
        bus, told = self.open(), []
        subscription = bus.subscribe("*", capacity=16, overflow="drop_newest", on_loss=told.append)
        for i in range(20):
            bus.publish("a.b", i)
        self.assertEqual(sum(event.lost for event in subscription.drain()), 0)
        self.assertIsNone(subscription.next(0))
        self.assertEqual(told, [{"full": 4}])
        bus.publish("a.b", 20)
        event = subscription.next(0)
        self.assertEqual((event.data, event.lost, told), (20, 4, [{"full": 4}]))

    def test_who_fails_when_told_of_losses_loses_no_events(self):
        bus = self.open()
        subscription = bus.subscribe("*", capacity=16, on_loss=lambda losses: 1 / 0)
        for i in range(20):
            bus.publish("a.b", i)
        self.assertRaises(ZeroDivisionError, subscription.next, 0)
        self.assertEqual(subscription.next(0).data, 4)

    def test_publishers_wait_for_inboxes_that_block(self):
        bus = self.open()
        subscription = bus.subscribe("*", capacity=16, overflow="block")
        for i in range(16):
            bus.publish("a.b", i)
        self.assertEqual(bus.publish("a.b", 16, block_timeout=0).dropped, 1)
        self.assertEqual(len(subscription.drain()), 16)


if __name__ == "__main__":
    harness.main()
