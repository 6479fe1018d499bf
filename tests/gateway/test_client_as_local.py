"""By a gateway, sub, wait and pub say and do what they do on a local bus."""
import json
import os
import signal
import subprocess

import client_harness
import fake_gateway
import harness


class AsOnALocalBus(client_harness.ClientTest):
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


harness.main()
