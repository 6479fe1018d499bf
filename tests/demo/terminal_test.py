"""swarm-demo on a terminal: a pseudo-terminal, whose screen is kept by a few lines of emulation."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios

import tap
from swarm import Demo, eventually, state_of

DEMO = sys.argv[1]
AGENTS = 11
UNFINISHED = re.compile(r"\x1b(\[[\d;?]*)?$")
TOKEN = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])|([^\x1b]+)")


class Screen:
    """Understands what the demo writes: text, cursor positions, clearing, modes."""

    def __init__(self):
        self.rows = {}
        self.alternate = False
        self.cursor_shown = True
        self.wraps = True
        self.at = (1, 1)
        self.rest = ""  # a sequence whose end has not come yet

    def feed(self, text):
        text = self.rest + text
        unfinished = UNFINISHED.search(text)
        self.rest = unfinished.group() if unfinished else ""
        text = text[: len(text) - len(self.rest)]
        for private, numbers, letter, plain in TOKEN.findall(text):
            if plain:
                self.put(plain)
            elif letter == "H":
                self.at = tuple(int(n) for n in numbers.split(";"))
            elif letter == "J":
                self.rows = {}
            elif private:
                self.set_mode(numbers, letter == "h")

    def put(self, text):
        row, column = self.at
        old = self.rows.get(row, "").ljust(column - 1)
        self.rows[row] = old[: column - 1] + text + old[column - 1 + len(text):]
        self.at = (row, column + len(text))

    def set_mode(self, number, on):
        if number == "1049":
            self.alternate = on
        elif number == "25":
            self.cursor_shown = on
        elif number == "7":
            self.wraps = on

    def text(self):
        return "\n".join(self.rows.get(row, "").rstrip() for row in range(1, max(self.rows, default=0) + 1))


class TerminalDemo(Demo):
    def __init__(self, *arguments, rows=24, columns=80, environment=None):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.screen = Screen()

        def take_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        super().__init__(DEMO, *arguments, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
                         preexec_fn=take_terminal, env={**os.environ, "TERM": "xterm", **(environment or {})})

    def __exit__(self, *details):
        super().__exit__(*details)
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def look(self):
        """Takes in what the demo has written since."""
        while select.select([self.master], [], [], 0.05)[0]:
            self.screen.feed(os.read(self.master, 65536).decode())

    def wait_for(self, condition, what):
        def seen():
            self.look()
            return condition(self.screen)

        try:
            eventually(seen, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen:\n{self.screen.text()}") from None

    def wait_for_end(self):
        self.wait_for(lambda _: self.process.poll() is not None, "the demo ends")

    def assert_terminal_as_before(self):
        self.look()
        assert not self.screen.alternate
        assert self.screen.cursor_shown
        assert self.screen.wraps
        assert termios.tcgetattr(self.slave) == self.before


def shows_the_swarm(screen):
    text = screen.text()
    return screen.alternate and f"{AGENTS} of {AGENTS} agents alive" in text and "task.completed" in text and "planner" in text


def the_swarm_is_shown_in_80_columns_and_24_rows():
    with TerminalDemo() as demo:
        demo.wait_for(shows_the_swarm, "the swarm is shown")
        for word in ("EVENTS", "AGENT", "LOST", "LATEST", f"swarmbus -b {demo.bus} sub"):
            assert word in demo.screen.text(), (word, demo.screen.text())
        assert max(demo.screen.rows) <= 24, demo.screen.rows
        assert max(len(row) for row in demo.screen.rows.values()) <= 80, demo.screen.rows
        assert not demo.screen.cursor_shown


def the_key_q_ends_it_and_the_summary_follows():
    with TerminalDemo() as demo:
        demo.wait_for(shows_the_swarm, "the swarm is shown")
        demo.type(b"xyzq")
        demo.wait_for_end()
        assert demo.process.returncode == 0
        demo.assert_terminal_as_before()
        assert "agents started 11" in demo.screen.text(), demo.screen.text()
        demo.assert_nothing_left()


def ctrl_c_ends_it_and_restores_the_terminal():
    with TerminalDemo() as demo:
        demo.wait_for(shows_the_swarm, "the swarm is shown")
        demo.type(b"\x03")
        demo.wait_for_end()
        assert demo.process.returncode == 0
        demo.assert_terminal_as_before()
        demo.assert_nothing_left()


def a_new_window_size_is_filled():
    with TerminalDemo() as demo:
        demo.wait_for(shows_the_swarm, "the swarm is shown")
        demo.resize(40, 120)
        demo.wait_for(lambda screen: max(screen.rows, default=0) == 40 and "C++" in screen.text(), "the larger window is filled")
        demo.resize(5, 20)
        demo.wait_for(lambda screen: max(screen.rows, default=0) == 5, "the tiny window is filled")
        assert max(len(row) for row in demo.screen.rows.values()) <= 20, demo.screen.rows


def ctrl_z_gives_the_terminal_back_until_it_is_continued():
    with TerminalDemo() as demo:
        demo.wait_for(shows_the_swarm, "the swarm is shown")
        # A job of a session without a shell can't be stopped from the keyboard; a signal can do it.
        demo.process.send_signal(signal.SIGTSTP)
        eventually(lambda: state_of(demo.process.pid) == "T", "the demo has stopped")
        demo.assert_terminal_as_before()
        demo.process.send_signal(signal.SIGCONT)
        demo.wait_for(shows_the_swarm, "the swarm is shown again")


def an_agent_dies_and_comes_back_in_the_picture():
    with TerminalDemo() as demo:
        demo.wait_for(shows_the_swarm, "the swarm is shown")
        dead = re.compile(r"(\S+) +(\d+) killed \(kill -9\)")
        demo.wait_for(lambda screen: dead.search(screen.text()), "an agent is shown as dead")
        text = demo.screen.text()
        agent, pid = dead.search(text).groups()
        assert f"{AGENTS - 1} of {AGENTS} agents alive" in text, text
        assert f"{agent} (pid {pid}) killed (kill -9)" in text, text
        killed, back = map(int, re.search(r"DEATHS  (\d+)   restarts \d+   back (\d+)", text).groups())
        assert killed == back + 1, text

        returned = re.compile(rf"{agent} +(\d+) back after \d+\.\d s")
        demo.wait_for(lambda screen: returned.search(screen.text()), "it is shown as back")
        text = demo.screen.text()
        assert returned.search(text).group(1) != pid, text
        assert f"{AGENTS} of {AGENTS} agents alive" in text, text
        assert f"DEATHS  {killed}   restarts {killed}   back {killed}   others sent " in text, text
        assert re.search(rf"{agent} back after \d+\.\d s; the others sent [\d,]+ events meanwhile, lost \d", text), text
        demo.type(b"q")
        demo.wait_for_end()
        assert demo.process.returncode == 0


def an_agent_killed_by_someone_else_is_shown_as_dead():
    with TerminalDemo("--no-kills") as demo:
        demo.wait_for(shows_the_swarm, "the swarm is shown")
        pid = re.search(r"tester-1 +(\d+)", demo.screen.text()).group(1)
        os.kill(int(pid), signal.SIGKILL)
        demo.wait_for(lambda screen: re.search(r"tester-1 +\d+ killed by signal 9", screen.text()), "the dead agent is shown")
        assert f"{AGENTS - 1} of {AGENTS} agents alive" in demo.screen.text()


def the_terminal_is_restored_when_the_time_is_up():
    with TerminalDemo("--seconds", "1") as demo:
        demo.wait_for_end()
        assert demo.process.returncode == 0
        demo.assert_terminal_as_before()


def a_terminal_that_can_not_be_drawn_on_gets_plain_lines():
    with TerminalDemo("--seconds", "1", environment={"TERM": "dumb"}) as demo:
        demo.wait_for_end()
        assert "agents started 11" in demo.screen.text()


tap.run([
    the_swarm_is_shown_in_80_columns_and_24_rows,
    the_key_q_ends_it_and_the_summary_follows,
    ctrl_c_ends_it_and_restores_the_terminal,
    a_new_window_size_is_filled,
    ctrl_z_gives_the_terminal_back_until_it_is_continued,
    an_agent_dies_and_comes_back_in_the_picture,
    an_agent_killed_by_someone_else_is_shown_as_dead,
    the_terminal_is_restored_when_the_time_is_up,
    a_terminal_that_can_not_be_drawn_on_gets_plain_lines,
])
