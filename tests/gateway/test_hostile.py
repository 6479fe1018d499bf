"""Clients that send what nobody sends, leave without a word, or take all there is. What brought other servers down (docs/decisions.md)."""
import contextlib
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
        message = b'{"op":"heartbeat"}'
        frame = bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message
        with gateway.connect() as connection:
            connection.sendall(UPGRADE + frame * 3)
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


    def test_one_that_is_to_be_closed_and_reads_nothing_is_hung_up_on(self):
        gateway = self.start_gateway()
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((gateway.host, gateway.port))
            message = b'{"op":"subscribe","patterns":["*"]}'
            deaf.sendall(UPGRADE + bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message)
            gw.eventually(lambda: gateway.clients("websocket") == 1)
            self.publish_lines("a.b", ["x" * 1000] * 3000)
            rubbish = bytes([0x81, 0x80 | 7, 0, 0, 0, 0]) + b"rubbish"
            deaf.sendall(rubbish)
            gw.eventually(lambda: gateway.clients("websocket") == 0, "hanging up")

    def ask_and_not_read(self, gateway, path):
        deaf = socket.socket()
        self.addCleanup(deaf.close)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(harness.PATIENCE)
        deaf.connect((gateway.host, gateway.port))
        deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return deaf

    def test_answers_that_nobody_takes_are_few_and_end(self):
        gateway = self.start_gateway("--follow", "*", "--heartbeat", "1s")
        for number in range(60):
            self.pub("big.event", "-", "--subject", str(number), stdin=b"x" * 200_000)
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 60)
        asked = [self.ask_and_not_read(gateway, "/v1/state") for _ in range(8)]
        answers = sorted(connection.recv(200)[:12] for connection in asked)
        self.assertEqual(answers, [b"HTTP/1.1 200"] * 4 + [b"HTTP/1.1 503"] * 4)
        self.assertLess(gateway.memory_bytes(), 300 << 20)

        def has_room():
            with self.ask_and_not_read(gateway, "/v1/events?pattern=*&since=0000000000000001-1") as deaf:
                return deaf.recv(12) == b"HTTP/1.1 200"

        gw.eventually(has_room, "having room again")
        self.ask_and_not_read(gateway, "/v1/events?pattern=*&since=0000000000000001-1")
        gw.eventually(lambda: gateway.clients("poll") == 0, "hanging up")


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
                    message = b'{"op":"subscribe","patterns":["*"]}'
                    connection.sendall(bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message)
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("websocket") == 1)
                self.publish_lines("a.b", ["x" * 1000] * 3000)
                gw.eventually(lambda: gateway.clients("sse") + gateway.clients("websocket") == 0)
        self.assert_idle(gateway)


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
