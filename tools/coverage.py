#!/usr/bin/env python3
"""Line and branch coverage of src/ and capi/ after a test run, and each line that nothing reached.

    coverage.py BUILD

Unreached lines that docs/coverage.md does not name are `unexplained`; it tells how it names them.
"""

import itertools
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from testing.case import FAILED, PASSED, SKIPPED, Case

MEASURED = ["src/", "capi/"]
DOCUMENT = Path("docs/coverage.md")
HEADING = re.compile(r"^##+ `?((?:src|capi)/[^\s`]+)`?$")
ENTRY = re.compile(r"^- `(?P<snippet>[^`]+)`(?: in `(?P<function>[^`]+)`)?: (?P<reason>.+)$")


@dataclass
class Entry:
    """A line of docs/coverage.md."""

    file: str
    snippet: str
    function: str
    used: bool = False

    def names(self, run):
        return self.function in run.function and any(self.snippet in text for text in run.texts)


@dataclass
class Run:
    """Unreached lines of one function with no reached line between them."""

    function: str
    lines: list
    texts: list

    def __str__(self):
        first, last = self.lines[0], self.lines[-1]
        return f"{first}-{last}" if last > first else str(first)


def entries(document):
    found, file = [], None
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if heading := HEADING.match(line):
            file = heading[1]
        elif line.startswith("#"):
            file = None
        elif file and line.startswith("- "):
            entry = ENTRY.match(line)
            if not entry:
                sys.exit(f"{document}:{number}: not an entry: {line}")
            found.append(Entry(file, entry["snippet"], entry["function"] or ""))
    return found


def measure(source, build):
    command = ["gcovr", "--root", source, "--exclude-throw-branches", "--exclude-unreachable-branches", "-j", "2", "--json", "-"]
    for part in MEASURED:
        command += ["--filter", part]
    output = subprocess.run([*command, build], cwd=source, stdout=subprocess.PIPE, check=True).stdout
    return sorted(json.loads(output)["files"], key=lambda file: file["file"])


def unreached(source, file):
    """The runs of unreached lines of a file."""
    text = (source / file["file"]).read_text().splitlines()
    starts = sorted((function["lineno"], function["name"]) for function in file.get("functions", []))
    code = sorted((line for line in file["lines"] if not line["gcovr/noncode"]), key=lambda line: line["line_number"])

    def function_of(line):
        return next((name for first, name in reversed(starts) if first <= line["line_number"]), "")

    for (function, missed), lines in itertools.groupby(code, lambda line: (function_of(line), line["count"] == 0)):
        if missed:
            numbers = [line["line_number"] for line in lines]
            yield Run(function, numbers, text[numbers[0] - 1 : numbers[-1]])


def rate(reached, all_of_them):
    return f"{100 * reached / all_of_them:5.1f} %" if all_of_them else "      -"


def counted(files):
    """Reached lines, lines, taken branches, branches."""
    lines = [line for file in files for line in file["lines"] if not line["gcovr/noncode"]]
    branches = [branch for line in lines for branch in line["branches"]]
    return sum(line["count"] > 0 for line in lines), len(lines), sum(branch["count"] > 0 for branch in branches), len(branches)


def show(name, files):
    lines_reached, lines, branches_taken, branches = counted(files)
    print(f"  {name:<36} {rate(lines_reached, lines)} of {lines:5} lines  {rate(branches_taken, branches)} of {branches:5} branches")


def report(source, build):
    """Prints all; returns the unexplained lines as "file: 12-15, 30"."""
    files = measure(source, build)
    named = entries(source / DOCUMENT)
    print("\nCoverage:")
    for file in files:
        show(file["file"], [file])
    show("in all", files)

    print("\nUnreached lines:")
    unexplained = []
    for file in files:
        known, unknown = [], []
        for run in unreached(source, file):
            naming = [entry for entry in named if entry.file == file["file"] and entry.names(run)]
            for entry in naming:
                entry.used = True
            (known if naming else unknown).append(str(run))
        if known:
            print(f"  {file['file']}: {', '.join(known)}  (see {DOCUMENT})")
        if unknown:
            unexplained.append(f"{file['file']}: {', '.join(unknown)}")
            print(f"  {unexplained[-1]}  unexplained")
    for entry in named:
        if not entry.used:
            print(f"  {DOCUMENT}: `{entry.snippet}` of {entry.file} is reached, or gone")
    return unexplained


def coverage_case(source, build, whole):
    """The report as a case of the test run. A part of the tests can't be expected to reach everything."""
    unexplained = report(source, build)
    name = f"each unreached line is named in {DOCUMENT}"
    if not whole:
        return Case("coverage", name, SKIPPED, "only a part of the tests ran")
    return Case("coverage", name, FAILED if unexplained else PASSED, "\n".join(unexplained))


if __name__ == "__main__":
    sys.exit(1 if report(Path(__file__).resolve().parent.parent, Path(sys.argv[1]).resolve()) else 0)
