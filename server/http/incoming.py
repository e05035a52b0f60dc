"""Frames as they come: counted, parsed, and refused when they are too many or no frames.

Under `server.websocket.frames`, which writes.
"""

from codecs import IncrementalDecoder, getincrementaldecoder
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.server import ServerProtocol

from server.limits.connections import address_of, limits_of
from server.websocket.frame_allowance import FrameAllowance

LEAVE_WITHIN = 5.0
"""Seconds that a peer has for taking its leave; then the connection is cut."""

TOO_MANY_MESSAGES = 4508
FLOOD_LEAVES_WITHIN = 1.0
"""Seconds that a peer who sends too much has for reading why it is cut; nothing is read of it."""

PONGS_A_READ = 10
"""Pings that are answered each, in one write, where several came at once."""

EMPTY_PONG = b"\x8a\x80"  # as clients send it: masked, with four bytes of mask after it
EMPTY_PONG_SIZE = 6
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Peer(ServerProtocol):
    """The other side of a connection, as websockets' parser sees it."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            # Also amid a message in parts, which is then given up (RFC 6455, 5.5.1).
            self.current_size = None
        elif frame.opcode is Opcode.PING and len(self.writes) >= PONGS_A_READ:
            # Only the last ping need be answered (RFC 6455, 5.5.3).
            self.writes.clear()
        super().recv_frame(frame)


class IncomingFrames(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket protocol, which also counts what comes."""

    __slots__ = ("_utf8", "allowance", "has_answered", "is_taking", "peer")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = Peer(
            extensions=self.conn.available_extensions,
            max_size=self.config.ws_max_size,
            logger=self.logger,
        )
        self.is_taking = True
        """Whether the kernel has taken all that was written."""
        self.has_answered = True
        """Whether the peer has answered the last ping."""
        self.allowance: FrameAllowance | None = None
        """None before the handshake, and for who has used it up."""
        self.peer: str | None = None
        """The address that this connection counts for (`server.http.heads`)."""
        self._utf8: IncrementalDecoder | None = None
        """Of a text that comes in parts."""

    def _begin_to_count(self) -> None:
        address = address_of(self.scope["client"])
        strangers = limits_of(self.app_state).frames
        self.allowance = FrameAllowance(address, strangers, self.loop.time())

    def count_for(self, address: str) -> None:
        """Count a stranger's frames for the address that a proxy names, not for the proxy's."""
        if self.allowance is not None:
            self.allowance.address = address

    def introduce(self) -> None:
        if self.allowance is not None:
            self.allowance.introduce()

    def data_received(self, data: bytes) -> None:
        """What comes is counted before it is parsed. Pongs are most of it: one that comes alone
        needs no parser."""
        allowance = self.allowance
        if allowance is None:
            self._read_handshake(data)
            return
        now = self.loop.time()
        is_pong = len(data) == EMPTY_PONG_SIZE and data.startswith(EMPTY_PONG)
        if is_pong and allowance.is_between_frames and allowance.take_pong(now):
            self.has_answered = True
        elif allowance.take(data, now):
            super().data_received(data)
        else:
            self._refuse_flood()

    def _read_handshake(self, data: bytes) -> None:
        """Of one that was not taken over. Uvicorn answers none that websockets cannot read."""
        if self.handshake_initiated:
            return  # they have used up their allowance
        super().data_received(data)
        if not self.handshake_initiated and self.conn.handshake_exc is not None:
            self.transport.write(b"".join(self.conn.data_to_send()) or BAD_REQUEST)
            self.transport.close()

    def _refuse_flood(self) -> None:
        """Read nothing more, and let them read why."""
        self.allowance = None
        self.read_paused = False  # or uvicorn would go on reading
        if self.transport.is_closing() or self.close_sent or not self.handshake_complete:
            self.transport.abort()
            return
        self.transport.pause_reading()
        self.cut_off(TOO_MANY_MESSAGES, "Too many frames")
        # Uvicorn's own: without it, it would close at once, and they would be back at once.
        self.close_timer = self.loop.call_later(FLOOD_LEAVES_WITHIN, self.transport.abort)

    def handle_ping(self) -> None:
        if self.handshake_complete and self.is_taking:
            super().handle_ping()
        else:
            self.conn.writes.clear()

    def handle_text(self, event: Frame) -> None:
        self._utf8 = None if event.fin else getincrementaldecoder("utf-8")()
        if self._may_be_utf8(event):
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self._utf8 = None
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        if self._may_be_utf8(event):
            super().handle_cont(event)

    def _may_be_utf8(self, event: Frame) -> bool:
        """Of a text in parts, each is looked at as it comes (RFC 6455, 8.1)."""
        try:
            if self._utf8 is not None:
                self._utf8.decode(bytes(event.data), event.fin)
        except UnicodeDecodeError:
            self._refuse_text()
            return False
        return True

    def send_receive_event_to_app(self) -> None:
        try:
            if self.curr_msg_data_type == "text" and self._utf8 is None:
                self.frames[0].decode()
        except UnicodeDecodeError:
            self._refuse_text()
        else:
            super().send_receive_event_to_app()

    def _refuse_text(self) -> None:
        """Uvicorn logs what is not UTF-8 as a fault of its own."""
        self.frames = []
        if not self.close_sent:
            self.conn.fail(CloseCode.INVALID_DATA, "not UTF-8")
            self.handle_parser_exception()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._abort_later()  # a close waits for ever that the peer takes the last bytes

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is not None:
            limits_of(self.app_state).disconnect(self.peer)
        super().connection_lost(exc)

    def handle_pong(self, event: Any) -> None:
        self.has_answered = True

    def cut_off(self, code: int, reason: str) -> None:
        if self.close_sent or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._abort_later()

    def _abort_later(self) -> None:
        self.loop.call_later(LEAVE_WITHIN, self.transport.abort)
