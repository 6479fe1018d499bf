"""The examples, as a newcomer runs them."""

import os
import re
import select
import subprocess
import sys

import tap
from swarm import PATIENCE, eventually, new_bus_name, remove_bus

FOLDER = sys.argv[1]


def run_example(name):
    bus = new_bus_name("example")
    try:
        done = subprocess.run([os.path.join(FOLDER, name), bus], text=True, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0 and done.stderr == "", done
        return done.stdout
    finally:
        remove_bus(bus)


def hello_publisher_reaches_hello_subscriber():
    bus = new_bus_name("example")
    with subprocess.Popen([os.path.join(FOLDER, "hello_subscriber"), bus], text=True, stdout=subprocess.PIPE) as subscriber:
        try:
            # It does not say when it listens: publish until it does.
            def heard():
                subprocess.run([os.path.join(FOLDER, "hello_publisher"), bus], check=True, timeout=PATIENCE)
                ready = select.select([subscriber.stdout], [], [], 0.1)[0]
                return ready and subscriber.stdout.readline() == 'agent.created {"agent_id":"agent-7"}\n'

            eventually(heard, "the subscriber prints the event")
        finally:
            subscriber.kill()
            remove_bus(bus)


def hello_in_c_receives_what_it_publishes():
    assert re.fullmatch(r'agent\.created from hello-\d+: \{"agent_id":"agent-7"\}\n', run_example("hello"))


def handlers_get_what_they_asked_for():
    assert run_example("handlers").splitlines() == [
        'task:     task.created {"task_id":"t-1","title":"write the tests"}',
        'agent:    agent.status.changed {"previous_status":"idle","new_status":"busy"}',
        'task:     task.failed {"task_id":"t-1","error":"no such file"}',
        'trouble:  task.failed {"task_id":"t-1","error":"no such file"}',
        "the end:  too much trouble",
    ]


def losses_are_told_to_the_last_one():
    oldest, newest = run_example("losses").split("drop_newest")
    for output, kept in ((oldest, range(85, 101)), (newest, range(1, 17))):
        assert [int(number) for number in re.findall(r"got (\d+)", output)] == list(kept), output
        assert sum(int(number) for number in re.findall(r"lost (\d+)", output)) == 84, output


def batches_bring_every_reading():
    output = run_example("batch")
    assert re.fullmatch(r"1000 readings in \d+ batches, sum 500500, lost 0\n", output), output


def a_bound_publisher_learns_who_got_its_event():
    assert run_example("bound_publisher").splitlines() == [
        "event 1 is in 2 inboxes, 0 had no room",
        "agent.status.changed about agent-7 from agent-7: "
        '{"agent_id":"agent-7","previous_status":"idle","new_status":"busy"}',
        "event 2 has a payload only",
    ]


def tables_are_published_and_read_as_they_are():
    assert run_example("typed").splitlines() == [
        "agent-7 is working",
        "t-1 took 12.5 ms",
        "t-1 took 8 ms",
        'task.failed {"task_id":"t-2","error":"no such file","metadata":{"tries":3}}',
    ]


def an_event_loop_waits_for_a_bus_beside_a_timer():
    assert run_example("event_loop").splitlines() == ["tick.happened 1", "tick.happened 2", "tick.happened 3"]


tap.run([
    hello_publisher_reaches_hello_subscriber,
    hello_in_c_receives_what_it_publishes,
    handlers_get_what_they_asked_for,
    losses_are_told_to_the_last_one,
    batches_bring_every_reading,
    a_bound_publisher_learns_who_got_its_event,
    tables_are_published_and_read_as_they_are,
    an_event_loop_waits_for_a_bus_beside_a_timer,
])
