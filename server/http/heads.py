"""Requests as they come: sizes and times of heads and bodies, and connections that say nothing.

Uvicorn waits for ever and keeps all that comes. Here every request is answered or its connection
closed: 431 for a head that is too large, 408 for a head or body that takes too long, 400 for what
is no request, 503 where there are too many connections.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from server.limits.connections import address_of, limits_of

HEAD_AT_MOST = 16 * 1024
"""Bytes of a request that are no body: what comes before it, sizes of chunks, trailers."""

PIECE = 8 * 1024
"""Bytes that are parsed before it is looked at what they were."""

FIELDS_AT_MOST = 100

PARTS_AT_MOST = 1_000
"""Of a body: chunks, or what single reads gave. More are no body of 256 KB that anybody sends."""

DISCARDED_AT_MOST = 16 * 1024 * 1024
"""Bytes that are read for nothing, so that who sends them all before they read finds the answer."""

PIPELINED_AT_MOST = 16
"""Requests that wait for answers to earlier ones of their connection."""

CLOSING = (b"connection", b"close")

# All in seconds.
READS_ANSWER_WITHIN = 1.0
REPEATED_WAITS = 1.0
TRY_AGAIN_AFTER = 5
TAKES_NOTHING_AT_MOST = 30.0


class Refused(Exception):
    """Raised amid parsing, with the status to answer with."""


class BoundedHttp(HttpToolsProtocol):
    """Uvicorn's HTTP protocol, within bounds."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits_of(self.app_state)
        self.peer: str | None = None
        """The address that this connection counts for."""
        self._due: asyncio.TimerHandle | None = None
        """When what is awaited of the client must have come."""
        self._stalled: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None
        """The request that is being answered, or was the last to be."""
        self._is_refused = False
        self._status = 400
        self._begin_message()

    def _begin_message(self) -> None:
        self._is_in_head = False
        self._came = 0
        """Bytes of the message under way, or a piece more."""
        self._is_in_body = False
        self._body = 0
        self._parts = 0
        self._fields = 0

    # --- The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = address_of(self.client)
        if not self._limits.connect(peer, len(self.connections)):
            self._is_refused = True
            transport.write(plain_answer(503))
            transport.close()
            return
        self.peer = peer
        self._await(self._limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self.let_go()
        if self.peer is not None:
            self._limits.disconnect(self.peer)
        if self._running is not None:  # uvicorn tells only the last one
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def let_go(self) -> None:
        """Nothing more is awaited here."""
        self._unset_keepalive_if_required()
        for timer in (self._due, self._stalled):
            if timer is not None:
                timer.cancel()
        self._due = self._stalled = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(TAKES_NOTHING_AT_MOST, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _await(self, seconds: float) -> None:
        self._stop_awaiting()
        self._due = self.loop.call_later(seconds, self._is_late)

    def _stop_awaiting(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _is_late(self) -> None:
        self._due = None
        if self.flow.read_paused:  # it is we who do not read
            self._await(self._limits.head_seconds)
        elif self._came:
            self._refuse(408)
        else:
            self.transport.close()

    # --- What comes

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        for at in range(0, len(data), PIECE):
            if self._is_refused:
                self._discard(len(data))
                return
            try:
                self._parse(data[at : at + PIECE])
            except httptools.HttpParserUpgrade:
                self._upgrade()
                return
        if self._due is None and not self._is_refused and (self._is_in_head or self._is_idle):
            self._await(self._limits.head_seconds)

    @property
    def _is_idle(self) -> bool:
        return self._running is None or self._running.response_complete

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _parse(self, piece: bytes) -> None:
        assert self.parser is not None  # noqa: S101 - from the first byte to the end of the connection
        self._came += len(piece)
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserError:
            self._refuse(self._status)
        else:
            if self._came - self._body > HEAD_AT_MOST + PIECE:
                self._refuse(431)

    def _discard(self, size: int) -> None:
        self._came += size
        if self._came > DISCARDED_AT_MOST:
            self.transport.abort()

    def _upgrade(self) -> None:
        if not self._should_upgrade():
            # The request is answered as if it had asked for nothing else, and that is all.
            self.cycle.keep_alive = False
            self._is_refused = True
        elif self._is_idle:
            self.handle_websocket_upgrade()
        else:
            self._is_in_head = True  # it is no part of the request before
            self._refuse(400)

    # --- What the parser finds

    def on_message_begin(self) -> None:
        came = self._came
        self._begin_message()
        self._is_in_head = True
        self._came = min(came, PIECE)
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > FIELDS_AT_MOST:
            self._stop(431)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= PIPELINED_AT_MOST:
            self._stop(429)
        assert self.parser is not None  # noqa: S101 - it is the parser that calls
        if self.parser.should_upgrade() and self._should_upgrade() and has_body(self.headers):
            self._stop(400)
        super().on_headers_complete()
        if has_body(self.headers):
            self._expect_body(self.cycle)
        self._is_in_head = False
        self._forget_proxy()
        self._await(self._limits.body_seconds)

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        self._parts += 1
        if self._parts > PARTS_AT_MOST:
            self._stop(400)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_awaiting()
        self._came = self._body
        if self._is_in_body:
            self._is_in_body = False
            self.cycle.default_headers = self.cycle.default_headers[:-1]
        super().on_message_complete()

    def _expect_body(self, cycle: RequestResponseCycle) -> None:
        """Until all of it has come, an answer is the last one of the connection, and says so: who
        took it for one of many would send the next request where nobody reads any more."""
        self._is_in_body = True
        cycle.default_headers = [*cycle.default_headers, CLOSING]
        answered = AnswerTransport(self.transport, self._close_answered)
        cycle.transport = cast("asyncio.Transport", answered)

    def _close_answered(self) -> None:
        """After the last answer, perhaps amid its request."""
        if self._running is None or not self._running.more_body or self._is_refused:
            self.transport.close()
        else:
            self.let_go()
            self._is_refused = True  # nobody wants the rest of it
            self._came = 0
            self._read_no_more(self._limits.body_seconds)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_refused:
            self._unset_keepalive_if_required()

    def _stop(self, status: int) -> None:
        self._status = status
        raise Refused

    def _forget_proxy(self) -> None:
        """A proxy's connections are those of many; that it has said something is enough."""
        if self.peer is not None and self._proxy_of() is not None:
            self._limits.disconnect(self.peer)
            self.peer = None

    def _proxy_of(self) -> ProxyHeadersMiddleware | None:
        """What knows whom the other side speaks for, where it is believed."""
        app = self.config.loaded_app
        if not isinstance(app, ProxyHeadersMiddleware) or self.client is None:
            return None
        return app if self.client[0] in app.trusted_hosts else None

    def client_address(self) -> str:
        """Whom this request counts for."""
        proxy, forwarded = self._proxy_of(), dict(self.headers).get(b"x-forwarded-for")
        if proxy is None or forwarded is None:
            return address_of(self.client)
        return address_of(
            proxy.trusted_hosts.get_trusted_client_address(forwarded.decode("latin1"))
        )

    # --- What is refused

    def _refuse(self, status: int) -> None:
        """Answer, where no earlier answer is under way, and read no more."""
        self.let_go()
        self._is_refused = True
        self._came = 0
        running = self._running
        is_another = self._is_in_head or bool(self.pipeline)
        self.pipeline.clear()
        if running is None or running.response_complete:
            self._answer_at_last(status)
        elif is_another:
            running.keep_alive = False  # its answer is the last one
        elif running.response_started:
            self.transport.close()
        else:
            running.disconnected = True
            running.message_event.set()
            self._answer_at_last(status)

    def _answer_at_last(self, status: int) -> None:
        """At once, but not to who has been answered so again and again: they would be back."""
        if self._limits.refusals.take(address_of(self.client), self.loop.time()):
            self._answer_now(status)
        else:
            self.transport.pause_reading()
            self.loop.call_later(REPEATED_WAITS, self._answer_now, status)

    def _answer_now(self, status: int) -> None:
        if not self.transport.is_closing():
            self.transport.write(plain_answer(status))
            self._read_no_more()

    def _read_no_more(self, seconds: float = 0.0) -> None:
        """With unread bytes a close would be a reset, and the answer perhaps be lost. Who sends the
        rest before they read has so many seconds for it."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.transport.resume_reading()
            self._leave_later(self.loop.time() + seconds)
        else:
            self.transport.close()

    def _leave_later(self, at_latest: float) -> None:
        self.loop.call_later(READS_ANSWER_WITHIN, self._leave, self._came, at_latest)

    def _leave(self, came: int, at_latest: float) -> None:
        if self._came == came or self.loop.time() >= at_latest:
            self.transport.abort()
        else:
            self._leave_later(at_latest)


class AnswerTransport:
    """What uvicorn writes an answer to. How it is closed afterwards is ours to say."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close


def has_body(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a body follows these headers, whose names are in lower case."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 "))
        for name, value in headers
    )


def plain_answer(status: int) -> bytes:
    """A whole response without a body, the last one of its connection."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "connection: close"]
    if status in (429, 503):
        lines.append(f"retry-after: {TRY_AGAIN_AFTER}")
    return "\r\n".join([*lines, "content-length: 0", "", ""]).encode()
