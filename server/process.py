"""Running the ASGI application in one or several worker processes."""

import asyncio
import os
import sys
from contextlib import suppress
from itertools import count
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from realtime.tasks import moment_after
from server.siblings import FOLDER

MAXIMUM_MESSAGE = 64 * 1024
GRACE = 10  # seconds for requests under way when the process is told to stop
ANSWERS_WITHIN = 60  # seconds; a worker of several that says nothing for longer is replaced
LOOKS_EVERY = 1.0
"""Seconds. Uvicorn wakes ten times as often to see whether it is to stop, and every tenth time does
something. To wake a process that has nothing to do costs a quarter of a millisecond."""


class Server(uvicorn.Server):
    """Uvicorn's, which is told when to stop and does not have to look."""

    _is_told: asyncio.Event | None = None

    async def main_loop(self) -> None:
        self._loop, self._is_told = asyncio.get_running_loop(), asyncio.Event()
        for second in count():
            if await self.on_tick(10 * second):
                return
            with suppress(TimeoutError):
                # At the moment of `next_moment`, when others look for work, too.
                now = self._loop.time()
                async with asyncio.timeout_at(moment_after(now + LOOKS_EVERY / 2, LOOKS_EVERY)):
                    await self._is_told.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._is_told is not None:
            self._loop.call_soon_threadsafe(self._is_told.set)


class Worker(multiprocess.Process):
    """One of several processes, with the same server."""

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = Server(self.config)
        return self._server


def serve_app(app: str, host: str, port: int, workers: int) -> None:
    """Serve the application factory named by `app` (`module:function`) until told to stop."""
    config = uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="server.handshake:HttpProtocol",
        ws="server.frames:FrameProtocol",
        ws_max_size=MAXIMUM_MESSAGE,
        # Compressing each message would cost more than it saves, and 40 KB a connection.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE,
        # Uvicorn's 5 s are less than a worker needs to start on a busy machine: it would be killed
        # and started for ever.
        timeout_worker_healthcheck=ANSWERS_WITHIN,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    with suppress(KeyboardInterrupt):
        if workers == 1:
            _serve_alone(config)
        else:
            _serve_together(config)


def _serve_alone(config: uvicorn.Config) -> None:
    server = Server(config)
    config.load_app()
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _serve_together(config: uvicorn.Config) -> None:
    multiprocess.Process = Worker  # type: ignore[misc] # uvicorn names it where it makes one
    with TemporaryDirectory(prefix="branch-meetings-") as folder:
        os.environ[FOLDER] = folder
        multiprocess.Multiprocess(config, sockets=[config.bind_socket()]).run()
