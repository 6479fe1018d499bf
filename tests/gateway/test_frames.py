"""WebSocket frames that no client library sends: what Autobahn's cases leave out (test_autobahn.py)."""
import contextlib
import socket

import gateway_harness as gw
import harness

TEXT, CLOSE, PING, PONG, CONTINUATION = 1, 8, 9, 10, 0
HEARTBEAT = b'{"op":"heartbeat"}'


def frame(opcode, payload, final=True, masked=True):
    """Of less than 126 bytes; the mask is nothing."""
    return bytes([0x80 * final | opcode, 0x80 * masked | len(payload)]) + bytes(4 * masked) + payload


def frames_in(data):
    """(opcode, payload) of each that a server sent."""
    at = 0
    while at < len(data):
        size, begin = data[at + 1], at + 2
        if size == 126:
            size, begin = int.from_bytes(data[begin:begin + 2], "big"), begin + 2
        yield data[at] & 15, data[begin:begin + size]
        at = begin + size


class Frames(gw.GatewayTest):
    @contextlib.contextmanager
    def connect(self, gateway):
        with gateway.connect() as connection:
            connection.sendall(f"GET /v1/ws HTTP/1.1\r\nHost: {gateway.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {gw.JSON}\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.recv(1)
            self.assertIn(b" 101 ", head)
            yield connection

    def answer_to(self, gateway, data):
        """The frames up to hanging up, without the hello."""
        with self.connect(gateway) as connection:
            connection.sendall(data)
            return list(frames_in(gw.read_to_end(connection)))[1:]

    def close_code(self, gateway, data):
        (opcode, payload), = self.answer_to(gateway, data)
        self.assertEqual(opcode, CLOSE)
        return int.from_bytes(payload[:2], "big")

    def test_a_frame_without_a_mask_is_a_protocol_error(self):
        gateway = self.start_gateway()
        self.assertEqual(self.close_code(gateway, frame(TEXT, HEARTBEAT, masked=False)), 1002)

    def test_a_text_that_ends_within_a_character_is_refused_however_it_ends(self):
        gateway = self.start_gateway()
        for beginning in (b"\xce", b"a\xce", b"ab\xce", b"abc\xce", b"\xe2\x82", b"\xf0\x9f\x98"):
            self.assertEqual(self.close_code(gateway, frame(TEXT, beginning)), 1007)
            self.assertEqual(self.close_code(gateway, frame(TEXT, beginning, final=False) + frame(CONTINUATION, b"")), 1007)

    def test_a_pong_within_a_text_may_hold_anything(self):
        gateway = self.start_gateway()
        end = frame(CLOSE, (1000).to_bytes(2, "big"))
        answer = self.answer_to(gateway, frame(TEXT, HEARTBEAT[:5], final=False) + frame(PONG, b"\xff\xfe") + frame(CONTINUATION, HEARTBEAT[5:]) + end)
        self.assertIn(b'"op":"heartbeat"', answer[0][1])
        self.assertEqual(answer[1:], [(CLOSE, b"\x03\xe8")])

    def test_one_that_is_not_understood_hears_why_whatever_it_sends_behind(self):
        gateway = self.start_gateway()
        more = frame(TEXT, HEARTBEAT) * 500
        for data in (frame(3, b"x"), frame(TEXT, b"\xff"), frame(TEXT, HEARTBEAT, masked=False)):
            with self.connect(gateway) as connection:
                connection.sendall(data + more)
                heard = b""
                with contextlib.suppress(ConnectionError):
                    while chunk := connection.recv(65536):
                        heard += chunk
                        connection.sendall(more)
                self.assertEqual([opcode for opcode, _ in frames_in(heard)][1:], [CLOSE])
                self.assertIn(int.from_bytes(list(frames_in(heard))[1][1][:2], "big"), (1002, 1007))
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
        gw.eventually(lambda: gateway.clients("websocket") == 0)

    def test_what_comes_behind_a_close_is_not_answered(self):
        gateway = self.start_gateway()
        for behind in (frame(TEXT, HEARTBEAT), frame(PING, b"x"), frame(CLOSE, b"")):
            answer = self.answer_to(gateway, frame(CLOSE, (1000).to_bytes(2, "big")) + behind)
            self.assertLessEqual(len(answer), 1)
            self.assertTrue(all(opcode == CLOSE for opcode, _ in answer), answer)


if __name__ == "__main__":
    harness.main()
