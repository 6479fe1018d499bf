"""Runs test functions and reports in the Test Anything Protocol, one line a test."""

import signal
import sys
import traceback

# Programs under test can be interrupted, also when these tests run in the background of a shell, which ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def run(tests):
    """Runs each function; its name, with spaces, is the test's."""
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            test()
            result = "ok"
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
            result = "not ok"
            failed += 1
        print(f"{result} {number} - {test.__name__.replace('_', ' ')}", flush=True)
    sys.exit(1 if failed else 0)
