"""How a gateway ends, and what becomes of its clients when it, or its bus, is gone."""
import asyncio
import contextlib
import json
import os
import random
import resource
import signal
import socket
import time

import gateway_harness as gw
import harness


class Terminating(gw.GatewayTest):
    UPGRADE = (b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               b"Sec-WebSocket-Protocol: swarmbus.v1.json\r\n")

    def assert_told_to_come_back(self, answer):
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertIn(b"shutting_down", answer)
        self.assertRegex(answer, rb"\r\nRetry-After: [0-9]+\r\n")

    def terminate(self, gateway):
        """Sends SIGTERM; the moment."""
        gateway.process.signal(signal.SIGTERM)
        return time.monotonic()

    def assert_ends(self, gateway, begin):
        self.assertEqual(gateway.process.wait(), 0)
        self.assertLess(time.monotonic() - begin, (5 + 1) * harness.SLOWNESS)

    @gw.needs_websockets
    def test_websockets_are_told_when_to_come_back_and_closed_with_1012(self):
        gateway = self.start_gateway()
        clients = [self.open(gateway, kind) for kind in (gw.JsonSocket, gw.FlatSocket)]
        for client in clients:
            client.subscribe("*", batch_ms=60_000)
        self.pub("a.b", "first")
        for client in clients:
            client.events(1)
        self.pub("a.b", "gathered")
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 2)
        begin = self.terminate(gateway)
        for client in clients:
            (events, bye), code = client.closed()
            self.assertEqual((self.payloads(events["events"]), bye["op"], bye["reason"], code), (["gathered"], "bye", "restart", 1012))
            self.assertEqual(bye["cursor"], events["cursor"])
            self.assertGreaterEqual(bye["retry_after_ms"], 500)
        self.assert_ends(gateway, begin)

    def test_a_stream_is_told_and_a_poll_is_answered(self):
        gateway = self.start_gateway()
        stream = self.open_sse(gateway, "/v1/sse?pattern=*")
        cursor = stream.expect("subscribed")["cursor"]
        with gateway.connect() as poll:
            poll.sendall(f"GET /v1/events?pattern=*&since={cursor}&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            gw.eventually(lambda: gateway.clients("poll") == 1)
            begin = self.terminate(gateway)
            bye = stream.expect("bye")
            self.assertEqual((bye["reason"], bye["cursor"], stream.cursor), ("restart", cursor, cursor))
            self.assertEqual(stream.retry_ms, bye["retry_after_ms"])
            self.assertIsNone(stream.next())
            answer = json.loads(gw.read_to_end(poll).split(b"\r\n\r\n", 1)[1])
        self.assertEqual((answer["cursor"], answer["events"], answer["bye"]["reason"]), (cursor, [], "restart"))
        self.assert_ends(gateway, begin)

    def test_it_is_not_ready_any_more_and_takes_nobody(self):
        gateway = self.start_gateway()
        paths = (b"/readyz", b"/healthz", b"/metrics", b"/v1/state", b"/v1/sse?pattern=*", b"/v1/events?pattern=*", b"/v1/ws", b"/")
        with contextlib.ExitStack() as stack:
            early = {path: stack.enter_context(gateway.connect()) for path in paths}
            for path, connection in early.items():
                connection.sendall(b"GET " + path + b" HTTP/1.1\r\n")
            stream = self.open_sse(gateway, "/v1/sse?pattern=*")
            begin = self.terminate(gateway)
            while stream.next() is not None:
                pass
            with gateway.connect() as late:
                self.assert_told_to_come_back(gw.read_to_end(late))
            for path, connection in early.items():
                more = self.UPGRADE if path == b"/v1/ws" else b""
                connection.sendall(b"Host: localhost\r\n" + more + b"\r\n")
                answer = gw.read_to_end(connection)
                if path in (b"/healthz", b"/metrics"):
                    self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), (path, answer))
                elif path == b"/readyz":
                    self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
                else:
                    self.assert_told_to_come_back(answer)
        self.assert_ends(gateway, begin)

    def test_one_that_does_not_read_or_answer_delays_it_no_longer_than_five_seconds(self):
        gateway = self.start_gateway()
        with socket.socket() as deaf, gateway.connect() as silent:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((gateway.host, gateway.port))
            deaf.sendall(b"GET /v1/sse?pattern=* HTTP/1.1\r\nHost: localhost\r\n\r\n")
            gw.eventually(lambda: gateway.clients("sse") == 1)
            self.publish_lines("a.b", ["x" * 1000] * 3000)
            self.assertTrue(silent)
            self.assert_ends(gateway, self.terminate(gateway))

    def test_with_nobody_connected_it_ends_at_once_and_leaves_nothing_on_the_bus(self):
        gateway = self.start_gateway("--follow", "*")
        self.wait_for_inboxes(1)
        self.assert_ends(gateway, self.terminate(gateway))
        self.wait_for_inboxes(0)


class Killed(gw.GatewayTest):
    def test_its_place_on_the_bus_is_free_again_and_publishers_go_on(self):
        gateway = self.start_gateway("--follow", "*")
        self.wait_for_inboxes(1)
        publisher = self.pour("a.b", 2000, "s")
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") > 100)
        gateway.kill()
        gateway = self.start_gateway("--follow", "*")
        self.wait_for_inboxes(1)
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") > 100)
        self.end_calmly(publisher)

    @gw.needs_websockets
    def test_clients_find_it_gone_and_the_next_one_tells_them_so(self):
        gateway = self.start_gateway("--follow", "*")
        client = self.open(gateway)
        cursor = client.subscribe("*")["cursor"]
        address = gateway.address
        gateway.kill()
        self.assertEqual(client.closed()[1], 1006)
        gateway = self.start_gateway("--follow", "*", listen=address)
        client = self.open(gateway)
        answer = client.subscribe("*", since=cursor)
        self.assertEqual((answer["resume"], answer["reason"]), ("reset", "epoch"))


class BusGone(gw.GatewayTest):
    def test_a_bus_that_is_removed_is_opened_anew_and_clients_are_told(self):
        gateway = self.start_gateway("--follow", "*")
        stream = self.open_sse(gateway, "/v1/sse?pattern=*")
        stream.expect("subscribed")
        self.pub("a.b", "before")
        stream.events(1)
        for number in range(3):
            os.unlink(self.bus_file(self.bus))
            gw.eventually(lambda: self.look() is not None, "opening the bus anew")
            gap = stream.expect("gap")
            self.assertEqual(gap["cause"], "bus_reopened")
            self.pub("a.b", f"after {number}")
            self.assertEqual(stream.events(1)[0]["payload"], f"after {number}")
        self.assertEqual(gateway.metric("swarmbus_gateway_bus_reopened_total"), 3)
        self.assertEqual(gateway.get("/readyz"), {"status": "ready"})

    def test_an_idle_gateway_opens_it_anew_too(self):
        gateway = self.start_gateway("--allow-publish")
        harness.remove_bus(self.bus)
        sub = self.start_sub("*", "--json")
        gw.eventually(lambda: gateway.post({"type": "a.b", "encoding": "text", "payload": "x"})["published"][0]["delivered"] == 1)
        self.assertEqual(sub.read_json()["payload"], "x")

    def test_a_bus_that_can_not_be_opened_is_told_by_readyz(self):
        gateway = self.start_gateway("--follow", "*")
        os.unlink(self.bus_file(self.bus))
        os.mkdir(self.bus_file(self.bus))
        try:
            gw.eventually(lambda: gateway.request("GET", "/readyz")[0] == 503, "not being ready")
            self.assertEqual(gateway.get("/readyz", status=503)["code"], "bus")
            gateway.get("/healthz")
        finally:
            os.rmdir(self.bus_file(self.bus))
        gw.eventually(lambda: gateway.request("GET", "/readyz")[0] == 200, "being ready again")

    @gw.needs_websockets
    def test_a_bus_that_stays_away_is_told_to_its_followers_and_in_the_log(self):
        self.pub("some.event", "makes the bus")
        gateway = self.start_gateway("--no-create")
        clients = [self.open(gateway, kind) for kind in (gw.JsonSocket, gw.FlatSocket)]
        for client in clients:
            client.subscribe("a.*")
        bystander = self.open(gateway)
        stream = self.open_sse(gateway, "/v1/sse?pattern=a.*")
        stream.expect("subscribed")
        harness.remove_bus(self.bus)
        for client in clients:
            messages, code = client.closed()
            self.assertEqual((messages[-1]["op"], messages[-1]["reason"], code), ("bye", "bus", 4100))
        self.assertEqual(stream.expect("bye")["reason"], "bus")
        bystander.say("subscribe", patterns=["a.*"], id=7)
        refusal = bystander.expect("error")
        self.assertEqual((refusal["id"], refusal["code"]), (7, "bus"))
        self.assertEqual(gateway.request("GET", "/v1/sse?pattern=a.*")[0], 503)
        self.assertIn(self.bus, gateway.log())
        self.pub("some.event", "makes the bus")
        gw.eventually(lambda: gateway.request("GET", "/readyz")[0] == 200, "being ready again")
        bystander.subscribe("a.*")
        self.pub("a.b", "back")
        self.assertEqual(bystander.events(1)[0]["payload"], "back")


@gw.needs_websockets
class Herds(gw.GatewayTest):
    COUNT = 1000

    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < 3 * self.COUNT:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (3 * self.COUNT, max(hard, 3 * self.COUNT)))
            except (OSError, ValueError):
                self.skipTest(f"no more than {hard} files may be open here")
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    async def connect(self, address, since=None):
        from websockets.asyncio.client import connect

        connection = await connect(f"ws://{address}/v1/ws", subprotocols=[gw.JSON], proxy=None, compression=None, ping_interval=None, max_size=None,
                                   open_timeout=60, close_timeout=10, max_queue=None)
        await connection.recv()
        await connection.send(json.dumps({"op": "subscribe", "patterns": ["*"], **({"since": since} if since else {})}))
        return connection, json.loads(await connection.recv())

    async def live_through_restart(self, address, told, answers, all_there):
        """A client that does what is asked of it."""
        connection, answer = await self.connect(address)
        cursor, bye = answer["cursor"], None
        all_there.release()
        with contextlib.suppress(gw.websockets.ConnectionClosed):
            while True:
                message = json.loads(await connection.recv())
                cursor = message.get("cursor", cursor)
                if message["op"] == "bye":
                    bye = message
        told.append((bye["retry_after_ms"], connection.close_code))
        await asyncio.sleep(bye["retry_after_ms"] / 1000)
        while True:
            try:
                connection, answer = await self.connect(address, cursor)
                break
            except (OSError, gw.websockets.InvalidHandshake, gw.websockets.ConnectionClosed):
                await asyncio.sleep(random.uniform(0.1, 0.5))
        answers.append((answer["resume"], answer.get("reason")))
        return connection

    # peers 20: nats.ws 61, 172, 258; Phoenix 4045. Those of a gateway that is killed are in test_chaos.py.
    def test_a_thousand_clients_come_back_spread_and_are_told_why_they_can_not_resume(self):
        gateway = self.start_gateway("--follow", "*")
        address = gateway.address

        async def run():
            nonlocal gateway
            told, answers, all_there = [], [], asyncio.Semaphore(0)
            clients = [asyncio.create_task(self.live_through_restart(address, told, answers, all_there)) for _ in range(self.COUNT)]
            for _ in range(self.COUNT):
                await asyncio.wait_for(all_there.acquire(), 60)
            self.assertEqual(await asyncio.to_thread(gateway.clients, "websocket"), self.COUNT)
            begin = time.monotonic()
            gateway.process.signal(signal.SIGTERM)
            self.assertEqual(await asyncio.to_thread(gateway.process.wait), 0)
            self.assertLess(time.monotonic() - begin, 6 * harness.SLOWNESS)
            gateway = await asyncio.to_thread(lambda: self.start_gateway("--follow", "*", listen=address))
            connections = await asyncio.wait_for(asyncio.gather(*clients), 60)
            self.assertEqual(await asyncio.to_thread(gateway.clients, "websocket"), self.COUNT)
            self.assertEqual({code for _, code in told}, {1012})
            self.assertEqual(set(answers), {("reset", "epoch")})
            retries = sorted(retry for retry, _ in told)
            self.assertEqual(len(retries), self.COUNT)
            # Spread over four seconds: no tenth of a second has more than a few of them.
            self.assertGreater(retries[-1] - retries[0], 3000)
            self.assertLess(max(sum(at <= other < at + 100 for other in retries) for at in retries[::10]), self.COUNT // 10)
            self.pub("a.b", "to all")

            async def hear(connection):
                while (message := json.loads(await connection.recv()))["op"] != "events":
                    pass
                self.assertEqual(self.payloads(message["events"]), ["to all"])

            await asyncio.wait_for(asyncio.gather(*map(hear, connections)), 60)
            await asyncio.gather(*(connection.close() for connection in connections))

        asyncio.run(run())
        gw.eventually(lambda: gateway.clients("websocket") == 0)

    # peers 21: engine.io 559, uWebSockets.js 499
    def test_one_among_a_hundred_that_stops_reading_is_told_its_gap_alone_and_memory_is_bounded(self):
        """The others read to the end of each portion before the next one comes."""
        journal, portions, portion = 4_000_000, 24, 500
        gateway = self.start_gateway("--follow", "*", "--journal-bytes", str(journal))
        before = gateway.memory_bytes()
        deaf = gateway.connect()
        self.addCleanup(deaf.close)
        deaf.sendall(b"GET /v1/sse?pattern=* HTTP/1.1\r\nHost: localhost\r\n\r\n")
        gw.eventually(lambda: gateway.clients("sse") == 1)

        async def read(connection, count):
            while count > 0:
                message = await connection.recv(decode=False)
                self.assertTrue(message.startswith(b'{"op":"events"'), message[:100])
                count -= message.count(b'{"type":')
            self.assertEqual(count, 0)

        async def run():
            connections = [connection for connection, _ in await asyncio.gather(*(self.connect(gateway.address) for _ in range(99)))]
            for _ in range(portions):
                await asyncio.to_thread(self.publish_lines, "a.b", ["x" * 1000] * portion)
                await asyncio.wait_for(asyncio.gather(*(read(connection, portion) for connection in connections)), 60)
            await asyncio.gather(*(connection.close() for connection in connections))

        asyncio.run(run())
        if not harness.SANITIZED:  # sanitizers keep what is freed
            self.assertLess(gateway.memory_bytes() - before, 4 * journal + 100 * 300_000)
        events = gaps = missed = 0
        file = deaf.makefile("rb")
        while events + missed < portions * portion:
            line = file.readline()
            events += line.startswith(b'data: {"type"')
            if line == b"event: gap\n":
                gap = json.loads(file.readline().removeprefix(b"data: "))
                self.assertEqual(gap["cause"], "slow")
                gaps += 1
                missed += gap["missed"]
        self.assertEqual(events + missed, portions * portion)
        self.assertGreater(missed, 0)
        self.assertEqual(gateway.metric("swarmbus_gateway_missed_events_total"), missed)


if __name__ == "__main__":
    harness.main()
