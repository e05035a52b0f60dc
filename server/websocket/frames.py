"""Frames written straight into the connection, for states that many subscribers are shown.

Through ASGI every message is copied, wrapped and awaited once for each subscriber. Of a state only
the operation's id differs from one to the next: here the frame's few own bytes are put before it,
and where nothing is waiting to be sent, the whole is handed to the kernel without anybody between.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from uvicorn.protocols.utils import ClientDisconnected
from websockets.protocol import State
from websockets.server import ServerProtocol

from server.http.incoming import IncomingFrames
from server.websocket.outlets import EXTENSION, Reader

if TYPE_CHECKING:
    from uvicorn._types import WebSocketScope


UNSENT_AT_MOST = 64 * 1024
"""Bytes, or a segment more, that the kernel takes for a connection beyond what is under way to the
peer. By itself it takes megabytes: a phone on a slow line would be shown minutes of states that are
not true any more, one after the other, and none of them would count as owed."""


NO_DESCRIPTOR = -1

FINAL_TEXT_FRAME = 0x81
PING = b"\x89\x00"
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
)


def show(readers: Sequence[Reader], state: bytes) -> None:
    """Send the state to all of them.

    First the beginnings of all frames are made and then all are written: what the kernel does for
    one drives out of the processor's caches what is needed for the next. The state is not copied.
    """
    tail = state + b"}"
    size = len(tail)
    starts = [frame_header(len(reader.head) + size) + reader.head for reader in readers]
    for reader, start in zip(readers, starts, strict=True):
        outlet = reader.outlet
        if not isinstance(outlet, FrameProtocol) or outlet.descriptor == NO_DESCRIPTOR:
            if not outlet.write(reader.head, tail):
                reader.owe()
            continue
        # It is this connection's: whatever ends or fills one has taken its descriptor away.
        try:
            sent = os.writev(outlet.descriptor, (start, tail))
        except OSError:  # it takes nothing now, or is lost: the transport knows what to do
            sent = 0
        if sent < len(start) + size:
            outlet.transport.write((start + tail)[sent:])


@lru_cache(maxsize=256)
def frame_header(length: int) -> bytes:
    """Of an unmasked, final text frame with so many bytes of payload (RFC 6455, 5.2)."""
    if length < 126:
        return bytes((FINAL_TEXT_FRAME, length))
    if length < 1 << 16:
        return bytes((FINAL_TEXT_FRAME, 126)) + length.to_bytes(2, "big")
    return bytes((FINAL_TEXT_FRAME, 127)) + length.to_bytes(8, "big")


class FrameProtocol(IncomingFrames):
    """Uvicorn's WebSocket protocol, which also takes states, and drops who has stopped reading."""

    # Slots, because a push reads of every connection: the base's dictionary is large.
    __slots__ = (
        "_is_close_sent",
        "_is_held",
        "_socket",
        "descriptor",
        "on_drained",
    )

    _answer = b""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.on_drained: Callable[[], None] | None = None
        self._is_held = False
        self._socket = NO_DESCRIPTOR
        """The connection's descriptor, where frames can be written past the transport."""
        self.descriptor = NO_DESCRIPTOR
        """The same while they may be."""

    @property
    def is_held(self) -> bool:
        return self._is_held

    @is_held.setter
    def is_held(self, value: bool) -> None:
        self._is_held = value
        self._settle()

    @property
    def close_sent(self) -> bool:
        return self._is_close_sent

    @close_sent.setter
    def close_sent(self, value: bool) -> None:
        self._is_close_sent = value
        if value:
            self.descriptor = NO_DESCRIPTOR

    def _settle(self) -> None:
        """Let frames be written straight into the socket, or not."""
        may = self.is_taking and not (
            self._is_held or self._is_close_sent or self.transport.is_closing()
        )
        self.descriptor = self._socket if may else NO_DESCRIPTOR

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._keep_little_unsent()

    def _keep_little_unsent(self) -> None:
        """No state waits in the process behind one that the kernel has not taken whole; and the
        kernel takes little, where the system can be told to."""
        self._socket = descriptor_of(self.transport)
        # With TLS an empty buffer would count as full if this were 0. Without, a buffer of one byte
        # would count as empty if it were 1, and what is written past it would overtake that byte.
        self.transport.set_write_buffer_limits(1 if self._socket == NO_DESCRIPTOR else 0, 0)
        self._settle()
        if self.transport.get_write_buffer_size():
            # The rest of an answer before the handshake. The transport has paused already, and has
            # told the protocol that it had then; of its resuming it tells this one.
            self.pause_writing()
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        connection = self.transport.get_extra_info("socket")
        if option is not None and connection is not None:
            with suppress(OSError):  # no TCP
                connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT_AT_MOST)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.is_taking = False
        self.descriptor = NO_DESCRIPTOR

    def take_over(
        self, transport: asyncio.Transport, request: dict[str, Any], url: bytes, answer: bytes
    ) -> None:
        """Begin with a handshake that was read and found good: the scope of its request, its
        `url`, and the `answer` to its key."""
        self.connections.add(self)
        self.transport = transport
        self._keep_little_unsent()
        self.scheme = "wss" if request["scheme"] == "https" else "ws"
        raw_path, _, query = url.partition(b"?")
        offered = dict(request["headers"]).get(b"sec-websocket-protocol")
        scope = {
            **request,
            "type": "websocket",
            "asgi": {"version": self.asgi_version, "spec_version": "2.4"},
            "scheme": self.scheme,
            "path": self.root_path + unquote(raw_path.decode("ascii")),
            "raw_path": self.root_path.encode("ascii") + raw_path,
            "query_string": query,
            "subprotocols": [offered.decode("ascii")] if offered else [],
            "extensions": {"websocket.http.response": {}, EXTENSION: self},
        }
        del scope["method"]
        self.scope = cast("WebSocketScope", scope)
        self._answer = answer
        self._begin_to_count()
        self.handshake_initiated = True
        # It would read the handshake first.
        self.conn.parser = super(ServerProtocol, self.conn).parse()
        next(self.conn.parser)
        self.queue.put_nowait({"type": "websocket.connect"})
        task = self.loop.create_task(self.run_asgi())
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def _accept(self, message: Any) -> None:
        """Finish the handshake that was taken over."""
        if self.transport.is_closing():
            return
        headers = [*self.default_headers, *message.get("headers", ())]
        if message.get("subprotocol"):
            headers.append((b"Sec-WebSocket-Protocol", message["subprotocol"].encode("ascii")))
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"%b%b\r\n%b\r\n" % (SWITCHING, self._answer, b"".join(lines)))
        self.conn.state = State.OPEN
        self.handshake_complete = True

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # the handshake was not refused
            self._begin_to_count()
            extensions: dict[str, Any] = self.scope.get("extensions", {})
            extensions[EXTENSION] = self

    def handle_close(self, event: Any) -> None:
        super().handle_close(event)
        self._settle()

    def write(self, head: bytes, tail: bytes) -> bool:
        if self._is_held or not self.is_taking:
            return False
        if not self.close_sent:
            length = len(head) + len(tail)
            self.transport.write(b"".join((frame_header(length), head, tail)))
        return True

    async def send(self, message: Any) -> None:
        """Uvicorn's takes it for a mistake to send something after it has closed by itself, and
        waits for ever that the peer takes the last bytes."""
        await self.writable.wait()
        if self.close_sent:
            raise ClientDisconnected
        if message["type"] == "websocket.accept" and self._answer and not self.handshake_complete:
            self._accept(message)
            return
        await super().send(message)
        if message["type"] == "websocket.close":
            self._abort_later()
        elif message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # or uvicorn logs that it is not

    def resume_writing(self) -> None:
        super().resume_writing()
        self.is_taking = True
        self._settle()
        if self.on_drained is not None:
            self.on_drained()

    def connection_lost(self, exc: Exception | None) -> None:
        # Whatever is shown from now on goes nowhere. After this the transport closes its socket,
        # and another one may get the same number at once.
        self.close_sent = True
        self.on_drained = None
        super().connection_lost(exc)

    def start_keepalive(self) -> None:
        """Not with timers of its own: `server.runtime.ping_scheduler` does it for all."""

    def ping(self) -> bool:
        """Ask whether the peer is there. False if it is not, or has gone: it was asked before, and
        has not answered."""
        if self.close_sent or self.transport.is_closing():
            return False
        if not self.has_answered:
            self.keepalive_timeout()
            return False
        self.has_answered = False
        self.transport.write(PING)
        return True

    def handle_pong(self, event: Any) -> None:
        self.has_answered = True

    def keepalive_timeout(self) -> None:
        """Uvicorn's waits for ever that the peer takes the last bytes."""
        super().keepalive_timeout()
        self.transport.abort()

    def eof_received(self) -> None:
        super().eof_received()
        self.descriptor = NO_DESCRIPTOR

    def shutdown(self) -> None:
        super().shutdown()
        self.close_sent = True
        self._abort_later()


def descriptor_of(transport: asyncio.BaseTransport) -> int:
    """Of the socket that takes just what is written to the transport. NO_DESCRIPTOR where there is
    more to it, as with TLS."""
    connection = transport.get_extra_info("socket")
    if connection is None or transport.get_extra_info("sslcontext") or os.name != "posix":
        return NO_DESCRIPTOR
    descriptor: int = connection.fileno()
    return descriptor
