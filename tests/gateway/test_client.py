"""sub, wait and pub by a gateway: the real one, one that does as the test says, and one behind a network that fails.

Times are ten times shorter than in the manual.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.environ["SWARMBUS_CLI_TESTS"])
import harness  # noqa: E402
import fake_gateway  # noqa: E402
from fake_gateway import control, cursor, event, hello, subscribed  # noqa: E402

GATEWAY = os.environ["SWARMBUS_GATEWAY"]
PACE = 10


class ClientTest(harness.CliTest):
    def setUp(self):
        super().setUp()
        self.environment["SWARMBUS_CLIENT_PACE"] = str(PACE)
        self.environment.pop("SWARMBUS_TOKEN", None)

    def start_gateway(self, *options, port=0):
        """The real one, when it listens."""
        gateway = self.start_program([GATEWAY, "--bus", self.bus, "--listen", f"127.0.0.1:{port}", "--log-level", "error", *options],
                                     stderr=subprocess.DEVNULL)
        gateway.url = gateway.read_line().replace("http://", "ws://")
        gateway.port = int(gateway.url.rsplit(":", 1)[1])
        return gateway

    def wait_until_followed(self, pattern):
        """The gateway is subscribed to it, so that nothing is missed from here on."""
        deadline = time.monotonic() + harness.PATIENCE
        while time.monotonic() < deadline:
            for line in self.run_tool("ps", "--json").stdout.decode().splitlines():
                process = json.loads(line)
                if process["name"].startswith("swarmbus-gateway") and pattern in process["patterns"].split():
                    return
            time.sleep(harness.POLL_PAUSE)
        raise AssertionError(f"the gateway does not follow {pattern}")

    def start_remote_sub(self, url, *arguments, **popen_options):
        sub = self.start("sub", *arguments, "--gateway", url, **popen_options)
        self.wait_until_followed(arguments[0])
        return sub

    @staticmethod
    def read_error(process):
        """The next line of its standard error."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(process.popen.stderr.fileno(), 1)
            if not byte:
                raise AssertionError(f"its errors ended with {line!r}")
            line += byte
        return line.decode().rstrip("\n")

    def payloads(self, process, count):
        return [process.read_json()["payload"] for _ in range(count)]


class AsOnALocalBus(ClientTest):
    def test_sub_prints_the_same_lines(self):
        patterns = ("text.*", "json.*", "raw.*", "agent.*")
        payloads = [("text.plain", "héllo\n\x1b"), ("text.empty", ""), ("json.plain", '{"n": 12345678901234567890.10,\n"s":"\\u00e9"}')]
        for form in ((), ("--json",), ("--format", "cloudevents")):
            self.bus = self.environment["SWARMBUS_BUS"] = self.new_bus()
            gateway = self.start_gateway()
            local = self.start_sub(*patterns, *form, "--count", "6")
            remote = self.start("sub", *patterns, *form, "--count", "6", "--gateway", gateway.url)
            for pattern in patterns:
                self.wait_until_followed(pattern)
            for name, payload in payloads:
                encoding = ("--encoding", "json") if name.startswith("json") else ()
                self.pub(name, payload, "--source", "mé", "--subject", "it", *encoding)
            self.publish_raw("raw.bytes", payload=b"\xff\x00\xfe", subject=b"\xff")
            self.publish_raw("raw.wrong", encoding=3, payload=b"no flatbuffer")
            self.pub("agent.created", '{"agent_id":"agent-7","metadata":{"a":[1,2.5,null]}}')
            expected, received = local.finish(), remote.finish()
            self.assertEqual(received, expected)
            self.assertEqual(received[2], 0)
            self.assertEqual(len(received[0]), 6)

    def test_count_and_timeout_have_their_exit_codes(self):
        gateway = self.start_gateway()
        sub = self.start_remote_sub(gateway.url, "a.*", "--count", "2")
        self.pub("a.b", "1")
        self.pub("a.b", "2")
        self.assertEqual(sub.wait(), 0)
        self.run_tool("sub", "a.*", "--count", "1", "--timeout", "0.3", "--gateway", gateway.url, status=124)
        self.run_tool("sub", "a.*", "--timeout", "0.3", "--gateway", gateway.url)
        self.run_tool("sub", "a.*", "--timeout", "0", "--gateway", gateway.url)

    def test_wait_ends_with_the_first_event(self):
        gateway = self.start_gateway()
        wait = self.start("wait", "a.*", "--json", "--gateway", gateway.url)
        self.wait_until_followed("a.*")
        self.pub("a.b", "1")
        lines, errors, status = wait.finish()
        self.assertEqual((json.loads(lines[0])["payload"], errors, status), ("1", "", 0))
        self.run_tool("wait", "a.*", "--timeout", "0.2", "--gateway", gateway.url, status=124)

    def test_signals_end_it(self):
        gateway = self.start_gateway()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            sub = self.start_remote_sub(gateway.url, "a.*")
            sub.signal(number)
            self.assertEqual(sub.finish(), ([], "", -number))

    def test_signals_end_it_without_a_gateway(self):
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--gateway", fake.url)
        fake.accept()
        sub.signal(signal.SIGINT)
        self.assertEqual(sub.wait(), -signal.SIGINT)

    def test_the_end_of_its_reader_ends_it(self):
        gateway = self.start_gateway()
        sub = self.start_remote_sub(gateway.url, "a.*")
        sub.popen.stdout.close()
        self.assertEqual(sub.wait(), -signal.SIGPIPE)

    def test_pub_publishes_the_same_events(self):
        gateway = self.start_gateway("--allow-publish")
        sub = self.start_sub("a.*", "agent.*", "--json", inboxes=1)
        cases = [("a.text", "hello", "--subject", "it", "--source", "me"), ("a.json", '{"n":1.0}', "--encoding", "json"),
                 ("a.empty",), ("agent.created", '{"agent_id":"agent-7"}'), ("agent.deleted",)]
        for case in cases:
            events = []
            for where in ((), ("--gateway", gateway.url)):
                done = self.run_tool("pub", *case, *where, "--json")
                self.assertEqual(done.stderr, b"")
                self.assertEqual(json.loads(done.stdout)["delivered"], 1)
                received = sub.read_json()
                for different in ("time", "writer", "sequence"):
                    del received[different]
                received["source"] = received["source"].rstrip("0123456789")
                events.append(received)
            self.assertEqual(*events)

    def test_pub_takes_lines_bytes_and_cloudevents(self):
        gateway = self.start_gateway("--allow-publish")
        sub = self.start_sub("a.*", "--json", inboxes=1)
        self.run_tool("pub", "a.line", "--lines", "--gateway", gateway.url, stdin=b"1\n2\n3\n")
        self.assertEqual(self.payloads(sub, 3), ["1", "2", "3"])
        self.run_tool("pub", "a.bytes", "-", "--gateway", gateway.url, stdin=b"\xff\x00")
        self.assertEqual(sub.read_json()["payload_base64"], "/wA=")
        cloud_event = '{"specversion":"1.0","id":"1","source":"me","type":"a.cloud","data":{"n":1}}'
        self.run_tool("pub", "--format", "cloudevents", cloud_event, "--gateway", gateway.url)
        received = sub.read_json()
        self.assertEqual((received["type"], received["source"], received["payload"]), ("a.cloud", "me", {"n": 1}))

    def test_what_is_wrong_has_the_same_exit_codes(self):
        gateway = self.start_gateway("--allow-publish")
        cases = [("pub", "agent.created", '{"nonsense":1}'), ("pub", "a.b", "{", "--encoding", "json"), ("pub", "bus.mine", "x"),
                 ("pub", "a.b", "x", "--source", "s" * 64), ("pub", "a.b", "x", "--subject", "s" * 128), ("sub", "a.+x"), ("pub", "a..b")]
        for case in cases:
            local = subprocess.run([harness.TOOL, *case], capture_output=True, env=self.environment, timeout=harness.PATIENCE)
            remote = self.run_tool(*case, "--gateway", gateway.url, status=local.returncode)
            self.assertNotEqual(local.returncode, 0)
            self.assertEqual(remote.stdout, b"")
            self.assertTrue(remote.stderr.startswith(b"swarmbus: "))

    def test_what_belongs_to_a_local_bus_is_refused(self):
        url = ("--gateway", "ws://127.0.0.1:1")
        for options in (("--overflow", "block"), ("--capacity", "16"), ("--source", "me"), ("--bus", "other")):
            self.refused("sub", "a.*", *options, *url)
        self.refused("pub", "a.b", "x", "--block-timeout", "1", *url)
        self.refused("-b", "other", "wait", "a.*", *url)
        self.refused("sub", "a.*", "--token-file", "/dev/null")

    def test_a_url_that_is_none_is_refused(self):
        self.assertIn("TLS", self.refused("sub", "a.*", "--gateway", "wss://127.0.0.1:1"))
        self.assertIn("HOST:PORT", self.refused("sub", "a.*", "--gateway", "127.0.0.1:1"))
        self.assertNotIn("secret", self.refused("pub", "a.b", "--gateway", "ws://secret@127.0.0.1:1"))

    def test_a_new_schema_is_found(self):
        gateway = self.start_gateway()
        sub = self.start_remote_sub(gateway.url, "shop.*", "--json")
        schema = b'attribute "event"; table T (event: "shop.sold") { item:string; }'
        path = f"/tmp/{self.bus}.fbs"
        self.addCleanup(os.unlink, path)
        with open(path, "wb") as file:
            file.write(schema)
        self.run_tool("schema", "register", path)
        self.pub("shop.sold", '{"item":"tea"}')
        self.assertEqual(sub.read_json()["payload"], {"item": "tea"})

    def test_a_payload_that_the_gateway_left_out_is_said_to_be(self):
        gateway = self.start_gateway("--max-event-bytes", "1000")
        sub = self.start_remote_sub(gateway.url, "a.*", "--json", "--count", "1")
        self.pub("a.b", "x" * 2000)
        received = sub.read_json()
        self.assertEqual((received["payload"], received["omitted_bytes"]), (None, 2000))

    def test_an_event_of_a_megabyte_comes_whole(self):
        gateway = self.start_gateway("--max-event-bytes", str(1 << 20))
        sub = self.start_remote_sub(gateway.url, "a.*", "--json", "--count", "1")
        text = "0123456789abcdef" * 65000
        self.pub("a.b", "-", stdin=text.encode())
        self.assertEqual(sub.read_json()["payload"], text)

    def test_everything_comes_in_order(self):
        gateway = self.start_gateway()
        sub = self.start_remote_sub(gateway.url, "a.*", "--count", "20000", "--json", "--strict")
        self.pub("a.b", "--lines", "--rate", "20000", stdin="".join(f"{i}\n" for i in range(20000)).encode())
        lines, errors, status = sub.finish()
        self.assertEqual(status, 0, errors)
        self.assertEqual([json.loads(line)["payload"] for line in lines], [str(i) for i in range(20000)])


class Outages(ClientTest):
    def test_events_during_a_broken_connection_are_resumed(self):
        gateway = self.start_gateway()
        proxy = fake_gateway.Proxy(self, gateway.port)
        sub = self.start_remote_sub(proxy.url, "a.*", "--json")
        self.pub("a.b", "1")
        self.assertEqual(self.payloads(sub, 1), ["1"])
        proxy.cut()
        for payload in ("2", "3"):
            self.pub("a.b", payload)
        self.assertEqual(self.payloads(sub, 2), ["2", "3"])
        self.assertRegex(self.read_error(sub), "^swarmbus: connection to ws://127.0.0.1:[0-9]+ lost: .*; trying again$")
        self.assertRegex(self.read_error(sub), "^swarmbus: connection to ws://127.0.0.1:[0-9]+ is back; events that were missed: [0-2]$")

    def test_a_pulled_cable_is_noticed_by_the_watchdog(self):
        gateway = self.start_gateway("--heartbeat", "0.3")
        proxy = fake_gateway.Proxy(self, gateway.port)
        sub = self.start_remote_sub(proxy.url, "a.*", "--json")
        self.pub("a.b", "1")
        self.assertEqual(self.payloads(sub, 1), ["1"])
        proxy.hold()
        self.pub("a.b", "2")
        self.assertIn("nothing was heard of it for 1.3 s", self.read_error(sub))
        proxy.carry()
        self.assertEqual(self.payloads(sub, 1), ["2"])

    def test_a_gateway_that_is_stopped_is_noticed_and_resumed_from(self):
        gateway = self.start_gateway("--heartbeat", "0.3")
        sub = self.start_remote_sub(gateway.url, "a.*", "--json")
        gateway.stop()
        self.assertIn("nothing was heard of it", self.read_error(sub))
        self.pub("a.b", "1")
        gateway.resume()
        self.assertEqual(self.payloads(sub, 1), ["1"])

    def test_a_client_that_was_stopped_goes_on(self):
        gateway = self.start_gateway("--heartbeat", "0.3")
        sub = self.start_remote_sub(gateway.url, "a.*", "--json")
        sub.stop()
        time.sleep(2)  # longer than either side's patience
        self.pub("a.b", "1")
        sub.resume()
        self.assertEqual(self.payloads(sub, 1), ["1"])

    def test_a_killed_gateway_is_come_back_to_and_the_reset_is_told(self):
        gateway = self.start_gateway()
        sub = self.start_remote_sub(gateway.url, "a.*", "--json", "--count", "2", "--strict")
        self.pub("a.b", "1")
        self.assertEqual(self.payloads(sub, 1), ["1"])
        gateway.kill()
        gateway.wait()
        self.assertIn("lost: the connection broke", self.read_error(sub))
        self.start_gateway(port=gateway.port)
        self.assertIn("is back, but events may be missing: the gateway was started anew", self.read_error(sub))
        self.wait_until_followed("a.*")
        self.pub("a.b", "2")
        lines, errors, status = sub.finish()
        self.assertEqual((json.loads(lines[0])["payload"], errors, status), ("2", "", 3))

    def test_a_gateway_that_says_goodbye_is_not_come_back_to_before_it_says(self):
        gateway = self.start_gateway()
        sub = self.start_remote_sub(gateway.url, "a.*")
        # Nobody listens there before the test does.
        gateway.signal(signal.SIGTERM)
        self.assertIn("closed with 1012", self.read_error(sub))
        begun = time.monotonic()
        self.assertEqual(gateway.wait(), 0)
        with socket.create_server(("127.0.0.1", gateway.port)) as listener:
            listener.settimeout(harness.PATIENCE)
            listener.accept()[0].close()
        self.assertGreater(time.monotonic() - begun, 0.4)  # it asks for half a second at least

    def test_a_typed_event_waits_for_its_schema(self):
        gateway = self.start_gateway()
        proxy = fake_gateway.Proxy(self, gateway.port)
        sub = self.start_remote_sub(proxy.url, "agent.*", "--json")
        proxy.cut()
        self.pub("agent.created", '{"agent_id":"agent-7"}')
        self.assertEqual(sub.read_json()["payload"]["agent_id"], "agent-7")

    def test_pub_waits_for_the_gateway(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        pub = self.start("pub", "a.b", "x", "--gateway", f"ws://127.0.0.1:{port}")
        self.assertIn("no connection to", self.read_error(pub))
        self.start_gateway("--allow-publish", port=port)
        lines, errors, status = pub.finish()
        self.assertEqual((lines, status), ([], 0), errors)

    def test_pub_gives_up_after_some_time(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.refused("pub", "a.b", "x", "--gateway", f"ws://127.0.0.1:{port}", status=1)

    def test_pub_stays_connected_while_its_input_is_silent(self):
        gateway = self.start_gateway("--allow-publish", "--heartbeat", "2")
        sub = self.start_sub("a.*", "--json", inboxes=1)
        pub = self.start("pub", "a.b", "--lines", "--gateway", gateway.url, stdin=subprocess.PIPE)
        pub.write(b"1\n")
        self.assertEqual(self.payloads(sub, 1), ["1"])
        time.sleep(5)  # longer than either side's patience
        pub.write(b"2\n")
        self.assertEqual(self.payloads(sub, 1), ["2"])
        pub.popen.stdin.close()
        self.assertEqual(pub.wait(), 0)
        self.assertEqual(pub.popen.stderr.read(), b"")


class Refusals(ClientTest):
    def test_a_token_is_asked_for_and_given(self):
        made = subprocess.run([GATEWAY, "token", "alice"], capture_output=True, check=True, timeout=harness.PATIENCE)
        token = made.stdout.decode().strip()
        path = f"/tmp/{self.bus}.tokens"
        self.addCleanup(os.unlink, path)
        with open(path, "wb") as file:
            file.write(made.stderr.splitlines()[-1] + b"\n")
        gateway = self.start_gateway("--tokens", path, "--allow-publish")
        for command in (("sub", "a.*"), ("wait", "a.*"), ("pub", "a.b", "x"), ("pub", "a.b", "x", "--encoding", "text")):
            self.assertIn("token", self.refused(*command, "--gateway", gateway.url, status=1))
            self.environment["SWARMBUS_TOKEN"] = "wrong"
            self.assertIn("401", self.refused(*command, "--gateway", gateway.url, status=1))
            self.environment.pop("SWARMBUS_TOKEN")
        self.environment["SWARMBUS_TOKEN"] = token
        self.run_tool("sub", "a.*", "--timeout", "0.3", "--gateway", gateway.url)
        self.run_tool("pub", "agent.created", "{}", "--gateway", gateway.url)
        self.environment["SWARMBUS_TOKEN"] = "wrong"
        with open(f"{path}.own", "w", encoding="utf-8") as file:
            file.write(token + "\n")
        self.addCleanup(os.unlink, f"{path}.own")
        self.run_tool("pub", "a.b", "x", "--token-file", f"{path}.own", "--gateway", gateway.url)

    def test_a_gateway_that_lets_nobody_publish_says_so(self):
        gateway = self.start_gateway()
        self.assertIn("--allow-publish", self.refused("pub", "a.b", "x", "--gateway", gateway.url, status=1))

    def test_a_payload_that_is_too_large_for_the_gateway_is_refused(self):
        gateway = self.start_gateway("--allow-publish")
        self.assertIn("--max-message-bytes", self.refused("pub", "a.b", "-", "--gateway", gateway.url, status=1, stdin=b"x" * 70000))

    def test_too_many_patterns_are_final(self):
        gateway = self.start_gateway("--max-patterns", "1")
        self.assertIn("2 patterns", self.refused("sub", "a.*", "b.*", "--gateway", gateway.url, status=1))

    def test_a_refusal_that_will_not_pass_is_final(self):
        for status in (401, 403, 404, 200, 302):
            fake = fake_gateway.FakeGateway(self)
            sub = self.start("sub", "a.*", "--gateway", fake.url)
            fake.accept().answer(status, "Location: /elsewhere\r\n")
            lines, errors, code = sub.finish()
            self.assertEqual((lines, code), ([], 1))
            self.assertIn(f"answered with HTTP status {status}", errors)
            self.assertEqual(len(errors.splitlines()), 1)

    def test_a_refusal_that_passes_is_come_back_from(self):
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--json", "--count", "1", "--gateway", fake.url)
        fake.accept().answer(503)
        self.assertIn("503", self.read_error(sub))
        fake.accept().answer(429)
        fake.accept_live().send(event(1))
        lines, errors, status = sub.finish()
        self.assertEqual((len(lines), status), (1, 0))
        self.assertIn("is there", errors)

    def test_retry_after_is_obeyed(self):
        fake = fake_gateway.FakeGateway(self)
        self.start("sub", "a.*", "--gateway", fake.url)
        fake.accept().answer(503, "Retry-After: 1\r\n")
        self.assertFalse(fake.is_called_within(0.9))
        fake.accept()

    def test_a_close_code_that_says_never_again_is_final(self):
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--gateway", fake.url)
        fake.accept_live().close_with(4001, "the token is not known")
        lines, errors, status = sub.finish()
        self.assertEqual((lines, status), ([], 1))
        self.assertIn("closed with 4001: the token is not known", errors)

    def test_five_failures_open_the_circuit(self):
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--gateway", fake.url)
        for _ in range(5):
            fake.accept().close()
        self.assertIn("trying again", self.read_error(sub))
        self.assertIn("5 attempts failed", self.read_error(sub))
        self.assertFalse(fake.is_called_within(4))
        fake.accept().close()  # the one trial, after six seconds
        self.assertFalse(fake.is_called_within(4))
        fake.accept_live()
        self.assertIn("is there", self.read_error(sub))


class Rubbish(ClientTest):
    def fails(self, say):
        """What a gateway says is no reason to die, or to hang: the connection is made anew."""
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--json", "--count", "1", "--gateway", fake.url)
        connection = fake.accept()
        say(connection)
        error = self.read_error(sub)
        connection.close()
        fake.accept_live().send(event(1, "after"))
        lines, _, status = sub.finish()
        self.assertEqual((json.loads(lines[0])["payload"], status), ("after", 0))
        return error

    def test_no_http(self):
        self.fails(lambda connection: connection.socket.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + b"\x00\xff" * 100))

    def test_nothing_at_all(self):
        self.assertIn("it was not there within 1 s", self.fails(lambda connection: None))

    def test_half_an_answer(self):
        self.fails(lambda connection: connection.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs"))

    def test_an_endless_header(self):
        def say(connection):
            try:
                for _ in range(1000):
                    connection.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: " + b"x" * 1000 + b"\r\n")
            except OSError:
                pass
        self.fails(say)

    def test_a_wrong_accept_hash(self):
        self.fails(lambda connection: connection.socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm9uc2Vuc2U=\r\n"
            b"Sec-WebSocket-Protocol: swarmbus.v1.fb\r\n\r\n"))

    def test_bytes_that_are_no_frames(self):
        self.assertIn("not of the protocol", self.fails(lambda connection: connection.upgrade().send(b"\xff" * 100)))

    def test_a_text(self):
        self.assertIn("a text", self.fails(lambda connection: connection.upgrade().send(b'{"op":"hello"}', opcode=1)))

    def test_frames_that_break_the_rules_of_websockets(self):
        self.fails(lambda connection: connection.upgrade().socket.sendall(b"\x7f\x7e\xff\xff" + b"\xff" * 64))

    def test_silence_behind_the_upgrade(self):
        self.assertIn("it was not there within 1 s", self.fails(lambda connection: connection.upgrade()))

    def test_an_event_in_front_of_the_greeting(self):
        self.fails(lambda connection: connection.upgrade().send(event(1)))

    def test_a_frame_that_was_cut_short(self):
        self.fails(lambda connection: connection.upgrade().send(hello(), subscribed()[:-8]))

    def test_a_message_without_end(self):
        self.environment["SWARMBUS_CLIENT_PACE"] = "1"
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--gateway", fake.url)
        connection = fake.accept().upgrade()
        connection.send(hello(), subscribed())
        connection.socket.sendall(b"\x82\x7f" + (1 << 40).to_bytes(8, "big"))
        sent = 0
        try:
            while sent < 100 << 20:
                sent += connection.socket.send(bytes(1 << 20))
        except OSError:
            pass
        _, errors, status = sub.finish()
        self.assertEqual(status, 1)
        self.assertIn("a message of more than", errors)


class ScriptedGateway(ClientTest):
    def start_live(self, *options, **members):
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--json", *options, "--gateway", fake.url)
        return fake, sub, fake.accept_live(**members)

    def test_gaps_are_losses_told_with_the_next_event(self):
        _, sub, connection = self.start_live("--strict", "--count", "2")
        connection.send(control("Gap", cursor=cursor(10), missed=7, cause="Slow"), event(11),
                        control("Gap", cursor=cursor(20), missed=5, cause="Bus", lost_by=[2, 3, 0, 0, 0, 0]), event(21))
        lines, errors, status = sub.finish()
        self.assertEqual([json.loads(line)["lost"] for line in lines], [7, 5])
        self.assertEqual([json.loads(line)["lost_by"] for line in lines], [{"evicted": 7}, {"evicted": 2, "full": 3}])
        self.assertEqual((errors, status), ("", 3))

    def test_a_gap_that_nothing_follows_is_told_by_itself(self):
        _, sub, connection = self.start_live()
        connection.send(control("Gap", cursor=cursor(10), missed=7, cause="Slow"))
        self.assertEqual(sub.read_json(), {"lost": 7, "lost_by": {"evicted": 7}})

    def test_a_bus_that_was_made_anew_is_told(self):
        _, sub, connection = self.start_live("--strict", "--timeout", "2")
        connection.send(control("Gap", cursor=cursor(10), missed=0, cause="BusReopened"))
        _, errors, status = sub.finish()
        self.assertIn("events may be missing", errors)
        self.assertEqual(status, 3)

    def test_a_snapshot_behind_a_reset_is_nothing_new(self):
        fake, sub, connection = self.start_live("--count", "1")
        connection.close()
        self.assertIn("lost", self.read_error(sub))
        connection = fake.accept().upgrade()
        connection.send(hello(50), subscribed(50, "Reset", "Expired"))
        connection.send(control("Snapshot", events=1, complete=True, more=False, cursor=cursor(50)), event(30, "old"))
        connection.send(event(51, "new"))
        lines, errors, status = sub.finish()
        self.assertEqual([json.loads(line)["payload"] for line in lines], ["new"])
        self.assertIn("the gateway no longer has what was missed", errors)
        self.assertEqual(status, 0)

    def test_an_event_that_is_sent_twice_is_printed_once(self):
        _, sub, connection = self.start_live("--count", "2")
        connection.send(event(1, "1"), event(1, "1"))
        connection.send(event(2, "2"))
        lines, _, _ = sub.finish()
        self.assertEqual([json.loads(line)["payload"] for line in lines], ["1", "2"])

    def test_a_publication_that_was_not_answered_is_not_repeated(self):
        fake = fake_gateway.FakeGateway(self)
        pub = self.start("pub", "a.b", "x", "--encoding", "text", "--gateway", fake.url)
        connection = fake.accept().upgrade()
        connection.send(hello())
        while b"a.b" not in self.unmasked(connection):
            pass
        connection.close()
        _, errors, status = pub.finish()
        self.assertIn("whether it was published is not known", errors)
        self.assertEqual(status, 1)
        self.assertFalse(fake.is_called_within(0.1))

    @staticmethod
    def unmasked(connection):
        """A small message of the client."""
        head = connection.socket.recv(2)
        length = head[1] & 127
        if length == 126:
            length = int.from_bytes(connection.socket.recv(2), "big")
        mask = connection.socket.recv(4)
        data = connection.socket.recv(length)
        return bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))

    def test_a_reader_that_stands_still_bounds_the_memory(self):
        _, sub, connection = self.start_live()
        mark = 0x1122334455667788
        large = event(mark, "x" * 50000)
        connection.socket.settimeout(1)
        try:
            for offset in range(1, 2001):  # 100 MB
                connection.send(large.replace(mark.to_bytes(8, "little"), offset.to_bytes(8, "little")))
        except socket.timeout:
            pass
        with open(f"/proc/{sub.pid}/status", encoding="utf-8") as file:
            resident = next(line for line in file if line.startswith("VmRSS"))
        self.assertLess(int(resident.split()[1]), 64 << 10)


harness.main()
