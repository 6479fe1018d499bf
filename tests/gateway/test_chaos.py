"""Many clients that vanish, come back, or stand still at once, and a gateway that is killed under them."""
import os
import tempfile
import time

import crowd
import gateway_harness as gw
import harness

COUNT = 1000


def tell(figure):
    print(f"# {figure}", flush=True)


class Vanishing(gw.GatewayTest):
    def test_it_answers_at_once_when_a_hundred_clients_are_reset_at_once(self):
        gateway = self.start_gateway("--follow", "*")
        gateway.get("/healthz")
        before = gateway.descriptors()
        clients = crowd.Crowd(self, gateway, 100)
        clients.connect()
        clients.run_until(clients.all_answered, "subscribing")
        publisher = self.start_program(["sh", "-c", 'seq 0 1000000 | "$SWARMBUS_TOOL" pub a.b --lines --rate 2000'])
        clients.run_until(lambda: clients.everyone_has(100), "getting events")
        begin = time.monotonic()
        clients.cut()
        cut = time.monotonic()
        gateway.get("/healthz")
        seconds = time.monotonic() - cut
        tell(f"100 connections were reset within {(cut - begin) * 1000:.1f} ms, the next request was answered {seconds * 1000:.1f} ms later")
        self.assertLess(seconds, 2 * harness.SLOWNESS)
        gw.eventually(lambda: gateway.clients("websocket") == 0)
        gw.eventually(lambda: gateway.descriptors() <= before + 1)  # that of the request that asks
        publisher.kill()


class Herds(gw.GatewayTest):
    def setUp(self):
        super().setUp()
        room = crowd.room_for(self, 3 * COUNT)
        room.__enter__()
        self.addCleanup(room.__exit__, None, None, None)

    def gather(self, gateway):
        clients = crowd.Crowd(self, gateway, COUNT)
        epoch = gateway.get("/v1/events?pattern=*")["cursor"].split("-")[0]
        for member in clients.members:
            member.cursor = f"{epoch}-0"
        clients.connect()
        clients.run_until(clients.all_answered, "subscribing")
        return clients

    def test_a_thousand_that_are_cut_off_and_come_back_at_once_get_everything_once(self):
        events = 3000
        gateway = self.start_gateway("--follow", "*")
        clients = self.gather(gateway)
        self.start_program(["sh", "-c", f'seq 0 {events - 1} | "$SWARMBUS_TOOL" pub a.b --lines --rate 600'])
        for round_number in range(3):
            clients.run_until(lambda: clients.everyone_has(300 * (round_number + 1)), "getting events")
            clients.cut()
            begin = time.monotonic()
            clients.connect()
            clients.run_until(clients.all_answered, "coming back")
            self.assertEqual(clients.answers(), {("recovered", None)})
            seconds = clients.answered_at - begin
            tell(f"{COUNT} clients that were cut off at once had all resumed {seconds:.2f} s later, while 600 events a second were published")
            self.assertLess(seconds, 30 * harness.SLOWNESS)  # 5 s where nothing else runs
        clients.run_until(lambda: clients.everyone_has(events), "getting all events")
        self.assertEqual({member.next_number for member in clients.members}, {events})
        self.assertEqual(gateway.clients("websocket"), COUNT)
        clients.close()
        gw.eventually(lambda: gateway.clients("websocket") == 0)

    # peers 20: nats.ws 61, 172, 258; a gateway that says good-bye is in test_ends.py.
    def test_a_thousand_whose_gateway_is_killed_find_the_next_one_and_are_told_why_they_can_not_resume(self):
        gateway = self.start_gateway("--follow", "*")
        clients = self.gather(gateway)
        address = gateway.address
        gateway.kill()
        clients.run_until(lambda: all(member.answer is None or member.socket is None for member in clients.members), "being cut off")
        for member in clients.members:
            member.answer = None
        gateway = self.start_gateway("--follow", "*", listen=address)
        begin = time.monotonic()
        clients.run_until(clients.all_answered, "coming back")
        tell(f"{COUNT} clients of a gateway that was killed were live {clients.answered_at - begin:.2f} s after the next one listened")
        self.assertEqual(clients.answers(), {("reset", "epoch")})
        self.assertEqual(gateway.clients("websocket"), COUNT)
        self.publish_lines("a.b", range(10))
        clients.run_until(lambda: clients.everyone_has(10), "getting events")
        clients.cut()
        gw.eventually(lambda: gateway.clients("websocket") == 0)


class Stopped(gw.GatewayTest):
    # peers 21, with a client that stands still as a whole
    def test_a_client_that_is_stopped_is_told_its_gap_when_it_goes_on_and_the_others_miss_nothing(self):
        portions, portion = 24, 500
        gateway = self.start_gateway("--follow", "*", "--journal-bytes", "2000000")
        others = [self.open_sse(gateway, "/v1/sse?pattern=*") for _ in range(3)]
        for other in others:
            other.expect("subscribed")
        with tempfile.TemporaryFile() as output:
            curl = self.start_program(["curl", "-sN", f"{gateway.url}/v1/sse?pattern=*"], stdout=output)
            gw.eventually(lambda: gateway.clients("sse") == 4)
            curl.stop()
            for first in range(0, portions * portion, portion):
                self.publish_lines("a.b", [f"{number} " + "x" * 1000 for number in range(first, first + portion)])
                for other in others:
                    numbers = [int(payload.split()[0]) for payload in self.payloads(other.events(portion))]
                    self.assertEqual(numbers, list(range(first, first + portion)))
            curl.resume()
            self.pub("a.b", f"{portions * portion} the last")
            self.read_with_gaps(output, portions * portion + 1)
            curl.kill()
            curl.wait()

    def read_with_gaps(self, output, count):
        """Each number once, or within a gap."""
        descriptor, at, rest, is_gap, numbers_seen, following = output.fileno(), 0, b"", False, 0, 0

        def read_on():
            nonlocal at, rest, is_gap, numbers_seen, following
            data = os.pread(descriptor, 1 << 20, at)
            at += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line == b"event: gap":
                    is_gap = True
                elif line.startswith(b"data: ") and is_gap:
                    gap = gw.json.loads(line[6:])
                    self.assertEqual(gap["cause"], "slow")
                    following, is_gap = following + gap["missed"], False
                elif line.startswith(b'data: {"type"'):
                    self.assertEqual(int(gw.json.loads(line[6:])["payload"].split()[0]), following)
                    following, numbers_seen = following + 1, numbers_seen + 1
            return following == count

        gw.eventually(read_on, "the last event")
        self.assertLess(numbers_seen, count)  # there was a gap


if __name__ == "__main__":
    harness.main()
