"""sub by a gateway that does as the test says: rubbish, gaps, repetitions."""
import json
import socket

import client_harness
import fake_gateway
import harness
from fake_gateway import control, cursor, event, hello, subscribed


class Rubbish(client_harness.ClientTest):
    def fails(self, say):
        """What a gateway says is no reason to die, or to hang: the connection is made anew."""
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--json", "--count", "1", "--gateway", fake.url)
        connection = fake.accept()
        say(connection)
        error = self.read_error(sub)
        connection.close()
        fake.accept_live().send(event(1, "after"))
        lines, _, status = sub.finish()
        self.assertEqual((json.loads(lines[0])["payload"], status), ("after", 0))
        return error

    def test_no_http(self):
        self.fails(lambda connection: connection.socket.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + b"\x00\xff" * 100))

    def test_nothing_at_all(self):
        self.assertIn("it was not there within 1 s", self.fails(lambda connection: None))

    def test_half_an_answer(self):
        self.fails(lambda connection: connection.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs"))

    def test_an_endless_header(self):
        def say(connection):
            try:
                for _ in range(1000):
                    connection.socket.sendall(b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: " + b"x" * 1000 + b"\r\n")
            except OSError:
                pass
        self.fails(say)

    def test_a_wrong_accept_hash(self):
        self.fails(lambda connection: connection.socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm9uc2Vuc2U=\r\n"
            b"Sec-WebSocket-Protocol: swarmbus.v1.fb\r\n\r\n"))

    def test_bytes_that_are_no_frames(self):
        self.assertIn("not of the protocol", self.fails(lambda connection: connection.upgrade().send(b"\xff" * 100)))

    def test_a_text(self):
        self.assertIn("a text", self.fails(lambda connection: connection.upgrade().send(b'{"op":"hello"}', opcode=1)))

    def test_frames_that_break_the_rules_of_websockets(self):
        self.fails(lambda connection: connection.upgrade().socket.sendall(b"\x7f\x7e\xff\xff" + b"\xff" * 64))

    def test_silence_behind_the_upgrade(self):
        self.assertIn("it was not there within 1 s", self.fails(lambda connection: connection.upgrade()))

    def test_an_event_in_front_of_the_greeting(self):
        self.fails(lambda connection: connection.upgrade().send(event(1)))

    def test_a_frame_that_was_cut_short(self):
        self.fails(lambda connection: connection.upgrade().send(hello(), subscribed()[:-8]))

    def test_a_message_without_end(self):
        self.environment["SWARMBUS_CLIENT_PACE"] = "1"
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--gateway", fake.url)
        connection = fake.accept().upgrade()
        connection.send(hello(), subscribed())
        connection.socket.sendall(b"\x82\x7f" + (1 << 40).to_bytes(8, "big"))
        sent = 0
        try:
            while sent < 100 << 20:
                sent += connection.socket.send(bytes(1 << 20))
        except OSError:
            pass
        _, errors, status = sub.finish()
        self.assertEqual(status, 1)
        self.assertIn("a message of more than", errors)


class ScriptedGateway(client_harness.ClientTest):
    def start_live(self, *options, **members):
        fake = fake_gateway.FakeGateway(self)
        sub = self.start("sub", "a.*", "--json", *options, "--gateway", fake.url)
        return fake, sub, fake.accept_live(**members)

    def test_gaps_are_losses_told_with_the_next_event(self):
        _, sub, connection = self.start_live("--strict", "--count", "2")
        connection.send(control("Gap", cursor=cursor(10), missed=7, cause="Slow"), event(11),
                        control("Gap", cursor=cursor(20), missed=5, cause="Bus", lost_by=[2, 3, 0, 0, 0, 0]), event(21))
        lines, errors, status = sub.finish()
        self.assertEqual([json.loads(line)["lost"] for line in lines], [7, 5])
        self.assertEqual([json.loads(line)["lost_by"] for line in lines], [{"evicted": 7}, {"evicted": 2, "full": 3}])
        self.assertEqual((errors, status), ("", 3))

    def test_a_gap_that_nothing_follows_is_told_by_itself(self):
        _, sub, connection = self.start_live()
        connection.send(control("Gap", cursor=cursor(10), missed=7, cause="Slow"))
        self.assertEqual(sub.read_json(), {"lost": 7, "lost_by": {"evicted": 7}})

    def test_a_bus_that_was_made_anew_is_told(self):
        _, sub, connection = self.start_live("--strict", "--timeout", "2")
        connection.send(control("Gap", cursor=cursor(10), missed=0, cause="BusReopened"))
        _, errors, status = sub.finish()
        self.assertIn("events may be missing", errors)
        self.assertEqual(status, 3)

    def test_a_snapshot_behind_a_reset_is_nothing_new(self):
        fake, sub, connection = self.start_live("--count", "1")
        connection.close()
        self.assertIn("lost", self.read_error(sub))
        connection = fake.accept().upgrade()
        connection.send(hello(50), subscribed(50, "Reset", "Expired"))
        connection.send(control("Snapshot", events=1, complete=True, more=False, cursor=cursor(50)), event(30, "old"))
        connection.send(event(51, "new"))
        lines, errors, status = sub.finish()
        self.assertEqual([json.loads(line)["payload"] for line in lines], ["new"])
        self.assertIn("the gateway no longer has what was missed", errors)
        self.assertEqual(status, 0)

    def test_an_event_that_is_sent_twice_is_printed_once(self):
        _, sub, connection = self.start_live("--count", "2")
        connection.send(event(1, "1"), event(1, "1"))
        connection.send(event(2, "2"))
        lines, _, _ = sub.finish()
        self.assertEqual([json.loads(line)["payload"] for line in lines], ["1", "2"])

    def test_a_publication_that_was_not_answered_is_not_repeated(self):
        fake = fake_gateway.FakeGateway(self)
        pub = self.start("pub", "a.b", "x", "--encoding", "text", "--gateway", fake.url)
        connection = fake.accept().upgrade()
        connection.send(hello())
        while b"a.b" not in self.unmasked(connection):
            pass
        connection.close()
        _, errors, status = pub.finish()
        self.assertIn("whether it was published is not known", errors)
        self.assertEqual(status, 1)
        self.assertFalse(fake.is_called_within(0.1))

    @staticmethod
    def unmasked(connection):
        """A small message of the client."""
        head = connection.socket.recv(2)
        length = head[1] & 127
        if length == 126:
            length = int.from_bytes(connection.socket.recv(2), "big")
        mask = connection.socket.recv(4)
        data = connection.socket.recv(length)
        return bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))

    def test_a_reader_that_stands_still_bounds_the_memory(self):
        _, sub, connection = self.start_live()
        mark = 0x1122334455667788
        large = event(mark, "x" * 50000)
        connection.socket.settimeout(1)
        try:
            for offset in range(1, 2001):  # 100 MB
                connection.send(large.replace(mark.to_bytes(8, "little"), offset.to_bytes(8, "little")))
        except socket.timeout:
            pass
        with open(f"/proc/{sub.pid}/status", encoding="utf-8") as file:
            resident = next(line for line in file if line.startswith("VmRSS"))
        if not harness.SANITIZED:  # sanitizers keep what is freed
            self.assertLess(int(resident.split()[1]), 64 << 10)


harness.main()
