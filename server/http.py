"""GraphQL over HTTP, the browser's session cookie, health, and the web client's files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse

from resolvers.accounts import sign_out
from resolvers.context import Context
from rules.refusals import Reason
from server.auth import OWN_HEADER, authenticate, bearer_token, cookie_name, cookie_token
from server.graphql_ws import SocketAdapter, SocketHandler

CLIENT = Path(__file__).parent.parent / "web-client" / "dist"


class GraphQLView(GraphQL[Context, None]):
    """Strawberry's view with our contexts, sign-in, status codes and transport."""

    graphql_transport_ws_handler_class = SocketHandler
    websocket_adapter_class = SocketAdapter

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        context: Context = request.app.state.new_context()
        if isinstance(request, Request):
            await sign_in_request(context, request)
        return context

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        response = super().create_response(response_data, sub_response)
        if isinstance(response_data, dict) and _asks_to_sign_in(response_data):
            response.status_code = 401
        return response

    def encode_json(self, data: object) -> str:
        # Text, not bytes: a subscription's frame must be a text frame.
        return orjson.dumps(data).decode()


async def sign_in_request(context: Context, request: Request) -> None:
    """Set the context's viewer. Raises 401 for a token that is no longer good, 403 for a cookie
    that comes without our page's own header."""
    token = bearer_token(request)
    if token is None and (token := cookie_token(request)) and OWN_HEADER not in request.headers:
        raise HTTPException(403, f"send the header {OWN_HEADER}")
    try:
        context.viewer = await authenticate(context, token)
    finally:
        await context.release()
    if token and context.viewer is None:
        raise HTTPException(401, "the session has ended; sign in again")


def _asks_to_sign_in(response: Mapping[str, Any]) -> bool:
    return any(
        error.get("extensions", {}).get("reason") == Reason.NOT_SIGNED_IN.value
        for error in response.get("errors") or ()
    )


async def error_as_json(request: Request, error: Exception) -> Response:
    """HTTP refusals in the shape of GraphQL errors, so that clients read one shape."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    reason = Reason.NOT_SIGNED_IN if error.status_code == 401 else None
    extensions = {"reason": reason.value} if reason else {}
    body = {"errors": [{"message": error.detail, "extensions": extensions}]}
    return JSONResponse(body, error.status_code, headers=error.headers)


async def keep_session(request: Request) -> Response:
    """POST /session with a bearer token: the browser keeps it in a cookie no script can read."""
    context: Context = request.app.state.new_context()
    token = bearer_token(request)
    if token is None:
        raise HTTPException(401, "send the token as Authorization: Bearer")
    await sign_in_request(context, request)
    is_secure = request.url.scheme == "https"
    response = Response(status_code=204)
    response.set_cookie(
        cookie_name(is_secure), token, path="/", secure=is_secure, httponly=True, samesite="strict"
    )
    return response


async def end_session(request: Request) -> Response:
    """DELETE /session: signs out, whether by cookie or by bearer token."""
    context: Context = request.app.state.new_context()
    await sign_in_request(context, request)
    if context.viewer is not None:
        await sign_out(context)
    response = Response(status_code=204)
    is_secure = request.url.scheme == "https"
    response.delete_cookie(cookie_name(is_secure), path="/", secure=is_secure, httponly=True)
    return response


async def health(request: Request) -> Response:
    """200 while the database answers; the broker being away is told, but meetings go on."""
    context: Context = request.app.state.new_context()
    try:
        async with context.reading() as session:
            await session.execute(select(1))
        database = "up"
    except Exception:  # whatever it is, the answer is the same: not now
        database = "down"
    finally:
        await context.release()
    broker = "up" if context.feed.is_broker_up else "down"
    status = "ok" if database == "up" else "unavailable"
    body = {"status": status, "database": database, "broker": broker}
    return JSONResponse(body, 200 if database == "up" else 503)


async def client_page(request: Request) -> Response:
    """A file of the web client's build; any other path is a screen of its single page."""
    root = CLIENT.resolve()
    wanted = (root / request.path_params["path"]).resolve()
    if wanted.is_relative_to(root) and wanted.is_file():
        is_hashed = wanted.parent.name == "assets"
        cache = "public, max-age=31536000, immutable" if is_hashed else "no-cache"
        return FileResponse(wanted, headers={"cache-control": cache})
    page = root / "index.html"
    if not page.is_file():
        raise HTTPException(503, "the web client is not built; run: make install")
    return FileResponse(page, headers={"cache-control": "no-cache"})


SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "content-security-policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:;"
        " object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


class SecurityHeaders:
    """Headers for every answer. GraphiQL, in development, brings scripts and styles of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        is_http = scope["type"] == "http"
        await self.app(scope, receive, send_with_headers if is_http else send)
