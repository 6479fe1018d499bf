"""Threads, signals and the garbage collector."""
import gc
import signal
import subprocess
import sys
import threading
import weakref

import binding_harness
import harness
import swarmbus

PATIENCE = binding_harness.PATIENCE


class Threads(binding_harness.BusTest):
    def in_thread(self, act):
        """What it returns or raises, when asked."""
        box = []

        def run():
            try:
                box.append(act())
            except BaseException as error:
                box.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def outcome():
            thread.join(PATIENCE)
            self.assertFalse(thread.is_alive())
            return box[0]

        return outcome

    def test_other_threads_run_while_one_waits(self):
        bus = self.open()
        subscription = bus.subscribe("a.*")
        outcome = self.in_thread(lambda: subscription.next(PATIENCE).data)
        bus.publish("a.b", 5)
        self.assertEqual(outcome(), 5)

    def test_several_threads_share_a_subscription_and_each_event_is_had_once(self):
        bus = self.open()
        subscription = bus.subscribe("a.*", capacity=4096)
        got = [[] for _ in range(4)]
        outcomes = [self.in_thread(lambda mine=mine: mine.extend(event.data for event in subscription)) for mine in got]
        for i in range(3000):
            bus.publish("a.b", i)
        binding_harness.eventually(lambda: sum(map(len, got)) == 3000, "taking all")
        subscription.close()
        for outcome in outcomes:
            self.assertIsNone(outcome())
        self.assertEqual(sorted(sum(got, [])), list(range(3000)))

    def test_closing_ends_waits_of_other_threads(self):
        bus = self.open()
        first, second = bus.subscribe("a.*"), bus.subscribe("a.*")
        waiting, iterating = self.in_thread(first.next), self.in_thread(lambda: list(second))
        bus.publish("a.b", 1)
        self.assertEqual(waiting().data, 1)
        waiting = self.in_thread(first.next)
        bus.close()
        self.assertIsInstance(waiting(), swarmbus.ClosedError)
        self.assertLessEqual(len(iterating()), 1)

    def test_closing_while_others_publish_is_safe(self):
        for _ in range(20):
            bus = self.open()

            def publish():
                while True:
                    bus.publish("a.b", {"x": 1})

            outcomes = [self.in_thread(publish) for _ in range(3)]
            bus.close()
            for outcome in outcomes:
                self.assertIsInstance(outcome(), swarmbus.ClosedError)

    def test_a_publisher_that_waits_lets_the_reader_of_its_own_process_make_room(self):
        bus = self.open(block_timeout=PATIENCE)
        subscription = bus.subscribe("a.*", capacity=16, overflow="block")
        outcome = self.in_thread(lambda: [event.data for _, event in zip(range(200), subscription)])
        for i in range(200):
            self.assertEqual(bus.publish("a.b", i).dropped, 0)
        self.assertEqual(outcome(), list(range(200)))

    def test_ctrl_c_ends_a_wait(self):
        for wait in ("events.next()", "list(events)", "bus.run()"):
            script = f"bus = swarmbus.Bus(sys.argv[1]); events = bus.subscribe('*'); bus.on('a')(print); print('ready')\n{wait}"
            process = self.start_python(script, self.bus)
            self.assertEqual(process.read_line(), "ready")
            process.signal(signal.SIGINT)
            lines, _, status = process.finish()
            self.assertEqual((lines[-1], status), ("KeyboardInterrupt", -signal.SIGINT), wait)

    def test_handlers_run_until_they_are_stopped(self):
        bus, got = self.open(), []

        @bus.on("a.*", "b.c")
        def handle(event):
            got.append(event.data)
            if event.data == 3:
                bus.stop()

        for type, data in (("a.x", 1), ("z.x", 2), ("b.c", 3), ("a.x", 4)):
            bus.publish(type, data)
        bus.run()
        self.assertEqual(got, [1, 3])
        bus.run(timeout=0.05)
        self.assertEqual(got, [1, 3, 4])

    def test_a_handler_that_fails_is_logged_and_the_others_are_called(self):
        bus, got = self.open(), []
        bus.on("a.*")(lambda event: 1 / 0)
        bus.on("a.*")(got.append)
        bus.publish("a.b", 1)
        with self.assertLogs("swarmbus") as logged:
            bus.run(timeout=0.05)
        self.assertIn("ZeroDivisionError", logged.output[0])
        self.assertEqual(len(got), 1)

    def test_an_async_handler_needs_a_loop(self):
        bus = self.open()

        @bus.on("a.*")
        async def handle(event):
            pass

        bus.publish("a.b")
        with self.assertRaisesRegex(TypeError, "async with"):
            bus.run(timeout=PATIENCE)

    def test_methods_of_what_is_collected_are_unsubscribed(self):
        class Agent:
            got = []

            def handle(self, event):
                self.got.append(event.data)

        bus, agent = self.open(), Agent()
        bus.add_handler("a.*", agent.handle)
        bus.publish("a.b", 1)
        bus.run(timeout=0.05)
        self.assertEqual(bus.publish("a.b", 2).delivered, 1)
        del agent
        gc.collect()
        bus.run(timeout=0.05)
        self.assertEqual(Agent.got, [1])
        self.assertEqual(bus.publish("a.b", 3).delivered, 0)

    def test_removed_handlers_get_nothing(self):
        bus, got = self.open(), []
        number = bus.add_handler("a.*", got.append)
        bus.remove_handler(number)
        bus.remove_handler(number)
        self.assertEqual(bus.publish("a.b", 1).delivered, 0)

    def test_subscriptions_end_when_they_are_collected_and_with_their_context(self):
        bus = self.open()
        with bus.subscribe("a.*"):
            self.assertEqual(bus.publish("a.b").delivered, 1)
        self.assertEqual(bus.publish("a.b").delivered, 0)
        subscription = bus.subscribe("a.*")
        gone = weakref.ref(subscription)
        del subscription
        gc.collect()
        self.assertIsNone(gone())
        self.assertEqual(bus.publish("a.b").delivered, 0)

    def test_a_bus_that_is_collected_leaves_the_bus(self):
        bus, other = self.open(), swarmbus.Bus(self.bus)
        events = other.subscribe("*")
        bus.publish("agent.created", {"agent_id": "a"})
        event = events.next(0)
        del other, events
        gc.collect()
        self.assertEqual(bus.publish("a.b").delivered, 0)
        self.assertEqual(event.data, {"agent_id": "a"})

    def test_circles_are_collected(self):
        event = swarmbus.Event("a.b", {})
        event.data["self"] = event
        box = event.data["box"] = type("Box", (), {})()
        gone = weakref.ref(box)
        del event, box
        gc.collect()
        self.assertIsNone(gone())

    def test_ten_thousand_subscriptions_and_events_leave_no_memory_behind(self):
        script = """
import gc, resource
bus = swarmbus.Bus(sys.argv[1])
def work(times):
    for i in range(times):
        with bus.subscribe("a.*") as events:
            for _ in range(20):
                bus.publish("agent.created", {"agent_id": "x", "metadata": [i]}); bus.publish("a.b", {"agent_id": str(i)})
            [event.data for event in events.drain()]
            bus.publish("a.b", 1)
            try: bus.publish("a.b", {"x": float("nan")})
            except swarmbus.PayloadError: pass
    gc.collect()
    with open("/proc/self/statm") as file: return int(file.read().split()[1])
work(200)
before = work(200)
print(work(600) - before)
"""
        done = subprocess.run([sys.executable, "-c", "import swarmbus, sys\n" + script, self.bus], capture_output=True, timeout=60, check=True)
        self.assertLess(int(done.stdout), 250, "pages of 4 KiB")


if __name__ == "__main__":
    harness.main()
