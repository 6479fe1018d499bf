"""Waiting for one event."""
import json
import signal
import subprocess

import harness


class Wait(harness.CliTest):
    def start_wait(self, *arguments):
        process = self.start("wait", *arguments)
        self.wait_for_inboxes(1)
        return process

    def test_the_first_match_is_printed_and_ends_it(self):
        waiting = self.start_wait("task.finished")
        self.pub("task.finished", "result 7", "--count", "2")
        lines, errors, status = waiting.finish()
        self.assertEqual((len(lines), errors, status), (1, "", 0))
        self.assertTrue(lines[0].endswith("result 7"))

    def test_json_prints_the_event_as_sub_does(self):
        waiting = self.start_wait("task.*", "--json")
        self.pub("task.finished", "x")
        event = json.loads(waiting.finish()[0][0])
        self.assertEqual((event["type"], event["payload"]), ("task.finished", "x"))

    def test_other_events_do_not_end_it(self):
        waiting = self.start_wait("task.finished", "--json")
        self.pub("task.started")
        self.pub("task.finished")
        self.assertEqual([json.loads(line)["type"] for line in waiting.finish()[0]], ["task.finished"])

    def test_any_of_several_patterns_ends_it(self):
        for event_type in ("a.b", "c.d"):
            waiting = self.start_wait("a.*", "c.*", "--json")
            self.pub(event_type)
            self.assertEqual(json.loads(waiting.finish()[0][0])["type"], event_type)

    def test_a_timeout_is_exit_code_124_and_silent(self):
        for timeout in ("0", "0.05", "50ms"):
            with self.subTest(timeout):
                done = self.run_tool("wait", "a.b", "--timeout", timeout, status=124)
                self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_an_event_within_the_timeout_is_in_time(self):
        waiting = self.start_wait("a.b", "--timeout", str(harness.PATIENCE))
        self.pub("a.b")
        self.assertEqual(waiting.finish()[2], 0)

    def test_events_of_the_past_do_not_count(self):
        self.pub("a.b")
        self.run_tool("wait", "a.b", "--timeout", "0.05", status=124)

    def test_a_signal_ends_it(self):
        waiting = self.start_wait("a.b")
        waiting.signal(signal.SIGTERM)
        self.assertEqual(waiting.finish(), ([], "", -signal.SIGTERM))

    def test_a_shell_can_branch_on_it(self):
        script = f"'{harness.TOOL}' wait a.b --timeout 0.05 >/dev/null && echo came || echo $?"
        shell = subprocess.run(["sh", "-c", script], capture_output=True, timeout=harness.PATIENCE, env=self.environment)
        self.assertEqual(shell.stdout, b"124\n")

    def test_waiting_creates_the_bus_so_that_publishers_may_come_later(self):
        self.run_tool("wait", "a.b", "--timeout", "0", status=124)
        self.assertEqual(self.look()["participants"], 0)


harness.main()
