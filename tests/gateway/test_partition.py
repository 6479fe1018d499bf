"""What the network does to connections: it cuts them, and it stops to carry them. In a network of the test's own, where that harms nobody else."""
import contextlib
import os
import socket
import subprocess
import sys

import crowd
import gateway_harness as gw
import harness

OWN_NETWORK = "SWARMBUS_OWN_NETWORK"


def obstacle():
    """Why this network can't be meddled with; empty if it can. It is the test's own, or there is none."""
    if OWN_NETWORK not in os.environ:
        return "no network namespace can be made here (unshare --net)"
    try:
        allowed = subprocess.run(["iptables", "-L"], capture_output=True, text=True, timeout=harness.PATIENCE)
        if allowed.returncode != 0:
            return f"iptables: {allowed.stderr.strip()}"
        if not can_cut():
            return "ss -K cuts no connection here (CONFIG_INET_DIAG_DESTROY)"
    except FileNotFoundError as error:
        return f"there is no {error.filename}"
    return ""


def cut(port):
    """All connections of this port, by the system."""
    subprocess.run(["ss", "-tK", "sport", "=", str(port)], check=True, capture_output=True, timeout=harness.PATIENCE)


def can_cut():
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname(), 1) as near, listener.accept()[0]:
        cut(listener.getsockname()[1])
        near.setblocking(False)
        try:
            return near.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionError:
            return True


def enter_own_network():
    """Starts this program anew in a network that has nothing but a loopback."""
    if OWN_NETWORK in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=harness.PATIENCE)
        return
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode == 0:
            os.environ[OWN_NETWORK] = "1"
            os.execvp(command[0], [*command, sys.executable, *sys.argv])


class Partition(gw.GatewayTest):
    COUNT = 100

    def setUp(self):
        super().setUp()
        if reason := obstacle():
            self.skipTest(reason)

    @contextlib.contextmanager
    def rule(self, *what, directions=("--dport", "--sport")):
        """A rule for all that goes to or from the gateway's port."""
        def change(how):
            for direction in directions:
                subprocess.run(["iptables", how, "INPUT", "-p", "tcp", direction, str(self.gateway.port), "-j", *what], check=True, timeout=harness.PATIENCE)

        change("-A")
        try:
            yield
        finally:
            change("-D")

    def gather(self, *options):
        self.gateway = self.start_gateway("--follow", "*", *options)
        self.gateway.get("/healthz")
        self.at_rest = self.gateway.descriptors()
        clients = crowd.Crowd(self, self.gateway, self.COUNT)
        epoch = self.gateway.get("/v1/events?pattern=*")["cursor"].split("-")[0]
        for member in clients.members:
            member.cursor = f"{epoch}-0"
        clients.connect()
        clients.run_until(clients.all_answered, "subscribing")
        return clients

    def start_counting(self, count, rate):
        return self.start_program(["sh", "-c", f'seq 0 {count - 1} | "$SWARMBUS_TOOL" pub a.b --lines --rate {rate}'])

    def assert_no_ghosts(self, clients):
        self.assertEqual(clients.answers(), {("recovered", None)})
        self.assertEqual(self.gateway.clients("websocket"), self.COUNT)
        clients.cut()
        gw.eventually(lambda: self.gateway.clients("websocket") == 0)
        gw.eventually(lambda: self.gateway.descriptors() <= self.at_rest + 1)  # that of the request that asks

    def test_connections_that_are_cut_by_the_system_are_resumed_without_loss(self):
        clients = self.gather()
        self.start_counting(3000, 1000)
        for round_number in range(5):
            clients.run_until(lambda: clients.everyone_has(400 * (round_number + 1)), "getting events")
            for member in clients.members:
                member.answer = None
            cut(self.gateway.port)
            clients.run_until(clients.all_answered, "coming back")
        clients.run_until(lambda: clients.everyone_has(3000), "getting all events")
        self.assert_no_ghosts(clients)

    def test_connections_that_are_reset_on_their_way_are_resumed_without_loss(self):
        clients = self.gather()
        self.start_counting(3000, 1000)
        clients.run_until(lambda: clients.everyone_has(400), "getting events")
        with self.rule("REJECT", "--reject-with", "tcp-reset", directions=["--dport"]):
            # What a client sends is answered by a reset; the gateway hears nothing of that.
            clients.run_until(lambda: all(member.answer is None or member.socket is None for member in clients.members), "being cut off")
        for member in clients.members:
            member.answer = None
        clients.run_until(clients.all_answered, "coming back")
        clients.run_until(lambda: clients.everyone_has(3000), "getting all events")
        self.assert_no_ghosts(clients)

    def test_when_nothing_gets_through_for_a_while_nothing_is_lost(self):
        clients = self.gather()
        publisher = self.start_counting(3000, 1000)
        clients.run_until(lambda: clients.everyone_has(400), "getting events")
        with self.rule("DROP"):
            self.assertEqual(publisher.wait(), 0)
        clients.run_until(lambda: clients.everyone_has(3000), "getting all events")
        self.assert_no_ghosts(clients)

    def test_clients_that_vanish_without_a_word_are_let_go_after_the_heartbeat(self):
        clients = self.gather("--heartbeat", "1s")
        streams = [gw.SseStream(self.gateway, "/v1/sse?pattern=*") for _ in range(10)]
        for stream in streams:
            stream.expect("subscribed")
        with self.rule("DROP"):
            # Nobody can ask the gateway either: it closes what is left of them.
            gw.eventually(lambda: self.gateway.descriptors() <= self.at_rest, "letting go")
        for stream in streams:
            stream.close()
        clients.cut()
        gw.eventually(lambda: self.gateway.clients("websocket") + self.gateway.clients("sse") == 0)


if __name__ == "__main__":
    enter_own_network()
    harness.main()
