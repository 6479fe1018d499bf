"""Starts gateways and speaks with them, by clients that were written elsewhere. A file of cases ends with harness.main().

SWARMBUS_GATEWAY names the program under test, SWARMBUS_GATEWAY_SCHEMA its FlatBuffers schema; SWARMBUS_PYTHON_TOOLS is where ./dev puts
what it takes from PyPI.
"""
import atexit
import contextlib
import functools
import glob
import http.client
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import harness

PATIENCE = harness.PATIENCE
GATEWAY = os.environ["SWARMBUS_GATEWAY"]
SCHEMA = os.environ["SWARMBUS_GATEWAY_SCHEMA"]
PYTHON_TOOLS = os.environ["SWARMBUS_PYTHON_TOOLS"]
JSON, FLAT = "swarmbus.v1.json", "swarmbus.v1.fb"
IDENTITY = {"writer", "sequence"}

sys.path += glob.glob(os.path.join(PYTHON_TOOLS, "lib", "python3*", "site-packages"))
try:
    import websockets
    import websockets.sync.client
except ImportError:
    websockets = None

needs_websockets = unittest.skipIf(websockets is None, f"the PyPI package websockets is not in {PYTHON_TOOLS}; {PYTHON_TOOLS}.log says why")


def eventually(is_so, what="it"):
    """Waits until something is so; fails if it takes longer than anything here should."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {PATIENCE} s")
        time.sleep(harness.POLL_PAUSE)


@functools.cache
def wire():
    """The module that flatc makes of the schema."""
    directory = tempfile.mkdtemp(prefix="swarmbus-wire-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    subprocess.run(["flatc", "--python", "-o", directory, SCHEMA], check=True, timeout=PATIENCE)
    sys.path.append(directory)

    class Wire:
        def __getattr__(self, name):
            return importlib.import_module(f"swarmbus.wire.{name}")

    return Wire()


class Gateway:
    """A gateway on the test's bus, at a free port, that is listening when it is made."""

    def __init__(self, test, *options, listen="127.0.0.1:0", launcher=(), status_at_end=0):
        self.log_file = tempfile.TemporaryFile()
        self._test = test
        self._status_at_end = status_at_end
        self.process = harness.Process([*launcher, GATEWAY, "--listen", listen, *options], env=test.environment, stderr=self.log_file)
        test.addCleanup(self._end)
        self.url = self.process.read_line()
        self.address = self.url.removeprefix("http://")
        host, port = self.address.rsplit(":", 1)
        self.host, self.port = host.strip("[]"), int(port)
        self.pid = self.process.pid

    def log(self):
        self.log_file.seek(0)
        return self.log_file.read().decode(errors="replace")

    def end(self):
        """By SIGTERM, as a service is; what it says is shown if it does not end well."""
        if self.process.popen.poll() is None:
            self.process.signal(15)
        status = self.process.wait()
        if status != self._status_at_end:
            raise AssertionError(f"the gateway ended with {status}:\n{self.log()[-6000:]}")

    def kill(self):
        self._status_at_end = -9
        self.process.kill()
        self.process.wait()

    def _end(self):
        try:
            self.end()
        finally:
            self.process.end()
            self.log_file.close()

    # ------------------------------------------------------------ HTTP

    def connect(self, timeout=PATIENCE):
        return socket.create_connection((self.host, self.port), timeout)

    def request(self, method, path, body=None, headers=None):
        """(status, headers, body) of an answer."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def get(self, path, status=200, headers=None):
        """The JSON of an answer; the object in "error" if it is one."""
        got, _, body = self.request("GET", path, headers=headers)
        if got != status:
            raise AssertionError(f"{path}: {got} {body!r}, expected {status}")
        answer = json.loads(body)
        return answer["error"] if status >= 400 else answer

    def post(self, events, status=200, headers=None):
        got, _, body = self.request("POST", "/v1/events", events if isinstance(events, (bytes, str)) else json.dumps(events), headers)
        if got != status:
            raise AssertionError(f"{got} {body!r}, expected {status}")
        return json.loads(body)

    def raw(self, data, timeout=PATIENCE):
        """All it answers to bytes, up to hanging up."""
        with self.connect(timeout) as connection:
            connection.sendall(data)
            return read_to_end(connection)

    def metric(self, name):
        """A value of /metrics; `name` with its labels as they stand there."""
        _, _, text = self.request("GET", "/metrics")
        for line in text.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split(" ")[1])
        raise AssertionError(f"no {name} in\n{text.decode()}")

    def clients(self, transport):
        return self.metric(f'swarmbus_gateway_clients{{transport="{transport}"}}')

    # ------------------------------------------------------------ its process

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory_bytes(self):
        with open(f"/proc/{self.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def read_to_end(connection):
    data = b""
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            return data
        if not chunk:
            return data
        data += chunk


class JsonSocket:
    """A WebSocket with the JSON subprotocol: messages are dicts."""

    subprotocol = JSON

    def __init__(self, gateway, path="/v1/ws", address=None, **options):
        options = {"proxy": None, "compression": None, "max_size": None, "ping_interval": None, "open_timeout": PATIENCE,
                   "close_timeout": PATIENCE, "subprotocols": [self.subprotocol], **options}
        self.connection = websockets.sync.client.connect(f"ws://{address or gateway.address}{path}", **options)
        self.cursor = None

    def close(self):
        self.connection.close()

    def send_raw(self, message):
        self.connection.send(message)

    def say(self, op, **members):
        self.connection.send(json.dumps({"op": op, **members}))

    def hear(self, timeout=PATIENCE):
        """The next message."""
        return self._note(json.loads(self.connection.recv(timeout)))

    def _note(self, message):
        self.cursor = message.get("cursor", self.cursor)
        return message

    def expect(self, op):
        """The next message, which is this one."""
        message = self.hear()
        if message["op"] != op:
            raise AssertionError(f"{op} expected, but {message}")
        return message

    def subscribe(self, *patterns, **members):
        """What the answer says."""
        self.say("subscribe", patterns=list(patterns), **members)
        return self.expect("subscribed")

    def events(self, count):
        """The next events, which are so many, without a gap between them."""
        events = []
        while len(events) < count:
            message = self.hear()
            if message["op"] == "events":
                events += message["events"]
            elif message["op"] != "heartbeat":
                raise AssertionError(f"{len(events)} of {count} events, then {message}")
        if len(events) > count:
            raise AssertionError(f"{count} events expected, but {len(events)}")
        return events

    def snapshot(self):
        """The events of a snapshot, and its last message."""
        events = []
        while True:
            message = self.expect("snapshot")
            events += message["events"]
            if not message["more"]:
                return events, message

    def closed(self):
        """What it says until the connection is closed, and the code of that."""
        messages = []
        try:
            while True:
                messages.append(self.hear())
        except TimeoutError:
            raise AssertionError(f"not closed; so far {messages}") from None
        except websockets.ConnectionClosed as closed:
            return messages, closed.rcvd.code if closed.rcvd else 1006


class FlatSocket(JsonSocket):
    """The same with the FlatBuffers subprotocol. Messages are told as JSON has them."""

    subprotocol = FLAT

    def say(self, op, **members):
        self.connection.send(encode_frame(op, **members))

    def hear(self, timeout=PATIENCE):
        data = self.connection.recv(timeout)
        if not isinstance(data, bytes):
            raise AssertionError(f"binary messages expected, but {data!r}")
        frames = list(decode_frames(data))
        if "op" not in frames[0]:
            message = {"op": "events", "events": frames, "cursor": f"{self._epoch}-{frames[-1]['offset']}"}
        else:
            message = frames[0]
            if message["op"] == "hello":
                self._epoch = message["cursor"].split("-")[0]
            if message["op"] == "snapshot":
                if message["events"] != len(frames) - 1:
                    raise AssertionError(f"{message} with {len(frames) - 1} events behind it")
                message["events"] = frames[1:]
            elif len(frames) > 1:
                raise AssertionError(f"several in one message: {frames}")
        return self._note(message)


def encode_frame(op, **members):
    import flatbuffers

    table = op.capitalize()
    module = getattr(wire(), table)
    builder = flatbuffers.Builder(1024)
    fields = {}
    for name, value in members.items():
        if isinstance(value, list):
            texts = [builder.CreateString(text) for text in value]
            builder.StartVector(4, len(texts), 4)
            for text in reversed(texts):
                builder.PrependUOffsetTRelative(text)
            fields[name] = builder.EndVector()
        elif isinstance(value, bytes):
            fields[name] = builder.CreateByteVector(value)
        elif isinstance(value, str) and name != "since":
            fields[name] = builder.CreateString(value)
        else:
            fields[name] = value
    getattr(module, f"{table}Start")(builder)
    for name, value in fields.items():
        if name == "since":
            epoch, offset = value.split("-")
            value = wire().Cursor.CreateCursor(builder, int(epoch, 16), int(offset))
        camel = "".join(part.capitalize() for part in name.split("_"))
        getattr(module, f"{table}Add{camel}")(builder, value)
    control = getattr(module, f"{table}End")(builder)
    frame = wire().Frame
    frame.FrameStart(builder)
    frame.FrameAddControlType(builder, getattr(wire().Control.Control, table))
    frame.FrameAddControl(builder, control)
    builder.FinishSizePrefixed(frame.FrameEnd(builder))
    return bytes(builder.Output())


def _cursor(cursor):
    return f"{cursor.Epoch():016x}-{cursor.Offset()}" if cursor is not None else None


def _text(value):
    return value.decode() if value is not None else ""


def decode_frames(data):
    """Frames as JSON has them: events, or controls with their "op"."""
    at = 0
    while at < len(data):
        size = 4 + int.from_bytes(data[at:at + 4], "little")
        if size % 8 != 0 or at + size > len(data):
            raise AssertionError(f"a frame of {size} bytes at {at} of {len(data)}")
        yield _decode_frame(data[at:at + size])
        at += size


def _decode_frame(data):
    frame = wire().Frame.Frame.GetRootAs(data, 4)
    stamp = frame.Stamp()
    if stamp is not None:
        encoding = ("bytes", "text", "json", "flatbuffers", "flexbuffers")[stamp.Encoding()]
        event = {"type": _text(frame.Type()), "source": _text(frame.Source()), "subject": _text(frame.Subject()), "sequence": stamp.Sequence(),
                 "writer": stamp.Writer(), "offset": stamp.Offset(), "time_ns": stamp.TimeNs(), "encoding": encoding,
                 "bytes": None if frame.PayloadIsNone() else bytes(frame.Payload(i) for i in range(frame.PayloadLength()))}
        if frame.OmittedBytes():
            event["omitted_bytes"] = frame.OmittedBytes()
        return event
    kinds = wire().Control.Control
    table = next(name for name, value in vars(kinds).items() if not name.startswith("_") and value == frame.ControlType())
    control = getattr(getattr(wire(), table), table)()
    control.Init(frame.Control().Bytes, frame.Control().Pos)
    message = {"op": table.lower()}
    for name, field in vars(type(control)).items():
        if name.startswith(("_", "Init", "GetRootAs")) or name.endswith(("IsNone", "Length", "AsNumpy")):
            continue
        key = "".join("_" + letter.lower() if letter.isupper() else letter for letter in name).removeprefix("_")
        if hasattr(control, f"{name}Length"):
            items = [field(control, i) for i in range(getattr(control, f"{name}Length")())]
            message[key] = [_text(item) if isinstance(item, bytes) else item for item in items]
        else:
            value = field(control)
            message[key] = _cursor(value) if hasattr(value, "Epoch") else _text(value) if isinstance(value, bytes) else value
    for key, names in (("resume", ("live", "recovered", "reset")), ("cause", ("slow", "bus", "bus_reopened"))):
        if key in message:
            message[key] = names[message[key]]
    if message["op"] == "subscribed":
        message["reason"] = ("none", "epoch", "expired", "uncovered", "ahead")[message["reason"]]
    return message


class SseStream:
    """An answer of Server-Sent Events, read line by line as the standard says: (event, data, id) each."""

    def __init__(self, gateway, path, headers=None):
        self.connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=PATIENCE)
        self.connection.request("GET", path, headers=headers or {})
        self.response = self.connection.getresponse()
        if self.response.status != 200:
            raise AssertionError(f"{self.response.status} {self.response.read()!r}")
        self.cursor = None
        self.retry_ms = None
        self.heartbeats = 0

    def close(self):
        self.response.close()
        self.connection.close()

    def next(self):
        """The next event, as (name, object); None at the end. Comments and ids alone are noted."""
        name, data, cursor = "message", [], self.cursor
        while True:
            line = self.response.readline()
            if not line.endswith(b"\n"):
                return None
            field, _, value = line.decode().rstrip("\n").partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                cursor = value
            elif field == "retry":
                self.retry_ms = int(value)
            elif field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif value == "heartbeat":
                self.heartbeats += 1
            elif line == b"\n":
                self.cursor = cursor
                if data:
                    return name, json.loads("\n".join(data))
                name = "message"

    def expect(self, name):
        event = self.next()
        if event is None or event[0] != name:
            raise AssertionError(f"{name} expected, but {event}")
        return event[1]

    def events(self, count):
        return [self.expect("message") for _ in range(count)]


class GatewayTest(harness.CliTest):
    def start_gateway(self, *options, **more):
        return Gateway(self, *options, **more)

    def open(self, gateway, kind=JsonSocket, **options):
        """A WebSocket that has heard its hello."""
        client = kind(gateway, **options)
        self.addCleanup(client.close)
        client.hello = client.expect("hello")
        return client

    def open_sse(self, gateway, path, headers=None):
        stream = SseStream(gateway, path, headers)
        self.addCleanup(stream.close)
        return stream

    def publish_lines(self, event_type, lines, *arguments):
        """An event for each line."""
        self.pub(event_type, "--lines", *arguments, stdin="".join(f"{line}\n" for line in lines).encode())

    def pour(self, event_type, rate, subject):
        """Publishes until it is ended."""
        return self.start("pub", event_type, "x", "--rate", str(rate), "--subject", subject)

    @staticmethod
    def payloads(events):
        return [event["payload"] if "payload" in event else event["bytes"].decode() for event in events]

    def end_calmly(self, process):
        process.signal(2)
        process.finish()
