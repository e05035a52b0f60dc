"""The secret of a vote's lot, and the keys that it is mixed with (`rules.votes.lot`)."""

import secrets
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.votes.counting import list_ballots
from models.votes.votes import Ballot, CastMark, Lot, Vote
from rules.votes.lot import SECRET_BYTES, commitment_of
from rules.votes.rule_sets import Secrecy


async def draw_secret(session: AsyncSession, vote_id: UUID) -> str:
    """Draw the secret of a vote that opens. Gives its commitment, in hex."""
    secret = secrets.token_bytes(SECRET_BYTES)
    await session.execute(insert(Lot).values(vote_id=vote_id, secret=secret))
    return commitment_of(secret)


async def read_secret(session: AsyncSession, vote_id: UUID) -> bytes | None:
    """None for a vote that opened before secrets were drawn."""
    return await session.scalar(select(Lot.secret).where(Lot.vote_id == vote_id))


async def list_keys(session: AsyncSession, vote: Vote) -> list[str]:
    """The keys of the ballots that count, or of the marks, in alphabetical order: nobody's."""
    if vote.secrecy is Secrecy.OPEN:
        counted = [one.id for one in (await list_ballots(session, [vote.id]))[vote.id]]
        keys = await session.scalars(select(Ballot.key).where(Ballot.id.in_(counted)))
    else:
        keys = await session.scalars(select(CastMark.key).where(CastMark.vote_id == vote.id))
    return sorted(keys)
