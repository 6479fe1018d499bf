"""Programs that print their cases in the Test Anything Protocol."""

import re

from .case import FAILED, PASSED, SKIPPED
from .program import SKIP_STATUS, Program

PLAN = re.compile(r"^1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$", re.IGNORECASE)
RESULT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?(.*?)\s*(?:#\s*(skip|todo)\S*\s*(.*))?$", re.IGNORECASE)


class TapProgram(Program):
    def select(self, text, environment):
        # The cases are known only when it has run: one of them is chosen as "program: case".
        self.text = text
        return text in self.name or text.startswith(f"{self.name}:")

    def cases(self, end, scratch):
        planned, told = None, []  # what was told of each case: name, outcome, lines that explain it
        for line in end.output().splitlines():
            if plan := PLAN.match(line):
                planned = int(plan[1])
                if planned == 0:
                    return [self.case("", SKIPPED, plan[2] or "no reason given")]
            elif result := RESULT.match(line):
                told.append(self.told(result, len(told) + 1))
            elif told and told[-1][1] == FAILED:
                told[-1][2].append(line.removeprefix("# "))
        if end.status == SKIP_STATUS and not told:
            return super().cases(end, scratch)
        cases = [self.case(name, outcome, "\n".join(lines)) for name, outcome, lines in told]
        cases = [case for case in cases if self.text in case.title]
        if end.timed_out or planned is None or len(told) < planned:
            missing = range(len(told) + 1, (planned or len(told) + 1) + 1)
            why = end.reason or "ended early"
            cases += [self.case(f"case {number}", FAILED, f"did not end: the program {why}\n{end.tail()}") for number in missing]
        elif end.reason and not any(outcome == FAILED for _, outcome, _ in told):
            cases.append(self.case("", FAILED, f"{end.reason} although no case failed\n{end.tail()}"))
        return cases

    @staticmethod
    def told(result, number):
        name = result[3] or f"case {result[2] or number}"
        if directive := result[4]:
            return name, SKIPPED, [result[5] or directive.lower()]
        return name, FAILED if result[1] else PASSED, []
