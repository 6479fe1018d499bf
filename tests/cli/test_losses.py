"""Losses are printed with number and cause, and nothing is lost unsaid."""
import harness

CAPACITY = 16
PUBLISHED = 40
LOST = PUBLISHED - CAPACITY


class Losses(harness.CliTest):
    def overrun(self, policy, *arguments, pub_arguments=()):
        """A subscriber that was stopped while more was published than its inbox holds."""
        sub = self.start_sub("a.*", "--overflow", policy, "--capacity", str(CAPACITY), *arguments)
        sub.stop()
        self.run_tool("pub", "a.b", "--count", str(PUBLISHED), *pub_arguments)
        sub.resume()
        return sub

    def json_lines(self, sub, count):
        return [sub.read_json() for _ in range(count)]

    def test_evicted_events_are_told_with_the_events_that_are_left(self):
        events = self.json_lines(self.overrun("drop_oldest", "--json"), CAPACITY)
        self.assertEqual([e["sequence"] for e in events], list(range(LOST + 1, PUBLISHED + 1)))
        self.assertGreater(events[0]["lost"], 0)
        self.assertEqual(sum(e["lost"] for e in events), LOST)
        for event in events:
            self.assertEqual(event.get("lost_by", {}).get("evicted", 0), event["lost"])

    def test_people_read_a_loss_on_a_line_of_its_own_before_the_event(self):
        sub = self.overrun("drop_oldest")
        self.assertRegex(sub.read_line(), r"^lost (\d+): \1 evicted$")
        self.assertIn(f"#{LOST + 1} ", sub.read_line())

    def test_losses_after_the_last_event_are_told_too(self):
        *events, loss = self.json_lines(self.overrun("drop_newest", "--json"), CAPACITY + 1)
        self.assertEqual([e["sequence"] for e in events], list(range(1, CAPACITY + 1)))
        self.assertEqual(loss, {"lost": LOST, "lost_by": {"full": LOST}})

    def test_people_read_of_losses_after_the_last_event(self):
        sub = self.overrun("drop_newest")
        lines = [sub.read_line() for _ in range(CAPACITY + 1)]
        self.assertEqual(lines[-1], f"lost {LOST}: {LOST} full")

    def test_a_blocking_inbox_tells_what_publishers_gave_up_on(self):
        *_, loss = self.json_lines(self.overrun("block", "--json", pub_arguments=("--block-timeout", "0")), CAPACITY + 1)
        self.assertEqual(loss, {"lost": LOST, "lost_by": {"timeout": LOST}})

    def test_a_count_counts_events_not_losses(self):
        sub = self.overrun("drop_oldest", "--json", "--count", str(CAPACITY))
        lines, _, status = sub.finish()
        self.assertEqual((len(lines), status), (CAPACITY, 0))

    def test_a_blocking_subscriber_that_reads_loses_nothing(self):
        count = 5000
        sub = self.start_sub("a.*", "--overflow", "block", "--capacity", str(CAPACITY), "--json", "--count", str(count))
        pub = self.start("pub", "a.b", "--count", str(count), "--block-timeout", "20s", "--strict")
        for sequence in range(1, count + 1):
            event = sub.read_json()
            self.assertEqual((event["sequence"], event["lost"]), (sequence, 0))
        self.assertEqual(pub.finish(), ([], "", 0))

    def test_received_and_told_losses_add_up_at_full_speed(self):
        count = 50_000
        sub = self.start_sub("a.*", "--capacity", str(CAPACITY), "--json")
        pub = self.start("pub", "a.b", "--count", str(count))
        received = told = last = 0
        while received + told < count:
            event = sub.read_json()
            told += event["lost"]
            if "type" in event:
                received += 1
                self.assertGreater(event["sequence"], last)
                last = event["sequence"]
        self.assertEqual((received + told, pub.wait()), (count, 0))

    def test_strict_makes_a_loss_an_exit_code(self):
        sub = self.overrun("drop_oldest", "--strict", "--count", "1")
        self.assertEqual(sub.finish()[2], 3)

    def test_strict_is_content_when_nothing_was_lost(self):
        sub = self.start_sub("*", "--strict", "--count", "1")
        self.pub("a.b")
        self.assertEqual(sub.finish()[2], 0)


harness.main()
