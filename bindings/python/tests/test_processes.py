"""Other processes: forked, spawned, killed."""
import multiprocessing
import os
import signal
import threading

import binding_harness
import harness
import swarmbus


def in_child(act):
    """What it returns in a forked child, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                told = repr(act())
            except BaseException as error:
                told = f"{type(error).__name__}: {error}"
            os.write(writing, told.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        told = stream.read().decode()
    os.waitpid(child, 0)
    return told


def publish_from_spawned(bus, count):
    with bus:
        for i in range(count):
            bus.publish("child.said", {"pid": os.getpid(), "i": i})


class Processes(binding_harness.BusTest):
    def test_after_fork_the_parents_handles_say_what_to_do_and_the_parent_is_exact(self):
        bus = self.open()
        subscription = bus.subscribe("a.*")
        bus.publish("a.b", 0)
        event = subscription.next()
        typed = bus.publish("a.b", b"1") and subscription.next()
        self.assertEqual(event.data, 0)
        for act in (lambda: bus.publish("a.b", 1), lambda: subscription.next(0), lambda: subscription.drain(), lambda: bus.subscribe("x")):
            self.assertRegex(in_child(act), "ForkedError: .*open the bus again")
        self.assertEqual(in_child(lambda: (typed.data, bus.close(), subscription.close())), "(b'1', None, None)")

        def anew():
            with swarmbus.Bus(self.bus) as own:
                return [own.publish("a.b", i).delivered for i in range(3)]

        self.assertEqual(in_child(anew), "[1, 1, 1]")
        for i in range(3, 6):
            bus.publish("a.b", i)
        self.assertEqual([event.data for event in subscription.drain()], list(range(6)))

    def test_a_fork_while_a_thread_waits_can_be_closed_in_the_child(self):
        bus = self.open()
        subscription = bus.subscribe("a.*")
        thread = threading.Thread(target=subscription.next)
        thread.start()
        binding_harness.eventually(lambda: not subscription._receive() or True)
        self.assertEqual(in_child(lambda: (subscription.close(), bus.close())), "(None, None)")
        bus.publish("a.b")
        thread.join(binding_harness.PATIENCE)
        self.assertFalse(thread.is_alive())

    def test_a_bus_that_is_sent_to_a_spawned_process_is_opened_anew_there(self):
        bus = self.open()
        subscription = bus.subscribe("child.*")
        child = multiprocessing.get_context("spawn").Process(target=publish_from_spawned, args=(bus, 100))
        child.start()
        child.join(binding_harness.PATIENCE)
        events = subscription.drain()
        self.assertEqual([event.data for event in events], [{"pid": child.pid, "i": i} for i in range(100)])
        self.assertRaisesRegex(TypeError, "subscribe there", multiprocessing.get_context("spawn").Process(target=print, args=(subscription,)).start)

    def test_the_bus_lives_on_however_a_python_process_ends(self):
        bus = self.open()
        subscription = bus.subscribe("*")
        ends = ("", "raise SystemExit(3)", "1 / 0", "import os; os._exit(0)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
                "import multiprocessing as m; p = m.get_context('fork').Process(target=bus.close); p.start(); p.join()",
                "import threading; threading.Thread(target=events.next, daemon=True).start()")
        for end in ends:
            with self.subTest(end):
                process = self.start_python(f"bus = swarmbus.Bus(sys.argv[1])\nevents = bus.subscribe('*')\nbus.publish('a.b', 1)\n{end}", self.bus)
                lines, _, status = process.finish()
                self.assertIn(status, (0, 1, 3, -signal.SIGKILL), lines)
                self.assertEqual(subscription.next(binding_harness.PATIENCE).data, 1)
                self.assertTrue(os.path.exists(self.bus_file(self.bus)))
                bus.publish("agent.created", {"agent_id": "a"})
                self.assertEqual(subscription.next(binding_harness.PATIENCE).data, {"agent_id": "a"})

    def test_the_command_line_and_python_understand_each_other(self):
        bus = self.open(source="python")
        subscription = bus.subscribe("*")
        self.pub("agent.created", '{"agent_id":"a","metadata":{"n":1}}', "--subject", "s")
        event = subscription.next(binding_harness.PATIENCE)
        self.assertEqual((event.data, event.subject), ({"agent_id": "a", "metadata": {"n": 1}}, "s"))
        sub = self.start_sub("*", "--json", "--count", "1", inboxes=2)
        bus.publish("task.failed", {"task_id": "t", "will_retry": True}, subject="t")
        told = sub.read_json()
        self.assertEqual((told["payload"], told["source"], told["subject"]), ({"task_id": "t", "will_retry": True}, "python", "t"))


if __name__ == "__main__":
    harness.main()
