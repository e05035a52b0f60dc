"""The transport of subscriptions: graphql-transport-ws with our sign-in and close codes.

docs/realtime.md has the protocol in prose and the table of close codes.
"""

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types import ExecutionResult

from resolvers.context import Context
from rules.refusals import Reason
from server.auth import authenticate, cookie_token

BAD_MESSAGE = 4400
NOT_SIGNED_IN = 4401
TOO_MANY_INITIALISATIONS = 4429

MAXIMUM_ID = 64
MAXIMUM_REASON = 123  # bytes: a control frame carries 125, two are the code


class SocketAdapter(ASGIWebSocketAdapter):
    async def close(self, code: int, reason: str) -> None:
        await super().close(code, reason.encode()[:MAXIMUM_REASON].decode(errors="ignore"))


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection. The base class runs the operations; this one guards the door."""

    async def handle_message(self, message: Any) -> None:
        if not is_well_formed(message):
            await self.handle_invalid_message("Not a graphql-transport-ws message")
            return
        await super().handle_message(message)

    async def handle_connection_init(self, message: Any) -> None:
        if self.connection_timed_out:
            return
        if self.connection_init_timeout_task:
            self.connection_init_timeout_task.cancel()
        if self.connection_init_received:
            await self.websocket.close(TOO_MANY_INITIALISATIONS, "Too many initialisation requests")
            return
        self.connection_init_received = True
        if await self._sign_in(message.get("payload") or {}):
            self.connection_acknowledged = True
            await self.send_message({"type": "connection_ack"})
        else:
            await self.websocket.close(NOT_SIGNED_IN, "Not signed in")

    async def _sign_in(self, payload: Mapping[str, Any]) -> bool:
        """A token in the payload, or our own page's cookie (the origin was checked before)."""
        token = payload.get("token")
        if not isinstance(token, str):
            token = cookie_token(self.websocket.ws)  # type: ignore[attr-defined]
        self.context.viewer = await authenticate(self.context, token)
        return self.context.viewer is not None

    async def handle_task_exception(self, error: Exception) -> None:
        """Whoever leaves amid a push is no fault of ours."""
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def handle_ping(self, message: Any) -> None:
        pong: dict[str, Any] = {"type": "pong"}
        if "payload" in message:
            pong["payload"] = message["payload"]
        await self.websocket.send_json(pong)

    async def _send_result_stream(
        self, operation: Operation[Context, None], result_source: StreamResult
    ) -> None:
        """An operation that fails as a whole ends in `error`; a session that ended, the socket."""
        try:
            async for result in result_source:
                assert isinstance(result, ExecutionResult)  # noqa: S101 - no @defer in our schema
                if result.data is not None or not result.errors:
                    await operation.send_next(result)
                    continue
                if any(map(is_not_signed_in, result.errors)):
                    await self._end_session(operation)
                else:
                    await operation.send_initial_errors(result.errors)
                return
        except GraphQLError as error:  # the parser's, which its cache raises as it is
            await operation.send_initial_errors([error])

    async def _end_session(self, operation: Operation[Context, None]) -> None:
        """Close the socket once, whichever of its operations is the first to find out."""
        operation.completed = True  # nothing more is said of it
        if self.connection_acknowledged:
            self.connection_acknowledged = False
            await self.websocket.close(NOT_SIGNED_IN, "Your session has ended")


def is_not_signed_in(error: GraphQLError) -> bool:
    return (error.extensions or {}).get("reason") == Reason.NOT_SIGNED_IN.value


def is_well_formed(message: Any) -> bool:
    """Whether a message has the shape that its type needs; unknown types have none."""
    if not isinstance(message, dict):
        return False
    match message.get("type"):
        case "connection_init" | "ping" | "pong":
            return isinstance(message.get("payload", {}), dict)
        case "complete":
            return _has_id(message)
        case "subscribe":
            return _has_id(message) and _is_operation(message.get("payload"))
        case _:
            return False


def _has_id(message: dict[str, Any]) -> bool:
    operation_id = message.get("id")
    return isinstance(operation_id, str) and 0 < len(operation_id) <= MAXIMUM_ID


def _is_operation(payload: Any) -> bool:
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return False
    return isinstance(payload.get("variables") or {}, dict) and isinstance(
        payload.get("operationName") or "", str
    )
