"""Simulated members who join the demo's meeting over real sockets, check in and vote."""

import asyncio
import json
from collections.abc import Callable
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

    async def attend(self, url: str) -> None:
        """Join, check in and vote at moments of their own within `seconds`."""
        try:
            await asyncio.sleep(self.random.uniform(0, self.seconds * 0.3))
            async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
                await self._send(socket, "connection_init", payload={"token": self.token})
                await self._expect(socket, "connection_ack")
                self._count("joined")
                await self._start(socket, "watch", WATCH, id=self.meeting_id)
                await asyncio.wait_for(self._take_part(socket), self.seconds * 0.7)
        except* TimeoutError:
            pass  # the evening is over
        except* (OSError, EOFError, WebSocketException) as errors:
            self.progress.failed.append(repr(errors.exceptions[0]))
            self.progress.changed(self.progress)

    async def _take_part(self, socket: ClientConnection) -> None:
        async with asyncio.TaskGroup() as acts:
            acts.create_task(self._check_in(socket))
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
                        acts.create_task(self._cast(socket, vote))

    async def _check_in(self, socket: ClientConnection) -> None:
        await asyncio.sleep(self.random.uniform(0, self.seconds * 0.2))
        await self._start(socket, "check-in", CHECK_IN, id=self.meeting_id)

    async def _cast(self, socket: ClientConnection, vote: dict[str, Any]) -> None:
        await asyncio.sleep(self.random.uniform(0, self.seconds * 0.4))
        weights = [WEIGHTS[option["kind"]] for option in vote["options"]]
        (option,) = self.random.choices(vote["options"], weights)
        key = str(uuid4())
        await self._start(socket, key, CAST, vote=vote["id"], choice=option["id"], key=key)

    def _count_answer(self, message: dict[str, Any]) -> None:
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
