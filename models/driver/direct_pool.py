"""Connections of PostgreSQL's that are at hand for statements which go to the driver itself.

To take a connection out of SQLAlchemy's pool and to give it back costs more than a small statement.
So some stay outside between their uses, half of them all: the other half is for transactions,
which have a line on their own connection.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.driver.hot_statements import Rows, Statement

Result = TypeVar("Result")

PATIENCE = 30.0
"""Seconds to wait for a line, as SQLAlchemy's pool has it."""

FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # after the server said good-bye to an idle connection
    OSError,
)


@dataclass(eq=False)
class Line:
    """One connection, as SQLAlchemy has it and as the driver has it. What is sent here begins and
    ends nothing by itself.

    What fails raises OperationalError, and tells no parameters: they may be a ballot.
    """

    connection: AsyncConnection
    driver: Any
    slot: asyncio.Semaphore | None = None
    """What is released when it is given back."""
    _is_sound: bool = True

    @property
    def is_usable(self) -> bool:
        """Not when anything has gone wrong, a cancelled caller included."""
        return self._is_sound and not self.driver.is_closed()

    def spoil(self) -> None:
        """Have it not used again."""
        self._is_sound = False

    async def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> Rows:
        """All rows of a statement."""
        arguments = statement.arguments(parameters)
        records = await self._asked(self.driver.fetch(statement.text, *arguments), statement.text)
        return statement.rows(records)

    async def execute(self, command: str) -> None:
        """A command without parameters or rows."""
        await self._asked(self.driver.execute(command), command)

    async def _asked(self, answer: Awaitable[Result], text: str) -> Result:
        is_sound, self._is_sound = self._is_sound, False
        try:
            result = await answer
        except asyncpg.DataError as error:  # which quotes the value
            fault = ValueError(f"a value does not fit: {type(error).__name__}")
            raise OperationalError(text, None, fault, hide_parameters=True) from None
        except FAILURES as error:
            raise OperationalError(text, None, error, hide_parameters=True) from error
        self._is_sound = is_sound
        return result


class Lines:
    """Up to `most` connections of an engine's pool, which stay outside it between their uses."""

    def __init__(self, engine: AsyncEngine, most: int) -> None:
        self.most = most
        self.in_use = 0
        self._engine = engine
        self._free = asyncio.Semaphore(most)
        self._kept: list[Line] = []

    def __len__(self) -> int:
        """Those that are made and not in use."""
        return len(self._kept)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Line]:
        """A line for the length of a block."""
        line = await self.take()
        try:
            yield line
        finally:
            await self.give_back(line)

    async def take(self) -> Line:
        """The one used last, which is still in the caches. The caller gives it back.

        Raises TimeoutError when none was given back for so long that something must hang.
        """
        slot = self._free
        async with asyncio.timeout(PATIENCE if slot.locked() else None):
            await slot.acquire()
        try:
            line = await self._kept_or_new()
        except BaseException:
            slot.release()
            raise
        line.slot = slot
        self.in_use += 1
        return line

    async def _kept_or_new(self) -> Line:
        while self._kept:
            line = self._kept.pop()
            if line.is_usable:
                return line
            await asyncio.shield(_hang_up(line))
        connection = await self._engine.connect()
        raw = await connection.get_raw_connection()
        return Line(connection, raw.driver_connection)

    async def give_back(self, line: Line) -> None:
        self.in_use -= 1
        slot, line.slot = line.slot, None
        try:
            if slot is self._free and line.is_usable:
                self._kept.append(line)
            else:
                line.spoil()  # it is not the engine's pool's any more, either
                await asyncio.shield(_hang_up(line))
        finally:
            if slot is not None:
                slot.release()

    async def close(self) -> None:
        """Nothing is kept any more, nor what is in use now. Who goes on afterwards may do so in
        another event loop."""
        kept, self._kept = self._kept, []
        self._free = asyncio.Semaphore(self.most)
        for line in kept:
            await _hang_up(line)


async def _hang_up(line: Line) -> None:
    try:
        if not line.is_usable:
            await line.connection.invalidate()
    finally:
        await line.connection.close()
