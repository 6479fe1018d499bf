"""Help, exit codes of wrong usage, and which bus is chosen."""
import os

import harness

COMMANDS = ("pub", "sub", "wait", "ls", "rm", "bench")


class Usage(harness.CliTest):
    def test_every_command_has_help_with_examples(self):
        for arguments in ([], *([command] for command in COMMANDS)):
            with self.subTest(arguments):
                text = self.run_tool(*arguments, "--help").stdout.decode()
                self.assertIn("Usage: swarmbus", text)
                self.assertIn("\nExamples:\n  swarmbus", text)
                self.assertEqual(self.run_tool(*arguments, "-h").stdout.decode(), text)

    def test_the_help_names_every_command_and_the_exit_codes(self):
        text = self.run_tool("--help").stdout.decode()
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", text)
        self.assertIn("Exit codes: 0 ", text)
        self.assertIn("SWARMBUS_BUS", text)

    def test_the_version_is_printed(self):
        self.assertRegex(self.run_tool("--version").stdout.decode(), r"^swarmbus \d+\.\d+\.\d+\n$")
        self.assertEqual(self.run_tool("-V").stdout, self.run_tool("--version").stdout)

    def test_a_missing_command_is_wrong_usage_and_all_there_are_are_named(self):
        message = self.refused()
        self.assertIn("a command is missing", message)
        listed = self.run_tool("--help").stdout.decode().split("Commands:\n")[1].split("\n\n")[0].splitlines()
        for command in [line.split()[0] for line in listed if line[2:3].strip()]:
            self.assertRegex(message, rf"\b{command}\b")

    def test_an_unknown_command_is_named(self):
        self.assertIn("'subscribe'", self.refused("subscribe", "a.b"))

    def test_an_unknown_option_is_named_with_where_to_find_help(self):
        message = self.refused("sub", "*", "--forever")
        self.assertIn("--forever", message)
        self.assertIn("'swarmbus sub --help'", message)

    def test_missing_arguments_are_named(self):
        self.assertIn("TYPE", self.refused("pub"))
        self.assertIn("PATTERN", self.refused("sub"))
        self.assertIn("PATTERN", self.refused("wait"))
        self.assertIn("BUS", self.refused("rm"))

    def test_an_argument_too_many_is_named(self):
        self.assertIn("third", self.refused("pub", "a.b", "second", "third"))

    def test_a_wrong_type_is_shown_with_a_caret_at_the_fault(self):
        self.assertIn("\n  agent..created\n        ^\n", self.refused("pub", "agent..created"))
        self.assertIn("\n  Agent\n  ^\n", self.refused("pub", "Agent"))

    def test_a_wrong_pattern_is_shown_with_a_caret_at_the_fault(self):
        for command in ("sub", "wait"):
            message = self.refused(command, "fine.*", "agent.+x")
            self.assertIn("position 6", message)
            self.assertIn("\n  agent.+x\n        ^\n", message)

    def test_the_caret_stands_right_after_characters_that_are_shown_longer(self):
        self.assertIn("\n  a\\x1bb\n   ^\n", self.refused("sub", "a\x1bb"))

    def test_a_very_long_wrong_name_is_told_without_repeating_it(self):
        message = self.refused("pub", "a" * 128)
        self.assertIn("at most 127", message)
        self.assertNotIn("^", message)

    def test_nothing_wrong_creates_a_bus(self):
        self.refused("pub", "Bad")
        self.refused("pub", "a.b", "--rate", "0")
        self.refused("sub", "Bad")
        self.refused("sub", "a", "--capacity", "17")
        self.assertFalse(os.path.exists(self.bus_file(self.bus)))

    def test_the_bus_option_goes_before_or_after_the_command(self):
        other, third = self.new_bus(), self.new_bus()
        self.pub("a.b", "--bus", other)
        self.run_tool("-b", third, "pub", "a.b")
        self.assertEqual(self.look(other)["types"], 1)
        self.assertEqual(self.look(third)["types"], 1)
        self.assertIsNone(self.look(), "the bus of the environment was used though an option names another")

    def test_without_option_and_environment_the_bus_is_named_default(self):
        if os.path.exists(self.bus_file("default")):
            self.skipTest("this machine has a bus 'default' that is not ours")
        for value in (None, ""):
            self.environment.pop("SWARMBUS_BUS", None)
            if value is not None:
                self.environment["SWARMBUS_BUS"] = value
            self.pub("a.b")
            self.run_tool("rm", "default")

    def test_a_wrong_bus_name_is_refused_with_the_position(self):
        for command in (["pub", "a.b"], ["sub", "*"], ["wait", "*"]):
            self.assertIn("position 2", self.refused(*command, "--bus", "no/slashes"))
        self.assertIn("position 0", self.refused("rm", ".hidden"))
        self.assertIn("at most 64", self.refused("pub", "a.b", "--bus", "x" * 65))

    def test_messages_show_no_control_characters(self):
        self.assertNotIn("\x1b", self.refused("pub", "a\x1b[31m"))
        self.assertNotIn("\x1b", self.refused("pub", "a.b", "--\x1b[31m"))
        self.assertNotIn("\x1b", self.refused("\x1b[31m"))


class Values(harness.CliTest):
    def test_wrong_times_are_refused(self):
        for text in ("-1", "x", "", "1x", "nan", "inf", "1e300", "1 s"):
            with self.subTest(text):
                self.assertIn("--timeout", self.refused("wait", "a", f"--timeout={text}"))

    def test_times_take_fractions_and_units(self):
        for text in ("0", "0.001", "1ms", "0.001s", "1e-3"):
            with self.subTest(text):
                self.run_tool("wait", "a", "--timeout", text, status=124)
        for text in ("1m", "0.5h"):
            with self.subTest(text):
                self.run_tool("sub", "a", "--timeout", text, "--capacity", "3", status=2)

    def test_wrong_numbers_are_refused(self):
        for text in ("0", "-1", "x", "1.5", "1e3", "99999999999999999999999"):
            with self.subTest(text):
                self.assertIn("--count", self.refused("sub", "a", f"--count={text}"))
                self.assertIn("--count", self.refused("pub", "a", f"--count={text}"))

    def test_wrong_rates_are_refused(self):
        for text in ("0", "-1", "x", "5/m", "inf", "nan", "/s"):
            with self.subTest(text):
                self.assertIn("--rate", self.refused("pub", "a", f"--rate={text}"))

    def test_wrong_capacities_are_refused(self):
        for text in ("0", "8", "17", "131072", "x"):
            with self.subTest(text):
                self.assertIn("--capacity", self.refused("sub", "a", f"--capacity={text}"))

    def test_an_unknown_overflow_policy_is_refused_with_those_there_are(self):
        message = self.refused("sub", "a", "--overflow", "explode")
        for policy in ("block", "drop_oldest", "drop_newest"):
            self.assertIn(policy, message)

    def test_a_wrong_block_timeout_is_refused(self):
        self.assertIn("--block-timeout", self.refused("pub", "a", "--block-timeout=soon"))

    def test_an_unknown_encoding_is_refused(self):
        self.assertIn("--encoding", self.refused("pub", "a", "--encoding", "flatbuffers"))

    def test_texts_of_a_publication_are_checked(self):
        self.assertIn("63", self.refused("pub", "a", "--source", "s" * 64))
        self.assertIn("127", self.refused("pub", "a", "--subject", "s" * 128))
        self.assertIn("UTF-8", self.refused("pub", "a", "--source", b"\xff"))
        self.assertIn("UTF-8", self.refused("pub", "a", "--subject", b"\xff"))


harness.main()
