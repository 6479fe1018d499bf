"""A demo under test: started on a bus of its own, and whatever is left of it found and removed."""

import itertools
import os
import signal
import subprocess
import time

BUS_FILES = "/dev/shm/swarmbus."
PATIENCE = 30  # seconds; nothing here takes as long, unless it hangs
_counter = itertools.count(1)


def new_bus_name(what):
    return f"test-{what}-{os.getpid()}-{next(_counter)}"


def bus_exists(bus):
    return os.path.exists(BUS_FILES + bus)


def remove_bus(bus):
    if bus_exists(bus):
        os.unlink(BUS_FILES + bus)


def eventually(condition, what):
    """Waits until a condition holds; fails when it does not for too long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"did not come true: {what}"
        time.sleep(0.02)


def agents_of(bus):
    """Pids of the agents on a bus, by agent id. They name it in their arguments: PROGRAM BUS ID."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                arguments = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue  # it has ended meanwhile
        if len(arguments) > 2 and arguments[1] == bus:
            found[arguments[2]] = int(entry)
    return found


def gateways_of(bus):
    """Pids of the gateways that show a bus."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                arguments = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue  # it has ended meanwhile
        if arguments[0].endswith("swarmbus-gateway") and bus in arguments:
            found.append(int(entry))
    return found


def state_of(pid):
    """The kernel's letter for the state of a process: T is stopped."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0]


class Demo:
    """swarm-demo as a child process. Leaving the block ends all that still runs."""

    def __init__(self, program, *arguments, bus=None, **popen):
        self.bus = bus or new_bus_name("demo")
        self.process = subprocess.Popen([program, "--bus", self.bus, *arguments], **popen)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        for pid in [*agents_of(self.bus).values(), *gateways_of(self.bus)]:
            os.kill(pid, signal.SIGKILL)
        remove_bus(self.bus)

    def wait_for_agents(self, count):
        eventually(lambda: len(agents_of(self.bus)) == count, f"{count} agents run")

    def assert_nothing_left(self):
        eventually(lambda: not agents_of(self.bus), "all agents have ended")
        eventually(lambda: not gateways_of(self.bus), "the gateway has ended")
        eventually(lambda: not bus_exists(self.bus), "the bus is removed")
