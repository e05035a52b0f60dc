"""Where states are shown to one connection; through ASGI, where nothing is quicker."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from starlette.types import Scope, Send

EXTENSION = "branch_meetings.frames"
"""Where the scope of a connection has its `FrameProtocol`."""


class Outlet(Protocol):
    """Where states are shown to one connection, as text messages."""

    on_drained: Callable[[], None] | None
    """Called when, after a refusal, messages are taken again."""

    @property
    def is_held(self) -> bool:
        """Set to have all messages refused, until it is known again what may be shown."""
        ...

    @is_held.setter
    def is_held(self, value: bool) -> None: ...

    @property
    def is_taking(self) -> bool:
        """Whether the peer takes what it is sent."""
        ...

    def write(self, head: bytes, tail: bytes) -> bool:
        """Send the message `head + tail`. False, and nothing is sent, while held, or while the peer
        does not take what was sent before."""
        ...

    def cut_off(self, code: int, reason: str) -> None:
        """Close without waiting for the peer to take what was sent before."""
        ...

    def introduce(self) -> None:
        """It is known whose connection it is."""
        ...


class Reader(Protocol):
    """Who is shown states, each as the message `head + state + "}"`."""

    @property
    def head(self) -> bytes: ...

    @property
    def outlet(self) -> Outlet: ...

    def owe(self) -> None:
        """The state was not sent; the latest one has to be, when messages are taken again."""
        ...


class MessageOutlet:
    """The same over plain ASGI, for servers without the extension: one message at a time."""

    def __init__(self, send: Send) -> None:
        self.on_drained: Callable[[], None] | None = None
        self.is_held = False
        self._send = send
        self._sending: asyncio.Task[None] | None = None

    @property
    def is_taking(self) -> bool:
        return self._sending is None

    def write(self, head: bytes, tail: bytes) -> bool:
        if self.is_held or self._sending is not None:
            return False
        text = (head + tail).decode()
        self._sending = asyncio.create_task(self._finish(text))
        return True

    def cut_off(self, code: int, reason: str) -> None:
        if self._sending is not None:
            self._sending.cancel()
        close = {"type": "websocket.close", "code": code, "reason": reason}
        self._sending = asyncio.ensure_future(unless_gone(self._send(close)))

    def introduce(self) -> None:
        """Whoever serves counts the frames."""

    async def _finish(self, text: str) -> None:
        await unless_gone(self._send({"type": "websocket.send", "text": text}))
        self._sending = None
        if self.on_drained is not None:
            self.on_drained()


async def unless_gone(sending: Awaitable[None]) -> None:
    """Whoever leaves amid an answer is no fault of ours; ASGI's servers tell it by OSError."""
    with suppress(OSError):
        await sending


def outlet_of(scope: Scope, send: Send) -> Outlet:
    """The quickest way to write to the connection."""
    outlet: Outlet | None = scope.get("extensions", {}).get(EXTENSION)
    return outlet or MessageOutlet(send)
