"""Whether everybody is still there: all connections are pinged in turn, from one place.

With timers of their own, 15,000 connections that nothing happens on take a sixth of a core. Here a
ping is two bytes written, most often beside others, and a pong is six bytes that no parser sees.
"""

import asyncio
from collections import deque

from realtime.tasks import next_moment
from server.websocket.frames import FrameProtocol

EVERY = 1.0
"""Seconds between two looks at whose turn it is; those of one look are pinged together."""

AT_ONE_GO = 200
"""Pings, some milliseconds' worth; then others on the event loop have their turn."""


class Keepalive:
    """Pings each connection every `ping_interval` seconds of its server, and cuts it off at its
    next turn if it has not answered."""

    def __init__(self) -> None:
        self._turns: deque[tuple[float, FrameProtocol]] = deque()

    def add(self, connection: FrameProtocol) -> None:
        """From now on. It is forgotten some time after it has closed."""
        if connection.ping_interval:
            due = asyncio.get_running_loop().time() + connection.ping_interval
            self._turns.append((due, connection))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await next_moment(EVERY)
            now, pinged = loop.time(), 0
            while self._turns and self._turns[0][0] <= now:
                _, connection = self._turns.popleft()
                if connection.ping():
                    self.add(connection)
                pinged += 1
                if pinged % AT_ONE_GO == 0:
                    await asyncio.sleep(0)
