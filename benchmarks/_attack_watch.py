"""What honest people notice: a chair who changes something, and members who are shown it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from math import ceil, inf

from websockets.exceptions import ConnectionClosed

from benchmarks._attack_stage import Target
from benchmarks._attack_tools import Connection
from tests.support.graphql_socket import Socket, open_socket

CHANGES_EVERY = 0.5  # seconds
PATIENCE = 20.0  # seconds, until a push or an answer counts as lost

WATCH = """subscription ($id: ID!) {
  meeting(id: $id) { version state agenda { id state } votes { id state tally { cast } } }
}"""
MOVE = """mutation ($meeting: ID!, $item: ID!) {
  moveAgenda(meetingId: $meeting, itemId: $item) {
    __typename ... on Meeting { version } ... on Refused { reason message }
  }
}"""


@dataclass(frozen=True)
class Figures:
    """Milliseconds; infinite where something did not come at all."""

    pushes: list[float]
    answers: list[float]

    def row(self) -> tuple[float, float, float, float]:
        """Push p50 and p99, answer p50 and p99."""
        return (
            percentile(self.pushes, 50),
            percentile(self.pushes, 99),
            percentile(self.answers, 50),
            percentile(self.answers, 99),
        )


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)] if values else inf


@dataclass
class Watcher:
    """A member's page."""

    socket: Socket
    seen: list[tuple[float, int]] = field(default_factory=list)

    async def watch(self) -> None:
        with suppress(ConnectionClosed):
            async for message in self.socket.connection:
                answer = json.loads(message)
                if answer["type"] == "next":
                    version = answer["payload"]["data"]["meeting"]["version"]
                    self.seen.append((time.monotonic(), version))

    def when(self, version: int) -> float:
        """The moment when the version, or one after it, was shown."""
        return next((at for at, seen in self.seen if seen >= version), inf)


class Audience:
    """Everybody who takes part honestly."""

    def __init__(self, target: Target, watchers: list[Watcher]) -> None:
        self._target = target
        self._watchers = watchers
        self._items = cycle(target.items)
        self._chair: Connection | None = None

    async def measure(self, seconds: float) -> Figures:
        """Change something twice a second, for so long."""
        changes: list[tuple[float, int]] = []
        answers: list[float] = []
        until = time.monotonic() + seconds
        while (began := time.monotonic()) < until:
            version = await self._move()
            answers.append((time.monotonic() - began) * 1000 if version else inf)
            if version:
                changes.append((began, version))
            await asyncio.sleep(max(0.0, began + CHANGES_EVERY - time.monotonic()))
        await self._wait_for(changes[-1][1] if changes else 0)
        pushes = [(w.when(v) - at) * 1000 for at, v in changes for w in self._watchers]
        return Figures(pushes, answers)

    async def _wait_for(self, version: int) -> None:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and not self._have_all_seen(version):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _have_all_seen(self, version: int) -> bool:
        return all(watcher.when(version) < inf for watcher in self._watchers)

    async def _move(self) -> int | None:
        """The meeting's new version; None if no answer came."""
        item, answer = next(self._items), None
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await self._connect()
                answer = json.loads(
                    await connection.post(
                        MOVE, self._target.chair, meeting=self._target.meeting, item=item
                    )
                )
                return int(answer["data"]["moveAgenda"]["version"])
        except (OSError, EOFError):
            self._chair = None
            return None
        except KeyError as error:
            raise RuntimeError(f"the chair was refused: {answer}") from error

    async def _connect(self) -> Connection:
        if self._chair is None:
            self._chair = Connection(*await asyncio.open_connection("127.0.0.1", self._target.port))
        return self._chair


@asynccontextmanager
async def audience(target: Target) -> AsyncIterator[Audience]:
    """The subscribers are there, and have been shown the present state."""
    async with AsyncExitStack() as stack:
        watchers = []
        for token in target.subscribers:
            socket = await stack.enter_async_context(
                open_socket(f"ws://127.0.0.1:{target.port}/graphql", token)
            )
            await socket.subscribe("watch", WATCH, id=target.meeting)
            await socket.next("watch")
            watchers.append(Watcher(socket))
        tasks = [asyncio.create_task(watcher.watch()) for watcher in watchers]
        try:
            yield Audience(target, watchers)
        finally:
            for task in tasks:
                task.cancel()
