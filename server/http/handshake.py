"""WebSocket handshakes without parsing the request twice.

Uvicorn parses each request with httptools, writes a handshake out again and has it parsed by
websockets. Here the headers that are there already are looked at instead. Whatever is unusual about
a handshake goes the long way, and is refused there if it is to be refused.
"""

import re
from asyncio import BaseProtocol
from base64 import b64encode
from hashlib import sha1
from typing import Any, cast

from server.http.heads import BoundedHttp
from server.websocket.frames import FrameProtocol

USUAL_CONNECTIONS = (b"upgrade", b"keep-alive, upgrade")
KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")
"""16 bytes in base 64."""
TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

UNUSUAL = 10.0
"""What a handshake that takes so long costs its address (`limits/strangers.py`), in requests."""

MOST_HEADERS = 64
MOST_BYTES = 4096
"""Of all headers together; websockets takes 128 with twice as many bytes in each."""


def answer_to_key(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    """`Sec-WebSocket-Accept` for a handshake as clients usually make it (RFC 6455, 4.2), None for
    any other. Names are in lower case; that it asks for an upgrade to `websocket` is known."""
    named = dict(headers)
    key = named.get(b"sec-websocket-key", b"")
    if (
        len(named) == len(headers) <= MOST_HEADERS
        and sum(map(len, named)) + sum(map(len, named.values())) <= MOST_BYTES
        and named.get(b"connection", b"").lower() in USUAL_CONNECTIONS
        and named.get(b"sec-websocket-version") == b"13"
        and KEY.fullmatch(key)
        and TOKEN.fullmatch(named.get(b"sec-websocket-protocol", b"none"))
        and b"content-length" not in named
        and b"transfer-encoding" not in named
    ):
        # What the RFC prescribes; nothing secret is hashed.
        return b64encode(sha1(key + GUID, usedforsecurity=False).digest())
    return None


class HttpProtocol(BoundedHttp):
    """Our HTTP protocol, with a shorter way than uvicorn's to a `FrameProtocol`."""

    def handle_websocket_upgrade(self) -> None:
        self.let_go()
        answer = answer_to_key(self.headers)
        if (
            answer is None
            or self.scope["method"] != "GET"
            or self.scope["http_version"] != "1.1"
            or not self.url.isascii()
            or not issubclass(self.ws_protocol_class or object, FrameProtocol)
            or self.config.ws_per_message_deflate
        ):
            # Websockets refuses by itself what is no handshake, and no limit hears of it.
            if not self._limits.requests.take(self.client_address(), self.loop.time(), UNUSUAL):
                self._refuse(429)
                return
            super().handle_websocket_upgrade()
            self._hand_over(self.transport.get_protocol())
            return
        self.connections.discard(self)
        protocol = FrameProtocol(self.config, self.server_state, self.app_state)
        protocol.take_over(self.transport, cast("dict[str, Any]", self.scope), self.url, answer)
        self.transport.set_protocol(protocol)
        self._hand_over(protocol)
        self.parser = None  # type: ignore[assignment] # refers to this, which would stay

    def _hand_over(self, protocol: BaseProtocol) -> None:
        """Whoever ends the connection says that its address has one less."""
        if isinstance(protocol, FrameProtocol):
            protocol.peer, self.peer = self.peer, None
