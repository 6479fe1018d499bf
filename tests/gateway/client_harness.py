"""sub, wait and pub by a gateway. Times are ten times shorter than in the manual."""
import json
import os
import subprocess
import time

import harness

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
