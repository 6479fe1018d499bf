"""Many WebSockets in one process and one loop, each of which keeps account of the events it got. Light, so that what is timed is the gateway."""
import contextlib
import functools
import json
import random
import selectors
import socket
import time

import gateway_harness as gw

RESET_ON_CLOSE = b"\1\0\0\0\0\0\0\0"  # SO_LINGER


@functools.lru_cache(maxsize=512)
def read_message(data):
    """Most of the crowd get the same bytes. Of events only the numbers are kept, which are their payloads."""
    message = json.loads(data)
    if message["op"] == "events":
        message["numbers"] = [int(event["payload"].split(" ", 1)[0]) for event in message.pop("events")]
    return message


class Member:
    """Reads '*' from a cursor on. Its events are numbered from 0: it wants each once, in order."""

    def __init__(self, crowd):
        self.crowd = crowd
        self.socket = None
        self.cursor = None
        self.next_number = 0
        self.answer = None  # to its last `subscribe`
        self.retry_at = None

    def connect(self):
        self.data, self.answer, self.retry_at, self.is_upgraded = b"", None, None, False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex((self.crowd.host, self.crowd.port))
        self.crowd.selector.register(self.socket, selectors.EVENT_WRITE, self)

    def leave(self, by_reset=False):
        if self.socket is None:
            return
        self.crowd.selector.unregister(self.socket)
        if by_reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.socket.close()
        self.socket = None

    def ready(self, events):
        try:
            if events & selectors.EVENT_WRITE:
                if error := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    raise OSError(error, "connect")
                self.socket.send(self.crowd.handshake)
                self.crowd.selector.modify(self.socket, selectors.EVENT_READ, self)
                return
            data = self.socket.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self.leave()
            self.retry_at = time.monotonic() + random.uniform(0.05, 0.2)
            return
        self.data += data
        if not self.is_upgraded:
            head, end, rest = self.data.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head:
                raise AssertionError(head)
            self.is_upgraded, self.data = True, rest
        self.read_frames()

    def read_frames(self):
        at = 0
        while len(self.data) - at >= 2:
            size, begin = self.data[at + 1], at + 2
            if size >= 126:
                bytes_of_size = 2 if size == 126 else 8
                size, begin = int.from_bytes(self.data[begin:begin + bytes_of_size], "big"), begin + bytes_of_size
            if len(self.data) < begin + size:
                break
            if self.data[at] == 0x81:
                self.hear(read_message(self.data[begin:begin + size]))
            at = begin + size
        self.data = self.data[at:]

    def hear(self, message):
        op = message["op"]
        if op == "hello":
            since = {"since": self.cursor} if self.cursor else {}
            self.say({"op": "subscribe", "patterns": ["*"], **since})
        elif op == "subscribed":
            self.answer = message
            self.crowd.answered_at = time.monotonic()
        elif op == "events":
            numbers = message["numbers"]
            if numbers != list(range(self.next_number, self.next_number + len(numbers))):
                raise AssertionError(f"{numbers[0]} to {numbers[-1]} came when {self.next_number} was the next")
            self.next_number += len(numbers)
        elif op == "gap":
            raise AssertionError(message)
        self.cursor = message.get("cursor", self.cursor) if op != "hello" else self.cursor

    def say(self, message):
        payload = json.dumps(message).encode()
        self.socket.send(bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload)


class Crowd:
    def __init__(self, test, gateway, count):
        self.host, self.port = gateway.host, gateway.port
        self.handshake = (f"GET /v1/ws HTTP/1.1\r\nHost: {gateway.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {gw.JSON}\r\n\r\n").encode()
        self.selector = selectors.DefaultSelector()
        self.members = [Member(self) for _ in range(count)]
        self.answered_at = None
        test.addCleanup(self.close)

    def close(self):
        for member in self.members:
            member.leave()
        self.selector.close()

    def connect(self):
        for member in self.members:
            member.connect()

    def cut(self):
        """All at once, by resets: nobody says good-bye."""
        for member in self.members:
            member.leave(by_reset=True)

    def run_until(self, is_so, what, patience=3 * gw.PATIENCE):
        """Whoever is hung up on comes back soon."""
        deadline = time.monotonic() + patience
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not happen within {patience} s")
            for key, events in self.selector.select(0.02):
                if key.data.socket is not None:
                    key.data.ready(events)
            now = time.monotonic()
            for member in self.members:
                if member.retry_at is not None and now >= member.retry_at:
                    member.connect()

    def all_answered(self):
        return all(member.answer is not None for member in self.members)

    def everyone_has(self, count):
        return all(member.next_number >= count for member in self.members)

    def answers(self):
        return {(member.answer["resume"], member.answer.get("reason")) for member in self.members}


@contextlib.contextmanager
def room_for(test, descriptors):
    """As many open files as a crowd needs; else the test is skipped."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < descriptors:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, max(hard, descriptors)))
        except (OSError, ValueError):
            test.skipTest(f"no more than {hard} files may be open here")
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
