"""Runs programs: two at a time, those that need the machine for themselves alone."""

import os
import re
import resource
import shutil
import tempfile
import time
from pathlib import Path

from . import session
from .case import FAILED, PASSED, SKIPPED, Case
from .program import End

AT_ONCE = min(2, os.cpu_count() or 1)
LOOK_SECONDS = 0.02
SANITIZER_REPORT = re.compile(r"(ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|FATAL: ThreadSanitizer|runtime error:)")
REPORT_LINES = 60


class Runner:
    def __init__(self, environment, logs, seconds, show):
        self.environment = environment
        self.logs = logs
        self.deadline = time.monotonic() + seconds
        self.show = show  # called with a program, its cases and the seconds it took
        self.cases = []
        self.running = []  # programs and their sessions

    def run(self, programs):
        """Runs all; returns the cases."""
        session.adopt_orphans()
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.scratch = Path(tempfile.mkdtemp(prefix="swarmbus-test-"))
        before = session.bus_files()
        # Models take longest: they start first. What runs alone comes last.
        waiting = sorted(programs, key=lambda program: (program.alone, program.group == ""))
        try:
            while waiting or self.running:
                self.start_what_fits(waiting)
                time.sleep(LOOK_SECONDS)
                self.finish_what_ended()
            self.judge_what_is_left(before)
        finally:
            for _, running in self.running:
                running.kill()
            session.orphans_left_behind()
            shutil.rmtree(self.scratch, ignore_errors=True)
        return self.cases

    def start_what_fits(self, waiting):
        for program in list(waiting):
            if time.monotonic() > self.deadline:
                waiting.remove(program)
                self.conclude(program, [Case(program.name, "", FAILED, "the time of the whole run was up before it started")], 0)
            elif self.fits(program):
                waiting.remove(program)
                self.start(program)

    def fits(self, program):
        others = [other for other, _ in self.running]
        if program.alone or any(other.alone for other in others):
            return not others
        return len(others) < AT_ONCE and not (program.group and any(other.group == program.group for other in others))

    def start(self, program):
        log, results = self.files_of(program)
        scratch = self.scratch / log.stem
        scratch.mkdir()
        environment = self.environment | program.environment | {"TMPDIR": str(scratch)}
        command = [*program.command, *program.arguments(results)]
        try:
            self.running.append((program, session.Session(command, environment, program.directory, log)))
        except OSError as error:
            self.conclude(program, [Case(program.name, "", FAILED, f"it can't be started: {error}")], 0)

    def files_of(self, program):
        stem = re.sub(r"[^\w.-]+", "-", program.name)
        return self.logs / f"{stem}.log", self.logs / f"{stem}.xml"

    def finish_what_ended(self):
        now = time.monotonic()
        for program, running in list(self.running):
            timed_out = not running.ended() and (running.seconds > program.timeout or now > self.deadline)
            if not running.ended() and not timed_out:
                continue
            seconds = running.seconds
            if timed_out:
                running.kill()
            self.running.remove((program, running))
            end = End(running.leader.returncode, timed_out, seconds, running.log)
            cases = program.cases(end, self.files_of(program)[1])
            if program.sanitized:
                cases += self.sanitizer_reports(program, end)
            if left := running.left_behind():
                cases.append(Case(program.name, "leaves no process behind", FAILED, "\n".join(left)))
            self.conclude(program, cases, seconds)

    def sanitizer_reports(self, program, end):
        """A report may come from a child whose end no case looks at."""
        lines = end.output().splitlines()
        for number, line in enumerate(lines):
            if SANITIZER_REPORT.search(line):
                report = "\n".join(lines[number : number + REPORT_LINES])
                return [Case(program.name, "has no sanitizer report", FAILED, f"{report}\nsee {end.log}")]
        return []

    def judge_what_is_left(self, before):
        files = [str(path) for path in sorted(self.scratch.glob("*/*"))]
        left = session.orphans_left_behind() + session.bus_files_left_behind(before) + files
        outcome, reason = (FAILED, "\n".join(left)) if left else (PASSED, "")
        self.cases.append(Case("tests", "leave no process and no file behind", outcome, reason))

    def conclude(self, program, cases, seconds):
        self.cases += cases
        self.show(program, cases, seconds)


def counts(cases):
    """How many passed, failed and were skipped, in words."""
    return [f"{sum(case.outcome == outcome for case in cases)} {outcome}" for outcome in (PASSED, FAILED, SKIPPED)]
