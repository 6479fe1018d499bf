"""The package as a whole: what belongs to it, what is written down of it."""
import ast
import inspect
import json
import os
import re
import subprocess
import sys
import unittest

import binding_harness
import harness
import swarmbus
from swarmbus import _native

SOURCE = os.environ["SWARMBUS_PYTHON_SOURCE"]
NOT_INHERITED = {"__init__", "__iter__", "__next__", "__buffer__"}


def stub_classes():
    with open(os.path.join(SOURCE, "_native.pyi")) as file:
        tree = ast.parse(file.read())
    classes = {node.name: {item.name if isinstance(item, ast.FunctionDef) else item.target.id for item in node.body}
               for node in tree.body if isinstance(node, ast.ClassDef)}
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} | {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}
    return classes, names | set(classes)


class Package(unittest.TestCase):
    def test_the_stubs_have_what_the_extension_has(self):
        classes, names = stub_classes()
        self.assertEqual(names, {name for name in vars(_native) if not name.startswith("__")})
        for name, members in classes.items():
            there = {member for member in vars(getattr(_native, name)) if not member.startswith("__")}
            self.assertEqual(members - NOT_INHERITED, there, name)

    def test_everything_public_says_what_it_is(self):
        for name in swarmbus.__all__:
            thing = getattr(swarmbus, name)
            if name.startswith("__") or name == "EVENT_SCHEMAS":
                continue
            self.assertTrue(inspect.getdoc(thing), name)
            members = vars(thing).items() if inspect.isclass(thing) and issubclass(thing, (swarmbus.Bus, swarmbus.Subscription, swarmbus.EventBus)) else ()
            for member, value in members:
                if not member.startswith("_"):
                    self.assertTrue(inspect.getdoc(value), f"{name}.{member}")

    def test_the_wheel_is_made_of_all_files_of_the_package(self):
        with open(os.path.join(SOURCE, "meson.build")) as file:
            listed = re.search(r"package = \[(.*?)\]", file.read(), re.DOTALL)[1]
        self.assertEqual(set(re.findall(r"'([^']+)'", listed)), {name for name in os.listdir(SOURCE) if name.endswith((".py", ".pyi", ".typed"))})

    def test_the_extension_exports_nothing_but_its_start(self):
        listed = subprocess.run(["nm", "-D", "--defined-only", _native.__file__], capture_output=True, check=True, text=True).stdout
        self.assertEqual([line.split()[-1] for line in listed.splitlines()], ["PyInit__native"])

    def test_the_extension_needs_only_the_stable_abi(self):
        # Of private names, those that macros and calls of the stable ABI stand for.
        listed = subprocess.run(["nm", "-D", "--undefined-only", _native.__file__], capture_output=True, check=True, text=True).stdout
        private = {name for name in (line.split()[-1] for line in listed.splitlines()) if name.startswith("_Py") and not name.endswith("_SizeT")}
        self.assertLessEqual(private, {"_Py_Dealloc", "_Py_NoneStruct", "_Py_TrueStruct", "_Py_FalseStruct", "_PyObject_GC_New", "_PyObject_New"})

    def test_the_benchmark_runs(self):
        done = subprocess.run([sys.executable, "-m", "swarmbus.bench", "--json"], capture_output=True, timeout=binding_harness.PATIENCE * 5, check=True)
        figures = json.loads(done.stdout)
        self.assertLessEqual({"publish bytes", "receive bytes", "publish dict, schema", "receive dict, schema", "json.dumps"}, set(figures))
        self.assertTrue(all(figure > 0 for figure in figures.values()))
        self.assertFalse([name for name in swarmbus.buses() if name.startswith("python-bench-")])


if __name__ == "__main__":
    harness.main()
