"""CloudEvents: what `sub` prints and `pub` takes; and that both agree with the SDK of CloudEvents (docs/cloudevents.md)."""
import base64
import datetime
import glob
import json
import os
import re
import sys
import unittest

import harness

BYTES, TEXT, JSON, FLATBUFFERS, FLEXBUFFERS = 0, 1, 2, 3, 4
PYTHON_TOOLS = os.environ["SWARMBUS_PYTHON_TOOLS"]

sys.path += glob.glob(os.path.join(PYTHON_TOOLS, "lib", "python3*", "site-packages"))
try:
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent
except ImportError:
    CloudEvent = None

needs_sdk = unittest.skipIf(CloudEvent is None, f"the PyPI package cloudevents is not in {PYTHON_TOOLS}; {PYTHON_TOOLS}.log says why")

# What the parts of a URI reference may hold (RFC 3986, appendix B and section 3), for sources and schemas.
URI_REFERENCE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?(//([\w.~!$&'()*+,;=:@-]|%[0-9A-F]{2})*)?([\w./~!$&'()*+,;=:@-]|%[0-9A-F]{2})*"
                           r"(\?([\w./~!$&'()*+,;=:@?-]|%[0-9A-F]{2})*)?(#([\w./~!$&'()*+,;=:@?-]|%[0-9A-F]{2})*)?", re.ASCII)


def cloudevent(**members):
    return json.dumps({"specversion": "1.0", "id": "1", "source": "/elsewhere", "type": "a.b", **members})


class CloudEventsTest(harness.CliTest):
    def start_cloudevents(self, *arguments, pattern="*", inboxes=1):
        return self.start_sub(pattern, "--format", "cloudevents", *arguments, inboxes=inboxes)

    def use_another_bus(self):
        self.bus = self.environment["SWARMBUS_BUS"] = self.new_bus()

    def publish_kinds(self):
        """Events of every encoding; how many."""
        publications = [("a.b", TEXT, b"agent-7", b"", "größe \"\n漢".encode()), ("a.b", TEXT, b"a b%20/\xc3\xa9:7", b"s \xc3\xa9", b""),
                        ("a.b", BYTES, b"7:x", b"", b"\x00\xff"), ("a.b", BYTES, b"https://x.y/z?q#f", b"", b""),
                        ("a.b", JSON, b"[x]", b"", b'{"a":\n[1,true,null]}'), ("a.b", JSON, b"x", b"", b'"text"'),
                        ("a.b", FLEXBUFFERS, b"x", b"", b"\x07\x05\x01"), ("task.failed", FLATBUFFERS, b"x", b"", b"no FlatBuffer")]
        for event_type, encoding, source, subject, payload in publications:
            self.publish_raw(event_type, encoding, source, subject, payload)
        self.pub("task.failed", '{"task_id": "t-1", "metadata": {"tries": [3, 5.5]}}', "--encoding", "json", "--subject", "t-1")
        return len(publications) + 1


class Printed(CloudEventsTest):
    def test_an_event_is_one_object_with_the_attributes_of_the_specification(self):
        sub = self.start_cloudevents("--count", "1")
        self.pub("a.b", "hello", "--source", "agent 7", "--subject", "x")
        event = sub.read_json()
        self.assertEqual(sub.wait(), 0)
        self.assertRegex(event.pop("id"), "^[0-9a-f]{16}-[0-9]+-1$")
        self.assertRegex(event.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertEqual(event, {"specversion": "1.0", "source": "agent%207", "type": "a.b", "subject": "x",
                                 "datacontenttype": "text/plain;charset=utf-8", "data": "hello"})

    def test_ids_of_a_source_stay_different_when_publishers_and_bus_come_anew(self):
        ids = []
        for _ in range(2):
            sub = self.start_cloudevents("--count", "2")
            for _ in range(2):
                self.pub("a.b", "--source", "same")
                ids.append(sub.read_json()["id"])
            self.assertEqual(sub.wait(), 0)
            self.run_tool("rm", "--force", self.bus)
        self.assertEqual(len(set(ids)), 4)

    def test_each_subscriber_sees_the_same_event(self):
        subs = [self.start_cloudevents("--count", "1"), self.start_cloudevents("--count", "1", pattern="a.*", inboxes=2)]
        self.pub("a.b", "x")
        self.assertEqual(*[sub.read_line() for sub in subs])

    def test_wait_prints_them_too(self):
        wait = self.start("wait", "a.*", "--format", "cloudevents")
        self.wait_for_inboxes(1)
        self.run_tool("wait", "nothing", "--timeout", "0", status=124)
        self.pub("a.b", "x")
        self.assertEqual(wait.read_json()["data"], "x")

    def test_the_other_formats_have_names_as_well(self):
        for arguments, is_json in ((("--format", "json"), True), (("--json",), True), (("--format", "text"), False), ((), False)):
            self.use_another_bus()
            sub = self.start_sub("*", "--count", "1", *arguments)
            self.pub("a.b", "x")
            self.assertEqual(sub.read_line().startswith('{"type":'), is_json)
        self.assertIn("--format", self.refused("sub", "*", "--json", "--format", "text"))
        self.assertIn("xml", self.refused("sub", "*", "--format", "xml"))

    def test_losses_are_told_on_standard_error_and_count_for_strict(self):
        sub = self.start_cloudevents("--capacity", "16", "--strict", "--count", "10")
        sub.stop()
        self.pub("a.b", "--count", "100")
        sub.resume()
        lines, errors, status = sub.finish()
        self.assertEqual([json.loads(line)["type"] for line in lines], ["a.b"] * 10)
        self.assertRegex(errors, r"^swarmbus: warning: lost \d+: \d+ evicted\n")
        self.assertEqual(status, 3)


class Published(CloudEventsTest):
    def arrives(self, *arguments, stdin=b""):
        sub = self.start_sub("*", "--json", "--count", "1")
        self.pub("--format", "cloudevents", *arguments, stdin=stdin)
        event = sub.read_json()
        self.assertEqual(sub.wait(), 0)
        return event

    def test_an_event_is_published_under_its_type_with_its_source_and_subject(self):
        event = self.arrives(cloudevent(source="/else%20where", subject="s", data={"a": 1}, traceparent="00-1"))
        self.assertEqual({key: event[key] for key in ("type", "source", "subject", "encoding", "payload")},
                         {"type": "a.b", "source": "/else where", "subject": "s", "encoding": "json", "payload": {"a": 1}})

    def test_data_of_a_type_with_a_schema_becomes_what_that_says(self):
        event = self.arrives("-", stdin=cloudevent(type="task.failed", data={"task_id": "t-1"}).encode())
        self.assertEqual((event["encoding"], event["payload"]), ("flatbuffers", {"task_id": "t-1"}))

    def test_lines_and_batches_are_several_events(self):
        sub = self.start_sub("*", "--json", "--count", "5")
        lines = [cloudevent(data=1), f"[{cloudevent(data=2)}, {cloudevent(data=3)}]", "[]", cloudevent(data=4)]
        told = self.pub("--format", "cloudevents", "--lines", "--json", stdin="\n".join(lines).encode()).stdout.splitlines()
        self.assertEqual([json.loads(line)["type"] for line in told], ["a.b"] * 4)
        self.pub("--format", "cloudevents", "-", stdin=f"[\n{cloudevent(data=5)}\n]".encode())
        self.assertEqual([sub.read_json()["payload"] for _ in range(5)], [1, 2, 3, 4, 5])

    def test_what_is_no_cloudevent_is_refused_with_its_line(self):
        lines = cloudevent() + "\n" + cloudevent(specversion="0.3") + "\n"
        done = self.run_tool("pub", "--format", "cloudevents", "--lines", stdin=lines.encode(), status=1)
        self.assertIn(b"line 2 of standard input: the CloudEvent's specversion: only 1.0 is known here", done.stderr)
        self.assertIn("no valid JSON", self.refused("pub", "--format", "cloudevents", "{", status=1))
        self.assertIn("'E' is not one of a-z 0-9 _ - .", self.refused("pub", "--format", "cloudevents", cloudevent(type="com.Example")))
        self.assertIn("at most 63", self.refused("pub", "--format", "cloudevents", cloudevent(source="x" * 64)))

    def test_what_the_event_says_is_no_option(self):
        for arguments in (("a.b", cloudevent()), (cloudevent(), "--source", "x"), (cloudevent(), "--subject", "x"),
                          (cloudevent(), "--encoding", "json"), (), ("--lines", cloudevent())):
            self.refused("pub", "--format", "cloudevents", *arguments)
        self.assertIn("TYPE", self.refused("pub"))
        self.refused("pub", "--format", "json", "a.b")

    def test_what_sub_prints_pub_publishes_again(self):
        sub = self.start_cloudevents()
        lines = [sub.read_line() for _ in range(self.publish_kinds())]
        sub.kill()
        self.use_another_bus()
        again = self.start_cloudevents()
        self.pub("--format", "cloudevents", "--lines", stdin="\n".join(lines).encode())
        for line in lines:
            before, after = json.loads(line), again.read_json()
            for event in (before, after):
                del event["id"], event["time"]
            self.assertEqual(after, before)


@needs_sdk
class Sdk(CloudEventsTest):
    """PyPI cloudevents, in the structured mode of its JSON format; it checks every attribute."""

    def test_reads_every_event_that_is_printed(self):
        sub = self.start_cloudevents()
        for _ in range(self.publish_kinds()):
            line = sub.read_line()
            raw = json.loads(line)
            event = JSONFormat().read(CloudEvent, line)
            self.assertEqual((event.get_id(), event.get_source(), event.get_type(), event.get_subject(), event.get_dataschema()),
                             (raw["id"], raw["source"], raw["type"], raw.get("subject"), raw.get("dataschema")))
            self.assertEqual(event.get_specversion(), "1.0")
            self.assertTrue(URI_REFERENCE.fullmatch(event.get_source()), event.get_source())
            self.assertEqual(int(event.get_time().timestamp()), harness.nanoseconds(raw["time"]) // 10**9)
            self.assertEqual(event.get_time().tzinfo.utcoffset(None), datetime.timedelta(0))
            data = base64.b64decode(raw["data_base64"]) if "data_base64" in raw else raw.get("data")
            self.assertEqual(event.get_data(), data)
            self.assertLessEqual(set(event.get_attributes()), {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema"})

    def test_writes_what_is_published(self):
        attributes = {"type": "a.b", "source": "https://example.com/x?y=%20z", "subject": "söme thing", "myextension": 5}
        for content, data, encoding, payload in (("application/json", {"a": [1, 2.5, None, "é"]}, "json", {"a": [1, 2.5, None, "é"]}),
                                                 (None, {"a": 1}, "json", {"a": 1}), ("application/vnd.x+json", [1], "json", [1]),
                                                 ("text/plain", "hellö\n", "text", "hellö\n"), ("application/xml", "<x/>", "text", "<x/>"),
                                                 ("image/png", b"\x89PNG\xff", "bytes", None), ("application/octet-stream", b"abc", "bytes", "abc"),
                                                 (None, None, "bytes", "")):
            with self.subTest(content):
                sent = CloudEvent({**attributes, **({"datacontenttype": content} if content else {})}, data)
                self.use_another_bus()
                sub = self.start_sub("*", "--json", "--count", "1")
                self.pub("--format", "cloudevents", "-", stdin=JSONFormat().write(sent))
                event = sub.read_json()
                self.assertEqual((event["type"], event["source"], event["subject"]), ("a.b", "https://example.com/x?y= z", "söme thing"))
                self.assertEqual((event["encoding"], event["payload"]), (encoding, payload))
                if payload is None:
                    self.assertEqual(base64.b64decode(event["payload_base64"]), data)

    def test_writes_typed_events(self):
        sub = self.start_cloudevents("--count", "1")
        sent = CloudEvent({"type": "task.failed", "source": "sdk", "datacontenttype": "application/json"}, {"task_id": "t-1"})
        self.pub("--format", "cloudevents", "-", stdin=JSONFormat().write(sent))
        event = JSONFormat().read(CloudEvent, sub.read_line())
        self.assertEqual(event.get_data(), {"task_id": "t-1"})
        self.assertRegex(event.get_dataschema(), "^urn:swarmbus:schema:task.failed:[0-9a-f]{16}$")


harness.main()
