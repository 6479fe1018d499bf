"""Runs the unittest cases of the main module and prints the results as TAP, one line a case."""

import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    def _tell(self, outcome, test, remark=""):
        name = test._testMethodName.removeprefix("test_").replace("_", " ")
        print(f"{outcome} {self.testsRun} - {name}{remark}", flush=True)

    def _tell_failure(self, test, error):
        self._tell("not ok", test)
        for line in "".join(traceback.format_exception(*error)).splitlines():
            print(f"# {line}")

    def addSuccess(self, test):
        super().addSuccess(test)
        self._tell("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._tell("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._tell_failure(test, error)

    def addError(self, test, error):
        super().addError(test, error)
        self._tell_failure(test, error)


def main():
    cases = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    print(f"1..{cases.countTestCases()}", flush=True)
    result = TapResult()
    cases.run(result)
    sys.exit(not result.wasSuccessful())
