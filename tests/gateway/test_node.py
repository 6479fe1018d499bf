"""The gateway as npm's clients see it: `ws`, with and without `flatbuffers`, and `eventsource`."""
import json

import cutting_proxy
import gateway_harness as gw
import harness
import node_programs

SUBPROTOCOLS = (gw.JSON, gw.FLAT)


class WsClient:
    """A WebSocket of npm's `ws` that is open and has heard its hello."""

    def __init__(self, test, gateway, subprotocol, **options):
        self.process = node_programs.start("ws_client.cjs", f"ws://{gateway.address}/v1/ws", subprotocol, json.dumps(options))
        test.addCleanup(self.process.end)
        self.subprotocol = self.process.read_json().get("open")
        self.cursor = None
        self.hello = self.expect("hello")

    def say_text(self, text):
        self.process.write(text.encode() + b"\n")

    def say(self, op, **members):
        self.say_text(json.dumps({"op": op, **members}))

    def hear(self):
        """The next message, but no heartbeat: an object with "op", or an event of a binary message."""
        while (told := self.process.read_json()).get("op") == "heartbeat" or "ping" in told:
            pass
        if "cursor" in told:
            self.cursor = told["cursor"]
        elif "offset" in told:
            self.cursor = f"{self.epoch}-{told['offset']}"
        return told

    @property
    def epoch(self):
        return self.cursor.split("-")[0]

    def expect(self, op):
        message = self.hear()
        if message.get("op") != op:
            raise AssertionError(f"{op} expected, but {message}")
        return message

    def subscribe(self, *patterns, **members):
        self.say("subscribe", patterns=list(patterns), **members)
        return self.expect("subscribed")

    def events(self, count):
        """The next events, which are so many, without a gap between them."""
        events = []
        while len(events) < count:
            message = self.hear()
            if "op" in message and message["op"] != "events" or "error" in message:
                raise AssertionError(f"{len(events)} of {count} events, then {message}")
            events += message.get("events", [message])
        if len(events) > count:
            raise AssertionError(f"{count} events expected, but {len(events)}")
        return events

    def closed(self):
        """What it tells until the connection is closed, and the code of that."""
        told = []
        while "closed" not in (last := self.process.read_json()):
            told.append(last)
        return told, last["closed"]


@node_programs.needs_node
class Ws(gw.GatewayTest):
    def open_ws(self, gateway, subprotocol, **options):
        return WsClient(self, gateway, subprotocol, **options)

    def test_ws_is_given_the_subprotocol_that_it_asks_for(self):
        gateway = self.start_gateway()
        for subprotocol in SUBPROTOCOLS:
            client = self.open_ws(gateway, subprotocol)
            self.assertEqual(client.subprotocol, subprotocol)
            self.assertEqual(client.subscribe("agent.*", "task.late")["patterns"], ["agent.*", "task.late"])

    def test_ws_is_refused_with_another_subprotocol(self):
        gateway = self.start_gateway()
        process = node_programs.start("ws_client.cjs", f"ws://{gateway.address}/v1/ws", "swarmbus.v2.json")
        self.addCleanup(process.end)
        self.assertEqual(process.read_json(), {"refused": 400})

    def test_ws_gets_the_events_as_they_were_published_in_order(self):
        gateway = self.start_gateway()
        for subprotocol in SUBPROTOCOLS:
            client = self.open_ws(gateway, subprotocol)
            self.assertEqual(client.subscribe("a.*")["resume"], "live")
            self.pub("a.text", "ä\n\"\u2028\U0001f41d", "--source", "mé", "--subject", "it")
            self.pub("other.type", "x")
            self.publish_lines("a.line", range(3000))
            first, *lines = client.events(3001)
            self.assertEqual((first["type"], first["source"], first["subject"], first["encoding"], first["payload"]),
                             ("a.text", "mé", "it", "text", "ä\n\"\u2028\U0001f41d"))
            self.assertEqual(self.payloads(lines), list(map(str, range(3000))))
            self.assertEqual([event["sequence"] for event in lines], list(range(1, 3001)))
            self.assertEqual([event["offset"] for event in lines], list(range(first["offset"] + 1, first["offset"] + 3001)))
            self.assertEqual(client.cursor, f"{client.epoch}-{lines[-1]['offset']}")

    def test_typed_events_come_as_json_of_their_schema(self):
        gateway = self.start_gateway()
        client = self.open_ws(gateway, gw.JSON)
        client.subscribe("agent.*")
        self.pub("agent.created", '{"agent_id":"agent-7","metadata":{"a":[1,2.5,null]}}')
        event, = client.events(1)
        self.assertEqual((event["encoding"], event["payload"]["agent_id"], event["payload"]["metadata"]), ("flatbuffers", "agent-7", {"a": [1, 2.5, None]}))

    def test_one_that_was_killed_in_the_middle_goes_on_from_its_cursor(self):
        gateway = self.start_gateway()
        for subprotocol in SUBPROTOCOLS:
            client = self.open_ws(gateway, subprotocol)
            client.subscribe("a.*")
            publisher = self.start_shell('seq 0 2999 | "$SWARMBUS_TOOL" pub a.b --lines --rate 3000')
            events = []
            while len(events) < 1000:
                message = client.hear()
                events += message.get("events", [message])
            client.process.kill()
            cursor = client.cursor
            client = self.open_ws(gateway, subprotocol)
            self.assertEqual(client.subscribe("a.*", since=cursor)["resume"], "recovered")
            events += client.events(3000 - len(events))
            self.assertEqual(publisher.wait(), 0)
            self.assertEqual(self.payloads(events), list(map(str, range(3000))))

    def test_a_message_that_is_too_large_is_closed_with_1009(self):
        gateway = self.start_gateway()
        client = self.open_ws(gateway, gw.JSON)
        client.say("heartbeat", padding="x" * 70_000)
        self.assertEqual(client.closed(), ([], 1009))

    def test_a_message_that_is_not_of_the_protocol_is_closed_with_4000(self):
        gateway = self.start_gateway()
        for text in ("no JSON", '{"op":"nothing"}', "[]"):
            client = self.open_ws(gateway, gw.JSON)
            client.say_text(text)
            told, code = client.closed()
            self.assertEqual(([message["op"] for message in told], code), (["error"], 4000), text)

    def test_sigterm_is_told_by_bye_and_1012(self):
        gateway = self.start_gateway()
        clients = [self.open_ws(gateway, subprotocol) for subprotocol in SUBPROTOCOLS]
        for client in clients:
            client.subscribe("*")
        gateway.process.signal(15)
        for client in clients:
            (bye,), code = client.closed()
            self.assertEqual((bye["op"], code), ("bye", 1012))
        gateway.end()

    def test_who_answers_pings_stays_and_who_does_not_is_hung_up_on(self):
        gateway = self.start_gateway("--heartbeat", "0.3s")
        good, bad = [self.open_ws(gateway, gw.JSON, autoPong=answers) for answers in (True, False)]
        good.subscribe("*")
        bad.subscribe("*")
        told, code = bad.closed()
        self.assertEqual((code, {"ping": True} in told), (4101, True))
        self.pub("a.b", "still there")
        self.assertEqual(self.payloads(good.events(1)), ["still there"])
        good.process.popen.stdin.close()
        self.assertEqual(good.closed()[1], 1000)


class EventSourceClient:
    """A stream of npm's `eventsource`, which has no end."""

    def __init__(self, test, address, query):
        self.process = node_programs.start("eventsource_client.cjs", f"http://{address}/v1/sse?{query}")
        test.addCleanup(self.process.end)
        self.last_id = None
        self.requests = []  # with which Last-Event-ID

    def next(self):
        """The next event, as (name, object)."""
        while True:
            told = self.process.read_json()
            if "request" in told:
                self.requests.append(told["request"])
            elif "error" not in told:
                self.last_id = told.pop("id")
                return next(iter(told.items()))

    def expect(self, name):
        event = self.next()
        if event[0] != name:
            raise AssertionError(f"{name} expected, but {event}")
        return event[1]


@node_programs.needs_node
class EventSource(gw.GatewayTest):
    COUNT = 2000

    def test_named_events_come_by_their_names(self):
        gateway = self.start_gateway("--follow", "*")
        self.pub("a.b", "known", "--subject", "one")
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 1)
        client = EventSourceClient(self, gateway.address, "pattern=a.*&snapshot=1")
        answer = client.expect("subscribed")
        self.assertEqual((answer["patterns"], answer["resume"], client.requests), (["a.*"], "live", [None]))
        snapshot = client.expect("snapshot")
        self.assertEqual((self.payloads(snapshot["events"]), client.last_id), (["known"], snapshot["cursor"]))
        self.pub("a.b", "ä\nb\r\nc", "--subject", "one")
        event = client.expect("message")
        self.assertEqual((event["payload"], event["subject"]), ("ä\nb\r\nc", "one"))
        self.assertEqual(client.last_id, f"{snapshot['cursor'].split('-')[0]}-{event['offset']}")
        gateway.process.signal(15)
        self.assertEqual(client.expect("bye")["reason"], "restart")
        gateway.end()

    def test_cut_off_it_comes_back_by_itself_and_gets_everything_once(self):
        gateway = self.start_gateway("--follow", "*")
        lengths = iter((3_000, 50_000, 100_000))
        proxy = cutting_proxy.CuttingProxy(gateway, lambda: next(lengths, 1 << 40))
        self.addCleanup(proxy.close)
        client = EventSourceClient(self, proxy.address, "pattern=*")
        self.assertEqual(client.expect("subscribed")["resume"], "live")
        self.start_program(["sh", "-c", f'seq 0 {self.COUNT - 1} | "$SWARMBUS_TOOL" pub a.b --lines --rate 1000'])
        numbers, last_ids = [], []
        while len(numbers) < self.COUNT:
            before = client.last_id
            name, told = client.next()
            if name == "subscribed":
                self.assertEqual(told["resume"], "recovered")
                last_ids.append(before)
            else:
                numbers.append(int(told["payload"]))
        self.assertEqual(numbers, list(range(self.COUNT)))
        self.assertEqual(client.requests, [None, *last_ids])
        self.assertEqual((len(last_ids), proxy.cuts), (3, 3))

    def test_a_gateway_that_was_started_anew_tells_it_of_a_reset_and_what_it_knows(self):
        gateway = self.start_gateway("--follow", "*")
        client = EventSourceClient(self, gateway.address, "pattern=*")
        client.expect("subscribed")
        self.pub("a.b", "before")
        client.expect("message")
        cursor, address = client.last_id, gateway.address
        gateway.kill()
        gateway = self.start_gateway("--follow", "*", listen=address)
        self.pub("a.b", "since then")
        answer = client.expect("subscribed")
        self.assertEqual((answer["resume"], answer["reason"], client.requests[-1]), ("reset", "epoch", cursor))
        snapshot = client.expect("snapshot")
        self.assertNotEqual(snapshot["cursor"].split("-")[0], cursor.split("-")[0])
        known = self.payloads(snapshot["events"])
        if not known:  # it was back before the event
            known = [client.expect("message")["payload"]]
        self.assertEqual(known, ["since then"])


if __name__ == "__main__":
    harness.main()
