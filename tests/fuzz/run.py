#!/usr/bin/env python3
"""Runs a fuzz target for a while; tells how many inputs it tried, or what was found and how to repeat it.

The corpus is kept in build/fuzz-corpus/TARGET and grows from run to run. Inputs that failed are kept in
build/fuzz-findings/TARGET and are tried first by the next run.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REPORT_LINES = 24  # with what follows no more than a test's reason shows
SECONDS_FOR_ONE = 20  # a busy machine included
MEBIBYTES = 1024


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path, help="the target, built")
    parser.add_argument("--seeds", type=Path, action="append", default=[], help="where there are folders of seeds; may be repeated")
    parser.add_argument("--seconds", type=int, default=60)
    return parser.parse_args()


def report(output):
    """From the first line that is about the finding; before that there is only progress."""
    lines = output.splitlines()
    begin = next((i for i, line in enumerate(lines) if re.search(r"^fuzz: |ERROR: |runtime error: ", line)), max(0, len(lines) - REPORT_LINES))
    return "\n".join(lines[begin : begin + REPORT_LINES])


def main():
    options = arguments()
    name = options.program.name
    corpus, findings = ROOT / "build/fuzz-corpus" / name, ROOT / "build/fuzz-findings" / name
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    seeds = [folder / name for folder in options.seeds if (folder / name).is_dir()]
    words = [f"-dict={path}" for folder in options.seeds if (path := folder / f"{name}.dict").is_file()]
    command = [options.program, f"-max_total_time={options.seconds}", f"-timeout={SECONDS_FOR_ONE}", f"-rss_limit_mb={MEBIBYTES}",
               f"-artifact_prefix={findings}/", "-print_final_stats=1", *words, corpus, findings, *seeds]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if run.returncode == 0:
        tried, each_second = (re.search(rf"^stat::{what}:\s*(\d+)", run.stdout, re.MULTILINE)[1]
                              for what in ("number_of_executed_units", "average_exec_per_sec"))
        print(f"{name}: {tried} inputs, {each_second} a second, {len(list(corpus.iterdir()))} kept in {corpus}")
        return 0
    print(report(run.stdout))
    if written := re.search(r"Test unit written to (\S+)", run.stdout):
        print(f"\n{name} fails on {written[1]}\nto repeat: {options.program} {written[1]}")
    else:
        print(f"\n{name} ended with status {run.returncode} and wrote no input")
    return 1


if __name__ == "__main__":
    sys.exit(main())
