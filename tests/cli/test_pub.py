"""Publishing."""
import json
import os
import signal
import subprocess

import harness


class Payloads(harness.CliTest):
    def test_a_payload_on_the_command_line_arrives(self):
        self.assertEqual(self.received("a.b", "hello")["payload"], "hello")

    def test_without_a_payload_it_is_empty(self):
        self.assertEqual(self.received("a.b")["payload"], "")

    def test_an_empty_payload_is_a_payload(self):
        self.assertEqual(self.received("a.b", "")["payload"], "")

    def test_a_dash_takes_standard_input_whole(self):
        self.assertEqual(self.received("a.b", "-", stdin=b"two\nlines\n")["payload"], "two\nlines\n")

    def test_arguments_that_mean_something_elsewhere_are_payloads_as_they_stand(self):
        sub = self.start_sub("*", "--json")
        for payload in ("sub", "pub", "-5", "[1,2]", "{}", '"quoted"', "'quoted'", "a=b", "%%", "ünï"):
            with self.subTest(payload):
                self.pub("a.b", payload)
                self.assertEqual(sub.read_json()["payload"], payload)

    def test_behind_two_dashes_everything_is_a_payload(self):
        sub = self.start_sub("*", "--json")
        for payload in ("-x", "--help", "++"):
            with self.subTest(payload):
                self.pub("a.b", "--", payload)
                self.assertEqual(sub.read_json()["payload"], payload)

    def test_a_lone_plus_plus_is_refused_not_lost(self):
        self.assertIn("'--'", self.refused("pub", "a.b", "++"))

    def test_source_and_subject_arrive(self):
        event = self.received("a.b", "x", "--source", "sénsor", "--subject", "agent-7")
        self.assertEqual((event["source"], event["subject"]), ("sénsor", "agent-7"))

    def test_the_source_is_the_program_and_its_pid_unless_told(self):
        self.assertRegex(self.received("a.b")["source"], r"^swarmbus-\d+$")

    def test_text_is_published_as_text_and_other_bytes_as_bytes(self):
        sub = self.start_sub("*", "--json")
        for arguments, stdin, encoding in ((["né"], b"", "text"), (["-"], b"\xff", "bytes"), ([], b"", "text")):
            self.pub("a.b", *arguments, stdin=stdin)
            self.assertEqual(sub.read_json()["encoding"], encoding)

    def test_the_encoding_can_be_told(self):
        sub = self.start_sub("*", "--json")
        for encoding in ("bytes", "text", "json"):
            self.pub("a.b", "17", "--encoding", encoding)
            self.assertEqual(sub.read_json()["encoding"], encoding)

    def test_a_payload_of_a_type_with_a_schema_becomes_what_its_readers_expect(self):
        sub = self.start_sub("*", "--json")
        self.pub("task.failed", '{"attempt": 2, "task_id": "t-1", "metadata": {"big": 18446744073709551615}}')
        event = sub.read_json()
        self.assertEqual((event["encoding"], event["payload"]),
                         ("flatbuffers", {"task_id": "t-1", "attempt": 2, "metadata": {"big": 18446744073709551615}}))
        self.pub("task.failed", "{}", "--encoding", "json")
        self.pub("task.failed")
        for _ in range(2):
            event = sub.read_json()
            self.assertEqual((event["encoding"], event["payload"]), ("flatbuffers", {}))
        plain = self.start_sub("*", inboxes=2)
        self.pub("task.failed", "--lines", stdin=b'{"error":"no room"}\n')
        self.assertTrue(plain.read_line().endswith('{"error":"no room"}'))

    def test_a_payload_that_is_not_what_the_schema_asks_for_is_refused(self):
        message = self.refused("pub", "task.failed", '{"attempt": -2}', status=1)
        self.assertIn("attempt: expected a whole number from 0 to 4294967295, found -2", message)
        message = self.refused("pub", "agent.created", "hello", status=1)
        self.assertIn("swarmbus schema show agent.created", message)
        message = self.refused("pub", "agent.created", "--lines", stdin=b'{}\n{"agent_id":7}\n', status=1)
        self.assertIn("line 2 of standard input: ", message)
        self.assertIn("agent_id", message)

    def test_a_payload_of_a_type_with_a_schema_is_left_as_it_is_when_told_so(self):
        event = self.received("agent.created", "hello", "--encoding", "text")
        self.assertEqual((event["encoding"], event["payload"]), ("text", "hello"))

    def test_a_payload_that_its_encoding_does_not_allow_is_refused(self):
        for payload in ("", "{", "nan", "[1,]", "{} {}", "[" * 65 + "]" * 65):
            with self.subTest(payload):
                self.assertIn("JSON", self.refused("pub", "a.b", payload, "--encoding", "json", status=1))
        self.assertIn("UTF-8", self.refused("pub", "a.b", b"\xff", "--encoding", "text", status=1))

    def test_a_payload_larger_than_a_slot_arrives_whole(self):
        sub = self.start_sub("*", "--json")
        for size in (216, 217, 300, 5_000_000):
            self.run_tool("pub", "a.b", "-", stdin=b"x" * size)
            self.assertEqual(sub.read_json()["payload"], "x" * size)

    def test_endless_input_is_refused_in_bounded_memory(self):
        with open("/dev/zero", "rb") as zeros:
            done = self.start("pub", "a.b", "-", stdin=zeros)
            _, errors, status = done.finish()
        self.assertEqual(status, 1)
        self.assertIn("64 MiB", errors)

    def test_publishing_creates_the_bus(self):
        self.pub("a.b")
        self.assertEqual(self.look()["types"], 1)


class Lines(harness.CliTest):
    def payloads(self, stdin, *arguments):
        sub = self.start_sub("*", "--json", "--capacity", "65536")
        self.pub("a.b", "--lines", *arguments, stdin=stdin)
        self.pub("end")
        events = []
        while (event := sub.read_json())["type"] != "end":
            events.append(event["payload"])
        return events

    def test_each_line_is_an_event_without_its_newline(self):
        self.assertEqual(self.payloads(b"one\n\n three \r\n"), ["one", "", " three \r"])

    def test_a_last_line_without_newline_is_published_too(self):
        self.assertEqual(self.payloads(b"one\ntwo"), ["one", "two"])

    def test_no_input_is_no_event(self):
        self.assertEqual(self.payloads(b""), [])

    def test_a_dash_may_stand_for_the_lines(self):
        self.assertEqual(self.payloads(b"one\ntwo\n", "-"), ["one", "two"])

    def test_another_payload_beside_lines_is_refused(self):
        self.assertIn("--lines", self.refused("pub", "a.b", "payload", "--lines"))

    def test_a_count_is_the_most_lines(self):
        self.assertEqual(self.payloads(b"1\n2\n3\n4\n", "--count", "2"), ["1", "2"])

    def test_lines_that_reads_cut_in_two_arrive_whole_and_in_order(self):
        lines = [str(i) * 20 for i in range(1, 5000)]  # several times what one read takes
        self.assertEqual(self.payloads("\n".join(lines).encode()), lines)

    def test_a_line_is_published_when_it_comes(self):
        sub = self.start_sub("*", "--json")
        pub = self.start("pub", "a.b", "--lines", "--json", stdin=subprocess.PIPE)
        for payload in ("first", "second"):
            pub.write(payload.encode() + b"\n")
            self.assertEqual(sub.read_json()["payload"], payload)
            self.assertEqual(pub.read_json()["delivered"], 1)
        pub.write(b"half a line")
        pub.popen.stdin.close()
        pub.popen.stdin = None
        self.assertEqual(sub.read_json()["payload"], "half a line")
        self.assertEqual(pub.wait(), 0)

    def test_a_line_larger_than_a_slot_is_published_in_its_turn(self):
        sub = self.start_sub("*", "--json")
        self.run_tool("pub", "a.b", "--lines", stdin=b"fine\n" + b"x" * 70_000 + b"\nlast\n")
        self.assertEqual([sub.read_json()["payload"] for _ in range(3)], ["fine", "x" * 70_000, "last"])

    def test_a_line_that_is_not_json_is_named(self):
        message = self.run_tool("pub", "a.b", "--lines", "--encoding", "json", stdin=b"1\n{}\nnope\n", status=1).stderr.decode()
        self.assertIn("line 3 ", message)


class Repeating(harness.CliTest):
    def test_a_count_repeats_the_payload(self):
        sub = self.start_sub("*", "--json", "--count", "3")
        self.pub("a.b", "again", "--count", "3")
        events = [json.loads(line) for line in sub.finish()[0]]
        self.assertEqual([(e["payload"], e["sequence"]) for e in events], [("again", 1), ("again", 2), ("again", 3)])

    def test_a_count_repeats_standard_input(self):
        sub = self.start_sub("*", "--json", "--count", "2")
        self.pub("a.b", "-", "--count", "2", stdin=b"again")
        self.assertEqual([json.loads(line)["payload"] for line in sub.finish()[0]], ["again", "again"])

    def test_a_rate_spaces_the_events(self):
        for rate in ("50", "50/s"):
            sub = self.start_sub("*", "--json", "--count", "11")
            self.pub("a.b", "--count", "11", "--rate", rate)
            times = [harness.nanoseconds(json.loads(line)["time"]) for line in sub.finish()[0]]
            self.assertGreater(times[-1] - times[0], 150_000_000)  # ten gaps of 20 ms, less what may be caught up

    def test_a_rate_without_a_count_goes_on_until_it_is_ended(self):
        sub = self.start_sub("*", "--json")
        pub = self.start("pub", "a.b", "--rate", "1000")
        for sequence in range(1, 21):
            self.assertEqual(sub.read_json()["sequence"], sequence)
        pub.signal(signal.SIGINT)
        self.assertEqual(pub.finish(), ([], "", -signal.SIGINT))

    def test_json_of_a_paced_event_comes_before_the_next_is_due(self):
        pub = self.start("pub", "a.b", "--rate", "5", "--json")
        self.assertEqual([pub.read_json()["sequence"] for _ in range(2)], [1, 2])

    def test_a_rate_paces_lines(self):
        sub = self.start_sub("*", "--json", "--count", "2")
        self.pub("a.b", "--lines", "--rate", "1000/s", stdin=b"one\ntwo\n")
        self.assertEqual([json.loads(line)["payload"] for line in sub.finish()[0]], ["one", "two"])


class Reports(harness.CliTest):
    def test_success_is_silent(self):
        done = self.run_tool("pub", "a.b", "x", "--count", "3")
        self.assertEqual((done.stdout, done.stderr), (b"", b""))

    def test_json_tells_what_became_of_each_event(self):
        self.start_sub("*")
        self.start_sub("a.*", inboxes=2)
        lines = self.pub("a.b", "x", "--count", "2", "--json").stdout.decode().splitlines()
        self.assertEqual([json.loads(line) for line in lines],
                         [{"type": "a.b", "sequence": n, "delivered": 2, "dropped": 0} for n in (1, 2)])

    def test_json_tells_that_nobody_listened(self):
        self.assertEqual(json.loads(self.pub("a.b", "--json").stdout)["delivered"], 0)

    def full_blocking_inbox(self):
        sub = self.start_sub("*", "--overflow", "block", "--capacity", "16")
        sub.stop()
        self.pub("a.b", "--count", "16")

    def test_an_event_that_a_full_subscriber_did_not_get_gives_a_warning(self):
        self.full_blocking_inbox()
        done = self.run_tool("pub", "a.b", "--count", "3", "--block-timeout", "0")
        self.assertEqual(done.stderr.decode(), "swarmbus: warning: 3 of 3 events did not reach every subscriber (3 dropped)\n")

    def test_json_tells_a_dropped_event(self):
        self.full_blocking_inbox()
        done = self.run_tool("pub", "a.b", "--json", "--block-timeout", "10")
        report = json.loads(done.stdout)
        self.assertEqual((report["delivered"], report["dropped"]), (0, 1))
        self.assertIn(b"warning", done.stderr)

    def test_strict_makes_a_dropped_event_an_exit_code(self):
        self.pub("a.b", "--strict")
        self.full_blocking_inbox()
        self.run_tool("pub", "a.b", "--strict", "--block-timeout", "0", status=3)

    def test_a_dropped_line_is_warned_about_when_a_signal_ends_it(self):
        self.full_blocking_inbox()
        pub = self.start("pub", "a.b", "--lines", "--json", "--block-timeout", "0", stdin=subprocess.PIPE)
        pub.write(b"x\n")
        self.assertEqual(pub.read_json()["dropped"], 1)
        pub.signal(signal.SIGTERM)
        _, errors, status = pub.finish()
        self.assertEqual(status, -signal.SIGTERM)
        self.assertIn("1 of 1 events", errors)


class Ending(harness.CliTest):
    def waiting_pub(self, *arguments, **options):
        pub = self.start("pub", "a.b", "--lines", "--json", *arguments, stdin=subprocess.PIPE, **options)
        pub.write(b"x\n")
        pub.read_json()
        return pub

    def test_a_signal_ends_it_while_it_waits_for_lines(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            pub = self.waiting_pub()
            pub.signal(number)
            self.assertEqual(pub.wait(), -number)
        self.assertEqual(self.look()["participants"], 0)
        self.assertEqual(self.look()["writers"], 0)

    def test_it_notices_while_it_waits_for_lines_that_nobody_reads_its_report(self):
        pub = self.waiting_pub()
        pub.popen.stdout.close()
        pub.popen.stdout = None
        self.assertEqual(pub.wait(), -signal.SIGPIPE)
        self.assertEqual(pub.popen.stderr.read(), b"")

    def test_a_signal_that_was_ignored_at_the_start_stays_ignored(self):
        pub = self.waiting_pub(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        pub.signal(signal.SIGHUP)
        pub.write(b"y\n")
        self.assertEqual(pub.read_json()["sequence"], 2)

    def test_input_that_can_not_be_read_is_an_error(self):
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        _, errors, status = self.start("pub", "a.b", "-", stdin=folder).finish()
        self.assertEqual(status, 1)
        self.assertIn("standard input", errors)


harness.main()
