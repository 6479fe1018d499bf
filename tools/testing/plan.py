"""What there is to run: the tests that Meson knows of a build, and the models."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

from .gtest import GtestProgram
from .program import Program
from .tap import TapProgram

KINDS = {"gtest": GtestProgram, "tap": TapProgram, "exitcode": Program}
MODEL_SECONDS = 240

# halt_on_error and exitcode: a report always ends the process, with a status that no test takes for its own.
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "halt_on_error=1:exitcode=99:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1",
    "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1",
    # Tests fork while threads run.
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=99:second_deadlock_stack=1:die_after_fork=0",
}


def introspect(build, what):
    return json.loads(subprocess.run(["meson", "introspect", f"--{what}", build], stdout=subprocess.PIPE, check=True).stdout)


def tests_of(build, suites, patience):
    """The tests of a build in these suites (all if none is named)."""
    sanitizer = next(option["value"] for option in introspect(build, "buildoptions") if option["name"] == "b_sanitize")
    sanitized = sanitizer != "none"
    for test in introspect(build, "tests"):
        own_suites = [suite.split(":")[-1] for suite in test["suite"]]
        if suites and not set(own_suites) & set(suites):
            continue
        if "thread" in sanitizer and "gateway" in own_suites:
            continue  # it has one thread
        command, environment = test["cmd"], dict(test["env"])
        if patience != 1:
            environment |= {"SWARMBUS_TEST_PATIENCE": str(patience)}  # for times that tests judge
        fuzzing = "fuzz" in own_suites  # these judge and print reports themselves, and have options of their own
        if sanitized and not fuzzing:
            environment |= SANITIZER_OPTIONS
        if "thread" in sanitizer:
            command = [*fixed_addresses(), *command]
        yield KINDS[test["protocol"]](
            name=f"fuzz: {test['name']}" if fuzzing else f"{build.name} {test['name']}" if sanitized else test["name"],
            command=command,
            timeout=test["timeout"] * patience,
            environment=environment,
            directory=Path(test["workdir"] or build),
            alone=not test["is_parallel"],
            sanitized=sanitized and not fuzzing,
        )


@functools.cache
def fixed_addresses():
    """GCC 12's ThreadSanitizer can't place its memory under the wide address randomisation of new kernels.
    Some containers don't let it be switched off; with luck it works there as it is."""
    command = ["setarch", "-R"]
    return command if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode == 0 else []


def models(source):
    """The reduced variants of the models. They take much memory: one at a time."""
    check = [sys.executable, str(source / "tests/models/check.py")]
    listing = subprocess.run([*check, "--list-reduced"], capture_output=True, text=True, timeout=60)
    # Without a list there is one program, which tells why as its failure.
    for name in listing.stdout.split() if listing.returncode == 0 else ["--list-reduced"]:
        yield Program(name=f"model {name}", command=[*check, name], timeout=MODEL_SECONDS, directory=source, group="models")


def environment():
    """The environment of the tests: the developer's, without what would change their outcome."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SWARMBUS", "GTEST_", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C.UTF-8", "MALLOC_PERTURB_": "165"}
