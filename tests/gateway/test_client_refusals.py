"""sub and pub by a gateway that does not want them."""
import os
import subprocess

import client_harness
import fake_gateway
import harness
from fake_gateway import event


class Refusals(client_harness.ClientTest):
    def test_a_token_is_asked_for_and_given(self):
        made = subprocess.run([client_harness.GATEWAY, "token", "alice"], capture_output=True, check=True, timeout=harness.PATIENCE)
        token = made.stdout.decode().strip()
        path = f"/tmp/{self.bus}.tokens"
        self.addCleanup(os.unlink, path)
        with open(path, "wb") as file:
            file.write(made.stderr)
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


harness.main()
