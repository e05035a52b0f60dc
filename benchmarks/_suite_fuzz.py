"""Raw bytes that nobody would send: each is to be answered or closed, and the server to go on."""

import asyncio
from random import Random

from benchmarks._attack_stage import Target
from benchmarks._attack_tools import connected, frame

SEED = 20260303
AT_ONCE = 20
ANSWERED_WITHIN = 30.0  # seconds; an incomplete body is waited for by itself for 20

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
POST = (
    b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b'Content-Length: 24\r\n\r\n{"query":"{__typename}"}'
)
GET = b"GET /healthz?a=%20b HTTP/1.1\r\nHost: a\r\nCookie: a=b; c\r\nAccept: */*\r\n\r\n"
CHUNKED = (
    b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b'Transfer-Encoding: chunked\r\n\r\n18\r\n{"query":"{__typename}"}\r\n0\r\n\r\n'
)
FRAMES = b"".join(
    [
        frame(b'{"type":"connection_init"}'),
        frame(b"x" * 100, 9),
        frame(b'{"type":"subscribe","id":"1","payload":{"query":"{__typename}"}}'),
        frame(b"\x03\xe8", 8),
    ]
)

SPECIAL = [b"\r\n", b"\0", b"\xff" * 8, b":", b" ", b"A" * 9000]


def fuzz(target: Target, inputs: int) -> int:
    """Send so many, drawn from a seed; gives how many were neither answered nor closed in time."""
    return asyncio.run(_fuzz(target, inputs))


async def _fuzz(target: Target, inputs: int) -> int:
    random = Random(SEED)  # noqa: S311 - the same inputs each time
    unanswered, ready = 0, asyncio.Semaphore(AT_ONCE)

    async def send(first: bytes, second: bytes) -> None:
        nonlocal unanswered
        async with ready:
            unanswered += not await _is_answered(target, first, second)

    await asyncio.gather(*(send(*_draw(random)) for _ in range(inputs)))
    return unanswered


def _draw(random: Random) -> tuple[bytes, bytes]:
    """What is sent at once, and what is sent after an answer."""
    if random.random() < 0.4:
        return HANDSHAKE, _mutated(random, FRAMES)
    return _mutated(random, random.choice([HANDSHAKE, POST, GET, CHUNKED])), b""


def _mutated(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice([1, 2, 5, 20])):
        at = random.randrange(len(changed)) if changed else 0
        match random.randrange(5):
            case 0:
                changed[at : at + 1] = random.randbytes(1)
            case 1:
                del changed[at : at + random.randrange(1, 9)]
            case 2:
                changed[at:at] = random.randbytes(random.randrange(1, 9))
            case 3:
                changed[at:at] = changed[at : at + random.randrange(1, 60)]
            case _:
                changed[at:at] = random.choice(
                    [b"\r\n", b"\0", b"\xff" * 8, b":", b" ", b"A" * 9000]
                )
    return bytes(changed)


async def _is_answered(target: Target, first: bytes, second: bytes) -> bool:
    try:
        async with asyncio.timeout(ANSWERED_WITHIN), connected(target) as connection:
            await connection.send(first)
            if not await connection.reader.read(1 << 16) or not second:
                return True
            await connection.send(second)
            await connection.reader.read(1 << 16)
    except TimeoutError:
        return False
    except OSError:
        pass
    return True
