"""Tokens and codes: the only place that sees secrets."""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from argon2.low_level import Type, hash_secret_raw
from starlette.requests import HTTPConnection

from resolvers.access.clients import Client
from resolvers.access.credentials import Attempt, SessionLimits, Token
from resolvers.context import Context, Viewer
from rules.refusals import Reason, Refusal
from server.auth.sign_in_queue import HASHES_AT_ONCE, SignInQueue
from server.settings import Settings

OWN_HEADER = "x-requested-by"
"""Sent by our own page. A foreign page cannot send it, so a cookie alone does nothing."""

CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LETTERS = frozenset(CODE_ALPHABET)
CODE_LENGTH = 13
CODE_LENGTH_MAXIMUM = 64


NICENESS = 5
"""Of the threads that hash: beside a busy event loop they get a quarter of one processor."""


class ServerCredentials:
    """Hashes activation codes and makes session tokens.

    The salt is one for the installation, derived from its secret, so that a code finds its card:
    a code has 65 bits, which nobody tries out even once they have hash and salt.
    """

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.secret.encode()
        self._session_seconds = settings.session_seconds
        self.session_limits = SessionLimits(
            timedelta(seconds=settings.session_seconds),
            timedelta(seconds=settings.session_maximum_seconds),
        )
        self._salt = self._derive("activation code")[:16]
        self._queue = SignInQueue(self.hash_code)
        # Argon2 takes 19 MiB and about 20 ms.
        self._threads = ThreadPoolExecutor(HASHES_AT_ONCE, "argon2", initializer=yield_to_others)

    async def hash_code(self, code: str) -> bytes:
        """Argon2id of an activation code, 32 bytes, the same for the same code."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._argon2, normal_code(code))

    def attempt(self, code: str, client: Client) -> AbstractAsyncContextManager[Attempt]:
        """Hash a typed code in its turn. Raises INVALID_CODE at once for what can be none, which
        tells nobody more than the card's print does; and TRY_AGAIN_LATER."""
        plain = normal_code(code)
        if len(plain) != CODE_LENGTH or not CODE_LETTERS.issuperset(plain):
            raise Refusal(Reason.INVALID_CODE, "This code is wrong, used, or has expired.")
        return self._queue.attempt(plain, client)

    def new_token(self) -> Token:
        secret = secrets.token_urlsafe(32)
        return Token(secret, hash_token(secret), self._session_seconds)

    def demo_token(self, member_id: object) -> str:
        """The same for the same member and secret, so that a demo's links stay good."""
        return base64.urlsafe_b64encode(self._derive(f"demo session of {member_id}")[:24]).decode()

    def _argon2(self, code: str) -> bytes:
        return hash_secret_raw(
            code.encode(),
            self._salt,
            time_cost=2,
            memory_cost=19_456,
            parallelism=1,
            hash_len=32,
            type=Type.ID,
        )

    def _derive(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, purpose.encode(), hashlib.sha256)


def yield_to_others() -> None:
    """Let this thread have what the event loop leaves of the processor: those who are in a meeting
    go before those who come. Only Linux knows of single threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def new_code() -> str:
    """A fresh activation code, 65 bits, to be read out and typed."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def normal_code(code: str) -> str:
    """A typed code without what people add or mistake (Crockford's base 32)."""
    plain = code[:CODE_LENGTH_MAXIMUM].encode("ascii", "replace").decode()
    kept = "".join(plain.upper().split()).replace("-", "")
    return kept.translate(str.maketrans("OIL", "011"))


def hash_token(token: str) -> bytes:
    """What the database keeps of a session token. 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


async def authenticate(context: Context, token: str | None) -> Viewer | None:
    return await context.sessions.find(hash_token(token)) if token else None


def bearer_token(connection: HTTPConnection) -> str | None:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
