"""What tests of the Python package share. A file of cases ends with harness.main(), as those of the command line do.

PYTHONPATH has the built package; SWARMBUS_PYTHON_TOOLS is where ./dev puts what it takes from PyPI.
"""
import asyncio
import gc
import glob
import os
import subprocess
import sys
import time

import harness
import swarmbus

PATIENCE = harness.PATIENCE
PYTHON_TOOLS = os.environ["SWARMBUS_PYTHON_TOOLS"]

sys.path += glob.glob(os.path.join(PYTHON_TOOLS, "lib", "python3*", "site-packages"))


class BusTest(harness.CliTest):
    """`self.bus` is the name of a bus that nobody else uses."""

    def open(self, name=None, **options):
        bus = swarmbus.Bus(name or self.bus, **options)
        self.addCleanup(bus.close)
        return bus

    def run_async(self, coroutine):
        async def bounded():
            return await asyncio.wait_for(coroutine, PATIENCE)

        return asyncio.run(bounded())

    def start_python(self, script, *arguments, **popen_options):
        """A program that begins with `import swarmbus` and runs on while the test does."""
        return self.start_program([sys.executable, "-u", "-c", "import swarmbus, sys\n" + script, *arguments],
                                  **{"stderr": subprocess.STDOUT, **popen_options})


def eventually(is_so, what="it"):
    """Waits until something is so; fails if it takes longer than anything here should."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {PATIENCE} s")
        time.sleep(harness.POLL_PAUSE)
        gc.collect()


async def eventually_in_loop(is_so, what="it"):
    """The same while the loop runs."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {PATIENCE} s")
        await asyncio.sleep(harness.POLL_PAUSE)
