#!/usr/bin/env python3
"""Checks the models in this folder with Spin.

    check.py NAME...          these variants
    check.py --reduced        the variants that end quickly, as in the test suite
    check.py --all            every variant, to completion; writes the table in docs/models.md
    check.py --list           names, with what is expected;  --list-reduced: names only
    --write                   with NAME: bring the table in docs/models.md up to date for these
    --noreduce                without Spin's partial order reduction (slower, same verdicts)

A variant that must pass has passed only if the search was complete. One that must fail has failed only if Spin found the
kind of violation that is expected of it. Exit status: 0 all as expected, 1 not, 2 wrong usage, 77 Spin is not installed.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs" / "models.md"
BEGIN, END = "<!-- results: written by tests/models/check.py --all -->", "<!-- end of results -->"
SKIPPED = 77

# What a violated assertion means, by the text that Spin prints. The first that matches counts.
KINDS = {
    "stranger": r"\.gen==gen",                      # an event of another owner's time is delivered
    "torn": r"\.wr\)|\.rd\)",                       # written while it is read or written
    "twice": r"q>seen\[|!\(came\[\(\(\(slot",       # delivered or evicted again
    "lost": r"came\[.*\|\| ?!\(sent\[",             # told as sent, never came
    "set aside": r"mark!=2",                        # a slot stays REVOKED though nobody stalls
    "foreign": r"\(o==me\)&&\(m==2\)",              # a claim given back that is not one's own
    "burnt": r"pos<\d+",                            # positions used without end
    "asleep": r"taken==events|done\[1\]&&done\[2\]|slept&&",   # somebody sleeps for ever
    "revoked": r"told&&revoked",                    # told as committed, and taken away
    "two owners": r"inside&&taken",                 # inside an inbox that has a new owner
    "stuck": r"assertion violated done\[i\]|\.pos!=head|lock==0|lease\[1\]!=1|egen==2",
}


class Variant(NamedTuple):
    name: str
    file: str
    flags: str
    expected: str               # "pass", or the kind of failure
    reduced: bool = False
    depth: int = 20_000         # of the search; too small is an error
    options: str = ""           # for compiling the search: where a violation is found sooner in another order


R = True                        # in the reduced set
SMALL = "MSGS=1 MSGS2=2"        # three events in two slots: the ring is full once
VARIANTS = [
    # One inbox.
    Variant("inbox", "inbox.pml", "", "pass", R),
    Variant("inbox-dying", "inbox.pml", "CRASH=1", "pass", R),
    Variant("inbox-stalling", "inbox.pml", f"STALL=1 {SMALL}", "pass", R),
    Variant("inbox-dying-stalling", "inbox.pml", f"CRASH=1 STALL=1 {SMALL}", "pass"),
    Variant("evict", "inbox.pml", f"EVICT=1 {SMALL}", "pass", R),
    Variant("evict-dying", "inbox.pml", f"EVICT=1 CRASH=1 {SMALL}", "pass"),
    Variant("evict-dying-batch", "inbox.pml", f"EVICT=1 CRASH=1 BATCH=2 {SMALL}", "pass"),
    Variant("evict-stalling", "inbox.pml", f"EVICT=1 STALL=1 {SMALL}", "pass"),
    Variant("evict-batch", "inbox.pml", "EVICT=1 BATCH=2", "pass"),
    Variant("no-second-try", "inbox.pml", f"HOLE=1 STALL=1 {SMALL}", "lost", R),
    Variant("no-bound-once-around", "inbox.pml", "NOROUND=1 EVICT=1 BATCH=2", "burnt", R),
    Variant("holding-by-position", "inbox.pml", "BYPOS=1 EVICT=1 BATCH=2", "torn", R),
    Variant("holding-after-head", "inbox.pml", "HOLDLATE=1 EVICT=1", "torn", R),
    Variant("no-look-after-commit", "inbox.pml", "NOLOOK=1 STALL=1", "lost", R),
    Variant("doubt-ignored", "inbox.pml", "IGNOREDOUBT=1 STALL=1", "lost", R),
    Variant("no-give-back", "inbox.pml", "NOGIVE=1 STALL=1", "set aside", R),
    Variant("no-look-after-doubt", "inbox.pml", "NODOUBT=1 STALL=1", "lost", R),
    Variant("delivers-after-revoking", "inbox.pml", "LATEREAD=1 STALL=1", "twice", R),
    Variant("evicts-without-second-look", "inbox.pml", f"EVICTONCE=1 EVICT=1 STALL=1 {SMALL}", "twice", R),
    Variant("evicts-in-doubt", "inbox.pml", f"KEEPDOUBT=1 EVICT=1 STALL=1 {SMALL}", "twice", R),
    Variant("evicts-the-unfinished", "inbox.pml", "PASSLIVE=1 EVICT=1", "lost", R),
    Variant("passes-the-dead-blindly", "inbox.pml", f"PASSBLIND=1 EVICT=1 CRASH=1 {SMALL}", "lost", R),
    # Cached head and holding.
    Variant("cache", "cache.pml", f"EVICT=1 BATCH=2 {SMALL}", "pass", R),
    Variant("cache-dying", "cache.pml", f"EVICT=1 BATCH=2 CRASH=1 {SMALL}", "pass"),
    Variant("cache-own-head", "cache.pml", f"SETHEAD=1 EVICT=1 BATCH=2 {SMALL}", "pass"),
    Variant("cache-holding-first", "cache.pml", "ORDER=0 EVICT=1 BATCH=2", "torn", R),
    # Two threads of one process.
    Variant("threads", "threads.pml", f"OTHER=0 {SMALL}", "pass", R),
    Variant("threads-evict", "threads.pml", f"OTHER=0 EVICT=1 {SMALL}", "pass"),
    Variant("threads-and-another", "threads.pml", "MSGS=1", "pass"),
    Variant("threads-and-another-evict", "threads.pml", "MSGS=1 EVICT=1", "pass"),
    Variant("threads-share-an-id", "threads.pml", f"SHAREID=1 OTHER=0 CRASH=0 STALL=1 EVICT=1 {SMALL}", "twice", R),
    Variant("threads-share-an-id-block", "threads.pml", f"SHAREID=1 OTHER=0 CRASH=0 STALL=1 {SMALL}", "foreign", R),
    # Reaping.
    Variant("reap", "reap.pml", "MSGS=1 MSGS2=1 HEIR=0", "pass", R),
    Variant("reap-heir", "reap.pml", "MSGS=1 MSGS2=1", "pass"),
    Variant("reap-heir-evict", "reap.pml", "MSGS=1 MSGS2=1 EVICT=1", "pass"),
    Variant("two-reapers", "reap.pml", "MSGS=1 MSGS2=0 REAPERS=2 RDIE=1", "pass"),
    Variant("two-reapers-evict", "reap.pml", "MSGS=1 MSGS2=0 REAPERS=2 RDIE=1 EVICT=1", "pass"),
    Variant("reap-one-look", "reap.pml", "MSGS=1 MSGS2=1 REAPLOOK=0", "set aside", R),
    Variant("reap-plain-store", "reap.pml", f"REAPCAS=0 HEIR=0 EVICT=1 {SMALL}", "lost", options="-DT_REVERSE"),
    Variant("two-reapers-plain-store", "reap.pml", "REAPERS=2 LOCK=0 REAPCAS=0 EVICT=1 MSGS=1 MSGS2=1", "lost"),
    Variant("two-reapers-one-look", "reap.pml", "REAPERS=2 LOCK=0 REAPLOOK=0 HEIR=0 MSGS=1 MSGS2=1", "set aside"),
    Variant("two-reapers-no-heir", "reap.pml", "REAPERS=2 LOCK=0 HEIR=0 MSGS=1 MSGS2=1", "pass"),
    Variant("reap-id-first", "reap.pml", "MSGS=1 MSGS2=1 EARLYFREE=1", "lost", R),
    Variant("reap-ready-only", "reap.pml", "MSGS=1 MSGS2=1 READYONLY=1", "set aside", R),
    Variant("reap-stale-death", "reap.pml", f"STALEDEAD=1 EVICT=1 {SMALL}", "lost", R),
    Variant("two-reapers-no-lock", "reap.pml", "MSGS=1 MSGS2=1 EVICT=1 REAPERS=2 LOCK=0", "lost", R),
    Variant("two-reapers-no-recheck", "reap.pml", "MSGS=1 MSGS2=1 EVICT=1 REAPERS=2 RECHECK=0", "lost", R),
    # Reuse of an inbox by a new owner.
    Variant("reuse", "reuse.pml", "MSGS=1 MSGS2=1", "pass", R),
    Variant("reuse-dying", "reuse.pml", "CRASH=1 MSGS=1 MSGS2=1", "pass", R),
    Variant("reuse-dying-owner", "reuse.pml", "RCRASH=1 CRASH=1 MSGS=1 MSGS2=1", "pass"),
    Variant("reuse-dying-stalling", "reuse.pml", "CRASH=1 STALL=1 MSGS=1 MSGS2=1", "pass"),
    Variant("reuse-dying-stalling-evict", "reuse.pml", "CRASH=1 STALL=1 EVICT=1 MSGS=1 MSGS2=1", "pass"),
    Variant("reuse-dying-three", "reuse.pml", f"CRASH=1 RCRASH=1 {SMALL}", "pass"),
    Variant("reuse-evict-dying-owner", "reuse.pml", "EVICT=1 RCRASH=1 MSGS=1 MSGS2=1", "pass"),
    Variant("reuse-nobody-asked", "reuse.pml", "NOQUIET=1 MSGS=1 MSGS2=1", "stranger", R),
    Variant("reuse-named-late", "reuse.pml", "LATENAME=1 MSGS=1 MSGS2=1", "stranger", R),
    Variant("reuse-cleared-early", "reuse.pml", "EARLYCLEAR=1 STALL=1 MSGS=1 MSGS2=1", "foreign", R),
    Variant("reuse-settles-the-dead-only", "reuse.pml", "SETTLE=1 RELEASE=1 CRASH=1 MSGS=1 MSGS2=1", "set aside", R),
    Variant("reuse-starts-at-hint", "reuse.pml", "START=1 CRASH=1 MSGS=1 MSGS2=1", "stranger", R),
    # Waking and room.
    Variant("wake", "wake.pml", "", "pass", R),
    Variant("wake-no-bump", "wake.pml", "BUMP=0", "asleep", R),
    Variant("wake-reset", "wake.pml", "RESET=1", "asleep", R),
    Variant("wake-no-last-look", "wake.pml", "LOOKONCE=1", "asleep", R),
    Variant("wake2", "wake2.pml", "", "pass"),
    Variant("wake2-descriptor", "wake2.pml", "MODES=1", "pass", R),
    Variant("wake2-cas-first", "wake2.pml", "FIRST=0", "asleep", R),
    Variant("wake2-late-drain", "wake2.pml", "DRAIN=1", "asleep", R),
    Variant("wake2-same-word", "wake2.pml", "UNIQ=0", "asleep", R),
    Variant("room", "room.pml", "", "pass", R),
    Variant("room-closing", "room.pml", "CLOSE=2", "pass", R),
    Variant("room-late-flag", "room.pml", "LATE=1", "asleep", R),
    Variant("room-no-bump", "room.pml", "KEEP=1", "asleep", R),
    Variant("room-silent-close", "room.pml", "CLOSE=1", "asleep", R),
]
# The four pairs with store buffers: both fences, either one left out, and what x86 hides.
for pair, label, kind in ((1, "commit-doubt", "revoked"), (2, "asleep-commit", "asleep"), (3, "head-room", "asleep"),
                          (4, "name-state", "two owners")):
    VARIANTS += [
        Variant(f"tso-{label}", "tso.pml", f"PAIR={pair}", "pass", R),
        Variant(f"tso-{label}-no-fence-a", "tso.pml", f"PAIR={pair} FENCE_A=0", kind, R),
        Variant(f"tso-{label}-no-fence-b", "tso.pml", f"PAIR={pair} FENCE_B=0", kind, R),
    ]
    if pair < 4:
        VARIANTS.append(Variant(f"tso-{label}-no-fence-b-x86", "tso.pml", f"PAIR={pair} FENCE_B=0 RMW=1", "pass", R))
    else:
        VARIANTS.append(Variant(f"tso-{label}-membarrier", "tso.pml", "PAIR=4 FENCE_A=0 FENCE_B=2", "pass", R))

EXACT = {"tso.pml", "wake.pml", "room.pml"}         # small: states are kept whole; the others as 64-bit hashes and more (HC4)
ENDS_BY_TIMEOUT = {"reuse.pml", "inbox.pml", "cache.pml", "threads.pml", "reap.pml"}   # the dead stand where they died: no end state


class Result(NamedTuple):
    outcome: str                # "pass", a kind of failure, or "?" with the reason
    reason: str
    states: str = ""
    depth: str = ""
    mib: float = 0.0
    seconds: float = 0.0


def run(variant: Variant, full: bool, noreduce: bool) -> Result:
    with tempfile.TemporaryDirectory(prefix="models-") as folder:
        defines = [f"-D{flag}" for flag in variant.flags.split()]
        made = subprocess.run(["spin", "-a", *defines, str(HERE / variant.file)], cwd=folder, capture_output=True, text=True)
        if made.returncode != 0 or "rror:" in made.stdout + made.stderr or not pathlib.Path(folder, "pan.c").exists():
            return Result("?", "spin: " + (made.stdout + made.stderr).strip()[-300:])
        options = ["-DSAFETY", "-DNOCLAIM", f"-DMEMLIM={10_000 if full else 1_800}"]
        options += [] if variant.file in EXACT else ["-DHC4"]
        options += variant.options.split() + (["-DNOREDUCE"] if noreduce else [])
        brief = variant.expected != "pass" or variant.file in EXACT             # compiling takes longer than the search
        made = subprocess.run(["gcc", "-O0" if brief else "-O2" if full else "-O1", "-w", *options, "-o", "pan", "pan.c"],
                              cwd=folder, capture_output=True, text=True)
        if made.returncode != 0:
            return Result("?", "gcc: " + made.stderr.strip()[-300:])
        ends = ["-E"] if variant.file in ENDS_BY_TIMEOUT else []
        start = time.monotonic()
        ran = subprocess.run(["./pan", "-n", f"-m{variant.depth}", f"-w{26 if full else 22}", *ends],
                             cwd=folder, capture_output=True, text=True)
        return judge(ran.stdout + ran.stderr, time.monotonic() - start)


def judge(text: str, seconds: float) -> Result:
    def number(pattern: str) -> str:
        found = re.search(pattern, text)
        return found.group(1) if found else ""

    errors = number(r"errors: (\d+)")
    figures = (f"{int(float(number(r'([0-9.e+]+) states, stored') or 0)):,}", number(r"depth reached (\d+)"),
               float(number(r"([0-9.]+)\s+total actual memory usage") or 0), seconds)
    for sign in ("max search depth too small", "search depth was too small", "out of memory", "MEMLIM", "resize"):
        if re.search(rf"(error|pan|aborting|Warning).*{sign}", text):
            return Result("?", "the search was not complete: " + sign, *figures)
    violation = re.search(r"pan:1: (.*)", text)
    if violation:
        for kind, pattern in KINDS.items():
            if "assertion violated" in violation.group(1) and re.search(pattern, violation.group(1)):
                return Result(kind, violation.group(1), *figures)
        if "invalid end state" in violation.group(1):
            return Result("stuck", violation.group(1), *figures)
        return Result("?", violation.group(1), *figures)
    if errors == "0" and "Search not completed" not in text:
        return Result("pass", "", *figures)
    return Result("?", "no verdict: " + text.strip()[-300:], *figures)


def write_table(rows: "list[tuple[Variant, Result]]") -> None:
    """Rows that are new replace those of the same name; the others stay."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    row_of = {line.split("|")[1].strip(): line for line in old.splitlines() if line.count("|") > 2}
    lines = ["", "| variant | model and parameters | expected | states | depth | seconds | MiB | reduced set |",
             "|---|---|---|---:|---:|---:|---:|---|"]
    for variant, result in rows:
        expected = "passes" if variant.expected == "pass" else f"fails: {variant.expected}"
        row_of[variant.name] = (f"| {variant.name} | `{' '.join([variant.file, *variant.flags.split()])}` | {expected} | {result.states} | "
                     f"{result.depth} | {result.seconds:.1f} | {result.mib:.0f} | {'yes' if variant.reduced else ''} |")
    lines += [row_of[variant.name] for variant in VARIANTS if variant.name in row_of]
    PAGE.write_text(before + BEGIN + "\n".join(lines) + "\n\n" + END + after, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the models with Spin.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    for option in ("--all", "--reduced", "--list", "--list-reduced", "--write", "--noreduce"):
        parser.add_argument(option, action="store_true")
    chosen = parser.parse_args()

    if chosen.list or chosen.list_reduced:
        for variant in VARIANTS:
            if chosen.list:
                print(f"{variant.name:30} {variant.expected:10} {variant.file} {variant.flags}")
            elif variant.reduced:
                print(variant.name)
        return 0
    by_name = {variant.name: variant for variant in VARIANTS}
    unknown = [name for name in chosen.names if name not in by_name]
    if unknown or not (chosen.names or chosen.all or chosen.reduced):
        print(f"no such variant: {', '.join(unknown)}; see --list" if unknown else __doc__, file=sys.stderr)
        return 2
    if not shutil.which("spin"):
        print("skipped: spin is not installed (Debian package: spin)")
        return SKIPPED
    if not shutil.which("gcc"):
        print("gcc is not installed (Debian package: gcc); Spin needs it to compile its search", file=sys.stderr)
        return 1

    variants = [by_name[name] for name in chosen.names] or [v for v in VARIANTS if chosen.all or v.reduced]
    rows, wrong = [], 0
    for variant in variants:
        full = chosen.all or chosen.write or not variant.reduced
        result = run(variant, full, chosen.noreduce)
        right = result.outcome == variant.expected
        wrong += not right
        rows.append((variant, result))
        print(f"{'ok    ' if right else 'WRONG '} {variant.name}: expected {variant.expected}, got {result.outcome}; "
              f"{result.states} states, {result.seconds:.1f} s, {result.mib:.0f} MiB"
              + ("" if right else f"\n       {result.reason}"), flush=True)
        if right and (chosen.all or chosen.write):
            write_table([(variant, result)])
    print(f"{len(rows) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
