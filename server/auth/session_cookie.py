"""The cookie that keeps a browser signed in, where no script can read it."""

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response


class SessionCookie:
    """Reads, sets and drops it.

    `__Host-` ties it to this very host over TLS. In production it is always that one, whatever the
    scheme is taken for: a proxy that is not believed, or that says nothing, must not bring a cookie
    that travels in the clear. Plain HTTP is for development.
    """

    def __init__(self, *, is_production: bool) -> None:
        self._is_production = is_production

    def read(self, connection: HTTPConnection) -> str | None:
        return connection.cookies.get(self._name(connection))

    def keep(self, request: Request, response: Response, token: str) -> None:
        response.set_cookie(
            self._name(request),
            token,
            path="/",
            secure=self._is_secure(request),
            httponly=True,
            samesite="strict",
        )

    def drop(self, request: Request, response: Response) -> None:
        is_secure = self._is_secure(request)
        response.delete_cookie(self._name(request), path="/", secure=is_secure, httponly=True)

    def _name(self, connection: HTTPConnection) -> str:
        return "__Host-session" if self._is_secure(connection) else "session"

    def _is_secure(self, connection: HTTPConnection) -> bool:
        return self._is_production or connection.scope["scheme"] in ("https", "wss")
