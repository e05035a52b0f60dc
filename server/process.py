"""Running the ASGI application in one or several worker processes."""

import uvicorn

MAXIMUM_MESSAGE = 64 * 1024
GRACE = 10  # seconds for requests under way when the process is told to stop


def serve_app(app: str, host: str, port: int, workers: int) -> None:
    """Serve the application factory named by `app` (`module:function`) until told to stop."""
    uvicorn.run(
        app,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        ws="server.frames:FrameProtocol",
        ws_max_size=MAXIMUM_MESSAGE,
        # Compressing each message would cost more than it saves, and 40 KB a connection.
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
