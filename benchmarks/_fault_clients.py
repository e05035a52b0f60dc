"""Clients of the fault harness: HTTP connections that stay open, sockets, subscribers."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

import orjson
from websockets.exceptions import ConnectionClosed, WebSocketException

from benchmarks._history import RECEIPT, VOTE_CLOSED, Cast, History, frame_of
from rules.refusals import Reason
from server.websocket.close_codes import NOT_ALLOWED
from tests.support.factories import Person, VoteIds
from tests.support.graphql_socket import open_socket

CAST = """mutation ($vote: ID!, $choices: [ID!]!, $key: ID!) {
  castBallot(voteId: $vote, choices: $choices, key: $key) {
    __typename ... on Receipt { id castAt } ... on Refused { reason }
  }
}"""
OPEN = """mutation ($vote: ID!) {
  openVote(voteId: $vote) { __typename ... on Refused { reason } }
}"""
CLOSE = """mutation ($vote: ID!) {
  closeVote(voteId: $vote) { __typename ... on Refused { reason } }
}"""
PUBLISH = """mutation ($vote: ID!) {
  publishVote(voteId: $vote) { __typename ... on Refused { reason } }
}"""
SUSPEND = """mutation ($member: ID!) {
  suspendMember(memberId: $member, reason: "Amid a vote") {
    __typename ... on Refused { reason details }
  }
}"""
REINSTATE = """mutation ($member: ID!) {
  reinstateMember(memberId: $member) { __typename ... on Refused { reason details } }
}"""
WATCH = """subscription ($id: ID!) {
  vote(id: $id) { version state tally { cast options { optionId count } } auditHead }
}"""

PATIENCE = 5.0  # seconds for one answer
KNOWN_WITHIN = 60.0  # for an answer that tells, with repetitions
BREATH = 0.05  # before a repetition
FOR_EVER = 3600.0


class Unknown(Exception):
    """No answer, or one that does not say whether it was done."""


class Line:
    """One HTTP connection that stays open, and is opened again after a loss."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, token: str, query: str, variables: dict[str, Any], patience: float = PATIENCE
    ) -> Any:
        """What the one field of the operation gives. Raises Unknown."""
        try:
            async with asyncio.timeout(patience):
                reader, _ = await self._send(token, query, variables)
                answer = orjson.loads(await _read_body(reader))
        except (OSError, EOFError, orjson.JSONDecodeError) as error:
            self.close()
            raise Unknown(repr(error)) from error
        except BaseException:
            self.close()
            raise
        return _only_field(answer)

    async def send_and_leave(self, token: str, query: str, variables: dict[str, Any]) -> None:
        """Send the request and break the connection off without reading the answer."""
        with suppress(OSError, EOFError):
            async with asyncio.timeout(PATIENCE):
                await self._send(token, query, variables)
        self.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _send(
        self, token: str, query: str, variables: dict[str, Any]
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        body = orjson.dumps({"query": query, "variables": variables})
        self._streams[1].write(
            b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b"
            % (token.encode(), len(body), body)
        )
        await self._streams[1].drain()
        return self._streams


async def _read_body(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return await reader.readexactly(length)


def _only_field(answer: dict[str, Any]) -> Any:
    if answer.get("errors") or not answer.get("data"):
        raise Unknown(str(answer))
    (value,) = answer["data"].values()
    return value


async def ask_by_socket(
    port: int, token: str, query: str, variables: dict[str, Any], patience: float = PATIENCE
) -> Any:
    """The same over a graphql-transport-ws socket of its own. Raises Unknown."""
    try:
        async with asyncio.timeout(patience), open_socket(_site(port), token) as socket:
            await socket.subscribe("ask", query, **variables)
            message = await socket.message("ask")
    except (OSError, EOFError, WebSocketException, AssertionError) as error:
        raise Unknown(repr(error)) from error
    if message["type"] != "next":
        raise Unknown(str(message))
    return _only_field(message["payload"])


def _site(port: int) -> str:
    return f"ws://127.0.0.1:{port}/graphql"


@dataclass(frozen=True)
class Paper:
    """A ballot that somebody wants to cast, with the key that makes it theirs."""

    voter: Person
    key: str
    choice: UUID


class Booth:
    """One open vote: where to reach it, and the history into which every call is written."""

    def __init__(self, vote: VoteIds, ports: list[int], history: History, random: Random) -> None:
        self.vote = vote
        self.history = history
        self._ports = ports
        self._random = random

    async def cast(
        self,
        paper: Paper,
        worker: int,
        line: Line | None = None,
        *,
        patience: float = PATIENCE,
        by_socket: bool = False,
    ) -> Cast:
        """Ask once, and write down what came of it."""
        sent, answer, receipt = time.monotonic(), None, None
        with suppress(Unknown):
            told = await self._ask_to_cast(paper, worker, line, patience, by_socket)
            answer = told.get("reason", RECEIPT)
            receipt = (told["id"], told["castAt"]) if answer == RECEIPT else None
        return self._write_down(paper, worker, sent, answer, receipt)

    async def cast_until_known(
        self,
        paper: Paper,
        worker: int,
        lines: list[Line] | None = None,
        *,
        by_socket: bool = False,
    ) -> Cast:
        """Ask, at one worker and at the other in turn, until an answer tells. `lines` are the
        voter's open connections to the workers."""
        deadline = time.monotonic() + KNOWN_WITHIN
        while True:
            line = lines[worker] if lines else None
            cast = await self.cast(paper, worker, line, by_socket=by_socket)
            if cast.answer is not None:
                return cast
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer tells what became of {cast}")
            await self._breathe()
            worker = self.other(worker)

    def lines(self) -> list[Line]:
        """A connection to each worker, opened when it is used first."""
        return [Line(port) for port in self._ports]

    def other(self, worker: int) -> int:
        return (worker + 1) % len(self._ports)

    async def cast_and_leave(self, paper: Paper, worker: int) -> None:
        """The reply is cut: the voter's connection breaks off after the request."""
        sent = time.monotonic()
        self.history.faults.append((sent, "reply cut"))
        await Line(self._ports[worker]).send_and_leave(
            paper.voter.token, CAST, self._variables(paper)
        )
        self._write_down(paper, worker, sent, None, None)

    async def close(self, chair: Person, worker: int) -> None:
        """Close the vote, whatever it takes. Closed already: that was an earlier attempt.

        Where the server has forgotten that the vote was opened there is nothing to close; whoever
        waits for the closing waits no longer, and the judge finds the vote as it is.
        """
        told = await self._ask_until_known(CLOSE, chair, worker)
        while told.get("reason") == Reason.STILL_VOTING.value:
            await asyncio.sleep(BREATH)
            told = await self._ask_until_known(CLOSE, chair, worker)
        if told.get("reason", VOTE_CLOSED) == VOTE_CLOSED:
            self.history.hear_of_closing()
        self.history.is_closed.set()

    async def publish(self, chair: Person, worker: int) -> None:
        """Show everybody the result, if there is one; what is published already stays so."""
        await self._ask_until_known(PUBLISH, chair, worker)

    async def suspend(self, chair: Person, member: Person, worker: int) -> None:
        await self._ask_until_known(SUSPEND, chair, worker, {"member": str(member.id)})
        self.history.suspended_known_at = time.monotonic()

    async def reinstate(self, chair: Person, member: Person, worker: int) -> None:
        """Give the standing back. Whoever has it is refused, which changes nothing."""
        await self._ask_until_known(REINSTATE, chair, worker, {"member": str(member.id)})

    async def _ask_until_known(
        self, mutation: str, chair: Person, worker: int, about: dict[str, str] | None = None
    ) -> Any:
        variables = about or {"vote": str(self.vote.id)}
        deadline = time.monotonic() + KNOWN_WITHIN
        while True:
            line = Line(self._ports[worker])
            try:
                return await line.ask(chair.token, mutation, variables)
            except Unknown:
                if time.monotonic() > deadline:
                    raise
                await self._breathe()
                worker = self.other(worker)
            finally:
                line.close()

    async def watch(self, name: str, voter: Person, worker: int) -> None:
        """Subscribe, and after every loss subscribe again, until cancelled."""
        for number in count(1):
            with suppress(OSError, EOFError, WebSocketException, AssertionError):
                await self._watch_once(name, voter, worker, number)
            await self._breathe()
            worker = self._random.randrange(len(self._ports))

    async def _watch_once(self, name: str, voter: Person, worker: int, number: int) -> None:
        async with open_socket(_site(self._ports[worker]), voter.token) as socket:
            await socket.subscribe("vote", WATCH, id=str(self.vote.id))
            while (message := await socket.message("vote", FOR_EVER))["type"] == "next":
                if "errors" in message["payload"]:
                    return
                frame = frame_of(message["payload"]["data"], worker, number)
                self.history.frames[name].append(frame)

    async def watch_until_sent_away(self, member: Person, worker: int) -> None:
        """Subscribe, and again after every loss, until not even a new socket is let in."""
        while True:
            shown_before = len(self.history.shown_to_suspended)
            try:
                async with open_socket(_site(self._ports[worker]), member.token) as socket:
                    await socket.subscribe("vote", WATCH, id=str(self.vote.id))
                    while (await socket.message("vote", FOR_EVER))["type"] == "next":
                        self.history.shown_to_suspended.append(time.monotonic())
            except ConnectionClosed as closed:
                is_new = len(self.history.shown_to_suspended) == shown_before
                if is_new and closed.rcvd is not None and closed.rcvd.code == NOT_ALLOWED:
                    return
            except (OSError, EOFError, WebSocketException, AssertionError):
                pass
            await self._breathe()

    async def _ask_to_cast(
        self, paper: Paper, worker: int, line: Line | None, patience: float, by_socket: bool
    ) -> Any:
        token, variables = paper.voter.token, self._variables(paper)
        if by_socket:
            return await ask_by_socket(self._ports[worker], token, CAST, variables, patience)
        own = line or Line(self._ports[worker])
        try:
            return await own.ask(token, CAST, variables, patience)
        finally:
            if line is None:
                own.close()

    def _variables(self, paper: Paper) -> dict[str, Any]:
        return {"vote": str(self.vote.id), "choices": [str(paper.choice)], "key": paper.key}

    def _write_down(
        self,
        paper: Paper,
        worker: int,
        sent: float,
        answer: str | None,
        receipt: tuple[str, str] | None,
    ) -> Cast:
        now = time.monotonic()
        cast = Cast(paper.voter.id, paper.key, paper.choice, worker, sent, now, answer, receipt)
        self.history.casts.append(cast)
        if answer == VOTE_CLOSED:
            self.history.hear_of_closing()
        return cast

    async def _breathe(self) -> None:
        await asyncio.sleep(BREATH * self._random.uniform(1, 3))
