#!/usr/bin/env python3
"""A program is built against an installed SwarmBus, with what pkg-config says, and runs.

usage: installed_test.py BUILD_DIRECTORY C_COMPILER [C++ COMPILER]
"""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77

C_PROGRAM = r"""
#include <stdio.h>
#include <swarmbus.h>
int main(int argc, char **argv) {
    swb_bus *bus;
    swb_event event = {.size = sizeof event};
    if (argc != 2 || swb_open(argv[1], NULL, &bus) != SWB_OK) return 1;
    if (swb_subscribe(bus, "agent.*", NULL, NULL, NULL) != SWB_OK) return 2;
    if (swb_publish(bus, "agent.created", "x", 1) != SWB_OK) return 3;
    if (swb_next(bus, SWB_FOREVER, &event) != SWB_OK) return 4;
    puts(event.type);
    swb_close(bus);
    return swb_remove(argv[1], 0) == SWB_OK ? 0 : 5;
}
"""

CPP_PROGRAM = r"""
#include <iostream>
#include <swarmbus/swarmbus.hpp>
int main(int, char **argv) {
    {
        swarmbus::Bus bus(argv[1]);
        bus.subscribe("agent.*", [](const swarmbus::Event &e) { std::cout << e.type() << '\n'; });
        bus.publish("agent.created", "x");
        bus.run_once();
    }
    return swb_remove(argv[1], 0) == SWB_OK ? 0 : 5;
}
"""


def run(command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, **options).stdout


def build_and_run(directory, file, program, compiler, flags, environment):
    source = os.path.join(directory, file)
    with open(source, "w", encoding="utf-8") as out:
        out.write(program)
    executable = source + ".out"
    run([*compiler, source, "-o", executable, *flags], env=environment)
    bus = f"test-installed-{os.getpid()}"
    try:
        printed = run([executable, bus], env=environment)
    finally:
        leftover = "/dev/shm/swarmbus." + bus
        if os.path.exists(leftover):
            os.unlink(leftover)
    if printed != "agent.created\n":
        raise SystemExit(f"{file} printed {printed!r}")


def main(build_directory, c_compiler, cpp_compiler):
    if shutil.which("pkg-config") is None or shutil.which("meson") is None:
        print("pkg-config or meson is missing")
        return SKIPPED
    with tempfile.TemporaryDirectory() as root:
        run(["meson", "install", "-C", build_directory, "--no-rebuild", "--destdir", root])
        found = glob.glob(root + "/**/pkgconfig/swarmbus.pc", recursive=True)
        if len(found) != 1:
            raise SystemExit(f"one swarmbus.pc should be installed, found: {found}")
        # The .pc file names the final place; what is below the temporary root stands for it.
        environment = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(found[0]), PKG_CONFIG_SYSROOT_DIR=root)
        flags = run(["pkg-config", "--cflags", "--libs", "swarmbus"], env=environment).split()
        environment["LD_LIBRARY_PATH"] = run(["pkg-config", "--variable=libdir", "swarmbus"], env=environment).strip()
        if not environment["LD_LIBRARY_PATH"].startswith(root):
            environment["LD_LIBRARY_PATH"] = root + environment["LD_LIBRARY_PATH"]
        build_and_run(root, "hello.c", C_PROGRAM, [*c_compiler.split(), "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"], flags, environment)
        build_and_run(root, "hello.cpp", CPP_PROGRAM, [*cpp_compiler.split(), "-std=c++20"], flags, environment)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd}\n{error.stdout}{error.stderr}")
