"""ls and rm: looking at buses and removing them."""
import os
import struct

import harness

PAGE = 4096
VERSION_AT = 16


class Ls(harness.CliTest):
    def table_row(self):
        lines = self.run_tool("ls").stdout.decode().splitlines()
        self.assertEqual(lines[0].split(), ["BUS", "PROCESSES", "INBOXES", "TYPES", "MEMORY"])
        return next(line for line in lines if line.split()[0] == self.bus)

    def test_a_bus_is_listed_with_processes_inboxes_types_and_memory(self):
        self.start_sub("*")
        self.start_sub("*", inboxes=2)
        self.pub("a.b")
        self.pub("c.d")
        self.assertRegex(self.table_row(), rf"^{self.bus} +2 +2 +2 +\d+\.\d MiB$")

    def test_json_lists_the_same(self):
        self.start_sub("*")
        self.pub("a.b")
        found = self.look()
        self.assertEqual((found["participants"], found["inboxes"], found["types"], found["writers"]), (1, 1, 1, 0))
        self.assertGreater(found["memory_bytes"], 0)
        self.assertEqual(found["slot_bytes"], 256)
        self.assertRegex(found["created"], r"Z$")

    def test_memory_has_that_of_large_events_that_wait(self):
        self.start_sub("*")
        before = self.look()["memory_bytes"]
        self.pub("a.b", "-", stdin=b"x" * 4_000_000)
        self.assertGreater(self.look()["memory_bytes"] - before, 3_900_000)

    def test_who_has_left_is_not_counted(self):
        self.pub("a.b")
        self.assertEqual(self.look()["participants"], 0)

    def test_who_was_killed_is_not_counted_as_alive(self):
        sub = self.start_sub("*")
        sub.popen.kill()
        sub.wait()
        self.assertEqual(self.look()["participants"], 0)

    def test_looking_creates_nothing(self):
        self.run_tool("ls")
        self.assertFalse(os.path.exists(self.bus_file(self.bus)))

    def foreign(self, make):
        """Something that is no bus, under the name of one; how it is listed beside a good bus."""
        good = self.new_bus()
        self.pub("a.b", "--bus", good)
        make(self.bus_file(self.bus))
        self.assertEqual(self.look(good)["types"], 1)
        found = self.look()
        self.assertIn(self.bus_file(self.bus), self.run_tool("ls").stdout.decode())
        self.assertNotIn("participants", found)
        return found

    def write(self, content):
        def make(path):
            with open(path, "xb") as file:
                file.write(content)
        return make

    def test_a_foreign_file_is_listed_with_what_is_wrong(self):
        for content in (b"", b"hello", bytes(PAGE), os.urandom(PAGE)):
            with self.subTest(len(content)):
                self.bus = self.new_bus()
                self.assertEqual(self.foreign(self.write(content))["error"], "SWB_ERR_NOT_A_BUS")

    def test_a_symbolic_link_is_not_followed(self):
        found = self.foreign(lambda path: os.symlink("/etc/hostname", path))
        self.assertEqual(found["error"], "SWB_ERR_NOT_A_BUS")

    def test_a_directory_is_listed_with_what_is_wrong(self):
        self.addCleanup(lambda: os.rmdir(self.bus_file(self.bus)))
        self.assertEqual(self.foreign(os.mkdir)["error"], "SWB_ERR_NOT_A_BUS")

    def test_a_pipe_under_the_name_of_a_bus_holds_nobody_up(self):
        self.assertEqual(self.foreign(os.mkfifo)["error"], "SWB_ERR_NOT_A_BUS")

    def head_of_a_bus(self):
        donor = self.new_bus()
        self.pub("a.b", "--bus", donor)
        with open(self.bus_file(donor), "rb") as file:
            return bytearray(file.read(PAGE))

    def test_a_bus_cut_short_is_listed_with_what_is_wrong(self):
        found = self.foreign(self.write(self.head_of_a_bus()))
        self.assertEqual(found["error"], "SWB_ERR_NOT_A_BUS")
        self.assertIn("cut short", found["message"])

    def test_a_bus_of_another_layout_is_listed_with_both_versions(self):
        head = self.head_of_a_bus()
        version, = struct.unpack_from("<I", head, VERSION_AT)
        struct.pack_into("<I", head, VERSION_AT, version + 8)
        self.write(head)(self.bus_file(self.bus))
        found = self.look()
        self.assertEqual(found["error"], "SWB_ERR_LAYOUT")
        self.assertIn(str(version), found["message"])
        self.assertIn(str(version + 8), found["message"])

    def test_a_bus_that_may_not_be_read_is_listed_with_owner_and_mode(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        self.pub("a.b")
        os.chmod(self.bus_file(self.bus), 0)
        found = self.look()
        self.assertEqual(found["error"], "SWB_ERR_PERMISSION")
        self.assertIn("mode 0000", found["message"])

    def test_a_strange_name_is_shown_without_control_characters(self):
        path = self.bus_file(self.bus + "\x1b[31m")
        self.addCleanup(os.unlink, path)
        self.write(b"")(path)
        self.assertNotIn(b"\x1b", self.run_tool("ls").stdout)
        self.assertEqual(self.look(self.bus + "\x1b[31m")["error"], "SWB_ERR_BUS_NAME")


class Rm(harness.CliTest):
    def test_a_bus_that_nobody_uses_is_removed_silently(self):
        self.pub("a.b")
        done = self.run_tool("rm", self.bus)
        self.assertEqual((done.stdout, done.stderr), (b"", b""))
        self.assertFalse(os.path.exists(self.bus_file(self.bus)))

    def test_a_bus_in_use_is_not_removed(self):
        sub = self.start_sub("*", "--json")
        message = self.refused("rm", self.bus, status=1)
        self.assertIn("1 process", message)
        self.pub("a.b")
        self.assertEqual(sub.read_json()["type"], "a.b")

    def test_force_removes_a_bus_in_use_and_its_users_live_on(self):
        sub = self.start_sub("*", "--json")
        self.run_tool("rm", self.bus, "--force")
        self.assertFalse(os.path.exists(self.bus_file(self.bus)))
        self.pub("a.b")  # on a new bus of that name
        self.assertIsNone(sub.popen.poll())
        self.assertEqual(self.look()["participants"], 0)

    def test_who_uses_a_bus_that_is_removed_is_told_to_start_again(self):
        sub = self.start_sub("*")
        self.run_tool("rm", self.bus, "--force")
        message = f"swarmbus: bus '{self.bus}' was removed while this process used it; start it again\n"
        self.assertEqual(sub.finish(), ([], message, 1))

    def test_a_bus_that_is_not_there_is_an_error_and_is_not_created(self):
        for force in ([], ["--force"]):
            self.assertIn(self.bus, self.refused("rm", self.bus, *force, status=1))
        self.assertFalse(os.path.exists(self.bus_file(self.bus)))

    def test_a_foreign_file_is_removed_only_by_force(self):
        path = self.bus_file(self.bus)
        with open(path, "xb") as file:
            file.write(b"not a bus")
        self.assertIn("--force", self.refused("rm", self.bus, status=1))
        self.assertTrue(os.path.exists(path))
        self.run_tool("rm", "-f", self.bus)
        self.assertFalse(os.path.exists(path))

    def test_the_bus_of_the_environment_is_never_meant(self):
        self.pub("a.b")
        self.refused("rm")
        self.assertTrue(os.path.exists(self.bus_file(self.bus)))


harness.main()
