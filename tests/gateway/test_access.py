"""Who may connect, and how much of everything one may have."""
import contextlib
import hashlib
import socket
import subprocess
import tempfile
import unittest

import gateway_harness as gw
import harness

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HANDSHAKE = ("GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n")


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


class AccessTest(gw.GatewayTest):
    def upgrade_status(self, gateway, host="localhost", path="/v1/ws", more=f"Sec-WebSocket-Protocol: {gw.JSON}\r\n"):
        """What a handshake is answered."""
        with gateway.connect() as connection:
            connection.sendall(HANDSHAKE.format(path=path, host=host, more=more).encode())
            head = b""
            while b"\r\n" not in head:
                chunk = connection.recv(4096)
                if not chunk:
                    return None
                head += chunk
            return int(head.split(b" ")[1])

    def not_started(self, *options):
        done = subprocess.run([gw.GATEWAY, *options], capture_output=True, timeout=harness.PATIENCE, env=self.environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()


class Listening(AccessTest):
    def test_other_than_loopback_addresses_need_tokens_or_insecure(self):
        for listen in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            self.assertIn("--tokens", self.not_started("--listen", listen))
        for listen in ("127.0.0.1", "nonsense:0", "127.0.0.1:65536", ":0", "127.0.0.1:-1"):
            self.assertIn("--listen", self.not_started("--listen", listen))

    def test_a_loopback_address_is_all_it_is_bound_to(self):
        gateway = self.start_gateway()
        with open("/proc/net/tcp", encoding="ascii") as table:
            bound = [line.split()[1] for line in table if line.split()[3] == "0A" and line.split()[1].endswith(f":{gateway.port:04X}")]
        self.assertEqual(bound, [f"0100007F:{gateway.port:04X}"])
        with open("/proc/net/tcp6", encoding="ascii") as table:
            self.assertEqual([line for line in table if line.split()[3] == "0A" and line.split()[1].endswith(f":{gateway.port:04X}")], [])

    @unittest.skipUnless(has_ipv6(), "there is no IPv6 here")
    def test_it_listens_on_ipv6_loopback_only(self):
        gateway = self.start_gateway(listen="[::1]:0")
        self.assertEqual(gateway.get("/healthz"), {"status": "alive"})
        with open("/proc/net/tcp6", encoding="ascii") as table:
            bound = [line.split()[1] for line in table if line.split()[3] == "0A" and line.split()[1].endswith(f":{gateway.port:04X}")]
        self.assertEqual(bound, [f"{'0' * 24}01000000:{gateway.port:04X}"])
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", gateway.port), 1).close()
        if gw.websockets:
            self.open(gateway)

    def test_localhost_is_a_name_for_loopback(self):
        self.assertEqual(self.start_gateway(listen="localhost:0").get("/healthz"), {"status": "alive"})

    def test_an_address_that_is_taken_is_told(self):
        gateway = self.start_gateway()
        self.assertIn("--listen", self.not_started("--listen", gateway.address))
        gateway.get("/healthz")


class Configuration(AccessTest):
    def test_a_file_gives_options_and_a_name_that_none_has_is_told(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("max-patterns = 3\nallow-publish = true\n")
            file.flush()
            gateway = self.start_gateway("--config", file.name)
            self.assertEqual(gateway.get("/v1/events?pattern=a,b,c,d", status=400)["code"], "too_many_patterns")
            gateway.post({"type": "a.b"})
            file.write("max-conections = 5\n")
            file.flush()
            told = self.not_started("--config", file.name)
            self.assertIn("max-conections", told)
            self.assertIn(file.name, told)


class HostsAndOrigins(AccessTest):
    def status(self, gateway, headers, path="/healthz"):
        return gateway.request("GET", path, headers=headers)[0]

    def test_a_host_that_is_no_name_of_the_gateway_is_refused(self):
        gateway = self.start_gateway("--allow-host", "dash.example")
        for host, status in ((gateway.address, 200), ("localhost", 200), (f"localhost:{gateway.port}", 200), ("[::1]:80", 200), ("127.0.0.1", 200),
                             ("dash.example", 200), ("DASH.example:1", 200), ("evil.example", 403), ("evil.example:7480", 403),
                             ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("localhost:1:evil", 403), ("", 200)):
            self.assertEqual(self.status(gateway, {"Host": host}), status, host)
            self.assertIn(self.upgrade_status(gateway, host=host), (101, None) if not host else (101,) if status == 200 else (403,), host)
        self.assertGreater(gateway.metric('swarmbus_gateway_refusals_total{reason="host"}'), 0)

    def test_a_page_of_another_origin_is_refused(self):
        gateway = self.start_gateway("--allow-origin", "https://dash.example")
        own = gateway.address
        for origin, status in ((f"http://{own}", 200), ("https://dash.example", 200), ("http://dash.example", 403), ("https://evil.example", 403),
                               ("null", 403), ("https://dash.example.evil", 403), (f"http://localhost:{gateway.port}", 403), (f"http://{own}.evil", 403)):
            self.assertEqual(self.status(gateway, {"Origin": origin}), status, origin)
            for path in ("/v1/state", "/v1/types", "/metrics", "/"):
                self.assertEqual(self.status(gateway, {"Origin": origin}, path), status, origin)
            more = f"Sec-WebSocket-Protocol: {gw.JSON}\r\nOrigin: {origin}\r\n"
            self.assertEqual(self.upgrade_status(gateway, host=own, more=more), 101 if status == 200 else 403, origin)
        self.assertGreater(gateway.metric('swarmbus_gateway_refusals_total{reason="origin"}'), 0)

    def test_an_allowed_origin_may_read_and_another_may_not(self):
        gateway = self.start_gateway("--allow-origin", "https://dash.example")
        _, headers, _ = gateway.request("GET", "/v1/state", headers={"Origin": "https://dash.example"})
        self.assertEqual((headers["Access-Control-Allow-Origin"], headers["Vary"]), ("https://dash.example", "Origin"))
        _, headers, _ = gateway.request("GET", "/v1/state", headers={"Origin": "https://evil.example"})
        self.assertIsNone(headers["Access-Control-Allow-Origin"])
        status, headers, _ = gateway.request("OPTIONS", "/v1/events", headers={"Origin": "https://dash.example", "Access-Control-Request-Method": "POST",
                                                                           "Access-Control-Request-Headers": "content-type"})
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (204, "https://dash.example"))
        self.assertIn("POST", headers["Access-Control-Allow-Methods"])
        self.assertIn("Content-Type", headers["Access-Control-Allow-Headers"])
        self.assertEqual(gateway.request("OPTIONS", "/v1/events", headers={"Origin": "https://evil.example"})[0], 403)

    def test_a_foreign_page_can_not_publish(self):
        gateway = self.start_gateway("--allow-publish")
        status, _, _ = gateway.request("POST", "/v1/events", b'{"type":"a.b"}', {"Origin": "https://evil.example", "Content-Type": "text/plain"})
        self.assertEqual(status, 403)
        self.assertEqual(gateway.metric("swarmbus_gateway_published_events_total"), 0)

    def test_websockets_are_at_one_path_with_a_subprotocol(self):
        gateway = self.start_gateway()
        self.assertEqual(self.upgrade_status(gateway, path="/"), 404)
        self.assertEqual(self.upgrade_status(gateway, path="/v1/echo"), 404)
        self.assertEqual(self.upgrade_status(gateway, path="/v1/sse"), 404)
        for subprotocols in ("", "Sec-WebSocket-Protocol: other\r\n", "Sec-WebSocket-Protocol: http\r\n", "Sec-WebSocket-Protocol: swarmbus.echo\r\n",
                             "Sec-WebSocket-Protocol: xswarmbus.v1.json\r\n", "Sec-WebSocket-Protocol: swarmbus.echo, swarmbus.v1.json\r\n"):
            self.assertIn(self.upgrade_status(gateway, more=subprotocols), (400, None) if "echo," not in subprotocols else (400, 101, None), subprotocols)
        self.assertEqual(self.upgrade_status(gateway, more=f"Sec-WebSocket-Protocol: other, {gw.FLAT}\r\n"), 101)
        self.assertEqual(gateway.get("/healthz"), {"status": "alive"})


class TokensTest(AccessTest):
    def setUp(self):
        super().setUp()
        made = subprocess.run([gw.GATEWAY, "token", "alice"], capture_output=True, timeout=harness.PATIENCE, check=True)
        self.token = made.stdout.decode().strip()
        self.line = made.stderr.decode().strip()
        self.file = tempfile.NamedTemporaryFile("w", suffix=".tokens")
        self.addCleanup(self.file.close)
        self.file.write(f"# who may\n\n{self.line}\n")
        self.file.flush()

    def start_guarded(self, *options, **more):
        return self.start_gateway("--tokens", self.file.name, *options, **more)


class Tokens(TokensTest):
    def test_a_line_is_the_sha_256_of_the_token_and_a_name(self):
        self.assertEqual(self.line, f"{hashlib.sha256(self.token.encode()).hexdigest()} alice")
        self.assertEqual(len(self.token), 64)

    def test_requests_need_it_and_probes_do_not(self):
        gateway = self.start_guarded("--allow-publish")
        good = {"Authorization": f"Bearer {self.token}"}
        for path in ("/v1/state", "/v1/types", "/metrics", "/v1/events?pattern=a"):
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": self.token}, {"Authorization": f"Basic {self.token}"}):
                status, answer, _ = gateway.request("GET", path, headers=headers)
                self.assertEqual((status, answer["WWW-Authenticate"]), (401, "Bearer"), (path, headers))
            for headers in (good, {"Authorization": f"bearer {self.token}"}, {"Authorization": f"BEARER  {self.token}"}):
                self.assertEqual(gateway.request("GET", path, headers=headers)[0], 200, (path, headers))
        for wrong in ("Bearer", "Bearer ", "bearer   ", f"Bearer{self.token}"):
            self.assertEqual(gateway.request("GET", "/v1/state", headers={"Authorization": wrong})[0], 401, wrong)
        self.assertEqual(gateway.post({"type": "a.b"}, status=401)["error"]["code"], "token")
        gateway.post({"type": "a.b"}, headers=good)
        self.assertEqual(gateway.request("GET", f"/v1/state?token={self.token}")[0], 401)
        gateway.get("/healthz")
        gateway.get("/readyz")

    def test_the_page_is_shown_to_anybody_who_may_connect(self):
        gateway = self.start_guarded()
        self.assertEqual(gateway.request("GET", "/")[0], 200)
        self.assertEqual(gateway.request("GET", "/", headers={"Host": "evil.example"})[0], 403)
        self.assertEqual(gateway.request("GET", "/v1/sse?pattern=*")[0], 401)

    def test_a_page_may_ask_whether_it_may(self):
        gateway = self.start_guarded("--allow-origin", "https://dash.example")
        status, headers, _ = gateway.request("OPTIONS", "/v1/state", headers={"Origin": "https://dash.example"})
        self.assertEqual(status, 204)
        self.assertIn("Authorization", headers["Access-Control-Allow-Headers"])

    @gw.needs_websockets
    def test_a_websocket_has_it_in_its_first_message(self):
        gateway = self.start_guarded()
        for kind in (gw.JsonSocket, gw.FlatSocket):
            client = kind(gateway)
            client.say("auth", token=self.token)
            client.expect("hello")
            self.assertEqual(client.subscribe("a")["resume"], "live")
            client.close()
            for op, members in (("auth", {"token": "x"}), ("auth", {"token": ""}), ("subscribe", {"patterns": ["a"]}), ("heartbeat", {})):
                client = kind(gateway)
                client.say(op, **members)
                self.assertEqual(client.closed(), ([], 4001), (op, members))

    @gw.needs_websockets
    def test_a_websocket_has_it_in_its_header(self):
        gateway = self.start_guarded()
        self.open(gateway, additional_headers={"Authorization": f"Bearer {self.token}"})
        with self.assertRaises(gw.websockets.InvalidStatus) as refused:
            gw.JsonSocket(gateway, additional_headers={"Authorization": "Bearer x"})
        self.assertEqual(refused.exception.response.status_code, 401)

    @gw.needs_websockets
    def test_one_that_does_not_say_it_in_time_is_closed_with_4102(self):
        gateway = self.start_guarded("--request-timeout", "1s")
        self.assertEqual(gw.JsonSocket(gateway).closed(), ([], 4102))

    def test_with_tokens_all_addresses_may_be_listened_on(self):
        gateway = self.start_guarded(listen="0.0.0.0:0")
        gateway.get("/healthz")

    def test_a_file_that_is_wrong_or_not_there_is_told_with_its_line(self):
        with tempfile.NamedTemporaryFile("w") as wrong:
            wrong.write("# a comment\nabc alice\n")
            wrong.flush()
            self.assertIn("line 2", self.not_started("--tokens", wrong.name))
        self.assertIn("/nothing/here", self.not_started("--tokens", "/nothing/here"))


class Limits(AccessTest):
    def assert_told_to_come_back(self, gateway, status, code):
        """One who is not let in is told so before he has asked for anything."""
        with gateway.connect() as connection:
            answer = gw.read_to_end(connection)
        self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), answer)
        self.assertRegex(answer, rb"\r\nRetry-After: [0-9]+\r\n")
        self.assertIn(code, answer)

    def test_connections_are_limited_in_all(self):
        gateway = self.start_gateway("--max-connections", "5")
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(contextlib.closing(gw.SseStream(gateway, "/v1/sse?pattern=*"))) for _ in range(5)]
            for stream in streams:
                stream.expect("subscribed")
            for _ in range(20):
                self.assert_told_to_come_back(gateway, b"503", b'"full"')
            self.pub("a.b")
            for stream in streams:
                stream.expect("message")
            streams[0].close()
            gw.eventually(lambda: b" 200 OK" in gateway.raw(HEALTH), "room for another")
        gw.eventually(lambda: gateway.clients("sse") == 0)
        self.assertGreaterEqual(gateway.metric('swarmbus_gateway_refusals_total{reason="connections"}'), 20)

    def test_connections_are_limited_by_address(self):
        gateway = self.start_gateway("--max-connections-per-address", "2")
        with contextlib.closing(gw.SseStream(gateway, "/v1/sse?pattern=*")), contextlib.closing(gw.SseStream(gateway, "/v1/sse?pattern=*")):
            self.assert_told_to_come_back(gateway, b"429", b'"too_many_connections"')
            with socket.socket() as other:
                other.settimeout(harness.PATIENCE)
                other.bind(("127.0.0.2", 0))
                other.connect((gateway.host, gateway.port))
                other.sendall(HEALTH)
                self.assertIn(b" 200 OK", gw.read_to_end(other))

    def test_a_body_that_is_too_large_is_refused_by_its_length(self):
        gateway = self.start_gateway("--allow-publish", "--max-body-bytes", "2000")
        body = b'{"type":"a.b","encoding":"text","payload":"%s"}'
        room = 2000 - len(body) + 2
        self.assertEqual(len(gateway.post(body % (b"x" * room))["published"]), 1)
        answer = gateway.raw(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2001\r\n\r\n")
        self.assertIn(b" 413 ", answer)
        for length in (b"99999999999999999999999", b"-1", b"x", b"1x", b"0x10"):
            answer = gateway.raw(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: %s\r\n\r\n" % length)
            self.assertRegex(answer[:13], rb"^(HTTP/1.1 4\d\d|)", length)
            self.assertNotIn(b" 200 ", answer)

    def test_chunked_bodies_are_refused(self):
        gateway = self.start_gateway("--allow-publish")
        answer = gateway.raw(b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        self.assertIn(b" 501 ", answer)

    def test_headers_that_are_too_large_are_refused(self):
        gateway = self.start_gateway()
        for headers in (b"X: " + b"x" * 100_000, b"\r\n".join(b"X-%d: x" % number for number in range(5000)), b"Host: " + b"x" * 17_000):
            with contextlib.suppress(ConnectionError):
                self.assertEqual(gateway.raw(b"GET /healthz HTTP/1.1\r\n" + headers + b"\r\n\r\n"), b"")
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = gateway.raw(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertNotIn(b" 200 ", answer)
        gateway.get("/healthz")

    def test_the_longest_patterns_that_a_client_may_have_fit_into_a_request(self):
        gateway = self.start_gateway()
        patterns = [f"agent.{number:02}.{'x' * 91}" for number in range(64)]
        answer = gateway.get("/v1/events?pattern=" + "&pattern=".join(patterns[:40]))
        self.assertEqual(answer["resume"], "live")
        stream = self.open_sse(gateway, "/v1/sse?pattern=" + ",".join(patterns), headers={"Filler": "y" * 8000})
        self.assertEqual(stream.expect("subscribed")["patterns"], patterns)

    def test_half_a_request_is_given_up_in_time(self):
        gateway = self.start_gateway("--request-timeout", "1s", "--allow-publish")
        halves = [b"", b"G", b"GET / HTTP/1.1\r\nHost: local", b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
                  b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{}"]
        connections = []
        for half in halves:
            connections.append(gateway.connect())
            self.addCleanup(connections[-1].close)
            connections[-1].sendall(half)
        for half, connection in zip(halves, connections):
            self.assertTrue(gw.read_to_end(connection).startswith(b"HTTP/1.1 408 "), half)
        self.assertEqual(gateway.metric('swarmbus_gateway_refusals_total{reason="timeout"}'), len(halves))

    def test_a_request_that_trickles_in_is_given_up_in_time(self):
        gateway = self.start_gateway("--request-timeout", "1s", "--allow-publish")
        for begin in (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"):
            with gateway.connect(0.05) as connection:
                connection.sendall(begin)

                def is_closed(connection=connection):
                    try:
                        connection.sendall(b"x")
                        return connection.recv(4096) == b""
                    except TimeoutError:
                        return False
                    except OSError:
                        return True

                gw.eventually(is_closed, "giving up " + begin.decode())

    def test_a_great_many_descriptors_are_not_needed(self):
        """What they cost is bounded by the limit of connections."""
        gateway = self.start_gateway("--max-connections", "100")
        with open(f"/proc/{gateway.pid}/limits", encoding="ascii") as limits:
            line = next(line for line in limits if line.startswith("Max open files"))
        self.assertLessEqual(int(line.split()[3]), 200)


if __name__ == "__main__":
    harness.main()
