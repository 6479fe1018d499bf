"""Coming back with a cursor, over any transport; what is known of the past and what happens from then on."""
import json
import random
import socket

import cutting_proxy
import gateway_harness as gw
import harness


class WebSocketReader:
    """Reads a pattern from a cursor on, as does each of the classes below."""

    kind = gw.JsonSocket

    def __init__(self, test, gateway, pattern, since=None):
        self.client = test.open(gateway, self.kind)
        members = {"since": since} if since else {}
        self.answer = self.client.subscribe(pattern, **members)
        self.snapshot = None
        if self.answer["resume"] == "reset":
            self.snapshot = self.client.snapshot()[0]

    @property
    def cursor(self):
        return self.client.cursor

    def events(self, count):
        return self.client.events(count) if count else []

    def close(self):
        self.client.close()


class FlatReader(WebSocketReader):
    kind = gw.FlatSocket


class SseReader:
    def __init__(self, test, gateway, pattern, since=None, by_header=False):
        query = f"&since={since}" if since and not by_header else ""
        self.stream = test.open_sse(gateway, f"/v1/sse?pattern={pattern}{query}", {"Last-Event-ID": since} if by_header and since else {})
        self.answer = self.stream.expect("subscribed")
        self.snapshot = self.stream.expect("snapshot")["events"] if self.answer["resume"] == "reset" else None

    @property
    def cursor(self):
        return self.stream.cursor

    def events(self, count):
        return self.stream.events(count)

    def close(self):
        self.stream.close()


class HeaderReader(SseReader):
    def __init__(self, test, gateway, pattern, since=None):
        super().__init__(test, gateway, pattern, since, by_header=True)


class PollReader:
    def __init__(self, _test, gateway, pattern, since=None):
        self.gateway, self.pattern = gateway, pattern
        self.answer = self.ask(since, 0)
        self.snapshot = self.answer.get("snapshot", {}).get("events")
        self.unread = self.answer["events"]

    def ask(self, since, wait):
        answer = self.gateway.get(f"/v1/events?pattern={self.pattern}&wait={wait}" + (f"&since={since}" if since else ""))
        self.cursor = answer["cursor"]
        return answer

    def events(self, count):
        while len(self.unread) < count:
            self.unread += self.ask(self.cursor, 20)["events"]
        events, self.unread = self.unread[:count], self.unread[count:]
        return events

    def close(self):
        pass


READERS = ([WebSocketReader, FlatReader] if gw.websockets else []) + [SseReader, HeaderReader, PollReader]


class Resuming(gw.GatewayTest):
    def test_a_cursor_of_any_transport_is_good_for_any_other(self):
        gateway = self.start_gateway()
        reader = SseReader(self, gateway, "a.*")
        cursor = reader.cursor
        reader.close()
        number = 0
        for kind in READERS * 3:
            self.publish_lines("a.b", range(number, number + 5))
            self.publish_lines("c.d", range(3))
            reader = kind(self, gateway, "a.*", cursor)
            self.assertEqual((reader.answer["resume"], reader.snapshot), ("recovered", None), kind)
            self.assertEqual(self.payloads(reader.events(5)), list(map(str, range(number, number + 5))), kind)
            number += 5
            cursor = reader.cursor
            reader.close()

    def test_a_cursor_that_is_no_longer_good_is_reset_for_its_reason_with_what_is_known(self):
        gateway = self.start_gateway("--journal-bytes", "600000", "--follow", "a.*")
        first = gateway.get("/v1/events?pattern=a.*")["cursor"]
        epoch = first.split("-")[0]
        self.publish_lines("a.b", [f"{number}" + "x" * 1000 for number in range(3000)])
        gw.eventually(lambda: gateway.get("/v1/events?pattern=a.*")["cursor"] == f"{epoch}-3000")
        for kind in READERS:
            for since, reason, pattern in ((first, "expired", "a.*"), (f"{epoch}-4000", "ahead", "a.*"), (f"{'0' * 16}-1", "epoch", "a.*"),
                                           (f"{epoch}-3000", "uncovered", "never.asked.for." + kind.__name__.lower())):
                reader = kind(self, gateway, pattern, since)
                self.assertEqual((reader.answer["resume"], reader.answer["reason"]), ("reset", reason), kind)
                self.assertEqual([payload[:4] for payload in self.payloads(reader.snapshot)], ["2999"] if pattern == "a.*" else [])
                reader.close()

    def test_a_snapshot_that_was_cut_short_comes_again(self):
        gateway = self.start_gateway("--follow", "*", "--max-event-bytes", "100000")
        for number in range(40):
            self.pub("big.event", "-", "--subject", str(number), stdin=b"%02d" % number * 4000)
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 40)
        for _ in range(2):
            stream = gw.SseStream(gateway, "/v1/sse?pattern=*&snapshot=1")
            stream.expect("subscribed")
            self.assertTrue(stream.expect("snapshot")["more"])
            self.assertIsNone(stream.cursor, "nobody may come back to a part of it")
            stream.close()
        stream = gw.SseStream(gateway, "/v1/sse?pattern=*&snapshot=1")
        self.addCleanup(stream.close)
        stream.expect("subscribed")
        events = []
        while True:
            part = stream.expect("snapshot")
            events += part["events"]
            if not part["more"]:
                break
        self.assertEqual(sorted(event["subject"] for event in events), sorted(map(str, range(40))))
        self.assertEqual(stream.cursor, part["cursor"])

    def test_a_pattern_that_was_followed_anew_resets_who_was_there_before(self):
        gateway = self.start_gateway("--linger", "0.1")
        first = gw.JsonSocket(gateway)
        first.expect("hello")
        cursor = first.subscribe("a.*")["cursor"]
        first.close()
        gw.eventually(lambda: not any(p["name"].startswith("swarmbus-gateway") and p["patterns"] for p in self.participants()))
        self.pub("a.b", "unheard")
        answers = []
        for since in (None, cursor):
            client = gw.JsonSocket(gateway)
            self.addCleanup(client.close)
            client.expect("hello")
            answers.append(client.subscribe("a.*", since=since) if since else client.subscribe("a.*"))
        self.assertEqual((answers[1]["resume"], answers[1]["reason"]), ("reset", "uncovered"))

    def participants(self):
        return [json.loads(line) for line in self.run_tool("ps", "--json").stdout.decode().splitlines()]

    def test_a_gateway_that_was_started_anew_resets_with_what_it_knows(self):
        options = ["--follow", "a.*"]
        gateway = self.start_gateway(*options)
        cursors = [kind(self, gateway, "a.*").cursor for kind in READERS]
        address = gateway.address
        gateway.kill()
        gateway = self.start_gateway(*options, listen=address)
        self.pub("a.b", "since then")
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 1)
        for kind, cursor in zip(READERS, cursors):
            reader = kind(self, gateway, "a.*", cursor)
            self.assertEqual((reader.answer["resume"], reader.answer["reason"]), ("reset", "epoch"))
            self.assertEqual(self.payloads(reader.snapshot), ["since then"])

    def test_a_pattern_that_nobody_asked_for_any_more_is_uncovered_after_a_while(self):
        gateway = self.start_gateway("--linger", "0.2s")
        cursor = gateway.get("/v1/events?pattern=a.*")["cursor"]
        self.wait_for_inboxes(1)
        gw.eventually(lambda: gateway.get(f"/v1/events?pattern=a.*&since={cursor}&wait=0")["resume"] == "recovered")
        gw.eventually(lambda: self.run_tool("ls", "--json") and not self.patterns_followed(), "the pattern's end")
        self.assertEqual(gateway.get(f"/v1/events?pattern=a.*&since={cursor}&wait=0")["reason"], "uncovered")

    def patterns_followed(self):
        listed = self.run_tool("ps", "--json").stdout.decode().splitlines()
        return any("a.*" in line for line in listed)

    def test_a_pattern_within_one_that_is_followed_is_covered(self):
        gateway = self.start_gateway("--follow", "*")
        cursor = gateway.get("/v1/events?pattern=other.*")["cursor"]
        self.publish_lines("a.b", range(3))
        answer = gateway.get(f"/v1/events?pattern=a.*&since={cursor}")
        self.assertEqual(answer["resume"], "recovered")


# peers 19: Mercure 178
class SnapshotAndEvents(gw.GatewayTest):
    """Each event tells its writer and how many that has published: what follows a snapshot's last one is the next."""

    WRITERS = 4

    def start_pouring(self):
        for number in range(self.WRITERS):
            self.pour("pour.it", 500, f"writer-{number}")

    def check(self, snapshot, events):
        """Whether there is more than one event of each writer behind the snapshot; they are the next ones."""
        last = {event["writer"]: event["sequence"] for event in snapshot}
        self.assertEqual(len(last), self.WRITERS)
        seen = dict.fromkeys(last, 0)
        for event in events:
            last[event["writer"]] += 1
            self.assertEqual(event["sequence"], last[event["writer"]])
            seen[event["writer"]] += 1
        return min(seen.values()) > 1

    @gw.needs_websockets
    def test_a_snapshot_and_what_follows_are_everything_once_500_times(self):
        gateway = self.start_gateway("--follow", "pour.*")
        self.start_pouring()
        gw.eventually(lambda: len(gateway.get("/v1/state")["events"]) == self.WRITERS)
        for number in range(500):
            client = (gw.JsonSocket, gw.FlatSocket)[number % 2](gateway)
            client.expect("hello")
            client.subscribe("pour.*", snapshot=True)
            snapshot, events = client.snapshot()[0], []
            while not self.check(snapshot, events):
                events += client.expect("events")["events"]
            client.close()
        self.assertEqual(gateway.metric("swarmbus_gateway_missed_events_total"), 0)

    def test_the_state_and_what_follows_its_cursor_are_everything_once_500_times(self):
        gateway = self.start_gateway("--follow", "pour.*")
        self.start_pouring()
        gw.eventually(lambda: len(gateway.get("/v1/state")["events"]) == self.WRITERS)
        for number in range(500):
            state = gateway.get("/v1/state?pattern=pour.*")
            events = []
            if number % 2:
                stream = gw.SseStream(gateway, f"/v1/sse?pattern=pour.*&since={state['cursor']}")
                self.assertEqual(stream.expect("subscribed")["resume"], "recovered")
                while not self.check(state["events"], events):
                    events += stream.events(1)
                stream.close()
            else:
                cursor = state["cursor"]
                while not self.check(state["events"], events):
                    answer = gateway.get(f"/v1/events?pattern=pour.*&since={cursor}")
                    events += answer["events"]
                    cursor = answer["cursor"]


class Cuts(gw.GatewayTest):
    COUNT = 5000

    def start_cutting(self):
        self.random = random.Random(20260301)
        gateway = self.start_gateway("--follow", "*")
        # From in the middle of the handshake to several messages.
        proxy = cutting_proxy.CuttingProxy(gateway, lambda: int(self.random.expovariate(1 / 40_000)))
        self.addCleanup(proxy.close)
        self.start_program(["sh", "-c", f'seq 0 {self.COUNT - 1} | "$SWARMBUS_TOOL" pub a.b --lines --rate 4000'])
        return gateway, proxy

    def check(self, gateway, proxy, numbers, transport):
        self.assertEqual(numbers, list(range(self.COUNT)))
        self.assertGreater(proxy.cuts, 10)
        gw.eventually(lambda: gateway.clients(transport) == 0)

    @gw.needs_websockets
    def test_a_websocket_that_is_cut_at_random_gets_everything_once(self):
        for kind in (gw.JsonSocket, gw.FlatSocket):
            gateway, proxy = self.start_cutting()
            numbers, cursor = [], f"{gateway.get('/v1/events?pattern=*')['cursor'].split('-')[0]}-0"
            while len(numbers) < self.COUNT:
                try:
                    client = kind(gateway, address=proxy.address, close_timeout=0.1)
                except (OSError, EOFError, gw.websockets.InvalidHandshake):
                    continue
                try:
                    client.expect("hello")
                    self.assertEqual(client.subscribe("*", since=cursor)["resume"], "recovered")
                    while len(numbers) < self.COUNT:
                        message = client.expect("events")
                        numbers += [int(payload) for payload in self.payloads(message["events"])]
                        cursor = message["cursor"]
                except (OSError, gw.websockets.ConnectionClosed):
                    pass
                client.close()
            self.check(gateway, proxy, numbers, "websocket")
            self.bus = self.environment["SWARMBUS_BUS"] = self.new_bus()

    def test_a_stream_that_is_cut_at_random_gets_everything_once(self):
        gateway, proxy = self.start_cutting()
        numbers, cursor = [], f"{gateway.get('/v1/events?pattern=*')['cursor'].split('-')[0]}-0"
        while len(numbers) < self.COUNT:
            try:
                stream = gw.SseStream(proxy, "/v1/sse?pattern=*", {"Last-Event-ID": cursor})
            except (OSError, gw.http.client.HTTPException):
                continue
            try:
                while len(numbers) < self.COUNT and (event := stream.next()):
                    if event[0] == "message":
                        numbers.append(int(event[1]["payload"]))
                        cursor = stream.cursor
            except (OSError, gw.http.client.HTTPException):
                pass
            stream.close()
        self.check(gateway, proxy, numbers, "sse")

    def test_polls_that_are_cut_at_random_get_everything_once(self):
        gateway, proxy = self.start_cutting()
        numbers, cursor = [], f"{gateway.get('/v1/events?pattern=*')['cursor'].split('-')[0]}-0"
        while len(numbers) < self.COUNT:
            try:
                with socket.create_connection((proxy.host, proxy.port), harness.PATIENCE) as connection:
                    connection.sendall(f"GET /v1/events?pattern=*&limit=200&since={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                    answer = json.loads(gw.read_to_end(connection).split(b"\r\n\r\n", 1)[1])
            except (OSError, ValueError, IndexError):
                continue
            self.assertEqual(answer["resume"], "recovered")
            numbers += [int(payload) for payload in self.payloads(answer["events"])]
            cursor = answer["cursor"]
        self.check(gateway, proxy, numbers, "poll")


if __name__ == "__main__":
    harness.main()
