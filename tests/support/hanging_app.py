"""An application whose workers do what none should."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


def create_app() -> Starlette:
    """Starts after HANGING_STARTS_AFTER seconds, and not while the file HANGING_BROKEN is there."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        refuse_while_broken()
        await asyncio.sleep(float(os.environ.get("HANGING_STARTS_AFTER", "0")))
        yield

    routes = [
        Route("/healthz", who),
        Route("/loop", hang_in_python),
        Route("/match", hang_in_c),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def refuse_while_broken() -> None:
    if Path(os.environ.get("HANGING_BROKEN", "nothing")).exists():
        raise RuntimeError("cannot start")


async def who(_: Request) -> PlainTextResponse:
    return PlainTextResponse(str(os.getpid()), headers={"connection": "close"})


async def hang_in_python(_: Request) -> PlainTextResponse:
    while True:
        pass


async def hang_in_c(_: Request) -> PlainTextResponse:
    """No other thread of Python runs meanwhile, and no signal is handled."""
    re.match(r"(a|a)+$", "a" * 50 + "b")
    raise AssertionError
