"""Lets the tests of the tools find the tools."""

import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(SOURCE / "tools"), str(SOURCE / "tests/support")]
