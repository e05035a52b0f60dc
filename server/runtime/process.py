"""Running the ASGI application in one or several worker processes."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from socket import socket
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from realtime.tasks import moment_after
from server.runtime.log import flush_counts, set_up_library_logs, set_up_log
from server.runtime.supervisor import GRACE, HEARTBEAT, Supervisor
from server.runtime.worker_channel import FOLDER

MAXIMUM_MESSAGE = 64 * 1024
REQUESTS_END_WITHIN = 6  # seconds, of the grace period; the rest is for what runs besides


class Server(uvicorn.Server):
    """Uvicorn's, which is told when to stop and does not have to look, and which always stops."""

    _is_told: asyncio.Event | None = None

    def __init__(self, config: uvicorn.Config, send_heartbeat: Callable[[], None]) -> None:
        super().__init__(config)
        self._send_heartbeat = send_heartbeat

    async def main_loop(self) -> None:
        """Uvicorn wakes ten times a second to see whether it is to stop, and every tenth time does
        something. To wake a process that has nothing to do costs a quarter of a millisecond."""
        self._loop, self._is_told = asyncio.get_running_loop(), asyncio.Event()
        self._beat()
        for second in count():
            if await self.on_tick(10 * second):
                return
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_moment()):
                    await self._is_told.wait()

    def _beat(self) -> None:
        self._send_heartbeat()
        flush_counts()
        self._loop.call_at(self._next_moment(), self._beat)

    def _next_moment(self) -> float:
        """A moment of `next_moment`, when others look for work, too."""
        return moment_after(self._loop.time() + HEARTBEAT / 2, HEARTBEAT)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            # Then the kernel ends this process, whatever hangs.
            signal.setitimer(signal.ITIMER_REAL, GRACE)
        super().handle_exit(sig, frame)
        if self._is_told is not None:
            self._loop.call_soon_threadsafe(self._is_told.set)


def serve_app(app: str, host: str, port: int, workers: int, is_supervised: bool = False) -> None:
    """Serve the application factory named by `app` (`module:function`) until told to stop.

    Several workers are supervised; one, which is then this process, only where it is asked for.
    """
    set_up_log()
    set_up_library_logs()
    config = uvicorn.Config(
        app,
        factory=True,
        host=host,
        port=port,
        http="server.http.handshake:HttpProtocol",
        ws="server.websocket.frames:FrameProtocol",
        ws_max_size=MAXIMUM_MESSAGE,
        # Compressing each message would cost more than it saves, and 40 KB a connection.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=REQUESTS_END_WITHIN,
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
    )
    config.load_app()
    with suppress(KeyboardInterrupt):
        if workers > 1 or is_supervised:
            _serve_supervised(config, workers)
        else:
            _serve(config, lambda: None)


def _serve(
    config: uvicorn.Config, beat: Callable[[], None], sockets: list[socket] | None = None
) -> None:
    server = Server(config, beat)
    server.run(sockets)
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def _serve_supervised(config: uvicorn.Config, workers: int) -> None:
    with config.bind_socket() as listener, TemporaryDirectory(prefix="branch-meetings-") as folder:
        os.environ[FOLDER] = folder
        gc.freeze()  # what workers share stays shared
        Supervisor(lambda beat: _serve(config, beat, [listener]), workers).run()
