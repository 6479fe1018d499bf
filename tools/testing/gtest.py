"""Programs built with GoogleTest.

The cases are listed before the run and told from the XML result file (its JSON twin leaves out why a
case was skipped). A program that crashes or is killed writes no such file: then the cases it printed as
ended count as they ended, and all others as failed.
"""

import re
import subprocess
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field

from .case import FAILED, PASSED, SKIPPED
from .program import Program

LISTING_SECONDS = 60
PRINTED = re.compile(r"^\[\s*(?P<mark>RUN|OK|FAILED|SKIPPED)\s*\] (?P<name>[^\s,]+)")
OUTCOMES = {"OK": PASSED, "FAILED": FAILED, "SKIPPED": SKIPPED}


def listed_names(listing):
    """The names in the output of --gtest_list_tests."""
    suite = None
    for line in listing.splitlines():
        entry = line.split("#")[0].rstrip()
        if entry.endswith(".") and not entry.startswith(" "):
            suite = entry
        elif suite and entry.startswith("  "):
            yield suite + entry.strip()


@dataclass
class GtestProgram(Program):
    names: list = field(default_factory=list)
    unlisted: str = ""  # why the cases could not be listed
    partly: bool = False

    def select(self, text, environment):
        try:
            listing = subprocess.run(self.command + ["--gtest_list_tests"], env=environment | self.environment, cwd=self.directory,
                                     stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LISTING_SECONDS, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            self.unlisted = f"its cases can't be listed: {error}\n{getattr(error, 'stderr', None) or ''}"
            return True
        everything = list(listed_names(listing.stdout))
        if not everything:
            self.unlisted = "it lists no cases"
            return True
        self.names = [name for name in everything if text in f"{self.name}: {name}"]
        self.partly = len(self.names) < len(everything)
        return bool(self.names)

    def arguments(self, scratch):
        chosen = ["--gtest_filter=" + ":".join(self.names)] if self.partly else []
        return [f"--gtest_output=xml:{scratch}", "--gtest_color=no", *chosen]

    def cases(self, end, scratch):
        if self.unlisted:
            return [self.case("", FAILED, self.unlisted)]
        try:
            told = dict(self.told_in(xml.parse(scratch).getroot()))
        except (FileNotFoundError, xml.ParseError):
            told = self.printed(end)
        cases = [self.case(name, *told.get(name, (FAILED, "it did not run"))) for name in self.names]
        if end.reason and not any(case.outcome == FAILED for case in cases):
            cases.append(self.case("", FAILED, f"{end.reason} although no case failed\n{end.tail()}"))
        return cases

    def told_in(self, results):
        for case in results.iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            failures = [failure.text or failure.get("message") for failure in case.findall("failure")]
            skipped = case.find("skipped")
            if failures:
                yield name, (FAILED, "\n".join(failures))
            elif skipped is not None:
                # The first line is the place in the source.
                yield name, (SKIPPED, "\n".join((skipped.text or "").splitlines()[1:]) or "no reason given")
            elif case.get("result") == "completed":
                yield name, (PASSED, "")
            elif case.get("result") == "suppressed" and ".DISABLED_" in f".{name}":
                yield name, (SKIPPED, "disabled in the source")

    def printed(self, end):
        """What can be told from the output of a program that ended early."""
        why = end.reason or "ended early with status 0"
        told = {}
        running = None
        for match in filter(None, map(PRINTED.match, end.output().splitlines())):
            mark, name = match["mark"], match["name"]
            if mark == "RUN":
                running = name
            else:
                running = None
                told[name] = (OUTCOMES[mark], "" if mark == "OK" else f"see {end.log}")
        if running:
            told[running] = (FAILED, f"{why} in this case\n{end.tail()}")
        for name in self.names:
            told.setdefault(name, (FAILED, f"did not run: the program {why}" + (f" in {running}" if running else f"\n{end.tail()}")))
        return told
