"""Publishing at one server, without letting it hold anybody up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

import structlog
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as BrokerLost
from redis.exceptions import RedisError, ResponseError

from realtime.broker.reader import bare_pool
from realtime.tasks import cancel, watched

# All in seconds.
ANSWERS_WITHIN = 0.5  # messages; whoever publishes may wait for the batch under way as well
PROBE_ANSWERS_WITHIN = 2.0
PROBE_EVERY = 0.25

MOST_TOGETHER = 500  # messages in one round trip

logger = structlog.get_logger()


class BrokerInDoubt(RedisError):
    """The server did not answer lately, so that nobody waits for it now."""


class _Waiting(NamedTuple):
    command: tuple[str, str, str]
    answered: asyncio.Future[None]


class Publisher:
    """Publishes over one connection; what is asked for at the same time goes together.

    A server that fails to answer is in doubt: publishing then fails at once, for everybody, until
    a ping in the background is answered.
    """

    def __init__(self, url: str, is_sharded: bool = False) -> None:
        self._is_in_doubt = False
        self._pool = bare_pool(url)
        self._verb = "SPUBLISH" if is_sharded else "PUBLISH"
        self._waiting: deque[_Waiting] = deque()
        self._has_work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_up(self) -> bool:
        """Whether a message would be sent now."""
        return not self._is_in_doubt and self._task is not None and not self._task.done()

    def start(self) -> None:
        self._task = watched(self._work(), name="feed publisher")

    async def stop(self) -> None:
        """Whoever still waits gets an error."""
        if self._task is not None:
            await cancel([self._task])
        self._refuse_all(BrokerLost("the feed has stopped"))

    async def publish(self, channel: str, message: str) -> None:
        """Returns when the server has it. Raises RedisError or OSError."""
        if self._is_in_doubt:
            raise BrokerInDoubt
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting((self._verb, channel, message), answered))
        self._has_work.set()
        await answered

    async def _work(self) -> None:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            while True:
                await self._has_work.wait()
                try:
                    await self._publish_waiting(connection)
                except Exception as error:
                    self._is_in_doubt = True
                    self._refuse_all(error)
                    logger.warning("feed.publisher_in_doubt", error=repr(error))
                    await _answers(connection)
                    self._is_in_doubt = False
                    logger.info("feed.publisher_back")
        finally:
            await connection.disconnect(nowait=True)

    async def _publish_waiting(self, connection: AbstractConnection) -> None:
        batch = list(islice(self._waiting, MOST_TOGETHER))
        commands = [waiting.command for waiting in batch]
        for reply in await _ask(connection, commands, ANSWERS_WITHIN):
            waiting = self._waiting.popleft()
            if waiting.answered.done():  # its caller was cancelled
                continue
            if isinstance(reply, ResponseError):
                waiting.answered.set_exception(reply)
            else:
                waiting.answered.set_result(None)
        if not self._waiting:
            self._has_work.clear()

    def _refuse_all(self, error: Exception) -> None:
        for waiting in self._waiting:
            if not waiting.answered.done():
                waiting.answered.set_exception(error)
        self._waiting.clear()
        self._has_work.clear()


async def _answers(connection: AbstractConnection) -> None:
    """Ask until there is an answer."""
    while True:
        await asyncio.sleep(PROBE_EVERY)
        with suppress(RedisError, OSError):
            await _ask(connection, [("PING",)], PROBE_ANSWERS_WITHIN)
            return


async def _ask(
    connection: AbstractConnection, commands: Sequence[tuple[str, ...]], within: float
) -> list[Any]:
    """The reply to each command, which may be an error. Raises RedisError or OSError."""
    is_reused = connection.is_connected
    try:
        async with asyncio.timeout(within):
            try:
                return await _exchange(connection, commands)
            except (RedisError, OSError):
                if not is_reused:
                    raise
                # The server may have closed it since: once more over a new one.
                await connection.disconnect(nowait=True)
                return await _exchange(connection, commands)
    except BaseException:  # replies may still be under way, which belong to nobody
        await connection.disconnect(nowait=True)
        raise


async def _exchange(
    connection: AbstractConnection, commands: Sequence[tuple[str, ...]]
) -> list[Any]:
    if not connection.is_connected:
        await connection.connect()  # type: ignore[no-untyped-call]
    await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
    return [await _reply(connection) for _ in commands]


async def _reply(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
