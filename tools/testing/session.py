"""Processes of tests: each program gets a session of its own, and must leave nothing behind.

The runner is the subreaper of all it starts: a process whose parent has ended becomes its child, so that
none gets away, whatever it did.
"""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 3  # for a process that was killed to be gone
SHARED_MEMORY = Path("/dev/shm")


def adopt_orphans():
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


class Session:
    """A running program."""

    def __init__(self, command, environment, directory, log):
        self.log = log
        self.started = time.monotonic()
        with open(log, "wb") as output:
            self.leader = subprocess.Popen(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=output,
                                           stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def seconds(self):
        return time.monotonic() - self.started

    def ended(self):
        return self.leader.poll() is not None

    def kill(self):
        """Ends all of it. The leader stays unreaped till the others are gone, so that the id stays its own."""
        end([pid for pid, _, session, _ in processes() if session == self.leader.pid])
        self.leader.wait()

    def left_behind(self):
        """What still runs of a program that has ended: the names, after ending it."""
        return end_survivors(lambda parent, session: session == self.leader.pid)


def orphans_left_behind():
    """The same for what left its session; for when no program runs any more."""
    return end_survivors(lambda parent, session: parent == os.getpid())


def end_survivors(chosen):
    deadline = time.monotonic() + GRACE_SECONDS
    while alive := [(pid, name) for pid, parent, session, name in processes() if chosen(parent, session)]:
        if time.monotonic() > deadline:
            end([pid for pid, _ in alive])
            return [f"process {pid} ({name})" for pid, name in alive]
        time.sleep(0.01)
    return []


def end(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def processes():
    """Pid, parent, session and name of each process that is not a zombie; orphans that are get reaped."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            pid, stat = int(entry), Path("/proc", entry, "stat").read_text(errors="replace")
        except OSError:
            continue
        name, rest = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
        state, parent, session = rest[0], int(rest[1]), int(rest[3])
        if state not in "ZX":
            yield pid, parent, session, name
        elif parent == os.getpid() and pid != session:  # a session's leader is its Popen's to reap
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass


def bus_files():
    return set(SHARED_MEMORY.glob("swarmbus*"))


def bus_files_left_behind(before):
    """New files of buses that nobody uses. Those in use belong to programs outside of the tests."""
    left = bus_files() - before
    deadline = time.monotonic() + GRACE_SECONDS
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = {path for path in left & bus_files() if not in_use(path)}
    return sorted(map(str, left))


def in_use(path):
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            if f" {path}\n" in maps.read_text(errors="replace"):
                return True
        except OSError:
            pass
    return False
