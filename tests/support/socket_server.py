"""The sockets of one process behind a real uvicorn server, in the test's own event loop.

    async with serving_sockets(city) as process:
        process.state = b"..."
        async with open_socket(process.ws, city.an.token) as socket:

So a test may look at the connections, change how long the server waits, and say what is shown.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from realtime.topics import MEETING_TOPIC, channel_of_meeting
from server.http.handshake import HttpProtocol
from server.limits.members import MemberLimits
from server.runtime.process import MAXIMUM_MESSAGE
from server.websocket.connections import Sockets
from server.websocket.frames import FrameProtocol
from server.websocket.protocol import Connection
from tests.support.asking import eventually
from tests.support.factories import City, context_of
from tests.support.server_process import eventually as eventually_in_threads

WATCH = "subscription ($id: ID!) { meeting(id: $id) { version title } }"


class UvicornServer(uvicorn.Server):
    """Leaves the signals to the test run."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class SocketServer:
    def __init__(self, city: City, sockets: Sockets, port: int, uvicorn_server: Any) -> None:
        self.ws = f"ws://127.0.0.1:{port}/graphql"
        self.port = port
        self.sockets = sockets
        self.uvicorn = uvicorn_server
        self._city = city
        self._number = 0

    @property
    def connections(self) -> set[Connection]:
        return self.sockets._connections

    def show(self, size: int) -> None:
        """From now on every subscription shows the last number pushed, in so many bytes."""

        async def run(*_: Any) -> bytes:
            meeting = {"version": self._number, "title": "x" * size}
            return orjson.dumps({"data": {"meeting": meeting}})

        self.sockets.live._run = run  # type: ignore[method-assign, assignment]

    async def push(self) -> int:
        """Push another state to all who watch the meeting; gives its number."""
        self._number += 1
        number = self._number
        fanout = self.sockets.live.fanout
        before = fanout.counters.taken
        await self._city.scene.feed.publish(
            channel_of_meeting(self._city.meeting.id), {MEETING_TOPIC}
        )
        await eventually(lambda: fanout.counters.taken > before or not len(fanout))
        return number


@asynccontextmanager
async def serving_sockets(city: City, **options: Any) -> AsyncIterator[SocketServer]:
    """Serve until the block ends. Options are uvicorn's, such as `ws_ping_interval`."""
    sockets = Sockets(members=MemberLimits(1_000))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with sockets.serving(context_of(city.nobody)):
            yield

    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/graphql", sockets)], lifespan=lifespan),
        **{
            "http": HttpProtocol,
            "ws": FrameProtocol,
            "ws_max_size": MAXIMUM_MESSAGE,
            "ws_per_message_deflate": False,
            "log_level": "warning",
            "timeout_graceful_shutdown": 5,
            **options,
        },
    )
    server = UvicornServer(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve([listener]))
        await eventually(lambda: server.started)
        try:
            yield SocketServer(city, sockets, listener.getsockname()[1], server)
        finally:
            server.should_exit = True
            await task


@contextmanager
def serving_in_a_thread(app: Any) -> Iterator[int]:
    """Our protocols with an application of a test's; gives the port."""
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        ws=FrameProtocol,
        ws_max_size=MAXIMUM_MESSAGE,
        ws_per_message_deflate=False,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            eventually_in_threads(lambda: server.started)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
