"""The members of `benchmarks.closing`, in a process of their own.

On the phones of members they would cost the server nothing. So that they cost it little here, each
is a plain connection that sends prepared bytes, and the process gives way to server and chair
(`nice`). It reads one task a line on standard input, and answers each with one line.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import cast
from uuid import UUID, uuid4

import orjson
import uvloop

from benchmarks._fault_clients import CAST
from benchmarks._history import RECEIPT, Cast
from tests.support.factories import Person, VoteIds
from tests.support.processes import die_with_parent

GIVES_WAY = 10
"""What is added to its niceness: it gets about a tenth of a core that others want as well."""
LONGEST_LINE = 16 * 1024 * 1024


class Crowd:
    """The process of the members, as the benchmark sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout

    def vote(self, vote: VoteIds, *, once: bool) -> None:
        """Let each vote without a pause until the vote is closed, or once."""
        options = [str(option) for option in vote.options.values()]
        self._to.write(orjson.dumps({"vote": str(vote.id), "options": options, "once": once}))
        self._to.write(b"\n")

    async def casts(self) -> list[Cast]:
        """What they asked and were told, when all are done."""
        return [
            Cast(
                UUID(member),
                key,
                UUID(choice),
                worker,
                sent,
                answered,
                answer,
                receipt and (*receipt,),
            )
            for member, key, choice, worker, sent, answered, answer, receipt in orjson.loads(
                await self._from.readline()
            )
        ]


@asynccontextmanager
async def crowd(ports: Sequence[int], voters: Sequence[Person], seed: int) -> AsyncIterator[Crowd]:
    """The process runs; voter n is connected to worker n modulo their number."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks._voting_crowd",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=LONGEST_LINE,
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    try:
        assert process.stdin is not None
        tokens = [(str(voter.id), voter.token) for voter in voters]
        process.stdin.write(orjson.dumps({"ports": ports, "voters": tokens, "seed": seed}) + b"\n")
        yield Crowd(process)
    finally:
        process.kill()
        await process.wait()


class _Connection(asyncio.Protocol):
    """One request at a time, over one connection that stays open."""

    def __init__(self, port: int, token: str) -> None:
        self._head = (
            b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %b\r\ncontent-length: " % (port, token.encode())
        )
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # that of uvloop is no subclass

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if end and len(body) >= int(length):
            self._received = b""
            self._end(body)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(b"")

    async def ask(self, body: bytes) -> bytes:
        """The body of the answer; empty if there is none."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        return await self._answer

    def _end(self, body: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(body)


class _Member:
    def __init__(self, member_id: str, worker: int, connection: _Connection) -> None:
        self._member_id = member_id
        self._worker = worker
        self._connection = connection

    async def vote(
        self, vote: str, options: Sequence[str], once: bool, random: Random
    ) -> list[list[object]]:
        """The fields of each cast, as JSON knows them."""
        start = b'{"query":%b,"variables":{"vote":"%b","choices":["' % (_QUERY, vote.encode())
        casts: list[list[object]] = []
        answer: str | None = RECEIPT
        while answer == RECEIPT and not (once and casts):
            key, choice = uuid4().hex, random.choice(options)
            sent = time.monotonic()
            body = await self._connection.ask(
                b'%b%b"],"key":"%b"}}' % (start, choice.encode(), key.encode())
            )
            answered = time.monotonic()
            told = orjson.loads(body)["data"]["castBallot"] if body else {"reason": None}
            answer = told.get("reason", RECEIPT)
            receipt = (told["id"], told["castAt"]) if answer == RECEIPT else None
            casts.append(
                [self._member_id, key, choice, self._worker, sent, answered, answer, receipt]
            )
        return casts


_QUERY = orjson.dumps(CAST)


def _itself(connection: _Connection) -> _Connection:
    return connection


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    setup = orjson.loads(await reader.readline())
    random = Random(setup["seed"])  # noqa: S311
    members = []
    for number, (member_id, token) in enumerate(setup["voters"]):
        worker = number % len(setup["ports"])
        port = setup["ports"][worker]
        connection = _Connection(port, token)
        await loop.create_connection(partial(_itself, connection), "127.0.0.1", port)
        members.append(_Member(member_id, worker, connection))
    while line := await reader.readline():
        task = orjson.loads(line)
        casts = await asyncio.gather(*(member.vote(**task, random=random) for member in members))
        sys.stdout.buffer.write(orjson.dumps([cast for own in casts for cast in own]) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    os.nice(GIVES_WAY)
    uvloop.run(_serve())
