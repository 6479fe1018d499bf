"""One test case and what became of it."""

from dataclasses import dataclass

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Case:
    program: str
    name: str  # empty for a program that is one case
    outcome: str
    reason: str = ""  # of a failure or a skip; may have several lines

    @property
    def title(self):
        return f"{self.program}: {self.name}" if self.name else self.program
