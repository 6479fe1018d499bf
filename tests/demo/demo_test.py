"""swarm-demo as a whole: unattended runs, and every way to end it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

import tap
from swarm import PATIENCE, Demo, agents_of, bus_exists, eventually, new_bus_name, remove_bus

DEMO, HELLO, TOOL = map(os.path.abspath, sys.argv[1:4])
AGENTS = 11


def plain_demo(*arguments, program=DEMO, **popen):
    return Demo(program, "--plain", *arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)


def rows_of(summary):
    """{event type: events} of the table at the end."""
    rows = re.findall(r"^  (\S+) +([\d,]+) +[\d.]+$", summary, re.MULTILINE)
    return {name: int(count.replace(",", "")) for name, count in rows}


def deaths_of(output):
    """[(agent, "killed" or "back")] in the order of the lines."""
    return re.findall(r"^ +(\S+) (?:\(pid \d+\) )?(killed|back) (?:\(kill -9\)$|after \d+\.\d s; the others sent [\d,]+ events meanwhile)",
                      output, re.MULTILINE)


def wait_for_line(demo, text):
    """Reads up to the line that has that text, and returns what was read."""
    read = ""
    while text not in (line := demo.process.stdout.readline()):
        assert line, f"the demo ended before it said '{text}': {read}"
        read += line
    return read + line


class OwnAgents:
    """A copy of the demo whose agents can be exchanged while it runs: what is started then is something else."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="swarm-demo-test-")
        self.program = shutil.copy(DEMO, self.folder.name)
        self.agents = os.path.join(self.folder.name, "agents")
        os.mkdir(self.agents)
        built = os.path.join(os.path.dirname(DEMO), "agents")
        for name in os.listdir(built):
            os.symlink(os.path.join(built, name), os.path.join(self.agents, name))
        # The copy's way to the library, relative to itself, leads nowhere.
        self.environment = {**os.environ, "LD_LIBRARY_PATH": os.path.normpath(os.path.join(os.path.dirname(DEMO), "../.."))}
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def demo(self, *arguments):
        return plain_demo(*arguments, program=self.program, env=self.environment)

    def exchange_all(self, script):
        for name in os.listdir(self.agents):
            path = os.path.join(self.agents, name)
            with open(path + ".new", "w", encoding="utf-8") as file:
                file.write("#!/bin/sh\n" + script + "\n")
            os.chmod(path + ".new", 0o755)
            os.replace(path + ".new", path)


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
    with plain_demo("--seconds", "60", "--no-kills") as demo:
        assert demo.process.stdout.readline() == f"bus {demo.bus}; in another terminal: swarmbus -b {demo.bus} sub 'agent.*'\n"
        assert re.fullmatch(r"in a browser: http://127\.0\.0\.1:\d+\n", demo.process.stdout.readline())
        for second in range(1, 4):  # each comes through the pipe while the demo runs
            assert re.match(rf" *{second} s +[\d,]+ events/s ", line := demo.process.stdout.readline()), line


def a_browser_sees_what_the_agents_do():
    with plain_demo("--seconds", "60", "--no-kills") as demo:
        address = wait_for_line(demo, "in a browser: ").split("in a browser: ")[1].strip()
        demo.wait_for_agents(AGENTS)
        with urllib.request.urlopen(address + "/v1/sse?pattern=agent.*", timeout=PATIENCE) as events:
            while not (line := events.readline()).startswith(b"data: {\"type\":\"agent."):
                assert line, "the stream ended"
        with urllib.request.urlopen(address, timeout=PATIENCE) as page:
            assert b"EventSource" in page.read()


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
    with plain_demo("--seconds", "60", "--no-kills") as demo:
        demo.wait_for_agents(AGENTS)
        os.kill(agents_of(demo.bus)["coder-1"], signal.SIGSTOP)
        demo.process.send_signal(signal.SIGINT)
        demo.process.communicate(timeout=PATIENCE)
        demo.assert_nothing_left()


def killed_agents_come_back_and_nothing_is_left():
    with plain_demo("--seconds", "10", "--kill-every", "2") as demo:
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 0, (out, err)
        assert err == "", err
        deaths = deaths_of(out)
        count = len(deaths) // 2
        assert count >= 2, out
        victims = [agent for agent, what in deaths if what == "killed"]
        assert deaths == [(agent, what) for agent in victims for what in ("killed", "back")], out
        assert len(set(victims)) == count, out
        assert re.search(rf"^agents killed {count}, restarted {count}, back {count}; the others sent \d[\d,]* events meanwhile, lost \d",
                         out, re.MULTILINE), out
        assert f"agents started {AGENTS}, alive at the end {AGENTS}" in out, out
        assert rows_of(out)["agent.created"] == AGENTS + count, out
        demo.assert_nothing_left()


def nobody_is_killed_when_that_is_switched_off():
    with plain_demo("--seconds", "5", "--no-kills") as demo:
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 0, (out, err)
        assert "killed" not in out, out
        assert rows_of(out)["agent.created"] == AGENTS, out


def an_interrupt_waits_for_the_agent_that_is_away():
    with plain_demo("--seconds", "60", "--kill-every", "1") as demo:
        (victim, _), = deaths_of(wait_for_line(demo, "killed (kill -9)"))
        demo.process.send_signal(signal.SIGINT)
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 0, (out, err)
        assert deaths_of(out) == [(victim, "back")], out
        assert "agents killed 1, restarted 1, back 1" in out, out
        demo.assert_nothing_left()


def an_agent_that_runs_again_but_says_nothing_is_not_back_and_makes_the_run_fail():
    with OwnAgents() as own, own.demo("--seconds", "5") as demo:
        demo.wait_for_agents(AGENTS)
        own.exchange_all("exec sleep 600")
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 1, (out, err)
        (victim, what), = deaths_of(out)
        assert what == "killed", out
        assert "agents killed 1, restarted 1, back 0" in out, out
        assert f"{victim} was killed and did not come back" in out, out
        demo.assert_nothing_left()


def an_agent_that_ends_when_it_is_started_again_makes_the_run_fail_with_its_message():
    with OwnAgents() as own, own.demo("--seconds", "60") as demo:
        demo.wait_for_agents(AGENTS)
        own.exchange_all("echo no more code >&2; exit 3")
        wait_for_line(demo, "killed 1, restarted 1, back 0")
        demo.process.send_signal(signal.SIGINT)
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 1, (out, err)
        assert re.search(r"^\S+ \(pid \d+\) ended unasked: exit 3$", out, re.MULTILINE), out
        assert err == "no more code\n", err
        demo.assert_nothing_left()


def a_second_interrupt_does_not_wait_for_the_agent_that_is_away():
    with OwnAgents() as own, own.demo("--seconds", "60") as demo:
        demo.wait_for_agents(AGENTS)
        own.exchange_all("exec sleep 600")
        wait_for_line(demo, "killed 1, restarted 1, back 0")
        demo.process.send_signal(signal.SIGINT)
        wait_for_line(demo, " events/s ")
        demo.process.send_signal(signal.SIGINT)
        out, err = demo.process.communicate(timeout=PATIENCE)
        assert demo.process.returncode == 1, (out, err)
        assert "was killed and did not come back" in out, out
        demo.assert_nothing_left()


def an_agent_killed_by_someone_else_is_named_and_makes_the_run_fail():
    with plain_demo("--seconds", "60", "--no-kills") as demo:
        demo.wait_for_agents(AGENTS)
        victim = agents_of(demo.bus)["reviewer-2"]
        os.kill(victim, signal.SIGKILL)
        wait_for_line(demo, f"       reviewer-2 (pid {victim}) ended unasked: killed by signal 9")
        wait_for_line(demo, f" {AGENTS - 1} of {AGENTS} agents alive")
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


def what_agents_in_c_and_c_plus_plus_say_is_shown_as_json():
    with plain_demo("--seconds", "60", "--no-kills") as demo:
        demo.wait_for_agents(AGENTS)
        # Both have an agent of their own to complete tasks.
        done = subprocess.run([TOOL, "--bus", demo.bus, "sub", "task.completed", "--json", "--count", "100", "--timeout", str(PATIENCE)],
                              text=True, capture_output=True, timeout=2 * PATIENCE, check=False)
        assert done.returncode == 0, done
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert {event["source"].split("-")[0] for event in events} == {"coder", "reviewer", "tester"}, done.stdout
        for event in events:
            assert event["encoding"] == "flatbuffers", event
            payload = event["payload"]
            assert payload["task_id"] == event["subject"] and payload["agent_id"] == event["source"], event
            assert payload["status"] == "completed" and payload["metadata"]["kind"] in ("code", "review", "test"), event


def a_wrong_option_is_refused():
    for arguments in (["--seconds", "-1"], ["--seconds", "soon"], ["--kill-every", "0"], ["--no-kills", "--kill-every", "2"],
                      ["--colour"]):
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
    a_browser_sees_what_the_agents_do,
    an_interrupt_ends_all_and_leaves_nothing,
    a_termination_ends_all_and_leaves_nothing,
    agents_end_and_remove_the_bus_when_the_demo_is_killed,
    a_stopped_agent_does_not_hold_up_the_end,
    killed_agents_come_back_and_nothing_is_left,
    nobody_is_killed_when_that_is_switched_off,
    an_interrupt_waits_for_the_agent_that_is_away,
    an_agent_that_runs_again_but_says_nothing_is_not_back_and_makes_the_run_fail,
    an_agent_that_ends_when_it_is_started_again_makes_the_run_fail_with_its_message,
    a_second_interrupt_does_not_wait_for_the_agent_that_is_away,
    an_agent_killed_by_someone_else_is_named_and_makes_the_run_fail,
    a_closed_pipe_ends_the_demo_quietly,
    output_that_is_no_terminal_is_plain,
    a_bus_that_was_there_before_stays,
    what_agents_in_c_and_c_plus_plus_say_is_shown_as_json,
    a_wrong_option_is_refused,
    a_bad_bus_name_is_an_error,
])
