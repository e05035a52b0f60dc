"""Bytes to and from a server, as no library would send them.

    with RawSocket(port) as peer:
        peer.shake_hands()
        peer.send(frame(Opcode.PING, b"x"))
        assert peer.frames(1) == [(Opcode.PONG, b"x")]

Everything waits for what is expected, and fails after `ARRIVES_WITHIN` seconds.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import Any, Self

from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

ARRIVES_WITHIN = 30.0

HANDSHAKE = {
    "Host": "127.0.0.1",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "graphql-transport-ws",
}


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """A client's, masked with zeros."""
    head = bytes(((0x80 if fin else 0) | rsv << 4 | opcode,))
    size = len(payload)
    if size < 126:
        head += bytes((0x80 | size,))
    elif size < 1 << 16:
        head += bytes((0x80 | 126,)) + size.to_bytes(2, "big")
    else:
        head += bytes((0x80 | 127,)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def message(kind: str, **rest: Any) -> bytes:
    """A frame with a message of graphql-transport-ws."""
    return frame(Opcode.TEXT, json.dumps({"type": kind, **rest}).encode())


def head(headers: dict[str, str], line: str = "GET /graphql HTTP/1.1") -> bytes:
    """A request's head; of headers with the value "" none is sent."""
    fields = [f"{name}: {value}" for name, value in headers.items() if value]
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


class RawSocket:
    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), ARRIVES_WITHIN)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self.fields: dict[bytes, bytes] = {}
        """Headers of the last response."""
        self._client = ClientProtocol(parse_uri("ws://127.0.0.1/"), state=State.OPEN, max_size=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_until_refused(self, data: bytes, most: int = 100_000) -> int:
        """Send it again and again, until nothing is taken any more; gives how often it was."""
        for sent in range(most):
            try:
                self._socket.sendall(data)
            except OSError:
                return sent
        raise AssertionError("all was taken")

    def receive(self) -> bytes:
        """What comes next; nothing when the other side has closed, or broken off."""
        with suppress(ConnectionError):
            return self._socket.recv(65_536)
        return b""

    def everything(self) -> bytes:
        """All that comes before the connection ends."""
        while more := self.receive():
            self._received += more
        return self._received

    def answer(self) -> int:
        """The status of an answer after which the connection ends."""
        received = self.everything()
        assert received, "closed without an answer"
        return int(received.split(b" ", 2)[1])

    def response(self) -> tuple[int, bytes]:
        """Status and body of the next response, on a connection that may go on."""
        while b"\r\n\r\n" not in self._received:
            self._more()
        answered, _, self._received = self._received.partition(b"\r\n\r\n")
        self.fields = dict(line.lower().split(b": ", 1) for line in answered.split(b"\r\n")[1:])
        size = int(self.fields.get(b"content-length", b"0"))
        while len(self._received) < size:
            self._more()
        body, self._received = self._received[:size], self._received[size:]
        return int(answered.split(b" ", 2)[1]), body

    def shake_hands(self, **headers: str) -> None:
        self.send(head(HANDSHAKE | headers))
        status, _ = self.response()
        assert status == 101
        self._client.receive_data(self._received)

    def sign_in(self, token: str) -> None:
        self.shake_hands()
        self.send(message("connection_init", payload={"token": token}))
        assert self.messages(1) == [{"type": "connection_ack"}]

    def frames(self, most: int | None = None) -> list[tuple[Opcode, bytes]]:
        """The next frames, or all until the connection ends."""
        found: list[tuple[Opcode, bytes]] = []
        while most is None or len(found) < most:
            events = self._client.events_received()
            found += [(e.opcode, bytes(e.data)) for e in events if isinstance(e, Frame)]
            if most is not None and len(found) >= most:
                break
            if not (more := self.receive()):
                break
            self._client.receive_data(more)
        return found

    def messages(self, most: int) -> list[Any]:
        return [json.loads(data) for opcode, data in self.frames(most) if opcode is Opcode.TEXT]

    def closed(self) -> int:
        """The code of the close frame that comes; 1006 if the connection ends without."""
        while found := self.frames(1):
            for opcode, data in found:
                if opcode is Opcode.CLOSE:
                    return Close.parse(data).code
        return 1006

    def is_closed(self) -> bool:
        """Wait until the connection ends, whatever comes before."""
        while self.receive():
            pass
        return True

    def _more(self) -> None:
        more = self.receive()
        assert more, "closed amid an answer"
        self._received += more
