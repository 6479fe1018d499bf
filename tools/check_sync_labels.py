#!/usr/bin/env python3
"""Checks that memory orders on shared memory are in one folder, and each names its partner.

    check_sync_labels.py [ROOT]

1. Each label of a `SYNC(label)` comment in src/ stands in at least two functions: both sides of a pair.
2. In src/words/ a memory order other than relaxed has a SYNC label at most four lines above it, in the
   same function. order.hpp, which defines the fences, is the exception.
3. Elsewhere in src/, capi/ and include/ nothing makes atomics of shared memory (std::atomic_ref and its
   names Shared64 and Shared32, atomic builtins), nor uses fences. The fork guard is the exception: its page
   is private, but outlives what C++ knows of.

Each violation is printed with file and line; the exit status is 1 if there is one.
"""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

REACH = 4  # lines from a label to the order it explains
LABEL = re.compile(r"SYNC\(([^)]*)\)")
ORDER = re.compile(r"\bmemory_order(?:_|::)(?:acquire|release|acq_rel|seq_cst|consume)\b|\bkStoreBeforeFence\b|\bkLoadAfterFence\b")
SHARED_ACCESS = re.compile(r"\batomic_ref\b|\bShared(?:64|32)\b|\b__atomic_\w+|\b__sync_\w+|\batomic_(?:thread|signal)_fence\b|reinterpret_cast<[^>]*\batomic\b")
COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.MULTILINE)
TEMPLATE = re.compile(r"\btemplate\s*<(?:[^<>]|<[^<>]*>)*>")
SCOPE = re.compile(r"(?:inline\s+|typedef\s+|static\s+)*(?:namespace|class|struct|union|enum|extern)\b")
SIGNATURE_END = re.compile(r"\)(?:\s*(?:const|noexcept|override|final))*\s*$")
WORDS, ORDERS, GUARD = "src/words/", "src/words/order.hpp", "src/life/fork_guard."


@dataclass(frozen=True)
class Function:
    """The lines from the first of its declaration to its closing brace."""

    first: int
    last: int


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def code_of(text):
    """The text without comments, string and character literals; lines and columns stay."""
    return COMMENT_OR_TEXT.sub(blank, text)


def is_function(head):
    """Whether a block that follows this text is a function's body."""
    declaration = TEMPLATE.sub(" ", head).strip()
    return "(" in declaration and (not SCOPE.match(declaration) or bool(SIGNATURE_END.search(declaration)))


def functions(code):
    """The outermost blocks that are neither a namespace nor a type."""
    code = DIRECTIVE.sub(blank, code)
    found, scopes, start, function = [], [], 0, None
    for at, sign in enumerate(code):
        inside = "function" in scopes
        if sign == "{":
            head = code[start:at]
            if code[at - 1 : at].isidentifier() or code[at - 1 : at] == ">":
                scopes.append("initialiser")  # member_{value}
            elif not inside and is_function(head):
                scopes.append("function")
                function = start + len(head) - len(head.lstrip())
            else:
                scopes.append("scope")
        elif sign == "}" and scopes:
            closed = scopes.pop()
            if closed == "function":
                found.append(Function(code.count("\n", 0, function) + 1, code.count("\n", 0, at) + 1))
            if closed == "initialiser":
                continue
        if sign in "{};" and "function" not in scopes and "initialiser" not in scopes:
            start = at + 1
    return found


def check(root):
    places = defaultdict(list)  # label: (file, line, function)
    for folder in ("src", "capi", "include"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".c", ".h"):
                yield from check_file(path, path.relative_to(root).as_posix(), places)
    for label, uses in sorted(places.items()):
        if len({(file, function) for file, _, function in uses}) < 2:
            file, line, _ = uses[0]
            yield f"{file}:{line}: SYNC({label}) has no partner in another function"


def check_file(path, file, places):
    text = path.read_text()
    code = code_of(text)
    bodies = functions(code)
    lines = list(enumerate(zip(text.splitlines(), code.splitlines()), 1))

    def function_of(line):
        return next((body for body in bodies if body.first <= line <= body.last), None)

    labelled = []
    for number, (line, _) in lines:
        for label in LABEL.findall(line):
            labelled.append(number)
            places[label].append((file, number, function_of(number)))
            if function_of(number) is None:
                yield f"{file}:{number}: SYNC({label}) stands in no function"

    for number, (_, line) in lines:
        order, access = ORDER.search(line), SHARED_ACCESS.search(line)
        if file.startswith(WORDS):
            body = function_of(number)
            explained = any(number - REACH <= label <= number and function_of(label) == body for label in labelled)
            if order and file != ORDERS and not explained:
                yield f"{file}:{number}: {order[0]} without a SYNC label within {REACH} lines above it"
        elif access and not file.startswith(GUARD):
            yield f"{file}:{number}: {access[0]} outside of {WORDS}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    violations = list(check(root))
    for violation in violations:
        print(violation)
    if not violations:
        print("each SYNC label has its partner, each order its label")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
