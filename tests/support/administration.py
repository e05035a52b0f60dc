"""A program that does what an operator does to the database: there are no mutations for it.

python -m tests.administration DATABASE_URL move MEMBER_ID BRANCH_ID
python -m tests.administration DATABASE_URL end-session TOKEN SECONDS
python -m tests.administration DATABASE_URL sign-in TOKEN DEVICE
python -m tests.administration DATABASE_URL finish QUESTION LABEL
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from secrets import token_bytes
from uuid import UUID

from sqlalchemy import insert, select, update

from models.accounts.accounts import Session
from models.database import Database, WriteSession
from models.register.units import Membership
from models.votes.votes import CastMark, OpenPaper, RollEntry, Vote, VoteOption
from rules.meetings.meetings import VoteState
from rules.register.members import MembershipKind
from rules.votes.ballots import OptionKind, Validity
from server.auth.credentials import hash_token


async def move(session: WriteSession, member: str, branch: str) -> None:
    """End the member's regular membership today, and begin one in the branch."""
    today = datetime.now(UTC).date()
    regular = {"member_id": UUID(member), "kind": MembershipKind.REGULAR}
    await session.execute(
        update(Membership)
        .filter_by(**regular)
        .where(Membership.valid_to.is_(None))
        .values(valid_to=today)
    )
    await session.execute(
        insert(Membership).values(unit_id=UUID(branch), valid_from=today, **regular)
    )


async def end_session(session: WriteSession, token: str, seconds: str) -> None:
    """Let the token's session end in so many seconds."""
    await session.execute(
        update(Session)
        .where(Session.token_hash == hash_token(token))
        .values(expires_at=datetime.now(UTC) + timedelta(seconds=float(seconds)))
    )


async def sign_in(session: WriteSession, token: str, device: str) -> None:
    """Let whose token it is be signed in on one more device."""
    now = datetime.now(UTC)
    account = select(Session.account_id).where(Session.token_hash == hash_token(token))
    await session.execute(
        insert(Session).values(
            account_id=account.scalar_subquery(),
            token_hash=token_bytes(32),
            created_at=now - timedelta(days=2),
            expires_at=now + timedelta(days=1),
            device=device,
        )
    )


async def finish(session: WriteSession, question: str, label: str) -> None:
    """Let five members cast for the option in a hidden vote, and its time be over."""
    vote = (
        await session.scalars(
            select(Vote).where(Vote.question == question, Vote.state == VoteState.OPEN)
        )
    ).one()
    option = await session.scalar(
        select(VoteOption.id).where(
            VoteOption.vote_id == vote.id,
            VoteOption.label == label,
            VoteOption.kind != OptionKind.AGAINST,
        )
    )
    marked = select(CastMark.member_id).where(CastMark.vote_id == vote.id)
    voters = await session.scalars(
        select(RollEntry.member_id)
        .where(
            RollEntry.vote_id == vote.id,
            RollEntry.left_out.is_(None),
            RollEntry.member_id.not_in(marked),
        )
        .limit(5)
    )
    now = datetime.now(UTC)
    for voter in voters.all():
        session.add(CastMark(vote_id=vote.id, member_id=voter, key="key", cast_at=now))
        paper = {"validity": Validity.VALID, "choices": [str(option)]}
        session.add(OpenPaper(vote_id=vote.id, **paper))
    await session.flush()
    await session.execute(update(Vote).where(Vote.id == vote.id).values(closes_at=now))


ACTS = {"move": move, "end-session": end_session, "sign-in": sign_in, "finish": finish}


async def administer(url: str, act: str, first: str, second: str) -> None:
    database = Database(url)
    try:
        async with database.writing() as session:
            await ACTS[act](session, first, second)
            await session.commit()
    finally:
        await database.dispose()


if __name__ == "__main__":
    asyncio.run(administer(*sys.argv[1:]))
