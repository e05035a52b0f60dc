"""GraphQL over HTTP, and the browser's session cookie."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from hmac import compare_digest
from typing import Any

import cross_web
import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from resolvers.accounts.sign_in import sign_out
from resolvers.context import Context
from rules.refusals import Reason, Refusal
from schema.live.documents import Asker, Document
from schema.schema import Schema
from server.auth.credentials import (
    OWN_HEADER,
    authenticate,
    bearer_token,
    hash_token,
)
from server.auth.session_cookie import SessionCookie
from server.http.files import IDE_PAGE, NOT_BUILT, client_file
from server.http.http_client import HttpClient
from server.limits.members import MemberLimits
from server.settings import Settings

DEVELOPER_HEADER = "x-developer-token"
"""For `MEETINGS_DEVELOPER_TOKEN`, in production."""

GRAPHQL_RESPONSE = "application/graphql-response+json"
"""Asked for with `Accept`: the status then tells a request that could not be run (400)."""


class GraphQLView(GraphQL[Context, None]):
    """Strawberry's view with our contexts, sign-in, status codes and transport.

    Follows "GraphQL over HTTP" (https://graphql.github.io/graphql-over-http/draft/); what is
    refused before anything is run is told in the shape of GraphQL errors.
    """

    schema: Schema

    def __init__(
        self, schema: Schema, settings: Settings, members: MemberLimits | None = None
    ) -> None:
        is_development = not settings.is_production
        super().__init__(
            schema,
            graphql_ide="graphiql" if is_development else None,
            allow_queries_via_get=is_development,
        )
        self._is_development = is_development
        self._developer_token = settings.developer_token.encode()
        self._members = members or MemberLimits(settings.member_allowance)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        context: Context = request.app.state.new_context()
        if isinstance(request, Request) and not self._asks_for_ide(request):
            context.client = HttpClient(request)
            await sign_in_request(context, request)
        return context

    async def run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().run(*args, **kwargs)
        except cross_web.HTTPException as error:
            headers = {"allow": "GET, POST"} if error.status_code == 405 else None
            raise HTTPException(error.status_code, error.reason, headers) from error

    async def parse_http_body(
        self, request: cross_web.AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        if request.method == "POST" and media_type != "application/json":
            # Also keeps forms of foreign pages out, which cannot send this type.
            raise HTTPException(415, "send the request as application/json")
        return await super().parse_http_body(request)

    def decode_json(self, data: str | bytes) -> object:
        # Unlike the standard library's, it has a limit for nesting, and knows no NaN.
        return orjson.loads(data)

    def parse_json(self, data: str | bytes) -> Any:
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict | list):
            raise HTTPException(400, "send a JSON object")
        return parsed

    async def execute_single(
        self,
        request: Request,
        request_adapter: cross_web.AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        """Run a query or a mutation. Raises HTTPException for what HTTP does not carry."""
        if request.method == "GET" and not self.allow_queries_via_get:
            raise HTTPException(405, "send queries by POST", {"allow": "POST"})
        try:
            async with self._within_limits(context, request_data.query) as charge:
                result = await self.schema.execute(
                    request_data.query,
                    variable_values=request_data.variables,
                    asker=self._asker(request, context),
                    charge=charge,
                    context_value=context,
                    operation_name=request_data.operation_name,
                    allowed_operation_types=self._allowed_types(request.method),
                )
        except MissingQueryError:
            raise HTTPException(400, "send a query") from None
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from None
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                raise HTTPException(400, "subscribe over a WebSocket") from None
            reason = error.as_http_error_reason(request_adapter.method)
            raise HTTPException(405, reason, {"allow": "POST"}) from None
        if context.viewer is not None and _is_of_nobody(result):
            raise session_ended()
        return result

    @asynccontextmanager
    async def _within_limits(
        self, context: Context, query: str | None
    ) -> AsyncIterator[Callable[[Document, str | None], Awaitable[None]] | None]:
        """What a signed-in member may ask for; gives what charges them for the document. Raises
        TooManyRequests, after which nothing was done."""
        if context.viewer is None:
            yield None
            return
        members, member_id = self._members, context.viewer.member_id
        is_new = not self.schema.documents.has_read(query or "")
        try:
            await members.begin(member_id, query, is_new=is_new)
            async with members.place(member_id, query):
                yield partial(members.charge, member_id)
        except Refusal as refusal:
            raise TooManyRequests(refusal) from None

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        accepts_new = GRAPHQL_RESPONSE in request.headers.get("accept", "")
        response.media_type = GRAPHQL_RESPONSE if accepts_new else "application/json"
        return response

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        assert isinstance(response_data, dict)  # noqa: S101 - batches are refused
        status = 200
        if _was_not_run(response_data):
            del response_data["data"]
            status = 400 if sub_response.media_type == GRAPHQL_RESPONSE else 200
        if _asks_to_sign_in(response_data):
            status = 401
        return Response(self.encode_json(response_data), status, media_type=sub_response.media_type)

    async def render_graphql_ide(self, request: Request) -> Response:
        page = client_file(IDE_PAGE)
        if page is None:
            raise HTTPException(503, NOT_BUILT)
        return FileResponse(
            page, headers={"content-security-policy": policy(IDE_POLICY, request.scope)}
        )

    def encode_json(self, data: object) -> str:
        # Text, not bytes: a subscription's frame must be a text frame.
        return orjson.dumps(data).decode()

    def _asks_for_ide(self, request: Request) -> bool:
        return self.should_render_graphql_ide(self.request_adapter_class(request))

    def _asker(self, request: Request, context: Context) -> Asker:
        token = request.headers.get(DEVELOPER_HEADER, "").encode()
        is_known = self._developer_token and compare_digest(token, self._developer_token)
        if self._is_development or is_known:
            return Asker.DEVELOPER
        return Asker.STRANGER if context.viewer is None else Asker.MEMBER

    def _allowed_types(self, method: str) -> set[OperationType]:
        if method == "POST":
            return {OperationType.QUERY, OperationType.MUTATION}
        return {OperationType.QUERY} if self.allow_queries_via_get else set()


async def sign_in_request(context: Context, request: Request) -> None:
    """Set the context's viewer. Raises 401 for a token that is no longer good, 403 for a cookie
    that comes without our page's own header."""
    token = bearer_token(request)
    if (
        token is None
        and (token := cookie_of(request).read(request))
        and OWN_HEADER not in request.headers
    ):
        raise HTTPException(403, f"send the header {OWN_HEADER}")
    context.viewer = await authenticate(context, token)
    if token and context.viewer is None:
        raise session_ended()


class TooManyRequests(HTTPException):
    """A member asks for more than one may."""

    def __init__(self, refusal: Refusal) -> None:
        seconds = str(refusal.details["retryAfterSeconds"])
        super().__init__(429, refusal.message, {"retry-after": seconds})
        self.extensions = refusal.extensions


def session_ended() -> HTTPException:
    return HTTPException(401, "the session has ended; sign in again")


def _was_not_run(response: Mapping[str, Any]) -> bool:
    """Whether the document was turned down as a whole: such errors belong to no field."""
    errors = response.get("errors") or ()
    return response["data"] is None and all("path" not in error for error in errors)


def _is_of_nobody(result: ExecutionResult) -> bool:
    """Whether everything was refused because the session has ended, as the operation found out."""
    refused = [(error.extensions or {}).get("reason") for error in result.errors or ()]
    for value in (result.data or {}).values():
        if value is not None:
            refused.append(value.get("reason") if isinstance(value, dict) else None)
    return set(refused) == {Reason.NOT_SIGNED_IN.value}


def _asks_to_sign_in(response: Mapping[str, Any]) -> bool:
    return any(
        error.get("extensions", {}).get("reason") == Reason.NOT_SIGNED_IN.value
        for error in response.get("errors") or ()
    )


async def error_as_json(request: Request, error: Exception) -> Response:
    """HTTP refusals in the shape of GraphQL errors, so that clients read one shape."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    is_signed_out = error.status_code == 401
    extensions = {"reason": Reason.NOT_SIGNED_IN.value} if is_signed_out else {}
    extensions = getattr(error, "extensions", extensions)
    body = {"errors": [{"message": error.detail, "extensions": extensions}]}
    response = JSONResponse(body, error.status_code, headers=error.headers)
    if is_signed_out and bearer_token(request) is None and cookie_of(request).read(request):
        # No script can remove it, and while it is sent nobody could sign in anew.
        cookie_of(request).drop(request, response)
    return response


async def nobody_to_answer(request: Request, error: Exception) -> Response:
    """Whoever asked has closed the page before the whole request was here: nobody's fault."""
    return Response(status_code=400)


async def fault_as_json(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the server logs it with its traceback."""
    body = {"errors": [{"message": "Something went wrong on our side.", "extensions": {}}]}
    return JSONResponse(body, 500, headers=security_headers(request.scope))


async def keep_session(request: Request) -> Response:
    """POST /session with a bearer token: the browser keeps it in a cookie no script can read."""
    context: Context = request.app.state.new_context()
    token = bearer_token(request)
    if token is None:
        raise HTTPException(401, "send the token as Authorization: Bearer")
    if await context.sessions.look_up(hash_token(token)) is None:
        raise session_ended()
    response = Response(status_code=204)
    cookie_of(request).keep(request, response, token)
    return response


async def end_session(request: Request) -> Response:
    """DELETE /session: signs out, whether by cookie or by bearer token."""
    context: Context = request.app.state.new_context()
    await sign_in_request(context, request)
    if context.viewer is not None:
        await sign_out(context)
    response = Response(status_code=204)
    cookie_of(request).drop(request, response)
    return response


def cookie_of(request: Request) -> SessionCookie:
    cookie: SessionCookie = request.app.state.session_cookie
    return cookie


SECURITY_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}

PAGE_POLICY = (
    "default-src 'self'; connect-src {connect}; img-src 'self' data:;"
    " object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)

IDE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " connect-src {connect}; img-src 'self' data:; font-src data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""For GraphiQL, in development: its dialogs bring styles, and its styles bring fonts."""

HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def security_headers(scope: Scope) -> dict[str, str]:
    """Headers for an answer to this request."""
    return {**SECURITY_HEADERS, "content-security-policy": policy(PAGE_POLICY, scope)}


def policy(template: str, scope: Scope) -> str:
    """A content security policy that lets the page reach its own site and nobody else.

    Its sockets are named for browsers to which `'self'` does not mean them (Safari before 15.4).
    """
    host = Headers(scope=scope).get("host", "")
    is_plain = scope["scheme"] == "http" and not scope["app"].state.is_production
    sockets = f" {'ws' if is_plain else 'wss'}://{host}" if HOST.fullmatch(host) else ""
    return template.format(connect=f"'self'{sockets}")


class SecurityHeaders:
    """Headers for every answer that does not bring its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in security_headers(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        is_http = scope["type"] == "http"
        await self.app(scope, receive, send_with_headers if is_http else send)
