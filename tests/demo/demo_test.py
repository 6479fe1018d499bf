"""swarm-demo as a whole: unattended runs, and every way to end it."""

import os
import re
import signal
import subprocess
import sys

import tap
from swarm import PATIENCE, Demo, agents_of, bus_exists, eventually, new_bus_name, remove_bus

DEMO, HELLO = sys.argv[1:3]
AGENTS = 11


def plain_demo(*arguments, **popen):
    return Demo(DEMO, "--plain", *arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)


def rows_of(summary):
    """{event type: events} of the table at the end."""
    rows = re.findall(r"^  (\S+) +([\d,]+) +[\d.]+$", summary, re.MULTILINE)
    return {name: int(count.replace(",", "")) for name, count in rows}


def an_unattended_run_shows_the_whole_workflow_and_ends_by_itself():
    with plain_demo("--seconds", "3") as demo:
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 0, (out, err)
        assert err == "", err
        rows = rows_of(out)
        for name in ("agent.created", "agent.status.changed", "agent.capability.announced", "agent.task.assigned",
                     "agent.task.completed", "task.created", "task.queued", "task.started", "task.completed",
                     "system.resource.alert"):
            assert rows.get(name, 0) > 0, (name, out)
        assert rows["agent.created"] == AGENTS, out
        assert rows["all"] == sum(count for name, count in rows.items() if name != "all"), out
        assert f"agents started {AGENTS}, alive at the end {AGENTS}" in out, out
        demo.assert_nothing_left()


def a_plain_run_prints_a_line_a_second_at_once():
    with plain_demo("--seconds", "60") as demo:
        assert demo.process.stdout.readline() == f"bus {demo.bus}; in another terminal: swarmbus -b {demo.bus} sub 'agent.*'\n"
        for second in range(1, 4):  # each comes through the pipe while the demo runs
            assert re.match(rf" *{second} s +[\d,]+ events/s ", line := demo.process.stdout.readline()), line


def a_signal_ends_all(number):
    with plain_demo("--seconds", "60") as demo:
        demo.wait_for_agents(AGENTS)
        demo.process.send_signal(number)
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 0, (demo.process.returncode, out, err)
        assert "agents started" in out, out
        demo.assert_nothing_left()


def an_interrupt_ends_all_and_leaves_nothing():
    a_signal_ends_all(signal.SIGINT)


def a_termination_ends_all_and_leaves_nothing():
    a_signal_ends_all(signal.SIGTERM)


def agents_end_and_remove_the_bus_when_the_demo_is_killed():
    with plain_demo("--seconds", "60") as demo:
        demo.wait_for_agents(AGENTS)
        assert demo.process.stdout.readline().startswith("bus "), "the first line"
        demo.process.stdout.readline()  # a second later all agents are at work
        demo.process.kill()
        demo.process.wait(timeout=PATIENCE)
        demo.assert_nothing_left()


def a_stopped_agent_does_not_hold_up_the_end():
    with plain_demo("--seconds", "60") as demo:
        demo.wait_for_agents(AGENTS)
        os.kill(agents_of(demo.bus)["coder-1"], signal.SIGSTOP)
        demo.process.send_signal(signal.SIGINT)
        demo.process.communicate(timeout=PATIENCE)
        demo.assert_nothing_left()


def a_killed_agent_is_named_and_makes_the_run_fail():
    with plain_demo("--seconds", "60") as demo:
        demo.wait_for_agents(AGENTS)
        victim = agents_of(demo.bus)["reviewer-2"]
        os.kill(victim, signal.SIGKILL)
        while f" {AGENTS - 1} of {AGENTS} agents alive" not in (line := demo.process.stdout.readline()):
            assert line, "the demo ended"
        demo.process.send_signal(signal.SIGINT)
        out, _ = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 1, out
        assert f"reviewer-2 (pid {victim}) ended unasked: killed by signal 9" in out, out
        assert f"alive at the end {AGENTS - 1}" in out, out
        demo.assert_nothing_left()


def a_closed_pipe_ends_the_demo_quietly():
    with plain_demo("--seconds", "60") as demo:
        demo.process.stdout.readline()
        demo.process.stdout.close()
        assert demo.process.wait(timeout=PATIENCE) == 0
        assert demo.process.stderr.read() == ""
        demo.assert_nothing_left()


def output_that_is_no_terminal_is_plain():
    with Demo(DEMO, "--seconds", "1", text=True, stdout=subprocess.PIPE) as demo:
        out, _ = demo.process.communicate(timeout=PATIENCE)
        assert "\x1b" not in out, out
        assert "agents started" in out, out


def a_bus_that_was_there_before_stays():
    bus = new_bus_name("kept")
    try:
        subprocess.run([HELLO, bus], check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
        with Demo(DEMO, "--plain", "--seconds", "1", bus=bus, stdout=subprocess.DEVNULL) as demo:
            assert demo.process.wait(timeout=PATIENCE) == 0
            assert bus_exists(bus)
            eventually(lambda: not agents_of(bus), "all agents have ended")
    finally:
        remove_bus(bus)


def a_wrong_option_is_refused():
    for arguments in (["--seconds", "-1"], ["--seconds", "soon"], ["--colour"]):
        done = subprocess.run([DEMO, *arguments], text=True, capture_output=True, timeout=PATIENCE, check=False)
        assert done.returncode == 2, done
        assert arguments[0] in done.stderr, done


def a_bad_bus_name_is_an_error():
    done = subprocess.run([DEMO, "--bus", "no/name", "--plain"], text=True, capture_output=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1, done
    assert "no/name" in done.stderr, done


tap.run([
    an_unattended_run_shows_the_whole_workflow_and_ends_by_itself,
    a_plain_run_prints_a_line_a_second_at_once,
    an_interrupt_ends_all_and_leaves_nothing,
    a_termination_ends_all_and_leaves_nothing,
    agents_end_and_remove_the_bus_when_the_demo_is_killed,
    a_stopped_agent_does_not_hold_up_the_end,
    a_killed_agent_is_named_and_makes_the_run_fail,
    a_closed_pipe_ends_the_demo_quietly,
    output_that_is_no_terminal_is_plain,
    a_bus_that_was_there_before_stays,
    a_wrong_option_is_refused,
    a_bad_bus_name_is_an_error,
])
