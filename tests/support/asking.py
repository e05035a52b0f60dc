"""Asking the schema as somebody, exactly as it is served: queries, mutations, subscriptions."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, cast

from graphql import GraphQLError
from strawberry.types import ExecutionResult

from resolvers.access.affiliations import read_accesses
from resolvers.access.logins import Access
from resolvers.context import Context
from schema.schema import schema
from server.limits.members import MemberLimits
from server.websocket.connections import Sockets
from server.websocket.outlets import MessageOutlet
from server.websocket.protocol import Connection

PATIENCE = 20.0  # seconds, for what takes a moment on an idle machine

TYPES = {
    "choices": "[ID!]!",
    "chosen": "[ID!]!",
    "closesAt": "DateTime!",
    "code": "String!",
    "draft": "VoteDraft!",
    "hands": "[HandsInput!]!",
    "isPresent": "Boolean!",
    "memberIds": "[ID!]!",
    "name": "String!",
    "reason": "String!",
    "seniority": "[ID!]!",
}
"""Of arguments of mutations that are no plain ids."""

REFUSED = "... on Refused { reason message details }"

VOTE = """
  id version meetingId itemId state question matter openedAt closesAt closedAt publishedAt
  annulment repeatOf repeatedBy auditHead warnings
  options { id kind label candidateId }
  rule { name base numerator denominator strict secrecy change seats mostChoices }
  tally { cast eligible byHand blanks invalid options { optionId count } }
  roll { member { id } isEntitled leftOut weight amendedAt }
  record { tracker member { id } validity choices }
  outcome { carried verdict needed base nextStep vi: sentence(language: VI) en: sentence }
"""
OWN_VOTE = VOTE + "myReceipt { id voteId key choices castAt tracker } viewerMay"
ITEM = "id position title state"
PLACE = "id kind name children { id } memberCount meetingsInSession parent { id name }"
MEMBER = f"id name standing unit {{ {PLACE} }} appointments {{ role unit {{ {PLACE} }} }}"


def meeting_with(vote: str) -> str:
    return f"""
  id version state kind mode title startsAt openedAt closedAt
  unit {{ {PLACE} }}
  currentItem {{ {ITEM} votes {{ {vote} }} }}
  agenda {{ {ITEM} votes {{ {vote} }} }}
  votes {{ {vote} }}
  attendance {{ status checkedInAt confirmedAt member {{ {MEMBER} }} }}
  turnout {{ summoned present confirmed connected }}
"""


MEETING = meeting_with(VOTE)
OWN_MEETING = meeting_with(OWN_VOTE) + "viewerMay myAttendance { status checkedInAt confirmedAt }"


async def execute(context: Context, document: str, **variables: Any) -> ExecutionResult:
    """The result of an operation, whatever it is."""
    return await schema.execute(document, variables, context_value=context)


async def ask(context: Context, document: str, **variables: Any) -> dict[str, Any]:
    """What the operation answers. It has no errors."""
    result = await execute(context, document, **variables)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data


async def act(context: Context, mutation: str, selection: str = "", /, **arguments: Any) -> Any:
    """Call one mutation by name, such as `castBallot`; gives its value."""
    document = document_of(mutation, arguments, f"__typename {selection} {REFUSED}")
    return (await ask(context, document, **plain(arguments)))[mutation]


def document_of(mutation: str, arguments: Collection[str], selection: str = "__typename") -> str:
    """The document that calls a mutation with variables of the arguments' names."""
    declared = ", ".join(f"${name}: {TYPES.get(name, 'ID!')}" for name in arguments)
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    if not arguments:
        return f"mutation {{ {mutation} {{ {selection} }} }}"
    return f"mutation ({declared}) {{ {mutation}({passed}) {{ {selection} }} }}"


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as JSON carries them: ids are text, moments ISO 8601."""
    return {name: _plain(value) for name, value in arguments.items()}


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return plain(value)
        case list():
            return [_plain(one) for one in value]
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case None | int():
            return value
        case _:
            return str(value)


def reason_of(errors: list[GraphQLError] | None) -> str:
    """Why a query or a subscription was refused: the reason of its one error."""
    assert errors is not None, "nothing was refused"
    (error,) = errors
    assert "reason" in (error.extensions or {}), error
    return str(error.extensions["reason"] if error.extensions else None)


async def eventually(is_true: Callable[[], bool]) -> None:
    """Wait for what takes a moment."""
    async with asyncio.timeout(PATIENCE):
        for pause in itertools.repeat(0.001):
            if is_true():
                return
            await asyncio.sleep(pause)


@dataclass
class Watch:
    """An operation under way on a socket, without a network in between."""

    messages: asyncio.Queue[dict[str, Any]]

    async def next(self) -> dict[str, Any]:
        """The next push: the value of the one field watched."""
        message = await self._take()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        (value,) = message["payload"]["data"].values()
        return cast("dict[str, Any]", value)

    async def refusal(self) -> str:
        """The reason of the error, or of the close code, that the subscription ends with."""
        message = await self._take()
        if message["type"] == "websocket.close":
            return {4401: "NOT_SIGNED_IN", 4403: "NOT_ALLOWED"}[message["code"]]
        assert message["type"] == "error", message
        (error,) = message["payload"]
        return str(error["extensions"]["reason"])

    async def _take(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            return await self.messages.get()


def finding(context: Context) -> Callable[[], Awaitable[Access | None]]:
    """What finds the context's viewer, as a socket finds the owner of its token."""

    async def find() -> Access | None:
        if context.viewer is None:
            return None
        session_id = context.viewer.session_id
        return (await read_accesses(context.database.look, [session_id])).get(session_id)

    return find


def push_each(subscribers: Sequence[Any], state: bytes) -> None:
    """What a fan-out is given to push with where no sockets are: each has a `push` of its own."""
    for subscriber in subscribers:
        subscriber.push(state)


@asynccontextmanager
async def watch(context: Context, document: str, **variables: Any) -> AsyncIterator[Watch]:
    """An operation until the block ends, as the server's sockets run it."""
    watched = Watch(asyncio.Queue())

    async def send(event: MutableMapping[str, Any]) -> None:
        is_text = event["type"] == "websocket.send"
        watched.messages.put_nowait(json.loads(event["text"]) if is_text else dict(event))

    sockets = Sockets(members=MemberLimits(1_000))
    async with sockets.serving(context):
        connection = Connection(sockets, MessageOutlet(send), send, cookie=None)
        connection.access = await sockets.watch_over(connection, finding(context))
        payload = {"query": document, "variables": variables}
        await connection.take(json.dumps({"type": "subscribe", "id": "watch", "payload": payload}))
        try:
            yield watched
        finally:
            connection.leave()
