import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import coverage
import tap_unittest

CODE = """\
int f(int x) {
    if (x > 3) {
        fail(
            x);
    }
    if (x < 0) return -1;
    return x;
}

int g() {
    return 1;
}
"""


def line(number, count):
    return {"line_number": number, "count": count, "gcovr/noncode": False, "branches": []}


class Coverage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for part in ("src", "docs"):
            (self.root / part).mkdir()
        (self.root / "src/a.cpp").write_text(CODE)
        self.document("")

    def document(self, text):
        (self.root / coverage.DOCUMENT).write_text("# Coverage\n\n- not an entry\n\n" + text)

    def report(self, reached):
        """What is unexplained if only these lines were reached, and what was printed."""
        counts = [line(number, number in reached) for number in (1, 2, 3, 4, 6, 7, 10, 11)]
        file = {"file": "src/a.cpp", "functions": [{"lineno": 1, "name": "f(int)"}, {"lineno": 10, "name": "g()"}], "lines": counts}
        printed = io.StringIO()
        with mock.patch.object(coverage, "measure", lambda source, build: [file]), contextlib.redirect_stdout(printed):
            return coverage.report(self.root, None), printed.getvalue()

    def test_all_reached_leaves_nothing_to_explain(self):
        unexplained, printed = self.report({1, 2, 3, 4, 6, 7, 10, 11})
        self.assertEqual(unexplained, [])
        self.assertIn("100.0 % of     8 lines", printed)

    def test_unreached_lines_are_told_in_runs(self):
        self.assertEqual(self.report({1, 2, 6, 10, 11})[0], ["src/a.cpp: 3-4, 7"])

    def test_a_run_ends_with_its_function(self):
        self.assertEqual(self.report({1, 2, 3, 4, 6})[0], ["src/a.cpp: 7, 10-11"])

    def test_an_entry_explains_the_run_around_its_code(self):
        self.document("## src/a.cpp\n\n- `fail(`: never\n")
        unexplained, printed = self.report({1, 2, 6, 10, 11})
        self.assertEqual(unexplained, ["src/a.cpp: 7"])
        self.assertIn("src/a.cpp: 3-4  (see docs/coverage.md)", printed)

    def test_an_entry_for_another_function_explains_nothing(self):
        self.document("## src/a.cpp\n\n- `return` in `f`: never\n")
        self.assertEqual(self.report({1, 2, 3, 4, 6})[0], ["src/a.cpp: 10-11"])

    def test_an_entry_for_another_file_explains_nothing(self):
        self.document("## src/b.cpp\n\n- `fail(`: never\n")
        self.assertEqual(self.report({1, 2, 6, 7, 10, 11})[0], ["src/a.cpp: 3-4"])

    def test_an_entry_that_is_reached_is_told(self):
        self.document("## `src/a.cpp`\n\n- `return x;`: never\n")
        self.assertIn("`return x;` of src/a.cpp is reached, or gone", self.report({1, 2, 3, 4, 6, 7, 10, 11})[1])

    def test_an_entry_without_a_reason_is_refused(self):
        self.document("## src/a.cpp\n\n- `return x;`\n")
        with self.assertRaises(SystemExit):
            self.report({1})

    def test_a_part_of_the_tests_is_not_judged(self):
        with mock.patch.object(coverage, "report", lambda source, build: ["src/a.cpp: 7"]):
            self.assertEqual(coverage.coverage_case(self.root, None, whole=False).outcome, "skipped")
            self.assertEqual(coverage.coverage_case(self.root, None, whole=True).outcome, "failed")


tap_unittest.main()
