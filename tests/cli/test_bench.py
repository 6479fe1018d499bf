"""The benchmarks, in a few rounds: what they print, and that nothing is lost or left behind."""
import json
import pathlib

import harness


class Bench(harness.CliTest):
    def results(self, *arguments):
        before = set(pathlib.Path("/dev/shm").glob("swarmbus.bench*"))
        done = self.run_tool("bench", *arguments, "--json")
        self.assertEqual(done.stderr, b"")
        self.assertEqual(set(pathlib.Path("/dev/shm").glob("swarmbus.bench*")), before)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def test_latency_tells_round_trips_beside_the_floor(self):
        for mode in ("spin", "futex"):
            with self.subTest(mode):
                (result,) = self.results("latency", "--rounds", "200", "--payload", "100", "--mode", mode)
                self.assertEqual((result["mode"], result["payload_bytes"], result["policy"]), (mode, 100, "drop_oldest"))
                self.assertLessEqual(result["rtt_ns_p50"], result["rtt_ns_p99"])
                self.assertLessEqual(result["rtt_ns_p99_9"], result["rtt_ns_max"])
                self.assertAlmostEqual(result["ratio_p50"], result["rtt_ns_p50"] / result["floor_rtt_ns_p50"])

    def test_throughput_receives_every_event_singly_and_in_batches(self):
        results = self.results("throughput", "--events", "20000", "--publishers", "2", "--subscribers", "2")
        self.assertEqual([(r["receive"], r["lost"], r["policy"]) for r in results], [("single", 0, "block"), ("batch", 0, "block")])
        for result in results:
            self.assertGreater(result["events_per_s"], 0)

    def test_fanout_receives_as_often_as_there_are_subscribers(self):
        results = self.results("fanout", "--subscribers", "1,5", "--events", "512")
        self.assertEqual([(r["subscribers"], r["sent"], r["received"], r["lost"]) for r in results], [(1, 512, 512, 0), (5, 512, 2560, 0)])

    def test_wake_tells_wake_ups_beside_a_bare_futex(self):
        (result,) = self.results("wake", "--rounds", "20")
        self.assertGreater(result["floor_wake_ns_p50"], 0)
        self.assertGreaterEqual(result["wake_ns_max"], result["wake_ns_p50"])

    def test_without_json_it_prints_the_same_for_people(self):
        text = self.run_tool("bench", "wake", "--rounds", "5").stdout.decode()
        self.assertIn("wake_ns_p50", text)
        self.assertNotIn("{", text)


harness.main()
