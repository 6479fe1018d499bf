"""Server-Sent Events, long-polling and the other requests."""
import json
import os
import shutil
import subprocess
import time
import unittest

import gateway_harness as gw
import harness

PROMTOOL = shutil.which(os.environ["SWARMBUS_PROMTOOL"]) or shutil.which("promtool")


class Sse(gw.GatewayTest):
    def test_a_stream_begins_with_retry_and_subscribed_and_goes_on_with_events(self):
        gateway = self.start_gateway()
        stream = self.open_sse(gateway, "/v1/sse?pattern=agent.*&pattern=task.late")
        self.assertEqual(stream.response.headers["Content-Type"], "text/event-stream")
        self.assertEqual(stream.response.headers["Cache-Control"], "no-store")
        answer = stream.expect("subscribed")
        self.assertEqual((answer["patterns"], answer["resume"]), (["agent.*", "task.late"], "live"))
        self.assertTrue(1000 <= stream.retry_ms <= 3000)
        self.assertEqual(stream.cursor, answer["cursor"])
        self.pub("agent.seen", "ä\nb", "--subject", "one")
        self.pub("task.over")
        self.pub("task.late", '{"a":1}', "--encoding", "json")
        first, second = stream.events(2)
        self.assertEqual((first["type"], first["subject"], first["payload"]), ("agent.seen", "one", "ä\nb"))
        self.assertEqual((second["type"], second["payload"]), ("task.late", {"a": 1}))
        self.assertEqual(stream.cursor, f"{answer['cursor'].split('-')[0]}-{second['offset']}")

    def test_a_snapshot_comes_first(self):
        gateway = self.start_gateway("--follow", "*")
        self.publish_lines("a.b", range(5), "--subject", "one")
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 5)
        stream = self.open_sse(gateway, "/v1/sse?pattern=a.*&snapshot=1")
        stream.expect("subscribed")
        snapshot = stream.expect("snapshot")
        self.assertEqual((self.payloads(snapshot["events"]), snapshot["complete"], snapshot["more"]), (["4"], True, False))

    def test_silence_is_ended_by_a_comment_and_the_cursor(self):
        gateway = self.start_gateway("--heartbeat", "0.3s", "--follow", "*")
        stream = self.open_sse(gateway, "/v1/sse?pattern=a.b")
        answer = stream.expect("subscribed")
        self.pub("c.d")
        time.sleep(0.7)  # what is tested is silence
        self.pub("a.b")
        stream.expect("message")
        self.assertGreater(stream.heartbeats, 0)
        self.assertNotEqual(stream.cursor, answer["cursor"])

    def test_curl_gets_it_line_by_line(self):
        gateway = self.start_gateway()
        curl = self.start_program(["curl", "-sN", f"{gateway.url}/v1/sse?pattern=*"])
        while "event: subscribed" not in curl.read_line():
            pass
        self.pub("a.b", "x")
        while not (line := curl.read_line()).startswith("data: {\"type\""):
            pass
        self.assertEqual(json.loads(line.removeprefix("data: "))["payload"], "x")


class LongPolling(gw.GatewayTest):
    def test_without_a_cursor_it_answers_at_once_with_one(self):
        gateway = self.start_gateway()
        begin = time.monotonic()
        answer = gateway.get("/v1/events?pattern=*")
        self.assertLess(time.monotonic() - begin, 10 * harness.SLOWNESS)
        self.assertEqual((answer["resume"], answer["events"]), ("live", []))

    def test_it_answers_as_soon_as_there_is_an_event(self):
        gateway = self.start_gateway()
        cursor = gateway.get("/v1/events?pattern=a.*")["cursor"]
        with gateway.connect() as connection:
            connection.sendall(f"GET /v1/events?pattern=a.*&since={cursor}&wait=60 HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            gw.eventually(lambda: gateway.clients("poll") == 1)
            self.pub("b.c")
            self.pub("a.b", "x")
            answer = json.loads(gw.read_to_end(connection).split(b"\r\n\r\n", 1)[1])
        self.assertEqual((answer["resume"], self.payloads(answer["events"])), ("recovered", ["x"]))
        self.assertEqual(gateway.clients("poll"), 0)

    def test_it_answers_with_nothing_when_the_wait_is_over(self):
        gateway = self.start_gateway()
        cursor = gateway.get("/v1/events?pattern=a.*")["cursor"]
        for wait in (0, 1):
            answer = gateway.get(f"/v1/events?pattern=a.*&since={cursor}&wait={wait}")
            self.assertEqual((answer["resume"], answer["cursor"], answer["events"]), ("recovered", cursor, []))

    def test_all_events_come_by_asking_again_at_most_limit_at_a_time(self):
        gateway = self.start_gateway()
        cursor = gateway.get("/v1/events?pattern=*")["cursor"]
        self.publish_lines("a.b", range(2500))
        for limit in ("&limit=7", "", "&limit=10000"):
            at, events = cursor, []
            while len(events) < (70 if limit == "&limit=7" else 2500):
                answer = gateway.get(f"/v1/events?pattern=*&since={at}{limit}")
                self.assertLessEqual(len(answer["events"]), int(limit.removeprefix("&limit=") or 1000))
                events += answer["events"]
                at = answer["cursor"]
            self.assertEqual(self.payloads(events), list(map(str, range(len(events)))))

    def test_a_snapshot_comes_with_the_first_cursor(self):
        gateway = self.start_gateway("--follow", "*")
        self.publish_lines("a.b", range(5))
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 5)
        answer = gateway.get("/v1/events?pattern=*&snapshot=1")
        self.assertEqual((self.payloads(answer["snapshot"]["events"]), answer["events"]), (["4"], []))


class Publishing(gw.GatewayTest):
    def test_it_is_not_allowed_unless_told(self):
        gateway = self.start_gateway()
        self.assertEqual(gateway.post({"type": "a.b", "payload": 1}, status=403)["error"]["code"], "not_allowed")

    def test_an_object_and_an_array_are_published(self):
        gateway = self.start_gateway("--allow-publish")
        sub = self.start_sub("*", "--json")
        done = gateway.post({"type": "a.b", "payload": {"n": 12345678901234567890}, "subject": "s", "source": "curl"})
        self.assertEqual(done, {"published": [{"sequence": 1, "delivered": 1, "dropped": 0}]})
        event = sub.read_json()
        self.assertEqual((event["type"], event["subject"], event["source"], event["payload"]), ("a.b", "s", "curl", {"n": 12345678901234567890}))
        done = gateway.post([{"type": "a.b", "encoding": "text", "payload": "t"}, {"type": "a.b", "payload_base64": "AP8="}])
        self.assertEqual(len(done["published"]), 2)
        self.assertEqual(sub.read_json()["payload"], "t")
        self.assertEqual(sub.read_json()["payload_base64"], "AP8=")

    def test_those_before_one_that_is_refused_are_published(self):
        gateway = self.start_gateway("--allow-publish")
        answer = gateway.post([{"type": "a.b"}, {"type": "bad..type"}, {"type": "a.b"}], status=400)
        self.assertEqual((len(answer["published"]), answer["error"]["code"]), (1, "bad_type"))

    def test_a_list_of_more_than_a_thousand_events_is_refused_whole(self):
        gateway = self.start_gateway("--allow-publish")
        event = {"type": "a.b", "encoding": "text", "payload": ""}
        self.assertEqual(len(gateway.post([event] * 1000)["published"]), 1000)
        refusal = gateway.post([event] * 1001, status=400)["error"]
        self.assertEqual(refusal["code"], "bad_message")
        self.assertIn("at most 1000", refusal["message"])
        self.assertEqual(gateway.metric("swarmbus_gateway_published_events_total"), 1000)

    def test_what_is_no_event_is_refused(self):
        gateway = self.start_gateway("--allow-publish")
        for body in (b"x", b"[]x", b"[1]", b"{}", b"1", b'{"type":1}', b"\xff", b'{"type":"a.b","payload":}', b'[{"type":"a.b"},]', b"[" * 100000):
            answer = gateway.post(body, status=400)
            self.assertEqual(answer["error"]["code"], "bad_message", body[:40])

    def test_an_empty_body_is_refused(self):
        gateway = self.start_gateway("--allow-publish")
        self.assertEqual(gateway.post(b"", status=400)["error"]["code"], "bad_message")

    def test_curl_waits_for_100_continue(self):
        gateway = self.start_gateway("--allow-publish")
        body = json.dumps({"type": "a.b", "encoding": "text", "payload": "x" * 500_000})
        done = subprocess.run(["curl", "-s", "-H", "Expect: 100-continue", "--expect100-timeout", "60", "--data-binary", "@-", "-w", "%{http_code}",
                               f"{gateway.url}/v1/events"], input=body.encode(), capture_output=True, timeout=harness.PATIENCE)
        self.assertTrue(done.stdout.endswith(b"200"), done)

    def test_a_body_that_comes_in_pieces_is_one_body(self):
        gateway = self.start_gateway("--allow-publish")
        body = b'{"type":"a.b"}'
        with gateway.connect() as connection:
            for piece in [b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body), *(body[i:i + 1] for i in range(len(body)))]:
                connection.sendall(piece)
            self.assertIn(b" 200 OK", gw.read_to_end(connection))


class Others(gw.GatewayTest):
    def test_types_and_schemas(self):
        gateway = self.start_gateway()
        types = {entry["type"]: entry for entry in gateway.get("/v1/types")["types"]}
        self.assertRegex(types["agent.created"]["hash"], "^[0-9a-f]{16}$")
        self.assertEqual(types["agent.created"]["version"], 1)
        schema = gateway.get("/v1/schemas/agent.created")
        self.assertIn("agent_id", json.dumps(schema))
        _, headers, text = gateway.request("GET", "/v1/schemas/agent.created?format=fbs")
        self.assertIn(b"table AgentCreated", text)
        _, headers, binary = gateway.request("GET", "/v1/schemas/agent.created?format=bfbs")
        self.assertEqual((binary[4:8], headers["Content-Type"]), (b"BFBS", "application/octet-stream"))
        self.assertEqual(gateway.get("/v1/schemas/agent.created?format=x", status=400)["code"], "bad_query")
        self.assertEqual(gateway.get("/v1/schemas/nothing.here", status=404)["code"], "no_schema")

    def test_state_is_the_last_event_of_each_type_and_subject(self):
        gateway = self.start_gateway("--follow", "*")
        for subject in ("one", "two"):
            self.publish_lines("a.b", range(3), "--subject", subject)
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 6)
        state = gateway.get("/v1/state?pattern=a.*")
        self.assertEqual(([(e["subject"], e["payload"]) for e in state["events"]], state["complete"]), ([("one", "2"), ("two", "2")], True))
        self.assertEqual(gateway.get("/v1/state?pattern=c")["events"], [])
        self.assertEqual(len(gateway.get("/v1/state")["events"]), 2)

    def test_health_and_readiness(self):
        gateway = self.start_gateway()
        self.assertEqual(gateway.get("/healthz"), {"status": "alive"})
        self.assertEqual(gateway.get("/readyz"), {"status": "ready"})

    def test_the_page_is_there(self):
        gateway = self.start_gateway()
        status, headers, _ = gateway.request("GET", "/")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])

    def test_what_is_not_there_or_asked_for_wrongly_is_told(self):
        gateway = self.start_gateway()
        self.assertEqual(gateway.get("/nothing", status=404)["code"], "not_found")
        for method, path, allowed in (("POST", "/v1/types", "GET, HEAD"), ("POST", "/v1/sse", "GET"), ("PUT", "/v1/events", None), ("DELETE", "/", None),
                                      ("HEAD", "/v1/ws", "GET"), ("HEAD", "/v1/events", "GET, POST"), ("HEAD", "/v1/sse", "GET")):
            status, headers, _ = gateway.request(method, path)
            self.assertIn(status, (405,) if allowed else (403, 404, 405, 501), (method, path))
            if allowed:
                self.assertEqual(headers["Allow"], allowed)
        for path, code in (("/v1/sse", "bad_message"), ("/v1/sse?pattern=*&since=x", "bad_cursor"), ("/v1/sse?pattern=*&batch_ms=x", "bad_query"),
                           ("/v1/events?pattern=*&wait=61", "bad_query"), ("/v1/events?pattern=*&limit=10001", "bad_query"),
                           ("/v1/events?pattern=*&limit=0", "bad_query"), ("/v1/sse?pattern=a&snapshot=2", "bad_query")):
            self.assertEqual(gateway.get(path, status=400)["code"], code, path)

    def test_head_is_answered_without_a_body(self):
        gateway = self.start_gateway()
        status, headers, body = gateway.request("HEAD", "/healthz")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(headers["Content-Length"]), 0)

    def gateway_with_traffic(self):
        """With events of known types and others, clients of all transports, and what was refused."""
        gateway = self.start_gateway("--follow", "*", "--allow-publish")
        stream = self.open_sse(gateway, "/v1/sse?pattern=*")
        stream.expect("subscribed")
        self.publish_lines("a.b", range(10))
        self.pub("agent.created", '{"agent_id":"agent-7"}')
        gateway.post({"type": "a.b"})
        gateway.post({"type": "a..b"}, status=400)
        stream.events(12)
        gateway.get("/v1/events?pattern=*")
        gateway.get("/v1/types", status=403, headers={"Origin": "https://elsewhere.example"})
        return gateway

    def test_metrics_tell_what_went_through(self):
        gateway = self.gateway_with_traffic()
        status, headers, text = gateway.request("GET", "/metrics")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        for name, value in (('swarmbus_gateway_events_total{type="other"}', 11), ('swarmbus_gateway_events_total{type="agent.created"}', 1),
                            ("swarmbus_gateway_delivered_events_total", 12), ("swarmbus_gateway_published_events_total", 1),
                            ('swarmbus_gateway_clients{transport="sse"}', 1), ('swarmbus_gateway_refusals_total{reason="origin"}', 1)):
            self.assertEqual(gateway.metric(name), value, name)
        for line in text.decode().splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) swarmbus_gateway_\w+ .+|swarmbus_gateway_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [0-9.e+-]+|.*\+Inf.*)$')

    def refusals(self, gateway):
        return {reason: count for reason in ("message", "pattern", "publish", "host", "origin", "token", "timeout", "connections")
                if (count := gateway.metric(f'swarmbus_gateway_refusals_total{{reason="{reason}"}}'))}

    def test_what_is_refused_is_counted_once_under_its_reason(self):
        gateway = self.start_gateway()
        gateway.get("/v1/sse?pattern=a..b", status=400)
        self.assertEqual(self.refusals(gateway), {"pattern": 1})
        gateway.get("/v1/sse?pattern=a&since=x", status=400)
        gateway.get("/v1/events?pattern=a&wait=61", status=400)
        self.assertEqual(self.refusals(gateway), {"pattern": 1, "message": 2})
        gateway.post({"type": "a.b"}, status=403)
        self.assertEqual(self.refusals(gateway), {"pattern": 1, "message": 2, "publish": 1})
        gateway.get("/v1/state?pattern=a..b", status=400)
        self.assertEqual(self.refusals(gateway), {"pattern": 2, "message": 2, "publish": 1})

    @gw.needs_websockets
    def test_what_a_websocket_is_refused_is_counted_once_under_its_reason(self):
        gateway = self.start_gateway()
        client = self.open(gateway)
        for op, members, expected in (("publish", {"type": "a.b"}, {"publish": 1}),
                                      ("subscribe", {"patterns": ["a..b"]}, {"publish": 1, "pattern": 1}),
                                      ("subscribe", {"patterns": ["a"], "since": "x"}, {"publish": 1, "pattern": 1, "message": 1})):
            client.say(op, **members)
            client.expect("error")
            self.assertEqual(self.refusals(gateway), expected)

    @unittest.skipIf(PROMTOOL is None, f"{os.environ['SWARMBUS_PROMTOOL']} is not there; build/promtool.log says why")
    def test_promtool_has_nothing_to_say_against_the_metrics(self):
        _, _, text = self.gateway_with_traffic().request("GET", "/metrics")
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, timeout=harness.PATIENCE)
        self.assertEqual((checked.returncode, checked.stderr + checked.stdout), (0, b""))


# peers 22
class Queries(gw.GatewayTest):
    def subscribed(self, gateway, query):
        stream = gw.SseStream(gateway, f"/v1/sse?{query}")
        answer = stream.expect("subscribed")
        stream.close()
        return answer["patterns"]

    def test_percent_is_decoded_and_a_plus_is_a_plus(self):
        gateway = self.start_gateway()
        for query, patterns in (("pattern=agent.%2B.changed", ["agent.+.changed"]), ("pattern=agent.+.changed", ["agent.+.changed"]),
                                ("pattern=agent.*", ["agent.*"]), ("pattern=agent.%2A", ["agent.*"]), ("pattern=a.%3E", ["a.>"]), ("pattern=a.>", ["a.>"]),
                                ("pattern=a,b", ["a", "b"]), ("pattern=a%2Cb", ["a", "b"]), ("pattern=a&pattern=b", ["a", "b"]),
                                ("%70attern=a", ["a"]), ("x=1&pattern=a&y", ["a"])):
            try:
                self.assertEqual(self.subscribed(gateway, query), patterns, query)
            except AssertionError as error:
                raise AssertionError(f"{query}: {error}") from None

    def test_a_bad_pattern_is_refused_with_its_position(self):
        gateway = self.start_gateway()
        for query, position in (("pattern=a..b", 2), ("pattern=a%00b", None), ("pattern=a%20b", 1), ("pattern=a,", None), ("pattern=.", 0), ("pattern=%ff", 0), ("pattern=", None), ("pattern=a%26b", 1), ("pattern=a%3Db", 1)):
            for path in ("/v1/sse", "/v1/events", "/v1/state"):
                status, _, body = gateway.request("GET", f"{path}?{query}")
                self.assertEqual(status, 400, (path, query, body))
                if position is not None:
                    self.assertIn(f"position {position}", json.loads(body)["error"]["message"], query)
        gateway.get("/healthz")

    def test_what_is_no_percent_encoding_is_refused(self):
        gateway = self.start_gateway()
        for query in ("pattern=a%", "pattern=a%z", "pattern=a%zz"):
            self.assertIn(gateway.request("GET", f"/v1/sse?{query}")[0], (400, 403), query)

    def test_patterns_are_limited(self):
        gateway = self.start_gateway("--max-patterns", "3")
        self.assertEqual(gateway.get("/v1/events?pattern=a,b,c,d", status=400)["code"], "too_many_patterns")
        self.assertEqual(gateway.get("/v1/events?pattern=a,b&pattern=c&pattern=a")["resume"], "live")


if __name__ == "__main__":
    harness.main()
