#!/usr/bin/env python3
"""The shared library exports the functions of its header, all of them and nothing else.

usage: exports_test.py LIBRARY HEADER SOURCE...   (the sources must use every function)
"""
import re
import subprocess
import sys

MOST_FUNCTIONS = 45


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def main(library, header, *sources):
    with open(header, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
    declared = set(re.findall(r"^SWB_API\b[^;]*?\b(swb_\w+)\(", text, flags=re.MULTILINE))
    symbols = [line.split() for line in run("nm", "-D", "--defined-only", library).splitlines()]
    # A version's own name is an absolute symbol (type A).
    exported = {symbol[2].split("@")[0] for symbol in symbols if symbol[1] != "A"}
    used = set()
    for source in sources:
        with open(source, encoding="utf-8") as file:
            used |= set(re.findall(r"\b(swb_\w+)\(", file.read()))
    soname = re.search(r"SONAME.*\[(.*)\]", run("readelf", "-d", library))
    faults = []
    if declared - exported:
        faults.append(f"declared but not exported: {sorted(declared - exported)}")
    if exported - declared:
        faults.append(f"exported but not declared: {sorted(exported - declared)}")
    if declared - used:
        faults.append(f"no C test uses: {sorted(declared - used)}")
    if not 0 < len(declared) <= MOST_FUNCTIONS:
        faults.append(f"{len(declared)} functions; at most {MOST_FUNCTIONS} are allowed")
    if soname is None or soname.group(1) != "libswarmbus.so.0":
        faults.append(f"the soname is {soname and soname.group(1)}, not libswarmbus.so.0")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(declared)} functions")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
