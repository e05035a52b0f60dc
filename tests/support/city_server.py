"""A real server whose database holds a small city, and never held the demo."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from models.database import Database
from models.migrate import upgrade
from realtime.feed import Feed
from tests.support.factories import City
from tests.support.server_process import ServerProcess

Result = TypeVar("Result")

SECRET = "a secret of thirty-two characters or more"
PRODUCTION = {"MEETINGS_MODE": "production", "MEETINGS_SECRET": SECRET}


@contextmanager
def city_server(folder: Path, **settings: str) -> Iterator[tuple[ServerProcess, City]]:
    """The server and the city, whose people are signed in. Codes are peppered with `SECRET`."""
    url = f"sqlite+aiosqlite:///{folder}/meetings.db"
    city = in_a_thread(save_city(url))
    settings = {"MEETINGS_SECRET": SECRET, "MEETINGS_DATABASE_URL": url, **settings}
    with ServerProcess(folder, "serve", **settings) as server:
        yield server, city


async def save_city(url: str) -> City:
    """Migrate the database, and put the city into it."""
    database = Database(url)
    try:
        await upgrade(database)
        async with Feed.from_url("memory://") as feed:
            city = City(database, feed)
            city.scene.use_secret(SECRET)
            await city.scene.save()
        return city
    finally:
        await database.dispose()


def in_a_thread(work: Coroutine[Any, Any, Result]) -> Result:
    """What the coroutine gives, where this thread may have an event loop of its own."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
