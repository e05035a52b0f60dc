"""One connection of the transport of subscriptions: graphql-transport-ws.

docs/realtime.md has the protocol in prose and the table of close codes.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from graphql import GraphQLError
from starlette.types import Send
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError

from resolvers.access.clients import MemberClient
from resolvers.access.logins import Access
from rules.rate_limit import Rate, TokenBucket
from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from schema.live.documents import BadDocument
from schema.live.prepare import read_operation
from schema.live.run import Errors
from schema.schema import schema
from server.http.incoming import TOO_MANY_MESSAGES
from server.limits.members import PATIENCE
from server.websocket.close_codes import (
    BAD_MESSAGE,
    ID_IN_USE,
    NOT_ALLOWED,
    NOT_SIGNED_IN,
    TOO_MANY_INITIALISATIONS,
    TOO_MANY_SOCKETS,
)
from server.websocket.frames import show
from server.websocket.host import ConnectionHost
from server.websocket.messages import read_message
from server.websocket.outlets import Outlet
from server.websocket.subscriptions import LiveSubscription

MAXIMUM_REASON = 123  # bytes: a control frame carries 125, two are the code
MAXIMUM_OPERATIONS = 20
MESSAGES_A_SECOND = 20
BURST = 60
"""Messages that may come at one moment, as when a page takes up its work again."""
MESSAGES = Rate(MESSAGES_A_SECOND, BURST)


class Connection:
    """Takes one client's messages, and shows it the states of its subscriptions."""

    __slots__ = (
        "_allowance",
        "_cookie",
        "_holds",
        "_host",
        "_is_closed",
        "_owed",
        "_send",
        "access",
        "is_initialised",
        "member_id",
        "operations",
        "outlet",
        "owes_since",
        "told_of_end",
    )

    def __init__(
        self, host: ConnectionHost, outlet: Outlet, send: Send, cookie: str | None
    ) -> None:
        self.access: Access | None = None
        self.is_initialised = False
        self.member_id: UUID | None = None
        self.operations: dict[str, LiveSubscription | asyncio.Task[None]] = {}
        self.owes_since: float | None = None
        self.told_of_end: datetime | None = None
        self._host = host
        self.outlet = outlet
        self._send = send
        self._cookie = cookie
        self._owed: dict[LiveSubscription, None] = {}
        self._is_closed = False
        self._holds = 0
        self._allowance = TokenBucket(MESSAGES, asyncio.get_running_loop().time())
        outlet.on_drained = self._pay

    async def take(self, text: str | None) -> None:
        """Handle one message as it came."""
        if self._is_closed:
            return
        if not self._allowance.take(asyncio.get_running_loop().time()):
            await self.close(TOO_MANY_MESSAGES, "Too many messages")
            return
        message = read_message(text)
        if message is None:
            await self.close(BAD_MESSAGE, "Not a graphql-transport-ws message")
            return
        match message["type"]:
            case "connection_init":
                await self._initialise(message.get("payload") or {})
            case "ping":
                payload = {"payload": message["payload"]} if "payload" in message else {}
                await self.tell({"type": "pong", **payload})
            case "subscribe":
                await self._start(message["id"], message["payload"])
            case "complete":
                self._stop(message["id"])

    def leave(self, code: int = 1006) -> None:
        """The connection is gone, with the peer's close code: let go of everything."""
        if not self._is_closed:
            self._host.note_end(code, "peer")
        self._is_closed = True
        self.outlet.on_drained = None
        self._owed.clear()
        for operation_id in tuple(self.operations):
            self._stop(operation_id)
        self._host.leave(self)

    async def close(self, code: int, reason: str) -> None:
        """Say no more but why."""
        if self._is_closed:
            return
        self._silence()
        self._host.note_end(code, "server")
        reason = reason.encode()[:MAXIMUM_REASON].decode(errors="ignore")
        if not self.outlet.is_taking:
            self.outlet.cut_off(code, reason)
        else:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def tell(self, message: dict[str, Any]) -> None:
        if not self._is_closed:
            text = orjson.dumps(message).decode()
            await self._send({"type": "websocket.send", "text": text})

    # --- The door

    async def _initialise(self, payload: dict[str, Any]) -> None:
        """A token in the payload, or our own page's cookie (the origin was checked before)."""
        if self.is_initialised:
            await self.close(TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
            return
        self.is_initialised = True
        token = payload.get("token")
        self.access = await self._host.admit(
            self, token if isinstance(token, str) else self._cookie
        )
        if not await self._is_let_in(self.access, "Not signed in"):
            return
        if self._host.has_one_too_many(self):
            await asyncio.sleep(PATIENCE)
            await self.close(TOO_MANY_SOCKETS, "Too many sockets of one member")
        else:
            self.outlet.introduce()
            await self.tell({"type": "connection_ack"})

    async def _is_let_in(self, access: Access | None, why_not: str) -> bool:
        """Who has no session, or is suspended, is sent away."""
        if access is None:
            await self.close(NOT_SIGNED_IN, why_not)
        elif access.place.standing is Standing.SUSPENDED:
            await self.close(NOT_ALLOWED, "You are suspended")
        else:
            return True
        return False

    def hold(self) -> int:
        """Show nothing until it is known again what may be seen; gives the number to `readmit`."""
        self.outlet.is_held = True
        self._holds += 1
        return self._holds

    async def readmit(self, access: Access | None, hold: int) -> None:
        """Go on with what could be seen at some time after that hold; None when the session has
        ended. It is shown again unless somebody held it since."""
        if self._is_closed:
            return
        if not await self._is_let_in(access, "Your session has ended"):
            return
        self.access = access
        for subscription in tuple(self.operations.values()):
            if isinstance(subscription, LiveSubscription):
                await self._follow(subscription)
        if hold == self._holds:
            self.outlet.is_held = False
            self._pay()

    # --- Operations

    async def _start(self, operation_id: str, payload: dict[str, Any]) -> None:
        if self.access is None:
            await self.close(NOT_SIGNED_IN, "Unauthorized")
        elif operation_id in self.operations:
            await self.close(ID_IN_USE, f"Subscriber for {operation_id} already exists")
        elif len(self.operations) >= MAXIMUM_OPERATIONS:
            await self._tell_errors(operation_id, [GraphQLError("Subscription limit reached")])
        else:
            query, member_id = payload["query"], self.access.viewer.member_id
            is_new = not schema.documents.has_read(query)
            if self._host.members.begins_at_once(member_id, query, is_new=is_new):
                await self._read(operation_id, payload)
            else:
                late = self._start_late(operation_id, payload, member_id, is_new=is_new)
                self.operations[operation_id] = asyncio.create_task(late)

    async def _start_late(
        self, operation_id: str, payload: dict[str, Any], member_id: UUID, *, is_new: bool
    ) -> None:
        """For a member who asks for more than they may: nobody else's message waits for it."""
        with suppress(OSError):  # whoever leaves amid an answer is no fault of ours
            try:
                await self._host.members.begin(member_id, payload["query"], is_new=is_new)
            except Refusal as refusal:
                await self._end(operation_id, [_error_of(refusal)])
            else:
                await self._read(operation_id, payload)

    async def _read(self, operation_id: str, payload: dict[str, Any]) -> None:
        query, variables = payload["query"], payload.get("variables") or {}
        name = payload.get("operationName") or None
        try:
            operation = read_operation(query, name, self._host.asker)
        except BadDocument as bad:
            await self._end(operation_id, bad.errors)
            return
        except CannotGetOperationTypeError as error:
            await self._end(operation_id, [GraphQLError(_words(error))])
            return
        if operation is None:
            run = self._run(operation_id, query, variables, name)
            self.operations[operation_id] = asyncio.create_task(run)
        else:
            declared = operation.declared(variables)
            subscription = LiveSubscription(self, operation_id, operation, declared)
            self.operations[operation_id] = subscription
            if self.member_id is not None:
                self._host.members.subscribe(self.member_id, operation.cost)
            await self._follow(subscription)

    def _stop(self, operation_id: str) -> None:
        match self.operations.pop(operation_id, None):
            case LiveSubscription() as subscription:
                self._owed.pop(subscription, None)
                subscription.leave()
            case asyncio.Task() as task:
                task.cancel()

    async def _follow(self, subscription: LiveSubscription) -> None:
        """Put the subscription where those are who may see the same as this viewer now."""
        try:
            while True:
                access = self.access
                assert access is not None  # noqa: S101 - nobody subscribes before
                plan = await self._host.live.plan(
                    access, subscription.operation, subscription.variables
                )
                if self.operations.get(subscription.id) is not subscription:
                    return  # completed meanwhile
                if access is self.access:
                    break
        except BadDocument as bad:
            subscription.leave()
            if self.operations.get(subscription.id) is subscription:
                self.fail(subscription.id, bad.errors)
            return
        if subscription.group is None or subscription.group.key != plan.key:
            try:
                subscription.join(self._host, plan, access.viewer.member_id)
            except Refusal as refusal:
                self.fail(subscription.id, [_error_of(refusal)])

    async def _run(
        self, operation_id: str, query: str, variables: dict[str, Any], name: str | None
    ) -> None:
        """A query or a mutation: one result, and that is all."""
        context = self._host.new_context()
        assert self.access is not None  # noqa: S101
        context.viewer = self.access.viewer
        context.client = MemberClient(str(context.viewer.member_id))
        members, member_id = self._host.members, context.viewer.member_id
        try:
            try:
                async with members.place(member_id, query):
                    result = await schema.execute(
                        query,
                        variables,
                        asker=self._host.asker,
                        charge=partial(members.charge, member_id),
                        context_value=context,
                        operation_name=name,
                    )
            except Refusal as refusal:
                await self._end(operation_id, [_error_of(refusal)])
                return
            except (MissingQueryError, CannotGetOperationTypeError) as error:
                await self._end(operation_id, [GraphQLError(_words(error))])
                return
            errors = result.errors or []
            if any(map(is_not_signed_in, errors)):
                await self.close(NOT_SIGNED_IN, "Your session has ended")
            elif result.data is None:
                await self._end(operation_id, errors)
            else:
                payload: dict[str, Any] = {"data": result.data}
                if errors:
                    payload["errors"] = [error.formatted for error in errors]
                await self.tell({"id": operation_id, "type": "next", "payload": payload})
                self.operations.pop(operation_id, None)
                await self.tell({"id": operation_id, "type": "complete"})
        except OSError:
            pass  # whoever leaves amid an answer is no fault of ours

    async def _end(self, operation_id: str, errors: Errors) -> None:
        self.operations.pop(operation_id, None)
        await self._tell_errors(operation_id, errors)

    async def _tell_errors(self, operation_id: str, errors: Errors) -> None:
        payload = [error.formatted for error in errors]
        await self.tell({"id": operation_id, "type": "error", "payload": payload})

    # --- What the fan-out brings

    def owe(self, subscription: LiveSubscription) -> None:
        """Show the latest state later: when it may be seen again, or the client takes it."""
        self._owed[subscription] = None
        if not self.outlet.is_held and self.owes_since is None:
            self.owes_since = asyncio.get_running_loop().time()
            self._host.owes(self)

    def fail(self, operation_id: str, errors: Errors) -> None:
        """A subscription has ended of itself."""
        self.operations.pop(operation_id, None)
        self._host.wait_for(self._tell_errors(operation_id, errors))

    def _pay(self) -> None:
        """Show what is owed: of each subscription the latest state."""
        if self.outlet.is_held or self._is_closed:
            return
        self.owes_since = None
        owed, self._owed = self._owed, {}
        for subscription in owed:
            if subscription.group is not None and subscription.group.state is not None:
                show((subscription,), subscription.group.state)

    def _silence(self) -> None:
        self._is_closed = True
        for operation_id in tuple(self.operations):
            self._stop(operation_id)


def _error_of(refusal: Refusal) -> GraphQLError:
    return GraphQLError(refusal.message, extensions=refusal.extensions)


def is_not_signed_in(error: GraphQLError) -> bool:
    return (error.extensions or {}).get("reason") == Reason.NOT_SIGNED_IN.value


def _words(error: MissingQueryError | CannotGetOperationTypeError) -> str:
    if isinstance(error, CannotGetOperationTypeError):
        return error.as_http_error_reason()
    return "There is no query."
