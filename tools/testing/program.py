"""A program that runs test cases: how it is started, and how its cases are told from what it left.

A Program is one case, told by its exit status. Those that run several derive from it.
"""

import signal
from dataclasses import dataclass, field
from pathlib import Path

from .case import FAILED, PASSED, SKIPPED, Case

SKIP_STATUS = 77
TAIL_LINES = 30


@dataclass
class End:
    """How a program ended."""

    status: int  # negative: the signal that ended it
    timed_out: bool
    seconds: float
    log: Path  # all it printed

    @property
    def reason(self):
        """Why it did not end well; empty if it did."""
        if self.timed_out:
            return f"did not end within {self.seconds:.0f} s"
        if self.status < 0:
            return f"ended by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status}" if self.status != 0 else ""

    def output(self):
        return self.log.read_text(errors="replace")

    def tail(self):
        return "\n".join(self.output().splitlines()[-TAIL_LINES:])


@dataclass
class Program:
    name: str
    command: list
    timeout: float
    environment: dict = field(default_factory=dict)
    directory: Path = None
    alone: bool = False  # nothing else runs meanwhile
    group: str = ""  # at most one of a group runs at a time
    sanitized: bool = False

    def select(self, text, environment):
        """Leaves out the cases whose titles don't contain the text; false if that is all of them.
        `environment` is that of the run."""
        return text in self.name

    def arguments(self, scratch):
        """What to add to the command. `scratch`: a path for a file of results."""
        return []

    def cases(self, end, scratch):
        """What became of the cases."""
        if end.status == SKIP_STATUS and not end.timed_out:
            lines = end.output().split("\n")
            return [self.case("", SKIPPED, next((line for line in reversed(lines) if line.strip()), "no reason given"))]
        if end.reason:
            return [self.case("", FAILED, f"{end.reason}\n{end.tail()}")]
        return [self.case("", PASSED)]

    def case(self, name, outcome, reason=""):
        return Case(self.name, name, outcome, reason.strip())
