"""Drives the real tool through processes. A file of cases ends with harness.main(); results are TAP.

SWARMBUS_TOOL and SWARMBUS_RAW_PUBLISHER name the programs under test.
"""
import datetime
import itertools
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
import unittest

TOOL = os.environ["SWARMBUS_TOOL"]
RAW_PUBLISHER = os.environ["SWARMBUS_RAW_PUBLISHER"]
SANITIZED = "ASAN_OPTIONS" in os.environ  # the programs under test are built with a sanitizer
SLOWNESS = float(os.environ.get("SWARMBUS_TEST_PATIENCE", "1"))  # how much longer all may take: run_tests.py --patience
PATIENCE = 20 * SLOWNESS  # seconds that nothing here should ever take
POLL_PAUSE = 0.005

# Programs under test can be interrupted, also when these tests run in the background of a shell, which ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)

_bus_numbers = itertools.count(1)
_started = []  # processes and buses of all tests so far, for an end before the tests' own
_buses = []


def nanoseconds(time_text):
    """The nanoseconds since 1970 of a "time" in JSON."""
    seconds, fraction = time_text.removesuffix("Z").split(".")
    moment = datetime.datetime.fromisoformat(seconds).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 10**9 + int(fraction.ljust(9, "0"))


class Process:
    """A program that runs on while the test goes on, with those it starts in a group of its own."""

    def __init__(self, arguments, **popen_options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
        self.popen = subprocess.Popen(arguments, **{**options, **popen_options})
        self.pid = self.popen.pid
        _started.append(self)
        self._unread = b""

    def read_line(self):
        """The next line of its output, without its newline."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._unread:
            output = self.popen.stdout.fileno()
            ready, _, _ = select.select([output], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"no line within {PATIENCE} s; so far {self._unread!r}")
            chunk = os.read(output, 65536)
            if not chunk:
                raise AssertionError(f"output ended; unfinished line {self._unread!r}")
            self._unread += chunk
        line, self._unread = self._unread.split(b"\n", 1)
        return line.decode()

    def read_json(self):
        return json.loads(self.read_line())

    def write(self, data):
        self.popen.stdin.write(data)
        self.popen.stdin.flush()

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self):
        """Stopped when this returns."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED)

    def resume(self):
        self.signal(signal.SIGCONT)

    def wait(self):
        """Its exit status; negative: the signal that ended it."""
        return self.popen.wait(PATIENCE)

    def finish(self):
        """Its remaining lines, errors and exit status."""
        output, errors = self.popen.communicate(timeout=PATIENCE)
        rest = (self._unread + (output or b"")).decode()
        self._unread = b""
        return rest.splitlines(), (errors or b"").decode(), self.popen.returncode

    def kill(self):
        if self.popen.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)

    def end(self):
        self.kill()
        self.popen.wait(PATIENCE)
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass


def remove_bus(name):
    subprocess.run([TOOL, "rm", "--force", name], capture_output=True, timeout=PATIENCE)


class CliTest(unittest.TestCase):
    def setUp(self):
        self.bus = self.new_bus()
        self.environment = {**os.environ, "SWARMBUS_BUS": self.bus, "TERM": "xterm"}
        self.environment.pop("NO_COLOR", None)

    def new_bus(self):
        """A name nobody else uses; what has it is removed at the end."""
        name = f"cli-{os.getpid()}-{next(_bus_numbers)}"
        _buses.append(name)
        self.addCleanup(remove_bus, name)
        return name

    @staticmethod
    def bus_file(bus):
        return f"/dev/shm/swarmbus.{bus}"

    def run_tool(self, *arguments, stdin=b"", status=0):
        """Runs the tool to its end; fails unless it ends with `status`."""
        done = subprocess.run([TOOL, *arguments], input=stdin, capture_output=True, timeout=PATIENCE, env=self.environment)
        self.assertEqual(done.returncode, status, f"{arguments}: {done.stdout!r} {done.stderr!r}")
        return done

    def refused(self, *arguments, status=2, stdin=b""):
        """Runs it, expects that exit status and nothing on standard output; the message."""
        done = self.run_tool(*arguments, status=status, stdin=stdin)
        self.assertEqual(done.stdout, b"")
        self.assertTrue(done.stderr.startswith(b"swarmbus: "), done.stderr)
        return done.stderr.decode()

    def start(self, *arguments, **popen_options):
        return self.start_program([TOOL, *arguments], **popen_options)

    def start_shell(self, script, **popen_options):
        return self.start_program(["sh", "-c", script], **popen_options)

    def start_program(self, arguments, **popen_options):
        process = Process(arguments, env=self.environment, **popen_options)
        self.addCleanup(process.end)
        return process

    def look(self, bus=None):
        """What `ls` says of the bus; None if it does not list it."""
        listed = self.run_tool("ls", "--json").stdout.decode().splitlines()
        return next((entry for entry in map(json.loads, listed) if entry["bus"] == (bus or self.bus)), None)

    def wait_for_inboxes(self, count, bus=None):
        deadline = time.monotonic() + PATIENCE
        while True:
            found = self.look(bus)
            if found is not None and found.get("inboxes") == count:
                return
            if time.monotonic() > deadline:
                raise AssertionError(f"{count} inboxes expected, but {found}")
            time.sleep(POLL_PAUSE)

    def start_sub(self, *arguments, inboxes=1, **popen_options):
        """A subscriber that is ready when this returns."""
        process = self.start("sub", *arguments, **popen_options)
        self.wait_for_inboxes(inboxes)
        # Attaching takes the control lock, so that subscribing is over when this has ended.
        self.run_tool("wait", "nothing", "--timeout", "0", status=124)
        return process

    def pub(self, *arguments, stdin=b""):
        done = self.run_tool("pub", *arguments, stdin=stdin)
        self.assertEqual(done.stderr, b"")
        return done

    def received(self, *pub_arguments, stdin=b""):
        """The event that a publication arrives as."""
        sub = self.start_sub("*", "--json", "--count", "1")
        self.pub(*pub_arguments, stdin=stdin)
        event = sub.read_json()
        self.assertEqual(sub.wait(), 0)
        return event

    def publish_raw(self, event_type, encoding=0, source=b"raw", subject=b"", payload=b""):
        """Publishes what the tool would refuse to."""
        subprocess.run([RAW_PUBLISHER, self.bus, event_type, str(encoding), source, subject], input=payload, check=True,
                       timeout=PATIENCE)


class _TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self._ended = 0

    def _tell(self, result, test, comment=""):
        self._ended += 1
        name = test._testMethodName.removeprefix("test_").replace("_", " ")
        print(f"{result} {self._ended} - {name}{comment}", flush=True)

    def _tell_failure(self, test, error):
        self._tell("not ok", test)
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"# {line}")

    def addSuccess(self, test):
        super().addSuccess(test)
        self._tell("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._tell("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._tell_failure(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._tell_failure(test, error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            print(f"# {subtest._subDescription()}")
            self._tell_failure(test, error)


def _leave_nothing(number, _frame):
    """The test run is ended from outside, as it takes too long."""
    for process in _started:
        process.kill()
    for name in _buses:
        remove_bus(name)
    os._exit(128 + number)


def main():
    signal.signal(signal.SIGTERM, _leave_nothing)
    cases = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = _TapResult()
    cases.run(result)
    print(f"1..{result._ended}")
    sys.exit(not result.wasSuccessful())
