#!/usr/bin/env python3
"""Runs the tests of one or more builds and counts single cases.

    run_tests.py [--suite NAME]... [--models] [--without NAME REASON]... [--coverage] [--patience N] [--seconds N] [--filter TEXT] BUILD...

One line for each program, then what failed and what was skipped with the reasons, then the closing line
"N passed, N failed, N skipped". The exit status is 0 if nothing failed and something passed.
"""

import argparse
import signal
import sys
from pathlib import Path

from coverage import coverage_case
from testing import plan
from testing.case import FAILED, PASSED, SKIPPED, Case
from testing.runner import Runner, counts

SOURCE = Path(__file__).resolve().parent.parent
REASON_LINES = 70


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="+", type=Path, metavar="BUILD", help="a build directory")
    parser.add_argument("--suite", action="append", default=[], help="only this suite; may be repeated")
    parser.add_argument("--filter", default="", help="only cases with this text in 'program: case'")
    parser.add_argument("--models", action="store_true", help="the reduced models, too")
    parser.add_argument("--without", nargs=2, action="append", default=[], metavar=("NAME", "REASON"), help="what can't be tested here, and why")
    parser.add_argument("--coverage", action="store_true", help="tell the lines that nothing reached")
    parser.add_argument("--patience", type=float, default=1, help="multiplies the time each program may take")
    parser.add_argument("--seconds", type=float, default=1200, help="the time all may take")
    return parser.parse_args()


def show(program, cases, seconds):
    told = ", ".join(count for count in counts(cases) if not count.startswith("0 "))
    print(f"  {program.name:<34} {told or 'nothing to run':<32} {seconds:6.1f} s", flush=True)


def show_all(heading, cases, lines):
    if cases:
        print(f"\n{heading}:")
    for case in cases:
        print(f"  {case.title}")
        said = case.reason.splitlines()
        for line in said[:lines] + ["..."] * (len(said) > lines):
            print(f"      {line}")


def close(cases):
    show_all("Failed", [case for case in cases if case.outcome == FAILED], REASON_LINES)
    show_all("Skipped", [case for case in cases if case.outcome == SKIPPED], 3)
    print("\n" + ", ".join(counts(cases)), flush=True)
    outcomes = {case.outcome for case in cases}
    return 0 if PASSED in outcomes and FAILED not in outcomes else 1


def programs(options):
    for build in options.builds:
        yield from plan.tests_of(build.resolve(), options.suite, options.patience)
    if options.models:
        yield from plan.models(SOURCE)


def interrupt(number, frame):
    raise KeyboardInterrupt


def main():
    options = arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    runner = Runner(plan.environment(), options.builds[0].resolve() / "test-logs", options.seconds, show)
    chosen = [program for program in programs(options) if program.select(options.filter, runner.environment)]
    skipped = [Case(name, "", SKIPPED, reason) for name, reason in options.without]
    if not chosen:
        print(f"no test has '{options.filter}' in its name" if not skipped else "nothing can run here")
        return close(skipped)
    cases = runner.run(chosen) + skipped
    if options.coverage:
        whole = not options.filter
        cases.append(coverage_case(SOURCE, options.builds[0].resolve(), whole))
    return close(cases)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
