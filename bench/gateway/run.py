#!/usr/bin/env python3
"""Times the gateway: it is pinned to one core, its clients with the publisher to another; beside it, in the same run and with the same
clients, a server that only sends. Prints one JSON object for each case and server: the median of the runs.

    run.py [--runs 3] [--seconds 2] [--case TEXT] BUILD
"""

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

RATE = "deliveries_per_second"
DELAY = "delay_ms_p99"

# Name, figure that the median is taken of, whether the bare server has it, options of the load.
CASES = [
    ("100 clients, 128 bytes, FlatBuffers", RATE, True, {"clients": 100}),
    ("100 clients, 128 bytes, JSON", RATE, True, {"clients": 100, "format": "json"}),
    ("1,000 clients, 128 bytes, FlatBuffers", RATE, True, {"clients": 1000, "seconds": 4}),
    ("100 clients, 1 KiB, FlatBuffers", RATE, True, {"clients": 100, "payload": 1024, "window": 4096}),
    ("1,000 clients, 100 events/s, each at once", DELAY, True, {"clients": 1000, "rate": 100}),
    ("one client, 1,000 events/s, each at once", DELAY, True, {"clients": 1, "rate": 1000}),
    ("100 clients, 10,000 events/s, JSON, 100 ms", "server_cpu", False,
     {"clients": 100, "format": "json", "rate": 10000, "batch-ms": 100}),
    ("memory of an idle WebSocket", "user_bytes_per_client", True, {"clients": 2000, "idle": None}),
]
OF_BARE = ("format", "clients", "payload", "rate", "idle")
PATIENCE = 120


def flags(options):
    return [word for name, value in options.items() for word in ([f"--{name}"] + [str(value)] * (value is not None))]


def cores():
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def start(command, core):
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))


class Servers:
    def __init__(self, build):
        self.gateway = build / "ws_gateway" / "swarmbus-gateway"
        self.bare_epoll = build / "bench" / "gateway" / "bare-epoll"
        self.load = build / "bench" / "gateway" / "gateway-load"
        self.tool = build / "src" / "tool" / "swarmbus"
        self.bus = f"bench-gateway-{os.getpid()}"

    def run_gateway(self, options):
        command = [self.gateway, "--bus", self.bus, "--listen", "127.0.0.1:0", "--log-level", "error"]
        try:
            return self.measure(command, {**options, "bus": self.bus})
        finally:
            subprocess.run([self.tool, "rm", "--force", self.bus], check=True)

    def run_bare_epoll(self, options):
        return self.measure([self.bare_epoll, *flags({name: options[name] for name in OF_BARE if name in options})], options)

    def measure(self, command, options):
        server_core, load_core = cores()
        server = start(command, server_core)
        try:
            address = server.stdout.readline().strip().removeprefix("http://")
            load = start([self.load, "--address", address, "--server", str(server.pid), *flags(options)], load_core)
            out, _ = load.communicate(timeout=PATIENCE)
            if load.returncode != 0:
                raise SystemExit("run.py: the load has failed")
            return json.loads(out)
        finally:
            server.terminate()
            server.communicate(timeout=PATIENCE)


def median(results, figure):
    return next(r for r in results if r[figure] == statistics.median_low([r[figure] for r in results]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, metavar="BUILD", help="a build directory")
    parser.add_argument("--runs", type=int, default=3, help="of which the median is told")
    parser.add_argument("--seconds", type=float, default=2, help="that each takes")
    parser.add_argument("--case", default="", help="only cases with this text")
    asked = parser.parse_args()
    servers = Servers(asked.build)
    for name, figure, has_bare, given in CASES:
        if asked.case not in name:
            continue
        options = {"seconds": asked.seconds, **given}
        results = {"gateway": [], "bare epoll": []}
        for _ in range(asked.runs):
            results["gateway"].append(servers.run_gateway(options))
            if has_bare:
                results["bare epoll"].append(servers.run_bare_epoll(options))
        for server, of_server in results.items():
            if of_server:
                print(json.dumps({"case": name, "server": server, "median_of": len(of_server), **median(of_server, figure)}), flush=True)


if __name__ == "__main__":
    main()
