"""Standard streams that are closed or full: nothing lands in the bus, and no failure is kept secret."""
import os
import subprocess

import harness

CONSTANT_PART = 256  # of the header: magic, version, limits, offsets, boot id


class ClosedStreams(harness.CliTest):
    def with_streams(self, redirections, *arguments, status):
        """Runs the tool as a shell with these redirections does."""
        done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {redirections}', harness.TOOL, *arguments], capture_output=True,
                              timeout=harness.PATIENCE, env=self.environment)
        self.assertEqual(done.returncode, status, f"{arguments} {redirections}: {done.stderr!r}")
        return done

    def constant_part(self):
        with open(self.bus_file(self.bus), "rb") as file:
            return file.read(CONSTANT_PART)

    def test_the_segment_is_untouched_whatever_streams_are_closed(self):
        sub = self.start_sub("*", "--json")
        before = self.constant_part()
        for redirections, arguments, status in (
            ("2>&-", ["pub", "a.b", "x"], 0),
            (">&- 2>&- <&-", ["pub", "a.b", "x"], 0),
            (">&- 2>&- <&-", ["pub", "a.b", "x", "--json"], 1),
            (">&- 2>&- <&-", ["sub", "a.*", "--count", "1"], 1),
            ("2>&- <&-", ["sub", "a.*", "--timeout", "0"], 0),
            ("<&- 2>&-", ["pub", "Bad..Name", "x"], 2),
            ("<&- 2>&-", ["pub", "a b", "x" * 300], 2),
            ("<&- 2>&-", ["pub", "a.b", "-"], 1),
            ("<&-", ["ls"], 0),
            (">&- 2>&-", ["ls"], 1),
            (">&- 2>&-", ["rm", self.bus], 1),
        ):
            with self.subTest(f"{arguments} {redirections}"):
                self.with_streams(redirections, *arguments, status=status)
                self.assertEqual(self.constant_part(), before)
        self.assertEqual([sub.read_json()["payload"] for _ in range(2)], ["x", "x"])

    def test_what_could_not_be_printed_is_a_failure_with_a_message(self):
        self.pub("a.b")
        for arguments in (["sub", "*"], ["wait", "*"], ["ls"], ["ls", "--json"], ["pub", "a.b", "--json"], ["--help"], ["sub", "--help"],
                          ["--version"]):
            with self.subTest(arguments):
                self.assertIn(b"standard output is closed", self.with_streams(">&-", *arguments, status=1).stderr)

    def test_a_full_disk_is_a_failure_with_its_reason(self):
        self.pub("a.b")
        for arguments in (["ls"], ["pub", "a.b", "--json"], ["--help"]):
            with self.subTest(arguments):
                self.assertIn(b"No space left", self.with_streams(">/dev/full", *arguments, status=1).stderr)

    def test_a_subscriber_whose_output_is_full_ends_at_the_first_event(self):
        with open("/dev/full", "wb") as full:
            sub = self.start_sub("*", stdout=full)
        self.pub("a.b")
        _, errors, status = sub.finish()
        self.assertEqual(status, 1)
        self.assertIn("No space left", errors)

    def test_a_silent_publication_needs_no_output(self):
        self.with_streams(">&-", "pub", "a.b", "x", status=0)

    def test_a_closed_input_is_a_failure_only_if_it_is_asked_for(self):
        self.with_streams("<&-", "pub", "a.b", "x", status=0)
        for arguments in (["pub", "a.b", "-"], ["pub", "a.b", "--lines"]):
            self.assertIn(b"standard input", self.with_streams("<&-", *arguments, status=1).stderr)

    def test_the_places_of_closed_streams_are_filled(self):
        shell = self.start_shell(f"exec '{harness.TOOL}' sub '*' <&- 2>&-", stdout=subprocess.DEVNULL)
        self.wait_for_inboxes(1)
        for number in (0, 2):
            self.assertEqual(os.readlink(f"/proc/{shell.pid}/fd/{number}"), "/dev/null")

    def test_nothing_that_stays_open_is_taken_over(self):
        sub = self.start_sub("*", "--json")
        done = self.with_streams("<&-", "pub", "a.b", "x", "--json", status=0)
        self.assertIn(b'"delivered":1', done.stdout)
        self.assertEqual(sub.read_json()["payload"], "x")


harness.main()
