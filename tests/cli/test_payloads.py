"""Payloads in JSON: every line is valid, bytes come back exactly, nothing is guessed."""
import base64
import json

import harness

BYTES, TEXT, JSON, FLATBUFFERS, FLEXBUFFERS = 0, 1, 2, 3, 4


def bytes_of(event):
    """The payload that an event of encoding bytes or text had."""
    if "payload_base64" in event:
        return base64.b64decode(event["payload_base64"], validate=True)
    return event["payload"].encode()


class RoundTrip(harness.CliTest):
    def arrives(self, payloads, encoding=BYTES):
        sub = self.start_sub("*", "--json")
        events = []
        for payload in payloads:
            self.publish_raw("a.b", encoding, payload=payload)
            events.append(sub.read_json())
        return events

    def test_bytes_that_are_not_utf8_come_back_exactly(self):
        payloads = [b"\x00\xff\x00", b"\xff", b"\x80", b"\xc3\x28", b"\xe2\x82", b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
                    b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", bytes(range(0, 128)), bytes(range(128, 256))]
        for payload, event in zip(payloads, self.arrives(payloads)):
            with self.subTest(payload):
                self.assertEqual(bytes_of(event), payload)

    def test_base64_has_the_padding_it_needs(self):
        payloads = [b"\xff", b"\xff\xfe", b"\xff\xfe\xfd", b"\xff\xfe\xfd\xfc"]
        for payload, event in zip(payloads, self.arrives(payloads)):
            self.assertIsNone(event["payload"])
            self.assertEqual(event["payload_base64"], base64.b64encode(payload).decode())

    def test_text_of_every_kind_is_a_string(self):
        payloads = ["", "plain", "\x00", 'quote " backslash \\ slash /', "\x01\x1f\x7f", "\n\r\t", "é€\U0001f600\uffff\u2028",
                    "\ufeffmark"]
        for encoding in (BYTES, TEXT):
            self.bus = self.environment["SWARMBUS_BUS"] = self.new_bus()
            for payload, event in zip(payloads, self.arrives([p.encode() for p in payloads], encoding)):
                with self.subTest(payload):
                    self.assertEqual(event["payload"], payload)
                    self.assertNotIn("payload_base64", event)

    def test_text_cut_within_a_character_comes_back_exactly(self):
        cut = ("x" * 100 + "é").encode()[:-1]
        self.assertEqual(bytes_of(self.arrives([cut], TEXT)[0]), cut)

    def test_text_that_looks_like_the_mark_of_bytes_is_not_decoded(self):
        payloads = [b'{"payload_base64":"AP8A"}', b"AP8A", b"base64:AP8A", b"null"]
        for payload, event in zip(payloads, self.arrives(payloads)):
            self.assertEqual(event["payload"].encode(), payload)

    def test_binary_encodings_are_bytes_even_if_they_look_like_text(self):
        for encoding, name in ((FLATBUFFERS, "flatbuffers"), (FLEXBUFFERS, "flexbuffers")):
            self.bus = self.environment["SWARMBUS_BUS"] = self.new_bus()
            event = self.arrives([b"text?"], encoding)[0]
            self.assertEqual((event["encoding"], event["payload"], bytes_of(event)), (name, None, b"text?"))


class JsonPayloads(harness.CliTest):
    def line_for(self, payload):
        sub = self.start_sub("*", "--json", "--count", "1")
        self.publish_raw("a.b", JSON, payload=payload)
        line = sub.read_line()
        self.assertEqual(sub.wait(), 0)
        self.assertEqual(json.loads(line)["encoding"], "json")
        return line

    def test_a_json_payload_is_its_value(self):
        for payload in (b'{"a":[1,true,null,"x"]}', b"[]", b'"text"', b"17", b"null", b' {"escaped":"\\u00e9 \\" \\\\ ]}"} '):
            with self.subTest(payload):
                event = json.loads(self.line_for(payload))
                self.assertEqual(event["payload"], json.loads(payload))
                self.assertNotIn("payload_base64", event)

    def test_numbers_keep_all_their_digits(self):
        for number in ("12345678901234567890", "9007199254740993", "0.1000000000000000055511151231257827", "1E2", "-0"):
            self.assertIn(f'"payload":{number},', self.line_for(number.encode()))

    def test_duplicate_keys_stay(self):
        self.assertIn('{"a":1,"a":2}', self.line_for(b'{"a":1,"a":2}'))

    def test_a_value_of_several_lines_becomes_one_line(self):
        self.assertEqual(json.loads(self.line_for(b'{\r\n\t"a":\n1\n}\n'))["payload"], {"a": 1})

    def test_what_claims_to_be_json_but_is_not_comes_back_exactly(self):
        for payload in (b"", b"{", b"nan", b"{'a':1}", b"1 2", b'"\xff"', b'"a\nb"', b"\xef\xbb\xbf1", b"1e999", b'"\\ud800"',
                        b"[" * 65 + b"]" * 65):
            with self.subTest(payload):
                event = json.loads(self.line_for(payload))
                self.assertEqual((event["payload"], bytes_of(event)), (None, payload))

    def test_nesting_that_parsers_take_is_kept(self):
        payload = b"[" * 64 + b"]" * 64
        self.assertEqual(json.loads(self.line_for(payload))["payload"], json.loads(payload))

    def test_brackets_in_a_string_are_no_nesting(self):
        payload = b'"\\"' + b"[" * 65 + b'"'
        self.assertEqual(json.loads(self.line_for(payload))["payload"], json.loads(payload))


class StrangePublishers(harness.CliTest):
    def test_source_and_subject_that_are_not_utf8_leave_the_line_valid_and_the_next_event_comes(self):
        sub = self.start_sub("*", "--json")
        self.publish_raw("a.b", source=b"s\xffs", subject=b'"\xc3(\x01')
        self.publish_raw("a.b", source=b"fine")
        first, second = sub.read_json(), sub.read_json()
        self.assertEqual((first["source"], first["subject"]), ("s\ufffds", '"\ufffd(\x01'))
        self.assertEqual(second["source"], "fine")


harness.main()
