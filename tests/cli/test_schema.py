"""Schemas of types: listed, printed, registered; payloads printed by them."""
import json
import os
import tempfile

import harness

ORDERS = """namespace shop;
attribute "event";
/// An order was placed.
table OrderPlaced (event: "shop.order.placed") { order_id:string; total:double; }
table Plain { n:int; }
"""
STANDARD_SCHEMAS = [os.path.join(os.environ["SWARMBUS_SCHEMAS"], name) for name in ("events.fbs",)]


class Schemas(harness.CliTest):
    def file(self, text):
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "orders.fbs")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.addCleanup(os.rmdir, folder)
        self.addCleanup(os.remove, path)
        return path

    def types(self):
        return {found["type"]: found for found in map(json.loads, self.run_tool("schema", "ls", "--json").stdout.splitlines())}

    def register(self, text, *options):
        return self.run_tool("schema", "register", self.file(text), *options)

    def test_a_bus_lists_the_standard_events(self):
        self.pub("a.b")
        self.assertEqual(len(self.types()), 14)
        lines = self.run_tool("schema", "ls").stdout.decode().splitlines()
        self.assertRegex(lines[0], "^TYPE +VERSION +SINCE +HASH +TABLE$")
        self.assertRegex(lines[1], r"^agent\.capability\.announced +1 +\S+ +[0-9a-f]{16}  swarmbus\.events\.AgentCapabilityAnnounced$")

    def test_looking_creates_no_bus(self):
        self.assertIn(self.bus, self.refused("schema", "ls", status=1))
        self.assertIn(self.bus, self.refused("schema", "show", "agent.created", status=1))
        self.assertFalse(os.path.exists(self.bus_file(self.bus)))

    def test_the_tables_of_a_file_that_name_their_type_are_registered(self):
        self.register(ORDERS)
        self.assertEqual(self.types()["shop.order.placed"]["table"], "shop.OrderPlaced")
        self.register(ORDERS.replace("total:double;", "total:double; note:string;"))
        self.assertEqual(self.types()["shop.order.placed"]["version"], 2)
        message = self.refused("schema", "register", self.file(ORDERS.replace("double", "float")), status=1)
        self.assertIn("shop.OrderPlaced", message)
        self.assertEqual(self.types()["shop.order.placed"]["version"], 2)

    def test_a_table_is_registered_for_a_type(self):
        self.register(ORDERS, "--type", "shop.plain.thing", "--root", "shop.Plain")
        self.assertEqual(self.types()["shop.plain.thing"]["table"], "shop.Plain")
        self.assertNotIn("shop.order.placed", self.types())

    def test_a_name_with_too_few_or_many_parts_is_registered_with_a_warning(self):
        done = self.register(ORDERS, "--type", "order", "--root", "shop.Plain")
        self.assertIn(b"warning: 'order' has 1 part;", done.stderr)
        self.assertEqual(self.register(ORDERS).stderr, b"", "it is told once, when it is new")
        self.assertIn("order", self.types())

    def test_what_is_printed_is_the_same_schema_again(self):
        self.register(ORDERS)
        text = self.run_tool("schema", "show", "shop.order.placed").stdout.decode()
        self.assertIn("/// An order was placed.\ntable OrderPlaced (event: \"shop.order.placed\") {", text)
        self.register(text)
        self.assertEqual(self.types()["shop.order.placed"]["version"], 1)
        binary = self.run_tool("schema", "show", "shop.order.placed", "--bfbs").stdout
        self.assertEqual(binary[4:8], b"BFBS")
        described = json.loads(self.run_tool("schema", "show", "shop.order.placed", "--json-schema").stdout)
        self.assertEqual(described["$defs"]["shop.OrderPlaced"]["properties"]["total"], {"type": "number"})

    def test_lint_says_what_is_wrong_or_unusual_in_files(self):
        self.assertEqual(self.run_tool("schema", "lint", self.file(ORDERS), *STANDARD_SCHEMAS).stdout, b"")
        for text, finding in ((ORDERS.replace("shop.order.placed", "order"), "table shop.OrderPlaced: 'order' has 1 part;"),
                              ("table T { n:int; }", "no table names a type"), ("table T {\n a:nothing;\n}", "3: "),
                              ("\0\0\0\0BFBS", "")):
            with self.subTest(text):
                path = self.file(text)
                printed = self.run_tool("schema", "lint", path, status=1).stdout.decode()
                self.assertTrue(printed.startswith(path + ": "), printed)
                self.assertIn(finding, printed)
        self.assertIn("/nothing/here", self.refused("schema", "lint", "/nothing/here", status=1))
        self.assertFalse(os.path.exists(self.bus_file(self.bus)))

    def test_what_can_not_be_shown_or_registered_is_named(self):
        self.pub("a.b")
        self.assertIn("'a.b'", self.refused("schema", "show", "a.b", status=1))
        self.assertIn("A.B", self.refused("schema", "show", "A.B"))
        self.assertIn("/nothing/here", self.refused("schema", "register", "/nothing/here", status=1))
        self.assertIn("3: ", self.refused("schema", "register", self.file("table T {\n a:nothing;\n}"), status=1))
        self.refused("schema")


harness.main()
