"""One graphql-transport-ws connection, message by message, on the plain `websockets` client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

ARRIVES_WITHIN = 30.0  # seconds; a busy machine needs several
PROTOCOL = "graphql-transport-ws"


class Socket:
    """What arrives is kept per operation, so that a test may look at one of several."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._passed_over: list[dict[str, Any]] = []

    async def send(self, kind: str, **rest: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **rest}))

    async def sign_in(self, token: str) -> None:
        await self.send("connection_init", payload={"token": token})
        assert await self.receive() == {"type": "connection_ack"}

    async def subscribe(self, operation: str, query: str, **variables: Any) -> None:
        """Start an operation; queries and mutations are sent like subscriptions."""
        payload = {"query": query, "variables": variables}
        await self.send("subscribe", id=operation, payload=payload)

    async def receive(self, seconds: float = ARRIVES_WITHIN) -> Any:
        """The next message, whatever it is about."""
        async with asyncio.timeout(seconds):
            return json.loads(await self.connection.recv())

    async def message(self, operation: str, seconds: float = ARRIVES_WITHIN) -> Any:
        """The operation's next message; those of others are kept for later."""
        for message in self._passed_over:
            if message.get("id") == operation:
                self._passed_over.remove(message)
                return message
        async with asyncio.timeout(seconds):
            while (message := await self.receive(seconds)).get("id") != operation:
                self._passed_over.append(message)
        return message

    async def next(self, operation: str, seconds: float = ARRIVES_WITHIN) -> Any:
        """The data of the operation's next result, which has no errors."""
        message = await self.message(operation, seconds)
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def next_until(
        self, operation: str, is_it: Callable[[Any], bool], seconds: float = ARRIVES_WITHIN
    ) -> Any:
        """The data of the operation's first result from now on of which it is true."""
        async with asyncio.timeout(seconds):
            while not is_it(data := await self.next(operation, seconds)):
                pass
        return data

    async def ask(self, query: str, **variables: Any) -> Any:
        """The data of a query or mutation over the socket."""
        name = f"ask {id(variables)}"
        await self.subscribe(name, query, **variables)
        data = await self.next(name)
        assert (await self.message(name))["type"] == "complete"
        return data

    async def closed(self, seconds: float = ARRIVES_WITHIN) -> tuple[int, str]:
        """Wait until the server closes the socket; gives code and reason."""
        async with asyncio.timeout(seconds):
            with suppress(ConnectionClosed):
                while True:
                    await self.connection.recv()
        frame = self.connection.protocol.close_rcvd
        assert frame is not None, "the connection broke off without a close frame"
        return frame.code, frame.reason


@asynccontextmanager
async def open_socket(
    url: str,
    token: str | None = None,
    *,
    origin: str | None = None,
    cookie: str | None = None,
    protocols: tuple[str, ...] = (PROTOCOL,),
    reads_nothing_ahead: bool = False,
) -> AsyncIterator[Socket]:
    """A connection; with a token, one that is signed in.

    One that reads nothing ahead takes from the network only what a test asks it for.
    """
    async with connect(
        url,
        subprotocols=[Subprotocol(protocol) for protocol in protocols] or None,
        origin=Origin(origin) if origin else None,
        additional_headers={"cookie": f"session={cookie}"} if cookie else None,
        proxy=None,
        max_size=None,
        max_queue=1 if reads_nothing_ahead else None,
    ) as connection:
        socket = Socket(connection)
        if token is not None:
            await socket.sign_in(token)
        yield socket
