"""sub and pub by a gateway that ends, stands still or is cut off."""
import json
import signal
import socket
import subprocess
import time

import client_harness
import fake_gateway
import harness


class Outages(client_harness.ClientTest):
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


harness.main()
