"""Where attacks are tried: a branch that meets, another one, and two workers in production mode."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from sqlalchemy import delete

from models import migrate
from models.accounts.access_changes import AccessChange
from models.database import Database
from realtime.feed import Feed
from resolvers.votes.votes import open_vote
from rules.meetings.meetings import MeetingState
from rules.register.members import Role, UnitKind
from tests.support.factories import Scene, context_of
from tests.support.postgresql_server import PostgreSQL
from tests.support.processes import children_of
from tests.support.server_process import ServerProcess
from tests.support.services import create_database
from tests.support.valkey_server import Valkey

MEMBERS = 40
WORKERS = 2


@dataclass(frozen=True)
class Target:
    """What an attacker may know: everything but other people's tokens, which it is trusted with."""

    port: int
    unit: str
    meeting: str
    items: list[str]
    open_vote: str
    for_: str
    member_ids: list[str]
    chair: str
    """A token, as the next three are."""
    subscribers: list[str]
    members: list[str]
    """Of the branch that meets, and not among the subscribers."""
    outsider: str
    """Of a member of the other branch."""


@dataclass(frozen=True)
class Stage:
    target: Target
    server: ServerProcess

    def workers(self) -> list[int]:
        """The ids of the worker processes."""
        return children_of(self.server.pid)


@contextmanager
def staged() -> Iterator[Stage]:
    secret = uuid4().hex
    with PostgreSQL(durable=True) as postgresql, Valkey() as broker, TemporaryDirectory() as folder:
        url = create_database(postgresql.url)
        settings = {
            "MEETINGS_MODE": "production",
            "MEETINGS_SECRET": secret,
            "MEETINGS_DATABASE_URL": url,
            "MEETINGS_BROADCAST_URL": broker.url,
        }
        server = ServerProcess(Path(folder), "serve", "--workers", str(WORKERS), **settings)
        target = asyncio.run(prepare(url, server.port, secret))
        with server:
            yield Stage(target, server)


async def prepare(url: str, port: int, secret: str) -> Target:
    """A migrated database with two branches, of which one is meeting and voting."""
    database = Database(url)
    await migrate.upgrade(database)
    async with Feed.from_url("memory://") as feed:
        scene = Scene(database, feed)
        scene.use_secret(secret)
        ward = scene.unit("Ward", UnitKind.BASE)
        unit, other = scene.unit("Branch", parent=ward), scene.unit("Other", parent=ward)
        chair = scene.member("Chair", unit, role=Role.SECRETARY)
        people = scene.members([f"Member {number}" for number in range(MEMBERS)], unit)
        outsider = scene.member("Outsider", other)
        meeting = scene.meeting(unit, MeetingState.IN_SESSION, [chair, *people], chair=chair)
        for position in range(1, 5):
            scene.vote(meeting, position=position)
        # In a meeting of its own: while a vote is open, the agenda stays where it is.
        voting = scene.meeting(unit, MeetingState.IN_SESSION, [chair, *people], chair=chair)
        vote = scene.vote(voting)
        await scene.save()
        context = context_of(chair)
        await open_vote(context, str(vote.id))
        await context.release()
    async with database.writing() as session:
        await session.execute(delete(AccessChange))  # they have been members for long
        await session.commit()
    await database.dispose()
    tokens = [person.token for person in people]
    return Target(
        port=port,
        unit=str(unit),
        meeting=str(meeting.id),
        items=texts(meeting.items),
        open_vote=str(vote.id),
        for_=str(vote.for_),
        member_ids=texts(person.id for person in people),
        chair=chair.token,
        subscribers=tokens[:8],
        members=tokens[8:],
        outsider=outsider.token,
    )


def texts(ids: Iterable[UUID]) -> list[str]:
    return [str(one) for one in ids]
