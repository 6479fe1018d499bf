"""The WebSocket test suite of Autobahn against /v1/echo: what RFC 6455 asks, case by case. ./dev installs it with tools/autobahn."""
import json
import os
import subprocess
import tempfile
import unittest

import gateway_harness as gw

AUTOBAHN = os.environ["SWARMBUS_AUTOBAHN"]
WSTEST = os.path.join(AUTOBAHN, "wstest")
AGENT = "swarmbus-gateway"
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}
SECONDS = 300  # for a section, on a machine that does much else


@unittest.skipUnless(os.path.exists(WSTEST), f"Autobahn's test suite is not in {AUTOBAHN}; {AUTOBAHN}.log says why")
class Autobahn(gw.GatewayTest):
    def check_section(self, section, count):
        gateway = self.start_gateway("--echo")
        with tempfile.TemporaryDirectory(prefix="swarmbus-autobahn-") as directory:
            specification = os.path.join(directory, "specification.json")
            with open(specification, "w", encoding="utf-8") as file:
                json.dump({"outdir": directory, "cases": [f"{section}.*"], "exclude-cases": [], "exclude-agent-cases": {},
                           "servers": [{"agent": AGENT, "url": f"ws://{gateway.address}/v1/echo", "options": {"version": 18}}]}, file)
            done = subprocess.run([WSTEST, "-m", "fuzzingclient", "-s", specification], capture_output=True, cwd=directory, timeout=SECONDS)
            try:
                told = self.load(directory, "index.json")[AGENT]
            except OSError:
                self.fail(f"no results: {(done.stdout + done.stderr)[-3000:].decode(errors='replace')}")
            failures = [self.describe(directory, case, told[case]) for case in sorted(told)
                        if {told[case]["behavior"], told[case]["behaviorClose"]} - PASSED]
        self.assertEqual(failures, [], "\n".join(failures))
        # Its exit status says nothing, also not whether anything ran.
        self.assertEqual(len(told), count)

    @staticmethod
    def load(directory, name):
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            return json.load(file)

    def describe(self, directory, case, result):
        report = self.load(directory, result["reportfile"])
        return (f"case {case}: {result['behavior']}, its close {result['behaviorClose']}. {report['description']} Expected: {report['expectation']} "
                f"{report['result']} {report['resultClose']} Received: {str(report['received'])[:200]}, close code {report['remoteCloseCode']}")

    def test_section_1_of_autobahn_framing_passes(self):
        self.check_section(1, 16)

    def test_section_2_of_autobahn_pings_and_pongs_passes(self):
        self.check_section(2, 11)

    def test_section_3_of_autobahn_reserved_bits_passes(self):
        self.check_section(3, 7)

    def test_section_4_of_autobahn_opcodes_passes(self):
        self.check_section(4, 10)

    def test_section_5_of_autobahn_fragmentation_passes(self):
        self.check_section(5, 20)

    def test_section_6_of_autobahn_utf_8_passes(self):
        self.check_section(6, 145)

    def test_section_7_of_autobahn_closing_passes(self):
        self.check_section(7, 37)

    def test_section_9_of_autobahn_large_messages_passes(self):
        self.check_section(9, 54)

    def test_section_10_of_autobahn_fragments_in_one_segment_passes(self):
        self.check_section(10, 1)


if __name__ == "__main__":
    gw.harness.main()
