"""The secrets' side of signing in, as resolvers know it; the server supplies it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from resolvers.access.clients import Client


@dataclass(frozen=True)
class Token:
    """A fresh opaque session token, told once, and what is stored of it."""

    secret: str
    hash: bytes
    lifetime_seconds: int


@dataclass(frozen=True)
class SessionLimits:
    """How long a session lasts from its beginning or its last refresh, and how long in all."""

    lifetime: timedelta
    maximum: timedelta


class Attempt(Protocol):
    """An activation code that is tried in its turn."""

    code_hash: bytes
    """Argon2id, 32 bytes, the same for the same code."""

    async def was_wrong(self) -> None:
        """Returns when that may be told: later, the more wrong ones there were."""
        ...


class Credentials(Protocol):
    @property
    def session_limits(self) -> SessionLimits: ...

    def attempt(self, code: str, client: Client) -> AbstractAsyncContextManager[Attempt]:
        """Hash a typed code in its turn. Raises INVALID_CODE for what can be none, and
        TRY_AGAIN_LATER, with the `seconds`, where too many wait."""
        ...

    def new_token(self) -> Token: ...
