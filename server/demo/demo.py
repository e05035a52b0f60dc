"""The demo: filling the database once, playing the meeting up to its open vote, handing out links.

Its votes are opened, cast in and closed by the same functions as anybody's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from models.accounts.accounts import Account, Session
from models.database import Database, WriteSession, insert_or_ignore
from models.demo_mark import DemoMark
from models.register.units import Member, Unit
from models.votes.votes import Vote
from realtime.feed import Feed
from resolvers.context import Context, Viewer
from resolvers.meetings.meetings import move_agenda
from resolvers.process import Process
from resolvers.votes.ballots import cast_ballot
from resolvers.votes.votes import close_vote, open_vote
from rules.meetings.meetings import VoteState
from rules.votes.ballots import MOTION
from server.auth.credentials import ServerCredentials, hash_token
from server.demo import data as demo_data

LIFETIME = timedelta(days=30)
ALREADY_CAST = 12
"""Ballots in the open vote before the visitor comes."""


@dataclass(frozen=True)
class Person:
    """Somebody to be in the demo. `part` is chair, member, probationary or officer."""

    name: str
    part: str
    token: str

    def link(self, site: str) -> str:
        """Opens the page as this person; the fragment never reaches a server's log."""
        return f"{site}/sign-in#token={self.token}"


PARTS = [
    ("chair", demo_data.member_id(1, 1)),
    *[("member", demo_data.member_id(1, place)) for place in demo_data.NOT_YET_HERE],
    ("probationary", demo_data.member_id(1, demo_data.BRANCH_SIZE - 2)),
    ("officer", demo_data.officer_id()),
]


async def fill(database: Database, credentials: ServerCredentials) -> bool:
    """Create the demo where it is missing, or go on where it was interrupted.

    False if all of it was there: what visitors did to it stays. Raises LookupError where somebody
    else's units are: anybody can sign in as the people of a demo.
    """
    async with database.writing() as session:
        is_new = await session.get(Unit, demo_data.WARD_ID) is None
        if is_new:
            await _refuse_organisation(session)
            now = datetime.now(UTC)
            await demo_data.insert_demo(session, now)
            await session.execute(insert(DemoMark).values(made_at=now))
            await session.commit()
    return await _play(database, credentials) or is_new


async def _refuse_organisation(session: WriteSession) -> None:
    if await session.scalar(select(Unit.id).limit(1)) is not None:
        raise LookupError("this database holds an organisation; the demo needs one of its own")


async def _play(database: Database, credentials: ServerCredentials) -> bool:
    """Hold the meeting up to the open vote. Every step may be repeated. False if it is there."""
    states = await _vote_states(database)
    if states[demo_data.OPEN_ID] is not VoteState.PREPARED:
        return False
    present = demo_data.places_present()
    viewers = await sign_in_members(
        database, credentials, [demo_data.member_id(1, place) for place in present]
    )
    async with Feed.from_url("memory://") as feed:
        process = Process(database, feed, credentials)
        contexts = [Context(process, viewer) for viewer in viewers]
        chair = contexts[0]
        if states[demo_data.FINISHED_ID] is VoteState.PREPARED:
            await open_vote(chair, str(demo_data.FINISHED_ID))
        if states[demo_data.FINISHED_ID] is not VoteState.CLOSED:
            await _cast_all(contexts, demo_data.FINISHED_ID)
            await close_vote(chair, str(demo_data.FINISHED_ID))
        item = demo_data.item_id(demo_data.VOTING_ITEM)
        await move_agenda(chair, str(demo_data.MEETING_ID), str(item))
        await open_vote(chair, str(demo_data.OPEN_ID))
        await _cast_all(contexts[-ALREADY_CAST:], demo_data.OPEN_ID)
        for context in contexts:
            await context.release()
    return True


async def _vote_states(database: Database) -> dict[UUID, VoteState]:
    async with database.snapshot() as session:
        rows = await session.execute(
            select(Vote.id, Vote.state).where(Vote.meeting_id == demo_data.MEETING_ID)
        )
        return {row.id: row.state for row in rows}


async def _cast_all(contexts: list[Context], vote_id: UUID) -> None:
    random = Random(str(vote_id))  # noqa: S311 - an invented result
    kinds = list(MOTION)
    for context in contexts:
        (kind,) = random.choices(kinds, weights=[88, 7, 5])
        option = demo_data.option_id(vote_id, kind)
        await cast_ballot(context, str(vote_id), [str(option)], key="demo")


async def sign_in_members(
    database: Database, credentials: ServerCredentials, member_ids: list[UUID]
) -> list[Viewer]:
    """Give each member an account and a session of a month, with the demo's own token."""
    now = datetime.now(UTC)
    viewers = []
    async with database.writing() as session:
        for member_id in member_ids:
            await session.execute(
                insert_or_ignore(session, Account)
                .values(member_id=member_id)
                .on_conflict_do_nothing(index_elements=["member_id"])
            )
            account_id = await session.scalar(
                select(Account.id).where(Account.member_id == member_id)
            )
            token_hash = hash_token(credentials.demo_token(member_id))
            await session.execute(
                insert_or_ignore(session, Session)
                .values(
                    account_id=account_id,
                    token_hash=token_hash,
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
                .on_conflict_do_nothing(index_elements=["token_hash"])
            )
            session_id = await session.scalar(
                update(Session)
                .where(Session.token_hash == token_hash)
                .values(expires_at=now + LIFETIME, revoked_at=None)
                .returning(Session.id)
            )
            assert session_id is not None  # noqa: S101 - inserted just now, or there before
            viewers.append(Viewer(member_id, session_id, now + LIFETIME))
        await session.commit()
    return viewers


async def sign_in_people(database: Database, credentials: ServerCredentials) -> list[Person]:
    """The chair, three members, a probationary member and an officer, signed in.

    Raises LookupError when the database holds no demo.
    """
    member_ids = [member_id for _, member_id in PARTS]
    async with database.snapshot() as session:
        rows = await session.scalars(select(Member).where(Member.id.in_(member_ids)))
        names = {row.id: row.name for row in rows}
    if not names:
        raise LookupError("there is no demo in this database; run: branch-meetings run")
    await sign_in_members(database, credentials, member_ids)
    return [
        Person(names[member_id], part, credentials.demo_token(member_id))
        for part, member_id in PARTS
    ]


def as_data(people: list[Person], site: str) -> dict[str, Any]:
    """What programs need to take part: addresses, ids and tokens."""
    return {
        "http": f"{site}/graphql",
        "ws": f"{site.replace('http', 'ws', 1)}/graphql",
        "unit": {"id": str(demo_data.BRANCH_ID)},
        "meeting": {"id": str(demo_data.MEETING_ID)},
        "votes": {
            "finished": str(demo_data.FINISHED_ID),
            "open": str(demo_data.OPEN_ID),
            "prepared": str(demo_data.PREPARED_ID),
        },
        "people": [
            {
                "name": person.name,
                "part": person.part,
                "token": person.token,
                "link": person.link(site),
            }
            for person in people
        ],
    }
