"""swarmbus ps and doctor: who is on a bus, and what is wrong with it."""
import datetime
import json
import os
import signal
import subprocess
import sys
import time

import harness

# Holds the control lock of a bus, as a process does that joins: locked, mapped, its pid in the header, without a place.
HOLDER = """
import fcntl, mmap, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))  # F_OFD_SETLK
os.pwrite(fd, struct.pack("=I", os.getpid()), 264)
mapped = mmap.mmap(fd, 4096)
print("held", flush=True)
time.sleep(3600)
"""


class Ps(harness.CliTest):
    def rows(self):
        return [json.loads(line) for line in self.run_tool("ps", "--json").stdout.splitlines()]

    def findings(self, *arguments, status):
        lines = self.run_tool("doctor", "--json", *arguments, status=status).stdout.splitlines()
        return [f for f in map(json.loads, lines) if not f["other_bus"]]  # those: left by tests that run beside this one

    def wait_for(self, holds):
        deadline = time.monotonic() + harness.PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline, "it did not come about")
            time.sleep(harness.POLL_PAUSE)

    def test_ps_lists_who_is_alive_with_patterns_and_losses(self):
        sub = self.start_sub("agent.*", "task.failed", "--json")
        row, = [r for r in self.rows() if r["pid"] == sub.pid]
        self.assertEqual(row["state"], "alive")
        self.assertEqual(row["patterns"], "agent.* task.failed")
        self.assertEqual((row["inboxes"], row["lost"]), (1, 0))
        self.assertIn("agent.*", self.run_tool("ps").stdout.decode())

    def test_ps_says_who_it_is_and_since_when(self):
        before = time.time_ns()
        sub = self.start_sub("agent.*", "--json")
        row, = self.rows()
        self.assertEqual((row["name"], row["pid"]), (f"swarmbus-{sub.pid}", sub.pid))
        self.assertTrue(before <= harness.nanoseconds(row["since"]) <= time.time_ns(), row["since"])
        since = datetime.datetime.fromisoformat(row["since"][:19] + "+00:00").astimezone()
        head, line = self.run_tool("ps").stdout.decode().splitlines()
        self.assertEqual(head.split(), ["NAME", "PID", "STATE", "SINCE", "WAITING", "LOST", "PATTERNS"])
        self.assertEqual(line.split(), [f"swarmbus-{sub.pid}", str(sub.pid), "alive", since.strftime("%Y-%m-%dT%H:%M:%S"),
                                        "0", "0", "agent.*"])

    # peers 10: nats.py 242. What other systems have a command `stat` for is in `ps` here.
    def test_of_ten_subscribers_the_one_that_was_overrun_is_named_with_cause_and_count(self):
        slow = self.start_sub("agent.*", "--json", "--overflow", "drop_newest", "--capacity", "16")
        for others in range(9):
            self.start_sub("agent.*", "--json", inboxes=others + 2)
        slow.stop()
        self.run_tool("pub", "agent.created", "--count", "20")  # warns that one did not get them all
        overrun, = [row for row in self.rows() if row["lost"] != 0]
        self.assertEqual(overrun["name"], f"swarmbus-{slow.pid}")
        self.assertEqual((overrun["lost"], overrun["lost_by"], overrun["waiting"]), (4, {"full": 4}, 16))
        line, = [row for row in self.run_tool("ps").stdout.decode().splitlines() if row.startswith(f"swarmbus-{slow.pid} ")]
        self.assertEqual(line.split()[-3:], ["16", "4", "agent.*"])
        slow.resume()
        told = [slow.read_json() for _ in range(17)]
        self.assertEqual([event["lost_by"] for event in told if event["lost"] != 0], [{"full": 4}])

    def test_ps_and_doctor_say_who_is_stopped(self):
        sub = self.start_sub("agent.*", "--json")
        sub.stop()
        self.assertEqual([r["state"] for r in self.rows()], ["stopped"])
        finding, = self.findings(status=1)
        self.assertEqual((finding["what"], finding["pid"]), ("stopped participant", sub.pid))
        self.assertIn("kill -CONT", finding["advice"])
        sub.resume()
        self.wait_for(lambda: [r["state"] for r in self.rows()] == ["alive"])
        self.assertEqual(self.findings(status=0), [])

    def test_doctor_finds_the_dead_and_changes_nothing_unless_asked(self):
        sub = self.start_sub("agent.*", "--json")
        sub.signal(signal.SIGKILL)
        sub.wait()
        for _ in range(2):
            finding, = self.findings(status=1)
            self.assertEqual((finding["what"], finding["pid"], finding["repaired"]), ("dead participant", sub.pid, False))
        self.assertEqual([r["state"] for r in self.rows()], ["dead"])
        finding, = self.findings("--repair", status=0)
        self.assertTrue(finding["repaired"])
        self.assertEqual(self.findings(status=0), [])
        self.assertEqual(self.rows(), [])

    def test_doctor_names_the_user_of_a_bus_that_was_removed(self):
        sub = self.start_sub("agent.*", "--json")
        os.unlink(self.bus_file(self.bus))
        finding, = [f for f in self.findings(status=1) if f["pid"] == sub.pid]
        self.assertEqual(finding["what"], "user of a removed bus")
        self.assertEqual(sub.wait(), 1)  # it says that the bus is gone

    def test_doctor_that_can_not_mend_says_what_it_found_and_why(self):
        self.pub("agent.created")
        holder = self.start_program([sys.executable, "-c", HOLDER, self.bus_file(self.bus)])
        holder.read_line()
        holder.stop()
        done = self.run_tool("doctor", "--repair", status=1)
        self.assertIn(f"stopped holder of the control lock: pid {holder.pid}\n", done.stdout.decode())
        self.assertIn("kill -CONT", done.stdout.decode())
        self.assertIn(f"held by process {holder.pid}", done.stderr.decode())

    def test_doctor_tells_the_directory_of_another_bus_and_is_content(self):
        alone = ["unshare", "--map-root-user", "--mount", "sh", "-ec"]
        if subprocess.run([*alone, "mount -t tmpfs none /dev/shm"], capture_output=True).returncode != 0:
            self.skipTest("this user may not mount a /dev/shm of its own")
        script = """
            mount -t tmpfs none /dev/shm
            "$0" pub agent.created
            mkdir /dev/shm/swarmbus-with.0123456789abcdef
            "$0" doctor
            "$0" doctor --bus never-was && exit 9
            "$0" doctor --repair > /dev/null
            test ! -e /dev/shm/swarmbus-with.0123456789abcdef"""
        lines, errors, status = self.start_program([*alone, script, harness.TOOL]).finish()
        told = [line for line in lines if line == "directory of a removed bus: /dev/shm/swarmbus-with.0123456789abcdef"]
        self.assertEqual((len(told), status), (2, 0), (lines, errors))
        self.assertEqual(lines.count(f"bus '{self.bus}' is well"), 1)
        self.assertIn("no bus", errors)

    def test_a_bus_that_is_not_there_has_no_doctor(self):
        self.assertIn(b"no bus", self.run_tool("doctor", "--bus", "never-was", status=1).stderr)
        self.assertIn("no bus", self.refused("ps", "--bus", "never-was", status=1))


harness.main()
