"""Clients that send what nobody sends, leave without a word, or take all there is. What brought other servers down (docs/decisions.md)."""
import contextlib
import json
import resource
import socket
import subprocess
import time

import gateway_harness as gw
import harness

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n" + b'{"type":"a.b"}'
OPTIONS = b"OPTIONS /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
SSE = b"GET /v1/sse?pattern=a.* HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: swarmbus.v1.json\r\n\r\n")


def text_frame(message):
    """Of a short message, masked by zeros."""
    return bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message


class HostileTest(gw.GatewayTest):
    def assert_idle(self, gateway):
        """It answers, and uses no processor time when there is nothing to do."""
        gateway.get("/healthz")
        before, begin = gateway.cpu_seconds(), time.monotonic()
        time.sleep(0.5)
        self.assertLess((gateway.cpu_seconds() - before) / (time.monotonic() - begin), 0.12 * harness.SLOWNESS, gateway.log()[-2000:])


    def descriptors_at_rest(self, gateway):
        """Once it follows something on the bus, and nobody is connected."""
        with contextlib.closing(gw.SseStream(gateway, "/v1/sse?pattern=*")) as stream:
            self.pub("a.b")
            while stream.next()[0] != "message":
                pass
        gw.eventually(lambda: gateway.clients("sse") == 0)
        return gateway.descriptors()


class Pipelining(HostileTest):
    def test_two_requests_in_one_segment_leave_it_idle(self):
        gateway = self.start_gateway("--allow-publish", "--request-timeout", "1s")
        for first in (GET, POST, OPTIONS, GET.replace(b"GET", b"HEAD"), GET.replace(b"healthz", b"nothing")):
            for second in (GET, POST, SSE, UPGRADE, b"\r\n\r\n", b"nonsense\r\n\r\n", b"x" * 10_000, GET * 50):
                answer = b""
                with contextlib.suppress(ConnectionError):
                    answer = gateway.raw(first + second)
                # One answer: the connection is closed behind it.
                self.assertLessEqual(answer.count(b"HTTP/1.1 "), 1, (first, second))
                gateway.get("/healthz")
        self.assert_idle(gateway)

    def test_two_requests_in_two_segments_leave_it_idle(self):
        gateway = self.start_gateway("--allow-publish", "--request-timeout", "1s")
        for data in (POST + POST, POST + GET, GET + POST, OPTIONS + GET):
            for cut in (1, 20, len(GET), len(POST) - 14, len(POST) - 1, len(POST), len(POST) + 1):
                with gateway.connect() as connection, contextlib.suppress(ConnectionError):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.sendall(data[:cut])
                    gateway.get("/healthz")  # it has seen that much
                    connection.sendall(data[cut:])
                    gw.read_to_end(connection)
                gateway.get("/healthz")
        self.assert_idle(gateway)

    def test_what_comes_together_with_a_request_whose_answer_goes_on_is_not_looked_at(self):
        gateway = self.start_gateway()
        cursor = gateway.get("/v1/events?pattern=a.*")["cursor"]
        poll = f"GET /v1/events?pattern=a.*&since={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        for first in (SSE, poll):
            for second in (GET, POST, SSE, b"x", GET * 200):
                with gateway.connect() as connection:
                    connection.sendall(first + second)
                    gateway.get("/healthz")
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_WR)
                    with contextlib.suppress(ConnectionError):
                        self.assertLessEqual(gw.read_to_end(connection).count(b"HTTP/1.1 "), 1, (first, second))
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("poll") == 0)
            with gateway.connect() as connection:
                connection.sendall(first + GET)
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("poll") == 1)
                self.assert_idle(gateway)

    def test_what_comes_behind_a_request_whose_answer_goes_on_ends_it(self):
        gateway = self.start_gateway()
        cursor = gateway.get("/v1/events?pattern=a.*")["cursor"]
        poll = f"GET /v1/events?pattern=a.*&since={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        for first in (SSE, poll):
            for second in (GET, POST, SSE, b"x", GET * 200):
                with gateway.connect() as connection:
                    connection.sendall(first)
                    gw.eventually(lambda: gateway.clients("sse") + gateway.clients("poll") == 1)
                    with contextlib.suppress(ConnectionError):
                        connection.sendall(second)
                        self.assertLessEqual(gw.read_to_end(connection).count(b"HTTP/1.1 "), 1, (first, second))
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("poll") == 0)
            self.assert_idle(gateway)

    def test_frames_in_one_segment_with_the_handshake_are_read(self):
        gateway = self.start_gateway()
        with gateway.connect() as connection:
            connection.sendall(UPGRADE + text_frame(b'{"op":"heartbeat"}') * 3)
            data = b""
            while data.count(b'"op":"heartbeat"') < 3:
                data += connection.recv(4096)
        self.assert_idle(gateway)

    def test_what_is_no_http_is_hung_up_on(self):
        gateway = self.start_gateway("--request-timeout", "1s")
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), b"\0" * 5000, b"\xff" * 5000, b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET http://evil/ HTTP/1.1\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
                     UPGRADE.replace(b"websocket", b"h2c"), UPGRADE.replace(b"websocket", b"nothing"),
                     UPGRADE.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b""), b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"):
            with contextlib.suppress(ConnectionError):
                self.assertNotIn(b" 200 ", gateway.raw(data), data[:40])
            gateway.get("/healthz")
        self.assert_idle(gateway)


class Vanishing(HostileTest):
    # peers 18: libwebsockets 2302, 2455
    def test_a_hundred_curls_that_are_killed_are_free_within_two_seconds_and_cost_nothing(self):
        gateway = self.start_gateway()
        before = self.descriptors_at_rest(gateway)
        curls = [subprocess.Popen(["curl", "-sN", f"{gateway.url}/v1/sse?pattern=*"], stdout=subprocess.DEVNULL) for _ in range(100)]
        try:
            gw.eventually(lambda: gateway.clients("sse") == 100)
            self.pub("a.b")
        finally:
            for curl in curls:
                curl.kill()
            begin = time.monotonic()
            for curl in curls:
                curl.wait(harness.PATIENCE)
        gw.eventually(lambda: gateway.clients("sse") == 0)
        self.assertLess(time.monotonic() - begin, 2 * harness.SLOWNESS)
        gw.eventually(lambda: gateway.descriptors() <= before)
        self.assert_idle(gateway)

    def test_a_hundred_clients_of_each_kind_that_leave_at_once_leave_it_answering(self):
        gateway = self.start_gateway()
        before = self.descriptors_at_rest(gateway)
        for end_by_reset in (False, True):
            cursor = gateway.get("/v1/events?pattern=*")["cursor"]
            poll = f"GET /v1/events?pattern=*&since={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            connections = []
            for number in range(300):
                connections.append(gateway.connect())
                connections[-1].sendall((SSE, poll, UPGRADE)[number % 3])
                if end_by_reset:
                    connections[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            gw.eventually(lambda: [gateway.clients(transport) for transport in ("sse", "poll", "websocket")] == [100, 100, 100])
            for connection in connections:
                connection.close()
            gateway.get("/healthz")
            self.pub("a.b", "x" * 1000)
            gw.eventually(lambda: all(gateway.clients(transport) == 0 for transport in ("sse", "poll", "websocket")))
            gw.eventually(lambda: gateway.descriptors() <= before)
        self.assert_idle(gateway)

    def test_one_that_shuts_down_its_side_only_is_gone(self):
        gateway = self.start_gateway()
        for request in (SSE, UPGRADE):
            with gateway.connect() as connection:
                connection.sendall(request)
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("websocket") == 1)
                connection.shutdown(socket.SHUT_WR)
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("websocket") == 0)
        self.assert_idle(gateway)

    def test_one_that_takes_nothing_any_more_is_hung_up_on(self):
        gateway = self.start_gateway("--heartbeat", "1s", "--journal-bytes", "1000000")
        for request in (SSE.replace(b"a.*", b"*"), UPGRADE):
            with socket.socket() as connection:
                connection.settimeout(harness.PATIENCE)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect((gateway.host, gateway.port))
                connection.sendall(request)
                if request == UPGRADE:
                    connection.sendall(text_frame(b'{"op":"subscribe","patterns":["*"]}'))
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("websocket") == 1)
                self.publish_lines("a.b", ["x" * 1000] * 3000)
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("websocket") == 0)
        self.assert_idle(gateway)

    def test_one_that_is_to_be_closed_and_takes_nothing_is_hung_up_on(self):
        gateway = self.start_gateway()
        with socket.socket() as connection:
            connection.settimeout(harness.PATIENCE)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((gateway.host, gateway.port))
            connection.sendall(UPGRADE + text_frame(b'{"op":"subscribe","patterns":["*"]}'))
            gw.eventually(lambda: gateway.clients("websocket") == 1)
            self.wait_for_inboxes(1)
            self.publish_lines("a.b", ["x" * 1000] * 3000)
            # All there is in the way by now.
            gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 3000)
            connection.sendall(text_frame(b'{"op":"fly"}'))
            gw.eventually(lambda: gateway.clients("websocket") == 0, "hanging up")
        self.assert_idle(gateway)


class Memory(HostileTest):
    STATE_BYTES = 8 << 20

    def gateway_with_much(self, *options):
        """Its state is of 8 MB."""
        gateway = self.start_gateway("--follow", "*", *options)
        self.wait_for_inboxes(1)
        for number in range(8):
            self.publish_lines(f"much.{number}", ["x" * 200_000])
            for part in range(4):
                self.pub(f"much.{number}", "-", "--subject", str(part), stdin=b"y" * 200_000)
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_state_events") == 40)
        return gateway

    def test_those_who_ask_for_all_there_is_and_do_not_read_cost_little_and_are_hung_up_on(self):
        gateway = self.gateway_with_much("--request-timeout", "1s")
        before = gateway.memory_bytes()
        for path in ("/v1/state", "/v1/events?pattern=*&since=0123456789abcdef-1", "/v1/events?pattern=*&snapshot=1"):
            with contextlib.ExitStack() as stack:
                for _ in range(30):
                    connection = stack.enter_context(socket.socket())
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    connection.connect((gateway.host, gateway.port))
                    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                gateway.get("/healthz")
                # Not a whole one for each.
                self.assertLess(gateway.memory_bytes() - before, 30 * self.STATE_BYTES / 2, path)
                gw.eventually(lambda: gateway.descriptors() < 30, "hanging up")
            self.assertEqual(gateway.clients("poll"), 0)
        self.assert_idle(gateway)

    def test_nobody_waits_for_another_who_takes_much_or_waits_for_events(self):
        gateway = self.gateway_with_much()
        cursor = gateway.get("/v1/events?pattern=much.0")["cursor"]
        with contextlib.ExitStack() as stack:
            for path in [f"/v1/events?pattern=much.0&since={cursor}&wait=60"] * 10 + ["/v1/state"] * 10:
                connection = stack.enter_context(gateway.connect())
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            gw.eventually(lambda: gateway.clients("poll") == 10, "ten polls at a time")
            self.assertEqual(len(gateway.get("/v1/state")["events"]), 40)

    def test_one_who_reads_slowly_is_not_hung_up_on_and_gets_all(self):
        gateway = self.gateway_with_much("--request-timeout", "1s")
        for path, version in (("/v1/state", "1.1"), ("/v1/state", "1.0"), ("/v1/events?pattern=*&snapshot=1", "1.1")):
            with socket.socket() as connection:
                connection.settimeout(harness.PATIENCE)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
                connection.connect((gateway.host, gateway.port))
                connection.sendall(f"GET {path} HTTP/{version}\r\nHost: localhost\r\n\r\n".encode())
                response = gw.http.client.HTTPResponse(connection)
                response.begin()
                self.assertEqual(response.getheader("Transfer-Encoding"), "chunked" if version == "1.1" else None)
                body = b""
                for _ in range(8):  # for longer than the request may take
                    body += response.read(200_000)
                    time.sleep(0.2)
                answer = json.loads(body + response.read())
                self.assertEqual(len(answer.get("snapshot", answer)["events"]), 40)

    def limit_memory(self, gateway, further_bytes):
        """What the gateway may take of its addresses, beyond what it has."""
        with open(f"/proc/{gateway.pid}/statm", encoding="ascii") as statm:
            taken = int(statm.read().split()[0]) * resource.getpagesize()
        if taken > 1 << 40:
            self.skipTest("a sanitizer has taken all addresses")
        resource.prlimit(gateway.pid, resource.RLIMIT_AS, (taken + further_bytes, resource.RLIM_INFINITY))

    def test_a_request_that_there_is_no_memory_for_is_answered_500_and_the_others_go_on(self):
        gateway = self.start_gateway("--allow-publish", "--max-body-bytes", "67108864")
        stream = self.open_sse(gateway, "/v1/sse?pattern=*")
        stream.expect("subscribed")
        self.limit_memory(gateway, 24 << 20)
        body = b'{"type":"a.b","encoding":"text","payload":"%s"}' % (b"x" * (60 << 20))
        with gateway.connect() as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            self.assertIn(gw.read_to_end(connection)[:13], (b"HTTP/1.1 500 ", b""))  # closing may take it from who is still sending
        self.assertIn("could not be answered", gateway.log())
        self.pub("a.b", "still here")
        self.assertEqual(stream.expect("message")["payload"], "still here")

    @gw.needs_websockets
    def test_a_websocket_that_there_is_no_memory_for_is_closed_with_1011_and_the_others_go_on(self):
        gateway = self.start_gateway("--max-message-bytes", "67108864")
        other, client = self.open(gateway), self.open(gateway)
        other.subscribe("*")
        self.limit_memory(gateway, 24 << 20)
        with contextlib.suppress(gw.websockets.ConnectionClosed):
            client.send_raw("x" * (60 << 20))
        self.assertIn(client.closed()[1], (1011, 1006))
        self.assertIn("could not be served", gateway.log())
        self.pub("a.b", "still here")
        self.assertEqual(other.events(1)[0]["payload"], "still here")


class Descriptors(HostileTest):
    def test_running_out_of_descriptors_costs_nothing_and_passes(self):
        gateway = self.start_gateway(launcher=["sh", "-c", 'ulimit -n 60; exec "$0" "$@"'])
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(contextlib.closing(gw.SseStream(gateway, "/v1/sse?pattern=*")))
            first.expect("subscribed")
            connections = []
            for _ in range(150):
                with contextlib.suppress(OSError):
                    connections.append(stack.enter_context(gateway.connect(1)))
                    connections[-1].sendall(SSE)
            before, begin = gateway.cpu_seconds(), time.monotonic()
            time.sleep(0.5)
            self.assertLess((gateway.cpu_seconds() - before) / (time.monotonic() - begin), 0.12 * harness.SLOWNESS, gateway.log()[-2000:])
            self.pub("a.b")
            first.expect("message")
        gw.eventually(lambda: self.answers(gateway), "answering again")
        gw.eventually(lambda: gateway.clients("sse") == 0)
        self.assert_idle(gateway)
        self.assertLess(len(gateway.log().splitlines()), 200)

    @staticmethod
    def answers(gateway):
        with contextlib.suppress(OSError, gw.http.client.HTTPException):
            return gateway.request("GET", "/healthz")[0] == 200
        return False


if __name__ == "__main__":
    harness.main()
