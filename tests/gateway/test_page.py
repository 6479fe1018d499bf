"""The gateway's page in a browser: headless Chromium, steered by npm's playwright-core."""
import json
import shutil
import socketserver
import threading
import unittest

import gateway_harness as gw
import harness
import node_programs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
NOBODY_THERE = "Failed to load resource: net::ERR_"  # what the console says of a gateway that is gone
HOSTILE = ("<img src=x onerror=\"window.hacked=1\">", "</td></table><script>window.hacked=1</script>", "<svg/onload=window.hacked=1>", "javascript:window.hacked=1",
           "\u202eevil", "&lt;b&gt;&amp;")


class Browser:
    """Shows one page at a time."""

    def __init__(self):
        self._process = node_programs.start("browser.cjs", CHROMIUM)

    def end(self):
        self._process.popen.stdin.close()  # then it ends Chromium, which is in another process group
        try:
            self._process.wait()
        finally:
            self._process.end()

    def _do(self, **command):
        self._process.write(json.dumps(command).encode() + b"\n")
        told = self._process.read_json()
        if "error" in told:
            raise AssertionError(f"{command}: {told['error']}")
        return told["value"]

    def open(self, url):
        status = self._do(open=url)
        if status != 200:
            raise AssertionError(f"{url}: {status}")

    def evaluate(self, script):
        return self._do(evaluate=script)

    def click(self, selector):
        self._do(click=selector)

    def fill(self, selector, text):
        self._do(fill=selector, text=text)

    def requests(self):
        return self._do(requests=True)

    def complaints(self):
        return self._do(complaints=True)

    def texts(self, selector):
        """The text of each element."""
        return self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(element => element.textContent)")

    def state(self):
        return self.texts("#state")[0]

    def column(self, number):
        """Of the list of events, the latest first."""
        return self.texts(f"#events td:nth-child({number})")

    def payloads(self):
        return self.texts("#events summary")

    def notices(self):
        return self.texts("#events tr.notice")


class RefusingServer(socketserver.TCPServer):
    """What stands in front of a gateway, perhaps."""

    allow_reuse_address = True

    def __init__(self, gateway):
        super().__init__((gateway.host, gateway.port), Refusal)


class Refusal(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline() > b"\r\n":
            pass
        self.wfile.write(b'HTTP/1.0 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n{"error":{"code":"full","message":"come back later"}}')


@node_programs.needs_node
@unittest.skipIf(CHROMIUM is None, "there is no chromium and no chromium-headless-shell; build/packages.log says why")
class Page(gw.GatewayTest):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.end)

    def open_page(self, gateway, query=""):
        browser = self.browser
        browser.open(f"{gateway.url}/{query}")
        gw.eventually(lambda: browser.state() == "live")
        return browser

    def assert_at_peace(self, browser, gateway):
        """It has nothing to complain about, and asked nobody else."""
        self.assertEqual(browser.complaints(), [])
        self.assertEqual([url for url in browser.requests() if not url.startswith(("data:", f"{gateway.url}/", f"ws://{gateway.address}/"))], [])

    def test_it_shows_events_as_they_are_published_the_latest_first(self):
        gateway = self.start_gateway()
        browser = self.open_page(gateway)
        self.assertTrue(browser.evaluate("!document.getElementById('nothing').hidden"))
        self.pub("agent.created", '{"agent_id":"agent-7","metadata":{"a":[1]}}', "--source", "planner", "--subject", "agent-7")
        gw.eventually(lambda: browser.column(2) == ["agent.created"])
        self.assertEqual((browser.column(3), browser.column(4)), (["planner"], ["agent-7"]))
        self.assertEqual(browser.payloads()[0].split(), ["agent_id", "agent-7", "metadata", '{"a":[1]}'])
        self.assertRegex(browser.column(1)[0], r"^\d\d:\d\d:\d\d\.\d{3}$")
        self.publish_lines("a.b", range(300))
        gw.eventually(lambda: browser.payloads()[:1] == ["299"])
        self.assertEqual(browser.payloads(), [str(number) for number in range(299, 99, -1)])
        gw.eventually(lambda: ("a.b", "300") in zip(browser.texts("#types td:first-child"), browser.texts("#types .number")))
        self.assertFalse(browser.evaluate("!document.getElementById('nothing').hidden"))
        self.assert_at_peace(browser, gateway)

    def test_it_shows_what_was_known_before_it_was_opened(self):
        gateway = self.start_gateway("--follow", "*")
        self.publish_lines("a.b", range(3), "--subject", "one")
        gw.eventually(lambda: gateway.metric("swarmbus_gateway_journal_events") == 3)
        browser = self.open_page(gateway)
        gw.eventually(lambda: browser.payloads() == ["2"])
        self.assertEqual(browser.notices(), [])

    def test_it_shows_who_is_alive(self):
        gateway = self.start_gateway()
        browser = self.open_page(gateway)
        sub = self.start_sub("agent.*", "--source", "watcher", inboxes=2)
        alive = {"watcher", "swarmbus-gateway"}
        names = "#participants td:first-child"
        gw.eventually(lambda: {name.removesuffix("agent.*").removesuffix("*") for name in browser.texts(names)} == alive)
        self.assertEqual(set(browser.texts("#participants td:nth-child(2)")), {"alive"})
        sub.stop()
        gw.eventually(lambda: "stopped" in browser.texts("#participants td:nth-child(2)"))
        sub.kill()
        gw.eventually(lambda: "watcher" not in " ".join(browser.texts(names)) or "dead" in browser.texts("#participants td:nth-child(2)"))
        self.assert_at_peace(browser, gateway)

    def test_it_tells_that_the_gateway_is_gone_and_goes_on_when_it_is_back(self):
        gateway = self.start_gateway("--follow", "*")
        browser = self.open_page(gateway)
        self.pub("a.b", "before")
        gw.eventually(lambda: browser.payloads() == ["before"])
        address = gateway.address
        gateway.kill()
        gw.eventually(lambda: browser.state() == "reconnecting")
        gateway = self.start_gateway("--follow", "*", listen=address)
        gw.eventually(lambda: browser.state() == "live")
        self.pub("a.b", "after")
        gw.eventually(lambda: browser.payloads()[:1] == ["after"])
        notice, = browser.notices()
        self.assertIn("epoch", notice)
        self.assertEqual([said for said in browser.complaints() if not said.startswith(NOBODY_THERE)], [])

    def test_it_tries_again_when_it_is_refused_and_tells_what_was_missed(self):
        gateway = self.start_gateway("--follow", "*")
        browser = self.open_page(gateway)
        self.pub("a.b", "before")
        gw.eventually(lambda: browser.payloads() == ["before"])
        gateway.kill()
        with RefusingServer(gateway) as refusing:
            thread = threading.Thread(target=refusing.serve_forever)
            thread.start()
            try:
                gw.eventually(lambda: browser.state() == "refused: come back later")
            finally:
                refusing.shutdown()
                thread.join()
        self.start_gateway("--follow", "*", listen=gateway.address)
        gw.eventually(lambda: browser.state() == "live")
        gw.eventually(lambda: len(browser.notices()) == 1)

    def test_hostile_events_are_shown_as_text(self):
        gateway = self.start_gateway()
        browser = self.open_page(gateway)
        for text in HOSTILE:
            self.pub("a.text", text, "--subject", text, "--source", text)
        self.pub("a.json", json.dumps({HOSTILE[0]: HOSTILE}), "--encoding", "json")
        gw.eventually(lambda: len(browser.column(2)) == len(HOSTILE) + 1)
        for shown in (browser.payloads()[1:], browser.column(3)[1:], browser.column(4)[1:]):
            self.assertEqual(shown, list(reversed(HOSTILE)))
        browser.click("#events summary")
        gw.eventually(lambda: browser.texts("#events details[open] pre") not in ([], [""]), "opening the payload")
        self.assertEqual(json.loads(browser.texts("#events details[open] pre")[0]), {HOSTILE[0]: list(HOSTILE)})
        self.assertEqual(browser.evaluate("[typeof hacked, document.querySelectorAll('main img, main script, main svg').length]"), ["undefined", 0])
        self.assert_at_peace(browser, gateway)

    def test_it_shows_the_patterns_it_is_asked_for(self):
        gateway = self.start_gateway()
        browser = self.open_page(gateway, "?pattern=a.+.c")
        self.assertEqual(browser.evaluate("document.getElementById('patterns').value"), "a.+.c")
        self.publish_lines("a.b", range(3))
        self.pub("a.b.c", "asked for")
        gw.eventually(lambda: browser.payloads() == ["asked for"])
        browser.fill("#patterns", "d.*,  e")
        browser.click("form button")
        gw.eventually(lambda: (browser.evaluate("location.search"), browser.state()) == ("?pattern=d.*%2Ce", "live"))
        self.pub("a.b.c", "no more")
        self.pub("e", "this")
        gw.eventually(lambda: browser.payloads() == ["this"])
        self.assert_at_peace(browser, gateway)

    def test_a_bad_pattern_is_told(self):
        gateway = self.start_gateway()
        self.browser.open(f"{gateway.url}/?pattern=a..b")
        gw.eventually(lambda: "position 2" in self.browser.state())

    def test_it_holds_still_when_told(self):
        gateway = self.start_gateway()
        browser = self.open_page(gateway)
        self.pub("a.b", "first")
        gw.eventually(lambda: browser.payloads() == ["first"])
        browser.click("#pause")
        self.pub("a.b", "second")
        gw.eventually(lambda: browser.texts("#types .number") == ["2"])
        self.assertEqual(browser.payloads(), ["first"])
        browser.click("#pause")
        gw.eventually(lambda: browser.payloads() == ["second", "first"])

    def test_a_websocket_of_the_browser_is_given_both_subprotocols(self):
        gateway = self.start_gateway()
        browser = self.open_page(gateway)
        for subprotocol, kind in ((gw.JSON, "string"), (gw.FLAT, "object")):
            self.assertEqual(browser.evaluate("""new Promise((resolve, reject) => {
                const socket = new WebSocket(`ws://${location.host}/v1/ws`, "%s");
                socket.onmessage = message => { resolve([socket.protocol, typeof message.data]); socket.close(); };
                socket.onerror = () => reject("refused");
            })""" % subprotocol), [subprotocol, kind])
        gw.eventually(lambda: gateway.clients("websocket") == 0)
        self.assert_at_peace(browser, gateway)


if __name__ == "__main__":
    harness.main()
