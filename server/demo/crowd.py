"""Simulated members who join the demo's meeting over real sockets, check in and vote."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

FIELDS = "id version state votes { id state options { id kind } viewerMay }"
WATCH = f"subscription ($id: ID!) {{ meeting(id: $id) {{ {FIELDS} }} }}"
CHECK_IN = "mutation ($id: ID!) { checkIn(meetingId: $id) { __typename } }"
CAST = """mutation ($vote: ID!, $choice: ID!, $key: ID!) {
  castBallot(voteId: $vote, choices: [$choice], key: $key) { __typename }
}"""

WEIGHTS = {"FOR": 80, "AGAINST": 12, "ABSTAIN": 8}

ANSWERS_WITHIN = 20.0
"""Seconds that a member waits at the end for what the server still owes."""


@dataclass
class Progress:
    """What the crowd has done so far; `changed` is called after each step."""

    changed: Callable[["Progress"], None]
    joined: int = 0
    checked_in: int = 0
    voted: int = 0
    pushes: int = 0
    refused: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass
class Attendee:
    """One simulated member with a socket of their own."""

    token: str
    meeting_id: str
    random: Random
    seconds: float
    progress: Progress
    waiting: int = 0
    """Requests that are about to be sent, or not answered yet."""
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def attend(self, url: str) -> None:
        """Join, check in and vote at moments of their own within `seconds`; then leave, with
        every question answered."""
        try:
            await asyncio.sleep(self.random.uniform(0, self.seconds * 0.3))
            async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
                await self._send(socket, "connection_init", payload={"token": self.token})
                await self._expect(socket, "connection_ack")
                self._count("joined")
                await self._start(socket, "watch", WATCH, id=self.meeting_id)
                async with asyncio.TaskGroup() as acts:
                    listening = acts.create_task(self._listen(socket, acts))
                    await self._check_in(socket)
                    await asyncio.sleep(self.seconds * 0.5)
                    await self._have_answers()
                    listening.cancel()
        except* (OSError, EOFError, WebSocketException) as errors:
            self.progress.failed.append(repr(errors.exceptions[0]))
            self.progress.changed(self.progress)

    async def _listen(self, socket: ClientConnection, acts: asyncio.TaskGroup) -> None:
        """Take pushes and answers, and vote where a push says that one may."""
        cast: set[str] = set()
        async for text in socket:
            message = json.loads(text)
            if message["type"] != "next":
                continue
            if message["id"] != "watch":
                self._count_answer(message)
                continue
            self._count("pushes")
            for vote in message["payload"]["data"]["meeting"]["votes"]:
                if "CAST_BALLOT" in vote["viewerMay"] and vote["id"] not in cast:
                    cast.add(vote["id"])
                    self.waiting += 1
                    acts.create_task(self._cast(socket, vote))

    async def _have_answers(self) -> None:
        """Wait for what was asked, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWERS_WITHIN):
                while self.waiting:
                    self.answered.clear()
                    await self.answered.wait()

    async def _check_in(self, socket: ClientConnection) -> None:
        await asyncio.sleep(self.random.uniform(0, self.seconds * 0.2))
        self.waiting += 1
        await self._start(socket, "check-in", CHECK_IN, id=self.meeting_id)

    async def _cast(self, socket: ClientConnection, vote: dict[str, Any]) -> None:
        await asyncio.sleep(self.random.uniform(0, self.seconds * 0.4))
        weights = [WEIGHTS[option["kind"]] for option in vote["options"]]
        (option,) = self.random.choices(vote["options"], weights)
        key = str(uuid4())
        await self._start(socket, key, CAST, vote=vote["id"], choice=option["id"], key=key)

    def _count_answer(self, message: dict[str, Any]) -> None:
        self.waiting -= 1
        self.answered.set()
        (answer,) = (message["payload"].get("data") or {"": {"__typename": "Refused"}}).values()
        match answer["__typename"]:
            case "Receipt":
                self._count("voted")
            case "Meeting":
                self._count("checked_in")
            case _:
                self._count("refused")

    def _count(self, what: str) -> None:
        setattr(self.progress, what, getattr(self.progress, what) + 1)
        self.progress.changed(self.progress)

    async def _start(
        self, socket: ClientConnection, name: str, query: str, **variables: str
    ) -> None:
        payload = {"query": query, "variables": variables}
        await self._send(socket, "subscribe", id=name, payload=payload)

    async def _send(self, socket: ClientConnection, kind: str, **rest: Any) -> None:
        await socket.send(json.dumps({"type": kind, **rest}))

    async def _expect(self, socket: ClientConnection, kind: str) -> None:
        message = json.loads(await socket.recv())
        if message["type"] != kind:
            raise ConnectionError(f"expected {kind}, got {message['type']}")


async def gather_crowd(
    url: str,
    meeting_id: str,
    tokens: list[str],
    seconds: float,
    changed: Callable[[Progress], None],
) -> Progress:
    """Let one member for each token attend for `seconds`. Returns what they did."""
    progress = Progress(changed)
    attendees = [
        Attendee(token, meeting_id, Random(place), seconds, progress)  # noqa: S311
        for place, token in enumerate(tokens)
    ]
    await asyncio.gather(*(attendee.attend(url) for attendee in attendees))
    return progress
