"""The test runner, against programs that end in all the ways a test should not."""

import mmap
import os
import stat
import tempfile
import textwrap
import unittest
from pathlib import Path
from unittest import mock

import tap_unittest
from testing import plan, session
from testing.gtest import GtestProgram
from testing.program import Program
from testing.runner import Runner, counts
from testing.tap import TapProgram

LISTING = "Suite.\n  one\n  two\n  three  # GetParam() = 3\n"


class RunnerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.shared_memory = self.folder / "shm"
        self.shared_memory.mkdir()
        for name, value in (("GRACE_SECONDS", 0.3), ("SHARED_MEMORY", self.shared_memory)):
            patch = mock.patch.object(session, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def script(self, text, name="program"):
        path = self.folder / name
        path.write_text("#!/bin/sh\n" + textwrap.dedent(text))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return [str(path)]

    def run_all(self, *programs, text="", seconds=60):
        """The cases: title to outcome and reason."""
        runner = Runner(dict(os.environ), self.folder / "logs", seconds, lambda program, cases, seconds: None)
        cases = runner.run([program for program in programs if program.select(text, runner.environment)])
        self.assertEqual(len({case.title for case in cases}), len(cases))
        return {case.title: (case.outcome, case.reason) for case in cases}

    def run_script(self, text, kind=Program, timeout=30, filter_text="", **more):
        return self.run_all(kind("program", self.script(text), timeout, **more), text=filter_text)

    def run_gtest(self, text, timeout=30, filter_text=""):
        """A program that lists three cases and then runs `text`; $results is the file for the results."""
        return self.run_script(
            f"""
            case "$1" in --gtest_list_tests) printf '{LISTING}'; exit 0;; esac
            results=${{1#--gtest_output=xml:}}
            """ + textwrap.dedent(text), GtestProgram, timeout, filter_text)

    def outcomes(self, cases):
        return {title: outcome for title, (outcome, _) in cases.items() if title != "tests: leave no process and no file behind"}


class PlainPrograms(RunnerTest):
    def test_the_exit_status_tells(self):
        self.assertEqual(self.outcomes(self.run_script("exit 0")), {"program": "passed"})
        self.assertEqual(self.outcomes(self.run_script("exit 3")), {"program": "failed"})

    def test_77_is_a_skip_and_the_last_line_its_reason(self):
        self.assertEqual(self.run_script("echo looking; echo no spin here; exit 77")["program"], ("skipped", "no spin here"))

    def test_a_failure_shows_the_output(self):
        outcome, reason = self.run_script("echo why it failed >&2; exit 1")["program"]
        self.assertEqual(outcome, "failed")
        self.assertIn("why it failed", reason)

    def test_what_takes_too_long_is_ended_and_failed(self):
        cases = self.run_script("sleep 1000 & sleep 1000", timeout=0.3)
        self.assertIn("did not end within", cases["program"][1])
        self.assertEqual(self.outcomes(cases), {"program": "failed"})

    def test_what_can_not_be_started_fails(self):
        self.assertEqual(self.outcomes(self.run_all(Program("program", ["/nonexistent"], 30))), {"program": "failed"})

    def test_what_did_not_start_in_time_fails(self):
        cases = self.run_all(Program("program", self.script("exit 0"), 30), seconds=-1)
        self.assertEqual(self.outcomes(cases), {"program": "failed"})

    def test_outcomes_are_counted(self):
        programs = [Program(f"p{status}", self.script(f"exit {status}", f"p{status}"), 30) for status in (0, 1, 77)]
        runner = Runner(dict(os.environ), self.folder / "logs", 60, lambda program, cases, seconds: None)
        self.assertEqual(counts(runner.run(programs)), ["2 passed", "1 failed", "1 skipped"])  # and nothing left behind


class GoogleTests(RunnerTest):
    RESULTS = """
        cat >"$results" <<'END'
        <testsuites><testsuite name="Suite">
        <testcase classname="Suite" name="one" result="completed"/>
        <testcase classname="Suite" name="two" result="skipped"><skipped message="x">file.cpp:3
        needs root</skipped></testcase>
        <testcase classname="Suite" name="three" result="completed">LAST</testcase>
        </testsuite></testsuites>
        END
        """

    def test_each_case_counts(self):
        cases = self.run_gtest(self.RESULTS.replace("LAST", "<failure>1 is not 2</failure>") + "exit 1")
        self.assertEqual(cases["program: Suite.one"], ("passed", ""))
        self.assertEqual(cases["program: Suite.two"], ("skipped", "needs root"))
        self.assertEqual(cases["program: Suite.three"], ("failed", "1 is not 2"))

    def test_a_bad_end_after_good_cases_fails(self):
        cases = self.run_gtest(self.RESULTS.replace("LAST", "") + "exit 99")
        self.assertEqual(cases["program"][0], "failed")
        self.assertIn("status 99 although no case failed", cases["program"][1])

    def test_a_crash_hides_no_case(self):
        cases = self.run_gtest("""
            echo '[ RUN      ] Suite.one'
            echo '[       OK ] Suite.one (0 ms)'
            echo '[ RUN      ] Suite.two'
            kill -SEGV $$
            """)
        self.assertEqual(cases["program: Suite.one"], ("passed", ""))
        self.assertEqual(cases["program: Suite.two"][0], "failed")
        self.assertIn("ended by SIGSEGV in this case", cases["program: Suite.two"][1])
        self.assertEqual(cases["program: Suite.three"][0], "failed")
        self.assertIn("ended by SIGSEGV in Suite.two", cases["program: Suite.three"][1])

    def test_a_crash_does_not_show_the_results_of_the_run_before(self):
        self.run_gtest(self.RESULTS.replace("LAST", ""))
        self.assertEqual(set(self.outcomes(self.run_gtest("kill -SEGV $$")).values()), {"failed"})

    def test_a_hang_fails_the_case_that_ran(self):
        cases = self.run_gtest("echo '[ RUN      ] Suite.one'; sleep 1000", timeout=0.3)
        self.assertIn("did not end within", cases["program: Suite.one"][1])
        self.assertEqual(list(self.outcomes(cases).values()), ["failed"] * 3)

    def test_an_early_exit_with_status_0_fails(self):
        self.assertEqual(list(self.outcomes(self.run_gtest("exit 0")).values()), ["failed"] * 3)

    def test_a_program_that_can_not_list_its_cases_fails(self):
        self.assertEqual(self.outcomes(self.run_script("exit 1", GtestProgram)), {"program": "failed"})

    def test_a_filter_chooses_cases(self):
        chosen = """
        case "$*" in *--gtest_filter=Suite.two) ;; *) exit 1;; esac"""
        cases = self.run_gtest(chosen + self.RESULTS.replace("LAST", ""), filter_text="Suite.tw")
        self.assertEqual(self.outcomes(cases), {"program: Suite.two": "skipped"})


class TapPrograms(RunnerTest):
    def run_tap(self, text, **more):
        return self.run_script(text, TapProgram, **more)

    def test_each_case_counts(self):
        cases = self.run_tap("printf '1..3\nok 1 - good\nnot ok 2 - bad\n# because\nok 3 - left out # SKIP no jq\n'; exit 1")
        self.assertEqual(cases["program: good"], ("passed", ""))
        self.assertEqual(cases["program: bad"], ("failed", "because"))
        self.assertEqual(cases["program: left out"], ("skipped", "no jq"))

    def test_the_plan_may_come_last(self):
        self.assertEqual(self.outcomes(self.run_tap("printf 'ok 1 - good\n1..1\n'")), {"program: good": "passed"})

    def test_cases_that_did_not_come_fail(self):
        cases = self.run_tap("printf '1..3\nok 1 - good\n'; kill -SEGV $$")
        self.assertEqual(self.outcomes(cases), {"program: good": "passed", "program: case 2": "failed", "program: case 3": "failed"})

    def test_an_end_without_a_plan_fails(self):
        self.assertEqual(self.outcomes(self.run_tap("exit 0")), {"program: case 1": "failed"})

    def test_a_bad_end_after_good_cases_fails(self):
        self.assertEqual(self.outcomes(self.run_tap("printf 'ok 1 - good\n1..1\n'; exit 5")), {"program: good": "passed", "program": "failed"})

    def test_nothing_to_do_is_a_skip(self):
        self.assertEqual(self.run_tap("echo '1..0 # SKIP no terminal'")["program"], ("skipped", "no terminal"))

    def test_a_filter_names_program_and_case(self):
        text = "printf 'ok 1 - good\nok 2 - better\n1..2\n'"
        self.assertEqual(self.outcomes(self.run_tap(text, filter_text="program: bet")), {"program: better": "passed"})


class Leftovers(RunnerTest):
    LAST = "tests: leave no process and no file behind"

    def test_a_process_left_behind_is_ended_and_told(self):
        cases = self.run_script("sleep 1000 & exit 0")
        self.assertIn("(sleep)", cases["program: leaves no process behind"][1])
        self.assertEqual(cases[self.LAST][0], "passed")

    def test_a_process_in_a_session_of_its_own_is_told_at_the_end(self):
        cases = self.run_script("setsid sleep 1000 & exit 0")
        self.assertEqual(cases[self.LAST][0], "failed")
        self.assertIn("(sleep)", cases[self.LAST][1])

    def test_a_process_that_is_about_to_end_is_fine(self):
        self.assertEqual(self.outcomes(self.run_script("sleep 0.05 & exit 0")), {"program": "passed"})

    def test_the_file_of_a_bus_left_behind_is_told(self):
        path = self.shared_memory / "swarmbus.left"
        self.assertEqual(self.run_script(f"touch {path}")[self.LAST], ("failed", str(path)))

    def test_a_file_of_a_bus_in_use_is_not_ours(self):
        path = self.shared_memory / "swarmbus.used"
        with open(path, "w+b") as file:
            file.truncate(4096)
            with mmap.mmap(file.fileno(), 4096):
                self.assertEqual(self.run_all(Program("program", self.script(f"mv {path} {path}-by-others"), 30))[self.LAST][0], "passed")

    def test_a_temporary_file_left_behind_is_told(self):
        cases = self.run_script("touch $TMPDIR/debris")
        self.assertEqual(cases[self.LAST][0], "failed")
        self.assertTrue(cases[self.LAST][1].endswith("/program/debris"))

    def test_a_sanitizer_report_of_a_child_is_told(self):
        text = "echo '==1==ERROR: AddressSanitizer: heap-use-after-free'; exit 0"
        cases = self.run_script(text, sanitized=True)
        self.assertIn("heap-use-after-free", cases["program: has no sanitizer report"][1])
        self.assertEqual(self.outcomes(self.run_script(text)), {"program": "passed"})


class Plan(unittest.TestCase):
    def test_fuzz_targets_go_by_their_own_names_and_judge_sanitizer_reports_themselves(self):
        test = {"name": "json holds", "suite": ["swarmbus:fuzz"], "cmd": ["run"], "env": {}, "protocol": "exitcode", "timeout": 9,
                "workdir": None, "is_parallel": True}
        told = {"tests": [test], "buildoptions": [{"name": "b_sanitize", "value": "address,undefined"}]}
        with mock.patch.object(plan, "introspect", lambda build, what: told[what]):
            [program] = plan.tests_of(Path("fuzz"), [], 1)
        self.assertEqual((program.name, program.sanitized, program.environment), ("fuzz: json holds", False, {}))

    def test_tests_are_told_how_much_patience_is_asked_for(self):
        test = {"name": "quick", "suite": ["swarmbus:unit"], "cmd": ["run"], "env": {"A": "b"}, "protocol": "exitcode", "timeout": 9, "workdir": None,
                "is_parallel": True}
        told = {"tests": [test], "buildoptions": [{"name": "b_sanitize", "value": "none"}]}
        with mock.patch.object(plan, "introspect", lambda build, what: told[what]):
            [program] = plan.tests_of(Path("test"), [], 3)
        self.assertEqual((program.timeout, program.environment), (27, {"A": "b", "SWARMBUS_TEST_PATIENCE": "3"}))


class Order(RunnerTest):
    def spans(self, **more):
        """Runs three programs that each say when they begin and end."""
        said = self.folder / "said"
        said.unlink(missing_ok=True)
        text = f"echo begin >>{said}; sleep 0.2; echo end >>{said}"
        self.run_all(*(Program(f"p{n}", self.script(text, f"p{n}"), 30, **more) for n in range(3)))
        return said.read_text().split()

    def test_programs_that_need_the_machine_alone_do_not_overlap(self):
        self.assertEqual(self.spans(alone=True), ["begin", "end"] * 3)

    def test_programs_of_a_group_do_not_overlap(self):
        self.assertEqual(self.spans(group="models"), ["begin", "end"] * 3)


tap_unittest.main()
