"""A network that fails."""
import socket
import threading


class CuttingProxy:
    """Passes bytes on to the gateway and back, and cuts each connection after as many of those that come back as next_bytes() says."""

    def __init__(self, gateway, next_bytes):
        self.gateway, self.next_bytes = gateway, next_bytes
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.listener.getsockname()
        self.address = f"{self.host}:{self.port}"
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        left = self.next_bytes()
        with near, self.gateway.connect() as far:
            threading.Thread(target=self._forward, args=(near, far), daemon=True).start()
            try:
                while left > 0 and (data := far.recv(min(left, 4096))):
                    near.sendall(data)
                    left -= len(data)
            except OSError:
                pass
            self.cuts += 1
            # Half of them by a reset, as when a machine has lost its memory of the connection.
            if self.cuts % 2:
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            for side in (near, far):
                try:
                    side.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    @staticmethod
    def _forward(near, far):
        try:
            while data := near.recv(4096):
                far.sendall(data)
            far.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
