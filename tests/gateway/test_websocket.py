"""What the gateway and a client say to each other by WebSocket, in both subprotocols."""
import base64
import json
import os
import time

import gateway_harness as gw
import harness

KINDS = (gw.JsonSocket, gw.FlatSocket)


@gw.needs_websockets
class BothSubprotocols(gw.GatewayTest):
    """With JSON and with FlatBuffers alike."""

    def test_hello_comes_first_and_tells_limits_and_cursor(self):
        gateway = self.start_gateway("--heartbeat", "7s", "--max-patterns", "5")
        for kind in KINDS:
            hello = self.open(gateway, kind).hello
            self.assertEqual((hello["protocol"], hello["bus"], hello["heartbeat_ms"], bool(hello["publish"])), (1, self.bus, 7000, False))
            self.assertRegex(hello["server"], r"^swarmbus-gateway \d+\.\d+\.\d+$")
            self.assertRegex(hello["cursor"], r"^[0-9a-f]{16}-0$")
            limits = hello.get("limits", hello)
            self.assertEqual((limits["message_bytes"], limits["patterns"]), (65536, 5))

    def test_events_of_the_patterns_come_in_order_with_all_they_have(self):
        gateway = self.start_gateway()
        for number, kind in enumerate(KINDS):
            client = self.open(gateway, kind)
            answer = client.subscribe("agent.*", id=-5)
            self.assertEqual((answer["id"], answer["patterns"], answer["resume"]), (-5, ["agent.*"], "live"))
            before = time.time_ns()
            self.pub("agent.renamed", "ä\n\"", "--source", "me", "--subject", "agent-7")
            self.pub("other.type", "x")
            self.publish_lines("agent.moved", range(3))
            events = client.events(4)
            first = events[0]
            self.assertEqual((first["type"], first["source"], first["subject"], first["sequence"]), ("agent.renamed", "me", "agent-7", 1))
            at = first["time_ns"] if "time_ns" in first else harness.nanoseconds(first["time"])
            self.assertLess(abs(at - before), 60 * 10**9)
            self.assertEqual(self.payloads(events), ["ä\n\"", "0", "1", "2"])
            offsets = [event["offset"] for event in events]
            self.assertEqual(offsets, list(range(number * 4 + 1, number * 4 + 5)))
            self.assertEqual(client.cursor, f"{client.hello['cursor'].split('-')[0]}-{offsets[-1]}")
            client.close()

    def test_patterns_are_added_and_taken_away(self):
        gateway = self.start_gateway("--max-patterns", "3")
        for kind in KINDS:
            client = self.open(gateway, kind)
            self.assertEqual(client.subscribe("a", "b")["patterns"], ["a", "b"])
            self.assertEqual(client.subscribe("b", "c", id=2)["patterns"], ["a", "b", "c"])
            client.say("subscribe", id=3, patterns=["d"])
            refusal = client.expect("error")
            self.assertEqual((refusal["id"], refusal["code"]), (3, "too_many_patterns"))
            client.say("unsubscribe", id=4, patterns=["a", "c", "nothing"])
            answer = client.expect("subscribed")
            self.assertEqual((answer["id"], answer["patterns"]), (4, ["b"]))
            for event_type in ("a", "b", "c"):
                self.pub(event_type, event_type)
            self.assertEqual(self.payloads(client.events(1)), ["b"])
            client.say("unsubscribe", patterns=["b"])
            self.assertEqual(client.expect("subscribed")["patterns"], [])
            self.pub("b")
            client.say("heartbeat")
            client.expect("heartbeat")

    def test_a_bad_pattern_is_refused_with_its_position_and_the_connection_stays(self):
        gateway = self.start_gateway()
        for kind in KINDS:
            client = self.open(gateway, kind)
            client.say("subscribe", id=9, patterns=["good", "a..b"])
            refusal = client.expect("error")
            self.assertEqual((refusal["id"], refusal["code"]), (9, "bad_pattern"))
            self.assertIn("position 2", refusal["message"])
            self.assertEqual(client.subscribe("good")["patterns"], ["good"])

    def test_a_second_since_and_no_pattern_are_messages_that_are_not_of_the_protocol(self):
        gateway = self.start_gateway()
        for kind in KINDS:
            client = self.open(gateway, kind)
            client.subscribe("a")
            client.say("subscribe", patterns=["b"], since=client.cursor)
            self.assertEqual(client.closed()[1], 4000)
            client = self.open(gateway, kind)
            client.say("subscribe", patterns=[])
            self.assertEqual(client.closed()[1], 4000)

    def test_heartbeat_is_answered_with_the_cursor(self):
        gateway = self.start_gateway()
        for kind in KINDS:
            client = self.open(gateway, kind)
            client.say("heartbeat")
            self.assertEqual(client.expect("heartbeat")["cursor"], client.hello["cursor"])

    def test_a_snapshot_is_the_last_event_of_each_type_and_subject(self):
        gateway = self.start_gateway("--follow", "*")
        self.publish_lines("agent.status", range(3), "--subject", "one")
        self.publish_lines("agent.status", range(3, 6), "--subject", "two")
        self.publish_lines("agent.seen", range(6, 9))
        self.publish_lines("other.type", range(9, 12))
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 12)
        for kind in KINDS:
            client = self.open(gateway, kind)
            answer = client.subscribe("agent.*", snapshot=True)
            events, last = client.snapshot()
            self.assertEqual(sorted(self.payloads(events)), ["2", "5", "8"])
            self.assertEqual((bool(last["complete"]), last["cursor"], answer["resume"]), (True, client.hello["cursor"], "live"))
            self.assertIsNone(answer.get("cursor"))

    def test_a_snapshot_of_what_was_not_followed_is_not_complete(self):
        gateway = self.start_gateway("--follow", "agent.*")
        for kind in KINDS:
            client = self.open(gateway, kind)
            client.subscribe("agent.*", "other.*", snapshot=True)
            self.assertFalse(client.snapshot()[1]["complete"])

    def test_a_large_snapshot_comes_in_several_messages(self):
        gateway = self.start_gateway("--follow", "*", "--max-event-bytes", "100000")
        for number in range(40):
            self.pub("big.event", "-", "--subject", str(number), stdin=b"%02d" % number * 4000)
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 40)
        for kind in KINDS:
            client = self.open(gateway, kind)
            client.subscribe("*", snapshot=True)
            messages = [client.expect("snapshot")]
            while messages[-1]["more"]:
                messages.append(client.expect("snapshot"))
            self.assertGreater(len(messages), 3)
            self.assertEqual([bool(message.get("cursor")) for message in messages], [False] * (len(messages) - 1) + [True])
            events = [event for message in messages for event in message["events"]]
            self.assertEqual(sorted(event["subject"] for event in events), sorted(map(str, range(40))))
            self.pub("big.event", "next", "--subject", "0")
            self.assertEqual(self.payloads(client.events(1)), ["next"])

    def test_a_payload_larger_than_the_gateway_passes_on_is_told_by_its_size(self):
        gateway = self.start_gateway("--max-event-bytes", "1000")
        for kind in KINDS:
            client = self.open(gateway, kind)
            client.subscribe("*")
            self.pub("big.event", "-", stdin=b"x" * 1001)
            self.pub("big.event", "-", stdin=b"x" * 1000)
            large, small = client.events(2)
            self.assertEqual(large["omitted_bytes"], 1001)
            self.assertIsNone(large.get("payload", large.get("bytes")))
            self.assertEqual(self.payloads([small]), ["x" * 1000])

    def test_publishing_is_not_allowed_unless_told(self):
        gateway = self.start_gateway()
        for kind in KINDS:
            client = self.open(gateway, kind)
            payload = "1" if kind is gw.JsonSocket else b"1"
            client.say("publish", id=1, type="a.b", payload=payload)
            refusal = client.expect("error")
            self.assertEqual((refusal["id"], refusal["code"]), (1, "not_allowed"))
            client.say("heartbeat")
            client.expect("heartbeat")
        self.assertEqual(gateway.metric("swarmbus_gateway_published_events_total"), 0)

    def test_what_is_published_arrives_on_the_bus(self):
        gateway = self.start_gateway("--allow-publish")
        sub = self.start_sub("*", "--json", inboxes=1)
        for sequence, kind in enumerate(KINDS, 1):
            client = self.open(gateway, kind)
            self.assertTrue(client.hello["publish"])
            members = {"encoding": "text", "payload": "a text"} if kind is gw.JsonSocket else {"encoding": 1, "payload": b"a text"}
            client.say("publish", id=1, type="from.browser", source="page", subject="it", **members)
            answer = client.expect("published")
            self.assertEqual((answer["id"], answer["sequence"], answer["delivered"], answer["dropped"]), (1, sequence, 1, 0))
            event = sub.read_json()
            self.assertEqual((event["type"], event["source"], event["subject"], event["payload"]), ("from.browser", "page", "it", "a text"))
            client.say("publish", id=2, type="bad..type", **members)
            self.assertEqual(client.expect("error")["code"], "bad_type")

    def test_what_is_no_message_of_the_protocol_is_told_and_closed_with_4000(self):
        gateway = self.start_gateway()
        hostile = {
            gw.JsonSocket: ["", "x", "[]", "1", "{}", '{"op":1}', '{"op":"nothing"}', '{"op":"subscribe"}', '{"op":"subscribe","patterns":"a"}',
                            '{"op":"subscribe","patterns":[1]}', "{" * 20000, '{"op":"heartbeat"} x',
                            '{"op":"subscribe","patterns":["a"],"batch_ms":-1}', '{"op":"subscribe","patterns":["a"],"id":"x"}'],
            gw.FlatSocket: [b"", b"x", bytes(12), bytes(64), b"\xff" * 64, gw.encode_frame("hello"), gw.encode_frame("heartbeat")[:-4],
                            gw.encode_frame("subscribe")],
        }
        for kind in KINDS:
            for message in hostile[kind]:
                client = self.open(gateway, kind)
                client.send_raw(message)
                messages, code = client.closed()
                self.assertEqual(code, 4000, message[:60])
                self.assertEqual([message["op"] for message in messages], ["error"], message)
        gateway.get("/healthz")

    def test_a_message_that_is_too_large_is_closed_with_1009(self):
        gateway = self.start_gateway("--max-message-bytes", "2048")
        for kind in KINDS:
            for fragments in ([2049], [1024, 1025], [100] * 30):
                client = self.open(gateway, kind)
                pieces = [("x" if kind is gw.JsonSocket else b"x") * size for size in fragments]
                try:
                    client.connection.send(pieces[0] if len(pieces) == 1 else iter(pieces))
                except gw.websockets.ConnectionClosed:
                    pass
                self.assertEqual(client.closed()[1], 1009, fragments)
            client = self.open(gateway, kind)
            client.subscribe("x" * 60)

    def test_the_code_of_a_close_gets_through_to_one_who_goes_on_sending(self):
        gateway = self.start_gateway("--max-message-bytes", "2048")
        for kind in KINDS:
            client = self.open(gateway, kind)
            opcode = gw.websockets.frames.OP_TEXT if kind is gw.JsonSocket else gw.websockets.frames.OP_BINARY
            message = gw.websockets.frames.Frame(opcode, b"x" * 2000).serialize(mask=True)
            client.connection.socket.sendall(message * 50)  # the first of them is enough
            self.assertEqual(client.closed()[1], 4000)

    def test_a_command_in_many_fragments_is_one_command(self):
        gateway = self.start_gateway()
        message = json.dumps({"op": "subscribe", "patterns": ["a.b"], "id": 3})
        client = self.open(gateway)
        client.connection.send(iter(message))
        self.assertEqual(client.expect("subscribed")["id"], 3)
        client = self.open(gateway, gw.FlatSocket)
        message = gw.encode_frame("subscribe", patterns=["a.b"], id=3)
        client.connection.send(message[at:at + 1] for at in range(len(message)))
        self.assertEqual(client.expect("subscribed")["id"], 3)


@gw.needs_websockets
class Payloads(gw.GatewayTest):
    def received(self, *pub_arguments, stdin=b""):
        gateway = self.start_gateway("--follow", "*")
        clients = [self.open(gateway, kind) for kind in (gw.JsonSocket, gw.FlatSocket)]
        for client in clients:
            client.subscribe("*")
        self.pub(*pub_arguments, stdin=stdin)
        return [client.events(1)[0] for client in clients]

    def test_json_comes_as_json_with_every_digit(self):
        text = '{"n":12345678901234567890,"f":1.10,"s":"\\u00e4"}'
        as_json, flat = self.received("a.b", text, "--encoding", "json")
        self.assertEqual((as_json["encoding"], flat["encoding"]), ("json", "json"))
        self.assertEqual(as_json["payload"]["n"], 12345678901234567890)
        self.assertEqual(json.loads(flat["bytes"]), as_json["payload"])

    def test_bytes_that_are_no_text_come_in_base64(self):
        data = bytes(range(256))
        as_json, flat = self.received("a.b", "-", stdin=data)
        self.assertIsNone(as_json["payload"])
        self.assertEqual(base64.b64decode(as_json["payload_base64"]), data)
        self.assertEqual(flat["bytes"], data)

    def test_typed_events_come_as_json_by_their_schema(self):
        self.run_tool("schema", "register", os.path.join(os.path.dirname(gw.SCHEMA), "events.fbs"))
        as_json, flat = self.received("agent.created", '{"agent_id":"agent-7"}')
        self.assertEqual((as_json["encoding"], as_json["payload"]["agent_id"]), ("flatbuffers", "agent-7"))
        self.assertEqual(flat["encoding"], "flatbuffers")
        self.assertIn(b"agent-7", flat["bytes"])


@gw.needs_websockets
class Pacing(gw.GatewayTest):
    def test_events_that_follow_each_other_are_gathered_for_batch_ms(self):
        gateway = self.start_gateway()
        client = self.open(gateway)
        client.subscribe("*", batch_ms=300)
        begin = time.monotonic()
        self.publish_lines("a.b", range(200), "--rate", "400")
        messages = []
        while sum(len(message["events"]) for message in messages) < 200:
            messages.append(client.expect("events"))
        # Half a second at least, of which each message but the first has 0.3 s.
        self.assertLessEqual(len(messages), 3 + (time.monotonic() - begin) / 0.3)
        self.assertEqual(self.payloads([event for message in messages for event in message["events"]]), list(map(str, range(200))))

    def test_a_first_event_after_silence_goes_out_at_once(self):
        gateway = self.start_gateway()
        client = self.open(gateway)
        client.subscribe("*", batch_ms=60000)
        self.pub("a.b", "first")
        self.assertEqual(self.payloads(client.events(1)), ["first"])

    def test_a_gathered_message_that_is_full_does_not_wait(self):
        gateway = self.start_gateway()
        client = self.open(gateway)
        client.subscribe("*", batch_ms=60000)
        self.pub("a.b", "first")
        client.events(1)
        self.publish_lines("a.b", ["x" * 1000] * 200)
        got = 0
        while got < 100:
            got += len(client.expect("events")["events"])

    def test_coalesce_leaves_the_last_of_each_type_and_subject(self):
        gateway = self.start_gateway()
        for kind in KINDS:
            client = self.open(gateway, kind)
            client.subscribe("*", batch_ms=400, coalesce=True)
            self.pub("a.b", "first")
            client.events(1)
            for subject in ("one", "two"):
                self.publish_lines("a.b", range(100), "--subject", subject)
            events = []
            while len(events) < 2 or not all(any(e["subject"] == s and self.payloads([e]) == ["99"] for e in events) for s in ("one", "two")):
                events += client.expect("events")["events"]
            self.assertLess(len(events), 20)
            # What was left out is never told later.
            for subject in ("one", "two"):
                numbers = [int(number) for number in self.payloads(e for e in events if e["subject"] == subject)]
                self.assertEqual(numbers, sorted(set(numbers)))
            client.close()

    def test_max_rate_delays_what_is_too_much_and_loses_nothing(self):
        gateway = self.start_gateway()
        client = self.open(gateway)
        client.subscribe("*", max_rate=100)
        begin = time.monotonic()
        self.publish_lines("a.b", range(250))
        events = client.events(250)
        self.assertGreater(time.monotonic() - begin, 1.3)  # a hundred at once, and the rest at that rate
        self.assertEqual(self.payloads(events), list(map(str, range(250))))

    def test_max_rate_with_coalesce_drops_to_the_newest(self):
        gateway = self.start_gateway()
        client = self.open(gateway)
        client.subscribe("*", max_rate=5, coalesce=True)
        self.publish_lines("a.b", range(2000), "--rate", "4000")
        events = []
        while not events or events[-1]["payload"] != "1999":
            events += client.expect("events")["events"]
        self.assertLess(len(events), 20)

    def test_a_rate_that_is_too_low_ends_in_a_gap_that_counts_what_was_missed(self):
        gateway = self.start_gateway("--journal-bytes", "600000")
        client = self.open(gateway)
        client.subscribe("*", max_rate=10)
        self.publish_lines("a.b", [f"{number:04}" + "x" * 1000 for number in range(3000)])
        seen, missed, last = 0, 0, -1
        while last < 2999:
            message = client.hear()
            if message["op"] == "gap":
                self.assertEqual(message["cause"], "slow")
                missed += message["missed"]
                client.say("subscribe", patterns=[], max_rate=0)
            elif message["op"] == "events":
                for event in message["events"]:
                    number = int(event["payload"][:4])
                    self.assertEqual(number, seen + missed)
                    seen, last = seen + 1, number
        self.assertGreater(missed, 0)
        self.assertEqual(seen + missed, 3000)
        self.assertEqual(gateway.metric("swarmbus_gateway_missed_events_total"), missed)


@gw.needs_websockets
class Heartbeats(gw.GatewayTest):
    def test_silence_is_ended_by_heartbeats_with_the_cursor_and_pings(self):
        gateway = self.start_gateway("--heartbeat", "1s")
        for kind in KINDS:
            client = self.open(gateway, kind)
            for _ in range(3):  # longer than without the answers to its pings
                self.assertEqual(client.expect("heartbeat")["cursor"], client.hello["cursor"])

    def test_one_that_does_not_answer_is_hung_up_on_with_4101(self):
        gateway = self.start_gateway("--heartbeat", "1s")
        with gateway.connect() as connection:
            connection.sendall(b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                               b"Sec-WebSocket-Protocol: swarmbus.v1.json\r\n\r\n")
            said = gw.read_to_end(connection)
        self.assertIn(b"101 Switching Protocols", said)
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", said)
        self.assertIn(b"\x89\x01", said)  # it was asked
        self.assertIn(b"\x88", said)
        self.assertIn((4101).to_bytes(2, "big"), said)
        self.assertEqual(gateway.clients("websocket"), 0)


if __name__ == "__main__":
    harness.main()
