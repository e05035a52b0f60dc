"""Frames written straight into the connection, for states that many subscribers are shown.

Through ASGI every message is copied, wrapped and awaited once for each subscriber. Of a state only
the operation's id differs from one to the next: here the frame's few own bytes are put before it,
and where nothing is waiting to be sent, the whole is handed to the kernel without anybody between.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import unquote

from starlette.types import Scope, Send
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State
from websockets.server import ServerProtocol

if TYPE_CHECKING:
    from uvicorn._types import WebSocketScope

EXTENSION = "branch_meetings.frames"
"""Where the scope of a connection has its `FrameProtocol`."""

LEAVE_WITHIN = 5.0
"""Seconds that a peer has for taking its leave; then the connection is cut."""

UNSENT_AT_MOST = 64 * 1024
"""Bytes, or a segment more, that the kernel takes for a connection beyond what is under way to the
peer. By itself it takes megabytes: a phone on a slow line would be shown minutes of states that are
not true any more, one after the other, and none of them would count as owed."""

NO_DESCRIPTOR = -1

FINAL_TEXT_FRAME = 0x81
PING = b"\x89\x00"
EMPTY_PONG = b"\x8a\x80"  # as clients send it: masked, with four bytes of mask after it
EMPTY_PONG_SIZE = 6
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
)


class Outlet(Protocol):
    """Where states are shown to one connection, as text messages."""

    on_drained: Callable[[], None] | None
    """Called when, after a refusal, messages are taken again."""

    @property
    def is_held(self) -> bool:
        """Set to have all messages refused, until it is known again what may be shown."""
        ...

    @is_held.setter
    def is_held(self, value: bool) -> None: ...

    @property
    def is_taking(self) -> bool:
        """Whether the peer takes what it is sent."""
        ...

    def write(self, head: bytes, tail: bytes) -> bool:
        """Send the message `head + tail`. False, and nothing is sent, while held, or while the peer
        does not take what was sent before."""
        ...

    def cut_off(self, code: int, reason: str) -> None:
        """Close without waiting for the peer to take what was sent before."""
        ...


class Reader(Protocol):
    """Who is shown states, each as the message `head + state + "}"`."""

    @property
    def head(self) -> bytes: ...

    @property
    def outlet(self) -> Outlet: ...

    def owe(self) -> None:
        """The state was not sent; the latest one has to be, when messages are taken again."""
        ...


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


def ends_with_a_frame(data: bytes) -> bool:
    """Whether whole frames of a client came, if what came begins with one (RFC 6455, 5.2)."""
    at = 0
    while at + 2 <= len(data):
        length = data[at + 1] & 127
        extended = {126: 2, 127: 8}.get(length, 0)
        at += 2
        if extended:
            length = int.from_bytes(data[at : at + extended], "big")
        at += extended + 4 + length  # four bytes of mask
    return at == len(data)


class FrameProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol, which also takes states, and drops who has stopped reading."""

    # Slots, because a push reads of every connection: the base's dictionary is large.
    __slots__ = (
        "_is_between_frames",
        "_is_close_sent",
        "_is_held",
        "_socket",
        "descriptor",
        "has_answered",
        "is_taking",
        "on_drained",
    )

    _answer = b""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.on_drained: Callable[[], None] | None = None
        self.is_taking = True
        """Whether the kernel has taken all that was written."""
        self._is_held = False
        self._socket = NO_DESCRIPTOR
        """The connection's descriptor, where frames can be written past the transport."""
        self.descriptor = NO_DESCRIPTOR
        """The same while they may be."""
        self.has_answered = True
        """Whether the peer has answered the last ping."""
        self._is_between_frames = True
        """False once a frame came in parts: then nobody counts any more."""

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

    def cut_off(self, code: int, reason: str) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._abort_later()

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
        """Not with timers of its own: `server.keepalive` does it for all."""

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

    def data_received(self, data: bytes) -> None:
        """Pongs are most of what comes: one that comes alone needs no parser."""
        if self._is_between_frames:
            if len(data) == EMPTY_PONG_SIZE and data.startswith(EMPTY_PONG):
                self.has_answered = True
                return
            self._is_between_frames = ends_with_a_frame(data)
        super().data_received(data)

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

    def _abort_later(self) -> None:
        self.loop.call_later(LEAVE_WITHIN, self.transport.abort)


class MessageOutlet:
    """The same over plain ASGI, for servers without the extension: one message at a time."""

    def __init__(self, send: Send) -> None:
        self.on_drained: Callable[[], None] | None = None
        self.is_held = False
        self._send = send
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_taking(self) -> bool:
        return self._sending is None

    def write(self, head: bytes, tail: bytes) -> bool:
        if self.is_held or self._sending is not None:
            return False
        text = (head + tail).decode()
        self._sending = asyncio.create_task(self._finish(text))
        return True

    def cut_off(self, code: int, reason: str) -> None:
        if self._sending is not None:
            self._sending.cancel()
        close = {"type": "websocket.close", "code": code, "reason": reason}
        self._sending = asyncio.ensure_future(unless_gone(self._send(close)))

    async def _finish(self, text: str) -> None:
        await unless_gone(self._send({"type": "websocket.send", "text": text}))
        self._sending = None
        if self.on_drained is not None:
            self.on_drained()


def descriptor_of(transport: asyncio.BaseTransport) -> int:
    """Of the socket that takes just what is written to the transport. NO_DESCRIPTOR where there is
    more to it, as with TLS."""
    connection = transport.get_extra_info("socket")
    if connection is None or transport.get_extra_info("sslcontext") or os.name != "posix":
        return NO_DESCRIPTOR
    descriptor: int = connection.fileno()
    return descriptor


async def unless_gone(sending: Awaitable[None]) -> None:
    """Whoever leaves amid an answer is no fault of ours; ASGI's servers tell it by OSError."""
    with suppress(OSError):
        await sending


def outlet_of(scope: Scope, send: Send) -> Outlet:
    """The quickest way to write to the connection."""
    outlet: Outlet | None = scope.get("extensions", {}).get(EXTENSION)
    return outlet or MessageOutlet(send)
