"""A gateway that does as the test says: answers the upgrade with what it is told, and sends what it is given. One connection at a time.

Frames of schemas/gateway.fbs are put together by flatc from JSON, so that this has none of the gateway's code in it.
"""
import base64
import hashlib
import json
import os
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time

PATIENCE = 20
FLATC = os.environ.get("SWARMBUS_FLATC", "flatc")
SCHEMA = os.path.join(os.environ["SWARMBUS_SCHEMAS"], "gateway.fbs")


def frame(**members):
    """A frame as it is sent: size-prefixed, and a multiple of eight long."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "frame.json")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(members, file)
        subprocess.run([FLATC, "--binary", "--size-prefixed", "-o", folder, SCHEMA, source], check=True, timeout=PATIENCE, capture_output=True)
        with open(os.path.join(folder, "frame.bin"), "rb") as file:
            bare = file.read()
    padding = -len(bare) % 8
    return struct.pack("<I", len(bare) - 4 + padding) + bare[4:] + bytes(padding)


def control(kind, **members):
    return frame(control_type=kind, control=members)


def cursor(offset, epoch=1):
    return {"epoch": epoch, "offset": offset}


def hello(offset=0, heartbeat_ms=30000, **members):
    return control("Hello", protocol=1, server="fake", bus="fake", cursor=cursor(offset), heartbeat_ms=heartbeat_ms, publish=True,
                   message_bytes=65536, patterns=64, **members)


def subscribed(offset=0, resume="Live", reason="None"):
    return control("Subscribed", id=1, patterns=["a.*"], resume=resume, reason=reason, cursor=cursor(offset))


def event(offset, payload="x", event_type="a.b"):
    stamp = {"offset": offset, "time_ns": 1, "sequence": offset, "writer": 7, "encoding": "Text"}
    return frame(stamp=stamp, type=event_type, source="fake", payload=list(payload.encode()))


class Connection:
    """The gateway's end of a connection."""

    def __init__(self, server_end):
        self.socket = server_end
        self.socket.settimeout(PATIENCE)
        self.request = b""
        while b"\r\n\r\n" not in self.request:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise AssertionError(f"no request, only {self.request!r}")
            self.request += chunk

    def header(self, name):
        for line in self.request.decode().split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    def answer(self, status, headers=""):
        self.socket.sendall(f"HTTP/1.1 {status} Because\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        self.close()

    def upgrade(self):
        magic = self.header("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(magic.encode()).digest()).decode()
        self.socket.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: swarmbus.v1.fb\r\n\r\n").encode())
        return self

    def send(self, *frames, opcode=2):
        payload = b"".join(frames)
        length = len(payload)
        head = struct.pack("!BB", 0x80 | opcode, length) if length < 126 else struct.pack("!BBH", 0x80 | opcode, 126, length) \
            if length < 65536 else struct.pack("!BBQ", 0x80 | opcode, 127, length)
        self.socket.sendall(head + payload)

    def close_with(self, code, reason=""):
        self.send(struct.pack("!H", code) + reason.encode(), opcode=8)

    def read_some(self):
        """Whatever the client says; b"" when it has hung up."""
        try:
            return self.socket.recv(65536)
        except ConnectionResetError:
            return b""

    def close(self):
        self.socket.close()


class FakeGateway:
    def __init__(self, test):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        test.addCleanup(self.listener.close)
        self._test = test

    def accept(self):
        server_end, _ = self.listener.accept()
        self._test.addCleanup(server_end.close)
        return Connection(server_end)

    def accept_live(self, offset=0, **members):
        """A connection on which a subscriber is live."""
        connection = self.accept().upgrade()
        connection.send(hello(offset, **members), subscribed(offset))
        return connection

    def is_called_within(self, seconds):
        ready, _, _ = select.select([self.listener], [], [], seconds)
        return bool(ready)


class Proxy:
    """Carries connections to a port, until it is told to hold back what comes, or to cut the connections off."""

    def __init__(self, test, port):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = "ws://127.0.0.1:%d" % self._listener.getsockname()[1]
        self._pairs = {}
        self._silent = False
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        test.addCleanup(self._end)

    def hold(self):
        """Like a cable that was pulled: nothing comes through, and nobody is told."""
        self._silent = True

    def carry(self):
        """New connections come through again; the old ones stay dead."""
        with self._lock:
            self._close_all()
        self._silent = False

    def cut(self):
        with self._lock:
            self._close_all()

    def _close_all(self):
        for end in self._pairs:
            end.close()
        self._pairs.clear()

    def _run(self):
        while not self._ended.is_set():
            with self._lock:
                ends = [] if self._silent else list(self._pairs)
                try:
                    ready, _, _ = select.select([self._listener, *ends], [], [], 0.02)
                    for end in ready:
                        self._serve(end)
                except (OSError, ValueError):
                    self._close_all()
            time.sleep(0.001)
        self._close_all()
        self._listener.close()

    def _serve(self, end):
        if end is self._listener:
            near, _ = self._listener.accept()
            if self._silent:
                self._pairs[near] = near  # accepted by the kernel, and never answered
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
            except OSError:
                near.close()
                return
            self._pairs[near], self._pairs[far] = far, near
        elif end in self._pairs:
            data = end.recv(65536)
            if data:
                self._pairs[end].sendall(data)
            else:
                other = self._pairs.pop(end)
                self._pairs.pop(other, None)
                end.close()
                other.close()

    def _end(self):
        self._ended.set()
        self._thread.join()
