"""Running the ASGI application in one or several worker processes."""

import os
from tempfile import TemporaryDirectory

import uvicorn

from server.siblings import FOLDER

MAXIMUM_MESSAGE = 64 * 1024
GRACE = 10  # seconds for requests under way when the process is told to stop
ANSWERS_WITHIN = 60  # seconds; a worker of several that says nothing for longer is replaced


def serve_app(app: str, host: str, port: int, workers: int) -> None:
    """Serve the application factory named by `app` (`module:function`) until told to stop."""
    if workers == 1:
        _serve(app, host, port, workers)
        return
    with TemporaryDirectory(prefix="branch-meetings-") as folder:
        os.environ[FOLDER] = folder
        _serve(app, host, port, workers)


def _serve(app: str, host: str, port: int, workers: int) -> None:
    uvicorn.run(
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
