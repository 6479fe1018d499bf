#!/usr/bin/env python3
"""Checks that capi/swarmbus.h stays a manual: the comment of each function has its fixed parts.

    check_header.py [HEADER]

Each SWB_API function's comment says Threads:, Blocks: and Since:, and Returns: unless it returns nothing or a
text. "Threads, Blocks: as swb_next()." says two at once. Functions that follow each other without an
empty line share the comment above them. There are at most 45 functions.
"""

import re
import sys
from pathlib import Path

MOST_FUNCTIONS = 45
PARTS = ["Ownership", "Valid", "Threads", "Blocks", "Returns", "Since"]
PART = re.compile(rf"\b((?:{'|'.join(PARTS)})(?:,\s+(?:{'|'.join(PARTS)}))*):")
ITEM = re.compile(r"/\*(?P<comment>.*?)\*/|^SWB_API\s+(?P<result>[\w\s*]+?)(?P<name>swb_\w+)\(|^(?P<gap>[ \t]*\n)", re.DOTALL | re.MULTILINE)


def check(text):
    comment, names = "", []
    for item in ITEM.finditer(text):
        line = text.count("\n", 0, item.start()) + 1
        if item["gap"]:
            comment = ""
        elif item["name"]:
            names.append(item["name"])
            said = {part for group in PART.findall(re.sub(r"\s*\n \*\s*", " ", comment)) for part in re.split(r",\s+", group)}
            wanted = ["Threads", "Blocks", "Since"]
            if item["result"].strip() not in ("void", "const char *"):
                wanted.append("Returns")
            for part in wanted:
                if part not in said:
                    yield f"{line}: the comment of {item['name']}() does not say {part}:"
        else:
            comment = item["comment"]
    if not names:
        yield "1: there is no SWB_API function"
    if len(names) > MOST_FUNCTIONS:
        yield f"1: {len(names)} functions, at most {MOST_FUNCTIONS} are wanted"


def main():
    header = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "capi/swarmbus.h"
    violations = list(check(header.read_text()))
    for violation in violations:
        print(f"{header}:{violation}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
