"""The ballots that count: one by one as the record names them, and counted together."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Uuid, func, literal, select, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncSession

from models.database import ReadSession, WriteSession
from models.driver.hot_statements import Statement, among
from models.votes.votes import (
    Ballot,
    BallotChoice,
    CastMark,
    CountedHand,
    HandCount,
    Paper,
    PaperChoice,
    RollEntry,
    Vote,
)
from rules.meetings.meetings import VoteState
from rules.votes.ballots import Count, Tallies, Validity


@dataclass(frozen=True)
class RecordedBallot:
    """A ballot of an OPEN vote as the record names it."""

    id: UUID
    member_id: UUID
    validity: Validity
    choices: tuple[UUID, ...]


async def list_ballots(
    session: AsyncSession, vote_ids: Sequence[UUID]
) -> dict[UUID, list[RecordedBallot]]:
    """The ballots that count, by vote, in the order of the members' ids."""
    rows = await session.execute(_BALLOTS, {"votes": list(vote_ids)})
    found: dict[UUID, dict[UUID, RecordedBallot]] = {vote_id: {} for vote_id in vote_ids}
    for row in rows:
        of_vote = found[row.vote_id]
        before = of_vote[row.id].choices if row.id in of_vote else ()
        choices = (*before, *([row.option_id] if row.option_id else []))
        of_vote[row.id] = RecordedBallot(row.id, row.member_id, row.validity, choices)
    return {vote_id: list(of_vote.values()) for vote_id, of_vote in found.items()}


@dataclass(frozen=True)
class Turnout:
    """What a tally shows beside the counts, in members."""

    entitled: int = 0
    """On the roll."""
    by_hand: int = 0


async def count_votes(
    session: ReadSession | WriteSession, vote_ids: Collection[UUID]
) -> dict[UUID, Tallies]:
    """Recount ballots, papers and hands, by vote. Never a figure that was kept aside."""
    return _tallies(vote_ids, await session.fetch(_COUNTS, {"votes": list(vote_ids)}))


async def count_votes_and_turnout(
    session: ReadSession, vote_ids: Collection[UUID]
) -> dict[UUID, tuple[Tallies, Turnout]]:
    """The same with the turnout, in one statement: each ballot that is cast asks for it."""
    rows = await session.fetch(_COUNTS_AND_TURNOUT, {"votes": list(vote_ids)})
    turnouts = {row.vote_id: Turnout(row.weight, row.heads) for row in rows if _is_turnout(row)}
    tallies = _tallies(vote_ids, (row for row in rows if not _is_turnout(row)))
    return {one: (tallies[one], turnouts.get(one, Turnout())) for one in vote_ids}


def _is_turnout(row: Any) -> bool:
    return row.validity is None and row.option_id is None


def _tallies(vote_ids: Collection[UUID], rows: Iterable[Any]) -> dict[UUID, Tallies]:
    by_validity: dict[UUID, dict[Validity, Count]] = {}
    options: dict[UUID, dict[UUID, Count]] = {}
    for row in rows:
        count = Count(row.weight, row.heads)
        if row.option_id is None:
            by_validity.setdefault(row.vote_id, {})[row.validity] = count
        else:
            options.setdefault(row.vote_id, {})[row.option_id] = count
    return {
        vote_id: Tallies(
            valid=by_validity.get(vote_id, {}).get(Validity.VALID, Count()),
            blank=by_validity.get(vote_id, {}).get(Validity.BLANK, Count()),
            invalid=by_validity.get(vote_id, {}).get(Validity.INVALID, Count()),
            options=options.get(vote_id, {}),
        )
        for vote_id in vote_ids
    }


def _last_ballots() -> CTE:
    """(id, vote, member, validity, weight) of the ballots that count: of each member the one with
    the highest sequence.

    PostgreSQL knows nothing yet of ballots that came within the last minute, and takes them for a
    few. Joined with the later ones and with the roll, each would be compared with each. (While it
    takes the whole tables for empty, because they were analysed when they were, it still compares
    a few hundred so, in 14 ms; once a table fills eight pages it uses the index all the same.)
    """
    latest_first = func.row_number().over(
        partition_by=(Ballot.vote_id, Ballot.member_id), order_by=Ballot.sequence.desc()
    )
    ranked = (
        select(
            Ballot.id, Ballot.vote_id, Ballot.member_id, Ballot.validity, latest_first.label("rank")
        )
        .where(among(Ballot.vote_id, "votes"))
        .subquery()
    )
    weight = (
        select(RollEntry.weight)
        .where(RollEntry.vote_id == ranked.c.vote_id, RollEntry.member_id == ranked.c.member_id)
        .scalar_subquery()
    )
    return (
        select(
            ranked.c.id,
            ranked.c.vote_id,
            ranked.c.member_id,
            ranked.c.validity,
            weight.label("weight"),
        )
        .where(ranked.c.rank == 1)
        .cte("last_ballot")
    )


def _papers() -> Any:
    """(vote, validity, no option, weight, heads) of everything cast; each hand counted is a valid
    ballot. Nobody looks at the papers of a vote that is open: each mark stands for a valid one."""
    cast = union_all(
        select(_LAST.c.vote_id, _LAST.c.validity, _LAST.c.weight, literal(1).label("heads")),
        select(Paper.vote_id, Paper.validity, literal(1), literal(1)).where(
            among(Paper.vote_id, "votes")
        ),
        select(
            CastMark.vote_id, literal(Validity.VALID, Ballot.validity.type), literal(1), literal(1)
        )
        .join(Vote, Vote.id == CastMark.vote_id)
        .where(Vote.state == VoteState.OPEN, among(CastMark.vote_id, "votes")),
        select(
            CountedHand.vote_id,
            literal(Validity.VALID, Ballot.validity.type),
            literal(1),
            literal(1),
        ).where(among(CountedHand.vote_id, "votes")),
    ).subquery()
    return select(
        cast.c.vote_id,
        cast.c.validity,
        sql_cast(None, Uuid()).label("option_id"),
        func.sum(cast.c.weight).label("weight"),
        func.sum(cast.c.heads).label("heads"),
    ).group_by(cast.c.vote_id, cast.c.validity)


def _choices() -> Any:
    """(vote, no validity, option, weight, heads) of every option with a mark."""
    marked = union_all(
        select(
            _LAST.c.vote_id, BallotChoice.option_id, _LAST.c.weight, literal(1).label("heads")
        ).join(BallotChoice, BallotChoice.ballot_id == _LAST.c.id),
        select(Paper.vote_id, PaperChoice.option_id, literal(1), literal(1))
        .join(PaperChoice, PaperChoice.paper_id == Paper.id)
        .where(among(Paper.vote_id, "votes")),
        select(CountedHand.vote_id, CountedHand.option_id, literal(1), literal(1)).where(
            among(CountedHand.vote_id, "votes"), CountedHand.option_id.is_not(None)
        ),
        select(HandCount.vote_id, HandCount.option_id, HandCount.hands, HandCount.hands).where(
            among(HandCount.vote_id, "votes")
        ),
    ).subquery()
    return select(
        marked.c.vote_id,
        sql_cast(None, Ballot.validity.type),
        marked.c.option_id,
        func.sum(marked.c.weight).label("weight"),
        func.sum(marked.c.heads).label("heads"),
    ).group_by(marked.c.vote_id, marked.c.option_id)


def _turnout() -> Any:
    """(vote, no validity, no option, entitled members, hands counted) of every vote with a roll."""
    hands = select(func.count()).where(CountedHand.vote_id == RollEntry.vote_id).scalar_subquery()
    return (
        select(
            RollEntry.vote_id,
            sql_cast(None, Ballot.validity.type),
            sql_cast(None, Uuid()),
            func.count(),
            hands,
        )
        .where(among(RollEntry.vote_id, "votes"), RollEntry.left_out.is_(None))
        .group_by(RollEntry.vote_id)
    )


# Built once: to build it takes longer than to run it.
_LAST = _last_ballots()
_COUNTS = Statement(union_all(_papers(), _choices()))
_COUNTS_AND_TURNOUT = Statement(union_all(_papers(), _choices(), _turnout()))
_BALLOTS = (
    select(*_LAST.c, BallotChoice.option_id)
    .outerjoin(BallotChoice, BallotChoice.ballot_id == _LAST.c.id)
    .order_by(_LAST.c.member_id, BallotChoice.option_id)
)
