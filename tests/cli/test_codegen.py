"""Source code that is made of the schemas of a bus does what it is for."""
import importlib
import os
import subprocess
import sys
import tempfile

import flatbuffers
import harness

SHOP = """include "value.fbs";
namespace shop;
attribute "event";
struct Price { cents:long; }
/// An order was placed.
table OrderPlaced (event: "shop.order.placed") { order_id:string; price:Price; metadata:swarmbus.Value; }
table OrderPaid (event: "shop.order.paid") { order_id:string; price:Price; }
table Plain { n:int; }
"""
PROGRAM = """#include "shop_types.hpp"
#include <swarmbus/events.hpp>
#include <swarmbus/swarmbus.hpp>
std::int64_t publish(swarmbus::Bus& bus, const swarmbus::Event& event) {
    shop::OrderPaidT paid;
    paid.order_id = "7";
    bus.publish(paid);
    bus.publish(swarmbus::events::AgentCreatedT{});
    static_assert(std::string_view(swarmbus::event_types::shop_order_paid) == "shop.order.paid");
    return event.as<shop::OrderPlaced>()->price()->cents();
}
"""


class Codegen(harness.CliTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def register(self, text, *options):
        with open(self.path("schema.fbs"), "w", encoding="utf-8") as file:
            file.write(text)
        self.run_tool("schema", "register", self.path("schema.fbs"), *options)

    def codegen(self, *arguments):
        printed = self.run_tool("codegen", *arguments, "-o", self.path("made")).stdout.decode().splitlines()
        for file in printed:
            self.assertTrue(os.path.isfile(file), file)
        return [os.path.relpath(file, self.path("made")) for file in printed]

    def test_cpp_is_used_beside_the_standard_events(self):
        self.register(SHOP)
        self.assertEqual(sorted(self.codegen("--lang", "c++", "--name", "shop_types")), ["shop_types.hpp", "shop_types_generated.h"])
        with open(self.path("program.cpp"), "w", encoding="utf-8") as file:
            file.write(PROGRAM)
        includes = [f"-I{path}" for path in [self.path("made"), *os.environ["SWARMBUS_INCLUDES"].split(":")]]
        done = subprocess.run(["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", *includes, self.path("program.cpp")],
                              capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_python_makes_payloads_that_readers_understand(self):
        self.register(SHOP)
        files = self.codegen("--lang", "python")
        self.assertIn("bus_events.py", files)
        self.assertIn("shop/OrderPlaced.py", files)
        sys.path.insert(0, self.path("made"))
        self.addCleanup(sys.path.remove, self.path("made"))
        names = importlib.import_module("bus_events")
        self.assertEqual((names.SHOP_ORDER_PAID, names.AGENT_STATUS_CHANGED), ("shop.order.paid", "agent.status.changed"))
        changed = importlib.import_module("swarmbus.events.AgentStatusChanged").AgentStatusChangedT()
        changed.agentId, changed.newStatus = "agent-7", "sleeping"
        builder = flatbuffers.Builder()
        builder.Finish(changed.Pack(builder))
        sub = self.start_sub("*", "--json", "--count", "1")
        self.publish_raw(names.AGENT_STATUS_CHANGED, encoding=3, payload=bytes(builder.Output()))
        self.assertEqual(sub.read_json()["payload"], {"agent_id": "agent-7", "new_status": "sleeping"})

    def test_typescript_has_the_tables_and_the_names(self):
        self.register(SHOP)
        files = self.codegen("--lang", "ts")
        self.assertIn("shop/order-placed.ts", files)
        self.assertIn("swarmbus/value.ts", files)
        with open(self.path("made", "bus_events.ts"), encoding="utf-8") as file:
            self.assertIn('export const SHOP_ORDER_PLACED = "shop.order.placed";\n', file.read())

    def test_only_the_types_that_are_named_are_made(self):
        self.register(SHOP)
        files = self.codegen("--lang", "python", "shop.order.paid")
        self.assertIn("shop/OrderPaid.py", files)
        self.assertNotIn("shop/OrderPlaced.py", files)
        self.assertFalse([file for file in files if file.startswith("swarmbus/")])

    def test_a_table_is_made_for_a_type_that_it_does_not_name(self):
        self.register(SHOP, "--type", "plain.thing.done", "--root", "shop.Plain")
        self.codegen("--lang", "c++")
        with open(self.path("made", "bus_events.hpp"), encoding="utf-8") as file:
            self.assertIn("struct EventTypeOf<::shop::Plain> {\n    static constexpr const char* name = event_types::plain_thing_done;", file.read())

    def test_what_can_not_be_made_is_told_and_nothing_is_left(self):
        self.pub("a.b")
        self.assertIn("<swarmbus/events.hpp>", self.refused("codegen", "--lang", "c++", status=1))
        self.assertIn("a.b", self.refused("codegen", "--lang", "ts", "a.b", status=1))
        self.assertIn("--name", self.refused("codegen", "--lang", "ts", "--name", "../x"))
        self.refused("codegen")
        self.register(SHOP)
        path = self.environment.pop("PATH")
        self.environment["PATH"] = ""
        self.assertIn("flatbuffers-compiler", self.refused("codegen", "--lang", "ts", "-o", self.path("made"), status=1))
        self.environment["PATH"] = path
        self.register(SHOP.replace("cents:long", "cents:int"), "--type", "other.price", "--root", "shop.OrderPaid")
        self.assertIn("'shop.Price'", self.refused("codegen", "--lang", "c++", "-o", self.path("made"), status=1))
        self.assertFalse(os.path.exists(self.path("made")))


harness.main()
