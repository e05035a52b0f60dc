"""Frames handed to the kernel past the transport: none is torn, overtaken, or somebody else's."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from server.http.handshake import HttpProtocol
from server.websocket.frames import NO_DESCRIPTOR, FrameProtocol, descriptor_of, show
from server.websocket.outlets import EXTENSION
from tests.support.socket_server import UvicornServer

STATES = 60
SIZES = (10, 60_000, 300, 2_000_000, 1, 400_000)
"""Bytes of one state after the other: some are more than the kernel takes at once."""
PAUSE = 0.01  # seconds
PATIENCE = 20.0  # seconds

pytestmark = pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
NewLoop = Callable[[], asyncio.AbstractEventLoop]


@dataclass(eq=False)
class Page:
    """A subscription of a connection: what it is owed and what it was shown."""

    head: bytes
    outlet: FrameProtocol
    shown: list[str] = field(default_factory=list)
    is_owed: bool = False

    def owe(self) -> None:
        self.is_owed = True

    def show(self, state: bytes) -> bool:
        return show_to([self], state) == [self]


def show_to(pages: list[Page], state: bytes) -> list[Page]:
    """Those who were shown the state."""
    for page in pages:
        page.is_owed = False
    show(pages, state)
    taken = [page for page in pages if not page.is_owed]
    for page in taken:
        page.shown.append((page.head + state + b"}").decode())
    return taken


def state_of(number: int) -> bytes:
    return b"%d," % number + b"x" * SIZES[number % len(SIZES)]


Handle = Callable[[FrameProtocol, Receive, Send], Coroutine[Any, Any, None]]


def serve(new_loop: NewLoop, handle: Handle, visit: Callable[[int], None]) -> None:
    """Serve one socket with `handle` while `visit` runs in a thread, with the port."""
    handled: list[asyncio.Task[None]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        handling = handle(scope["extensions"][EXTENSION], receive, send)
        handled.append(asyncio.ensure_future(handling))
        await asyncio.wait(handled)

    async def run() -> None:
        config = uvicorn.Config(
            app, http=HttpProtocol, ws=FrameProtocol, lifespan="off", log_level="warning",
            ws_per_message_deflate=False,
        )  # fmt: skip
        server = UvicornServer(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            task = asyncio.create_task(server.serve([listener]))
            try:
                async with asyncio.timeout(PATIENCE):
                    await asyncio.to_thread(visit, listener.getsockname()[1])
                    await handled[0]  # which raises what it raised
            finally:
                server.should_exit = True
                await task

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run())


@contextmanager
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The descriptors that frames are written to meanwhile."""
    written: list[int] = []
    write = os.writev

    def note(descriptor: int, data: Sequence[bytes]) -> int:
        written.append(descriptor)
        return write(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr("server.websocket.frames.os.writev", note)
        yield written


def test_frames_arrive_whole_and_in_order_however_much_the_kernel_takes(
    new_loop: NewLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[Page] = []
    seen: list[str] = []
    times_refused = 0

    async def handle(outlet: FrameProtocol, receive: Receive, send: Send) -> None:
        nonlocal times_refused
        page = Page(b"{", outlet)
        pages.append(page)
        drained = asyncio.Event()
        outlet.on_drained = drained.set
        for number in range(STATES):
            while not page.show(state_of(number)):
                times_refused += 1
                await drained.wait()
                drained.clear()
            if number % 5 == 0:  # what goes through the transport keeps its place, too
                await send({"type": "websocket.send", "text": f"message {number}"})
                page.shown.append(f"message {number}")
        await send({"type": "websocket.close", "code": 1000})
        await receive()

    def visit(port: int) -> None:
        with connect(f"ws://127.0.0.1:{port}", max_size=None, compression=None) as client:
            for number, message in enumerate(client):
                seen.append(str(message))
                if number % 3 == 0:
                    threading.Event().wait(PAUSE)

    with noted(monkeypatch) as written:
        serve(new_loop, handle, visit)
    assert seen == pages[0].shown
    assert len(seen) == STATES + STATES // 5
    assert len(written) == STATES, "each was offered to the kernel once"
    assert times_refused > 0, "or this shows nothing"


def test_a_state_that_the_kernel_took_half_of_is_not_overtaken(new_loop: NewLoop) -> None:
    """Two subscriptions of one connection are shown the state in one go."""
    taken: list[list[bytes]] = []
    seen: list[str] = []

    async def handle(outlet: FrameProtocol, receive: Receive, send: Send) -> None:
        pages = [Page(b"{1", outlet), Page(b"{2", outlet)]
        drained = asyncio.Event()
        outlet.on_drained = drained.set
        taken.append([page.head for page in show_to(pages, b"x" * 8_000_000)])
        assert not outlet.is_taking
        await drained.wait()
        taken.append([page.head for page in show_to(pages[1:], b"y")])
        await receive()

    def visit(port: int) -> None:
        with connect(f"ws://127.0.0.1:{port}", max_size=None, compression=None) as client:
            seen.extend(str(client.recv()) for _ in range(2))

    serve(new_loop, handle, visit)
    assert taken == [[b"{1"], [b"{2"]]
    assert seen == ["{1" + "x" * 8_000_000 + "}", "{2y}"]


@pytest.mark.parametrize(
    "leaves", ["with a close", "at once", "says no more", "sent away", "server stops"]
)
def test_nothing_is_written_to_a_connection_that_has_ended(
    new_loop: NewLoop, leaves: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its descriptor may be another connection's as soon as the transport has closed it."""
    pages: list[Page] = []
    were_open: list[bool] = []
    connection_lost = FrameProtocol.connection_lost

    def note_lost(protocol: FrameProtocol, error: Exception | None) -> None:
        # Amid this call the socket must be open still: it is not written to after it.
        were_open.append(is_open(protocol._socket))
        connection_lost(protocol, error)

    async def handle(outlet: FrameProtocol, receive: Receive, send: Send) -> None:
        pages.append(Page(b"{", outlet))
        assert pages[0].show(b"state")
        assert written == [outlet.transport.get_extra_info("socket").fileno()]
        if leaves == "sent away":
            outlet.cut_off(4403, "You are suspended")
        elif leaves == "server stops":
            outlet.shutdown()
        elif leaves == "says no more":
            outlet.eof_received()
            outlet.transport.close()  # as both transports do next
        else:
            await receive()
        assert pages[0].show(b"late"), "there is nobody who would be owed it"

    def visit(port: int) -> None:
        with connect(f"ws://127.0.0.1:{port}", compression=None) as client:
            assert client.recv() == "{state}"
            if leaves == "at once":
                client.socket.shutdown(socket.SHUT_RDWR)
            elif leaves != "with a close":
                with pytest.raises(ConnectionClosedError):
                    client.recv()

    monkeypatch.setattr(FrameProtocol, "connection_lost", note_lost)
    with noted(monkeypatch) as written:
        serve(new_loop, handle, visit)
        pages[0].outlet.is_held = False
        assert pages[0].show(b"later")
    assert len(written) == 1
    assert were_open == [True]


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_who_is_held_is_shown_nothing_until_let_go(
    new_loop: NewLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handle(outlet: FrameProtocol, receive: Receive, send: Send) -> None:
        page = Page(b"{", outlet)
        with noted(monkeypatch) as written:
            outlet.is_held = True
            assert not page.show(b"held back")
            assert written == []
            outlet.is_held = False
            assert page.show(b"shown")
            assert len(written) == 1
        await receive()

    def visit(port: int) -> None:
        with connect(f"ws://127.0.0.1:{port}", compression=None) as client:
            assert client.recv() == "{shown}"

    serve(new_loop, handle, visit)


class Transport:
    """As much of one as tells what is below it."""

    def __init__(self, **extra: Any) -> None:
        self._extra = extra

    def get_extra_info(self, name: str) -> Any:
        return self._extra.get(name)


def test_what_is_encrypted_goes_through_the_transport(new_loop: NewLoop) -> None:
    with socket.socket() as plain:
        assert descriptor_of(Transport(socket=plain)) == plain.fileno()  # type: ignore[arg-type]
        secret = Transport(socket=plain, sslcontext=object())
        assert descriptor_of(secret) == NO_DESCRIPTOR  # type: ignore[arg-type]
    assert descriptor_of(Transport()) == NO_DESCRIPTOR  # type: ignore[arg-type]
