"""Subscribing: what is printed, when it ends."""
import datetime
import json
import os
import pty
import re
import signal
import socket
import subprocess
import time

import harness

HUMAN = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d)  (\S+) +(\S+) +(\S+) +#(\d+) +(.*)$")


class Lines(harness.CliTest):
    def test_a_line_shows_time_type_source_subject_sequence_and_payload(self):
        sub = self.start_sub("*", "--count", "1")
        before = time.time()
        self.pub("agent.renamed", "two words", "--source", "me", "--subject", "agent-7")
        line = HUMAN.match(sub.read_line())
        self.assertEqual(line.groups()[1:], ("agent.renamed", "me", "agent-7", "1", "two words"))
        self.assertLess(abs(datetime.datetime.fromisoformat(line[1]).timestamp() - before), 60)

    def test_what_is_missing_shows_as_a_dash(self):
        sub = self.start_sub("*", "--count", "1")
        self.pub("a.b")
        self.assertEqual(HUMAN.match(sub.read_line())[4], "-")

    def test_columns_stay_aligned_and_grow(self):
        sub = self.start_sub("*", "--count", "3")
        for event_type in ("a.b", "a.much.longer.type.than.the.first", "c"):
            self.pub(event_type, "payload", "--source", "sé")
        starts = [sub.read_line().index("payload") for _ in range(3)]
        self.assertLess(starts[0], starts[1])
        self.assertEqual(starts[1], starts[2])

    def test_the_time_is_that_of_the_local_time_zone(self):
        for zone, offset in (("XST-05:30", "+05:30"), ("XST+03:30", "-03:30"), ("UTC", "+00:00")):
            with self.subTest(zone):
                self.environment["TZ"] = zone
                sub = self.start_sub("*", "--count", "1")
                before = time.time()
                self.pub("a.b")
                shown = HUMAN.match(sub.read_line())[1]
                self.assertTrue(shown.endswith(offset), shown)
                self.assertLess(abs(datetime.datetime.fromisoformat(shown).timestamp() - before), 60)
                self.assertEqual(sub.wait(), 0)

    def test_a_payload_can_not_move_the_cursor_or_break_the_line(self):
        sub = self.start_sub("*", "--count", "1")
        self.pub("a.b", "-", stdin=b"a\nb\tc\rd\x1b[31me\x7ff\x00g\xffh" + "\u009bi\u2028j\u00fck".encode())
        self.assertEqual(HUMAN.match(sub.read_line())[6], r"a\nb\tc\rd\x1b[31me\x7ff\x00g\xffh\u009bi\u2028jük")

    def test_source_and_subject_can_not_move_the_cursor(self):
        sub = self.start_sub("*", "--count", "1")
        self.publish_raw("a.b", source=b"s\x1bx", subject=b"t\xffy")
        self.assertEqual(HUMAN.match(sub.read_line()).group(3, 4), (r"s\x1bx", r"t\xffy"))


class Colours(harness.CliTest):
    def printed_on_a_terminal(self, **environment):
        self.environment.update(environment)
        terminal, tool_side = pty.openpty()
        self.addCleanup(os.close, terminal)
        sub = self.start_sub("*", "--count", "1", stdout=tool_side)
        os.close(tool_side)
        self.pub("a.b", "payload")
        self.assertEqual(sub.wait(), 0)
        return os.read(terminal, 4096)

    def test_a_terminal_gets_colours(self):
        self.assertIn(b"\x1b[2m", self.printed_on_a_terminal())

    def test_no_color_and_dumb_terminals_get_none(self):
        self.assertNotIn(b"\x1b", self.printed_on_a_terminal(NO_COLOR="1"))
        self.assertNotIn(b"\x1b", self.printed_on_a_terminal(NO_COLOR="", TERM="dumb"))

    def test_an_empty_no_color_is_none(self):
        self.assertIn(b"\x1b[2m", self.printed_on_a_terminal(NO_COLOR=""))

    def test_a_pipe_gets_none(self):
        sub = self.start_sub("*", "--count", "1")
        self.pub("a.b")
        self.assertNotIn("\x1b", sub.read_line())


class Json(harness.CliTest):
    def test_an_event_is_one_object_with_these_keys(self):
        event = self.received("a.b", "x")
        self.assertEqual(list(event), ["type", "source", "subject", "sequence", "writer", "time", "encoding", "payload", "lost"])
        self.assertEqual((event["type"], event["subject"], event["sequence"], event["payload"], event["lost"]), ("a.b", "", 1, "x", 0))

    def test_the_time_is_utc_with_nanoseconds(self):
        before = time.time_ns()
        text = self.received("a.b")["time"]
        self.assertRegex(text, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertLess(abs(harness.nanoseconds(text) - before), 60 * 10**9)

    def test_writer_and_sequence_tell_events_apart(self):
        sub = self.start_sub("*", "--json", "--count", "4")
        for _ in range(2):
            self.pub("a.b", "--count", "2")
        events = map(json.loads, sub.finish()[0])
        self.assertEqual(len({(e["writer"], e["sequence"]) for e in events}), 4)


class Matching(harness.CliTest):
    def types_received(self, patterns, published):
        sub = self.start_sub(*patterns, "the.end", "--json")
        for event_type in published:
            self.pub(event_type)
        self.pub("the.end")
        types = []
        while (event_type := sub.read_json()["type"]) != "the.end":
            types.append(event_type)
        return types

    def test_patterns_match_as_documented(self):
        published = ["agent", "agent.created", "agent.status.changed", "task.created"]
        for pattern, expected in (("agent.*", published[1:3]), ("*", published), ("+.created", ["agent.created", "task.created"]),
                                  ("agent.>", published[1:3]), ("agent", ["agent"])):
            with self.subTest(pattern):
                self.bus = self.environment["SWARMBUS_BUS"] = self.new_bus()
                self.assertEqual(self.types_received([pattern], published), expected)

    def test_an_event_that_several_patterns_match_is_printed_once(self):
        self.assertEqual(self.types_received(["a.*", "a.b", "*.b"], ["a.b", "c.d", "e.b"]), ["a.b", "e.b"])


class Limits(harness.CliTest):
    def test_it_ends_after_the_count(self):
        sub = self.start_sub("*", "--json", "--count", "2")
        self.pub("a.b", "--count", "5")
        lines, errors, status = sub.finish()
        self.assertEqual([json.loads(line)["sequence"] for line in lines], [1, 2])
        self.assertEqual((errors, status), ("", 0))

    def test_it_ends_after_the_timeout_with_success(self):
        done = self.run_tool("sub", "*", "--timeout", "0.05")
        self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_a_count_that_is_not_reached_in_time_is_an_exit_code(self):
        sub = self.start_sub("*", "--json", "--count", "2", "--timeout", "2")
        self.pub("a.b")
        lines, errors, status = sub.finish()
        self.assertEqual((len(lines), errors, status), (1, "", 124))

    def test_a_timeout_of_zero_looks_once(self):
        self.run_tool("sub", "*", "--timeout", "0")
        self.run_tool("sub", "*", "--timeout", "0", "--count", "1", status=124)

    def test_the_timeout_holds_while_events_keep_coming(self):
        self.start("pub", "a.b", "--count", str(10**12))  # faster than anyone prints
        while (self.look() or {}).get("types") != 1:
            time.sleep(harness.POLL_PAUSE)
        sub = self.start("sub", "*", "--timeout", "0.5", stdout=subprocess.DEVNULL)
        self.assertEqual(sub.wait(), 0)

    def test_a_wait_longer_than_one_look_still_gets_the_event(self):
        sub = self.start_sub("*", "--json", "--count", "1")
        time.sleep(0.5)  # two looks at the output, 200 ms apart, find nothing
        self.pub("a.b")
        self.assertEqual(sub.read_json()["type"], "a.b")


    def test_its_name_is_that_of_its_source(self):
        self.start_sub("*", "--source", "watcher")
        found = [json.loads(line) for line in self.run_tool("ps", "--json").stdout.splitlines()]
        self.assertEqual([participant["name"] for participant in found], ["watcher"])
        self.assertIn("63 are allowed", self.refused("sub", "*", "--source", "s" * 64))
        self.assertIn("UTF-8", self.refused("sub", "*", "--source", b"\xff"))

    def test_large_events_are_printed_one_by_one(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        sub = self.start_sub("*", "--json", stdout=writing)
        os.close(writing)
        sub.stop()
        self.pub("a.b", "-", "--count", "20", stdin=b"x" * 100_000)
        sub.resume()
        self.assertEqual(os.read(reading, 10)[:9], b'{"type":"')  # while the second waits for a reader
        sub.signal(signal.SIGTERM)
        self.assertEqual(sub.wait(), -signal.SIGTERM)


class Ending(harness.CliTest):
    def test_a_signal_ends_it_quietly_and_it_leaves_the_bus(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                sub = self.start_sub("*")
                sub.signal(number)
                self.assertEqual(sub.finish(), ([], "", -number))
                found = self.look()
                self.assertEqual((found["participants"], found["inboxes"]), (0, 0))

    def test_a_shell_sees_the_customary_exit_code(self):
        script = f"'{harness.TOOL}' sub '*' & child=$!; read go; kill -TERM $child; wait $child; echo $?"
        shell = self.start_shell(script, stdin=subprocess.PIPE)
        self.wait_for_inboxes(1)
        shell.write(b"\n")
        self.assertEqual(shell.read_line(), "143")

    def test_a_signal_that_was_ignored_at_the_start_stays_ignored(self):
        sub = self.start_sub("*", "--json", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        sub.signal(signal.SIGINT)
        self.pub("a.b")
        self.assertEqual(sub.read_json()["type"], "a.b")

    def test_a_signal_ends_it_while_its_output_is_stuck(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        sub = self.start_sub("*", "--json", stdout=writing)
        os.close(writing)
        self.pub("a.b", "x" * 150, "--count", "500")  # more than a pipe holds
        sub.signal(signal.SIGINT)
        self.assertEqual(sub.wait(), -signal.SIGINT)


# peers 13
class ClosedPipe(harness.CliTest):
    def test_lines_come_one_by_one_through_a_pipe(self):
        sub = self.start_sub("*")
        for payload in ("first", "second"):
            self.pub("a.b", payload)
            self.assertTrue(sub.read_line().endswith(payload))

    def pipeline(self, script):
        shell = self.start_shell(f"'{harness.TOOL}' sub '*' --json | {script}")
        self.wait_for_inboxes(1)
        return shell

    def test_head_gets_its_lines_and_ends_the_pipeline_quietly(self):
        shell = self.pipeline("head -n 3")
        self.pub("a.b", "--count", "5")
        lines, errors, status = shell.finish()
        self.assertEqual(([json.loads(line)["sequence"] for line in lines], errors, status), ([1, 2, 3], "", 0))
        self.assertEqual(self.look()["inboxes"], 0)

    def test_a_shell_loop_reads_each_line_as_it_comes(self):
        shell = self.pipeline("while read -r line; do echo \"got $line\"; done")
        for sequence in (1, 2):
            self.pub("a.b", str(sequence))
            self.assertIn(f'"payload":"{sequence}"', shell.read_line())

    def test_a_quiet_bus_does_not_keep_it_when_its_reader_has_gone(self):
        for arguments in (["sub", "*"], ["sub", "*", "--json"], ["wait", "nothing"]):
            with self.subTest(arguments):
                process = self.start(*arguments)
                self.wait_for_inboxes(1)
                process.popen.stdout.close()
                process.popen.stdout = None
                self.assertEqual(process.wait(), -signal.SIGPIPE)
                self.assertEqual(process.popen.stderr.read(), b"")
                found = self.look()
                self.assertEqual((found["participants"], found["inboxes"]), (0, 0))

    def test_a_quiet_bus_does_not_keep_it_when_the_socket_it_prints_to_is_closed(self):
        ours, its = socket.socketpair()
        sub = self.start_sub("*", stdout=its)
        its.close()
        ours.close()
        self.assertEqual(sub.wait(), -signal.SIGPIPE)

    def test_the_next_event_finds_the_closed_pipe_too(self):
        sub = self.start_sub("*")
        sub.stop()
        self.pub("a.b")
        sub.popen.stdout.close()
        sub.popen.stdout = None
        sub.resume()
        self.assertEqual(sub.wait(), -signal.SIGPIPE)
        self.assertEqual(sub.popen.stderr.read(), b"")


harness.main()
