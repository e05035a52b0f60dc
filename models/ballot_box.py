"""Casting ballots and closing votes, so that no interleaving loses, doubles or adds one.

Casting holds the vote shared, opening, closing and recording hands hold it alone
(`models.locks`), each in a statement of its own before anything is checked.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import SystemRandom
from typing import Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    String,
    TextClause,
    TextualSelect,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import aliased

from models.accounts import Account, Session
from models.base import Instant, database_clock
from models.database import WriteSession, on_postgresql
from models.units import Member
from models.votes import (
    Ballot,
    BallotChoice,
    CastMark,
    HandCount,
    HandMark,
    Paper,
    PaperChoice,
    RollEntry,
    Vote,
)
from rules.ballots import Count, Judged, Tallies, Validity
from rules.meetings import VoteState
from rules.members import Standing
from rules.roll import LeftOut
from rules.rule_sets import Change, Secrecy


@dataclass(frozen=True)
class NewBallot:
    """A judged ballot that wants to get into the box."""

    member_id: UUID
    session_id: UUID
    key: str
    judged: Judged


@dataclass(frozen=True)
class CastBallot:
    """What the box recorded of a member's cast. `choices` is None where nobody may know them."""

    id: UUID
    vote_id: UUID
    key: str
    choices: tuple[UUID, ...] | None
    cast_at: datetime


# Whoever may cast now, by the database's clock and rows. `{new}` are the ballots of this
# statement, `{once}` forbids a second one, `{clock}` is this very moment. The order is the same in
# every worker: a statement waits for another one's ballot of the same member, so two that went
# through the same members in different orders would wait for each other.
_ENTITLED = """
    FROM {new}
    JOIN roll_entry ON roll_entry.vote_id = :vote AND roll_entry.member_id = new.member_id
    JOIN vote ON vote.id = roll_entry.vote_id
    JOIN member ON member.id = roll_entry.member_id
    JOIN session ON session.id = new.session_id
    WHERE session.revoked_at IS NULL AND session.expires_at > {clock}
      AND roll_entry.left_out IS NULL AND member.standing <> 'SUSPENDED'
      AND vote.state = 'OPEN' AND (vote.closes_at IS NULL OR {clock} < vote.closes_at)
      AND NOT EXISTS (
        SELECT 1 FROM hand_mark
        WHERE hand_mark.vote_id = vote.id AND hand_mark.member_id = new.member_id
      )
      AND {once}
    ORDER BY new.member_id
    ON CONFLICT DO NOTHING
"""

_ONE_BALLOT = """NOT EXISTS (
        SELECT 1 FROM ballot AS earlier
        WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
          AND (vote.change = 'FINAL' OR earlier.key = new.key)
      )"""

_PUT_BALLOTS = (
    """
    INSERT INTO ballot (id, vote_id, member_id, key, validity, cast_at, sequence)
    SELECT new.id, vote.id, new.member_id, new.key, new.validity, {clock}, 1 + COALESCE((
        SELECT MAX(earlier.sequence) FROM ballot AS earlier
        WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
      ), 0)"""
    + _ENTITLED.replace("{once}", _ONE_BALLOT)
    + "RETURNING id, member_id, cast_at"
)

_PUT_MARKS = (
    """
    INSERT INTO cast_mark (vote_id, member_id, key, cast_at)
    SELECT vote.id, new.member_id, new.key, {clock}"""
    + _ENTITLED.replace("{once}", "TRUE")
    + "RETURNING member_id, cast_at"
)

_ON_POSTGRESQL = {
    "clock": "clock_timestamp()",
    "new": "unnest(:ids, :members, :sessions, :keys, :validities)"
    " AS new (id, member_id, session_id, key, validity)",
}
_ON_SQLITE = {
    "clock": "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
    "new": """(
      SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS member_id,
             json_extract(value, '$[2]') AS session_id, json_extract(value, '$[3]') AS key,
             json_extract(value, '$[4]') AS validity
      FROM json_each(:new)
    ) AS new""",
}

_BINDS = (
    bindparam("vote", type_=Uuid()),
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("members", type_=ARRAY(Uuid())),
    bindparam("sessions", type_=ARRAY(Uuid())),
    bindparam("keys", type_=ARRAY(String())),
    bindparam("validities", type_=ARRAY(String())),
    bindparam("papers", type_=ARRAY(Uuid())),
    bindparam("options", type_=ARRAY(Uuid())),
)


def _whole(put: str) -> TextClause:
    """One statement for PostgreSQL: rows, and the choices of those that were taken."""
    return text(put.format(**_ON_POSTGRESQL)).bindparams(*_BINDS)


_BALLOTS_ON_POSTGRESQL = _whole(
    "WITH put AS ("
    + _PUT_BALLOTS
    + """), marked AS (
      INSERT INTO ballot_choice (ballot_id, option_id, vote_id)
      SELECT put.id, choice.option_id, :vote
      FROM unnest(:papers, :options) AS choice (id, option_id) JOIN put ON put.id = choice.id
    )
    SELECT member_id, cast_at FROM put"""
)

_PAPERS_ON_POSTGRESQL = _whole(
    "WITH put AS ("
    + _PUT_MARKS
    + """), taken AS (
      SELECT new.id, new.validity FROM {new} JOIN put ON put.member_id = new.member_id
    ), papers AS (
      INSERT INTO paper (id, vote_id, validity) SELECT id, :vote, validity FROM taken
    ), marked AS (
      INSERT INTO paper_choice (paper_id, option_id, vote_id)
      SELECT taken.id, choice.option_id, :vote
      FROM unnest(:papers, :options) AS choice (id, option_id) JOIN taken ON taken.id = choice.id
    )
    SELECT member_id, cast_at FROM put"""
)


def _on_sqlite(put: str) -> TextualSelect:
    return (
        text(put.format(**_ON_SQLITE))
        .bindparams(bindparam("vote", type_=Uuid()))
        .columns(member_id=Uuid(), cast_at=Instant())
    )


_BALLOTS_ON_SQLITE = _on_sqlite(_PUT_BALLOTS)
_MARKS_ON_SQLITE = _on_sqlite(_PUT_MARKS)


async def put_ballots(
    session: WriteSession, vote_id: UUID, secrecy: Secrecy, ballots: Sequence[NewBallot]
) -> list[CastBallot | None]:
    """Put each ballot into the box if the vote is open and its member may cast now, else None.

    One statement, however many. The caller holds the vote shared, and has judged the ballots.
    Of two ballots of one member here, the first is taken; the database sees no other, because a
    statement does not see its own rows.
    """
    firsts: dict[UUID, NewBallot] = {}
    for new in ballots:
        firsts.setdefault(new.member_id, new)
    ids = {member_id: uuid4() for member_id in firsts}
    put = _put_on_postgresql if on_postgresql(session) else _put_on_sqlite
    cast_at = await put(session, vote_id, secrecy, list(ids.values()), list(firsts.values()))
    taken: list[CastBallot | None] = []
    for new in ballots:
        moment = cast_at.pop(new.member_id, None)
        ballot_id = ids[new.member_id]
        taken.append(_receipt(vote_id, secrecy, ballot_id, new, moment) if moment else None)
    return taken


def _receipt(
    vote_id: UUID, secrecy: Secrecy, ballot_id: UUID, new: NewBallot, cast_at: datetime
) -> CastBallot:
    if secrecy is Secrecy.OPEN:
        return CastBallot(ballot_id, vote_id, new.key, new.judged.choices, cast_at)
    return CastBallot(mark_id(vote_id, new.member_id), vote_id, new.key, None, cast_at)


def mark_id(vote_id: UUID, member_id: UUID) -> UUID:
    """The id of a receipt that leads to no paper."""
    return uuid5(vote_id, str(member_id))


async def _put_on_postgresql(
    session: WriteSession,
    vote_id: UUID,
    secrecy: Secrecy,
    ids: Sequence[UUID],
    ballots: Sequence[NewBallot],
) -> dict[UUID, datetime]:
    marks = list(_marks(ids, ballots))
    is_open = secrecy is Secrecy.OPEN
    rows = await session.execute(
        _BALLOTS_ON_POSTGRESQL if is_open else _PAPERS_ON_POSTGRESQL,
        {
            "vote": vote_id,
            "ids": list(ids),
            "members": [new.member_id for new in ballots],
            "sessions": [new.session_id for new in ballots],
            "keys": [new.key for new in ballots],
            "validities": [new.judged.validity.value for new in ballots],
            "papers": [paper_id for paper_id, _ in marks],
            "options": [option_id for _, option_id in marks],
        },
    )
    return {row.member_id: row.cast_at for row in rows}


def _marks(ids: Sequence[UUID], ballots: Sequence[NewBallot]) -> Iterable[tuple[UUID, UUID]]:
    for ballot_id, new in zip(ids, ballots, strict=True):
        for option_id in new.judged.choices:
            yield ballot_id, option_id


async def _put_on_sqlite(
    session: WriteSession,
    vote_id: UUID,
    secrecy: Secrecy,
    ids: Sequence[UUID],
    ballots: Sequence[NewBallot],
) -> dict[UUID, datetime]:
    is_open = secrecy is Secrecy.OPEN
    new = [
        [i.hex, n.member_id.hex, n.session_id.hex, n.key, n.judged.validity.value]
        for i, n in zip(ids, ballots, strict=True)
    ]
    rows = await session.execute(
        _BALLOTS_ON_SQLITE if is_open else _MARKS_ON_SQLITE,
        {"vote": vote_id, "new": json.dumps(new)},
    )
    cast_at = {row.member_id: row.cast_at for row in rows}
    taken = [(i, n) for i, n in zip(ids, ballots, strict=True) if n.member_id in cast_at]
    if not is_open:
        await _insert(
            session,
            Paper,
            [{"id": i, "vote_id": vote_id, "validity": n.judged.validity} for i, n in taken],
        )
    table, name = (BallotChoice, "ballot_id") if is_open else (PaperChoice, "paper_id")
    await _insert(
        session,
        table,
        [
            {name: i, "option_id": option_id, "vote_id": vote_id}
            for i, option_id in _marks([i for i, _ in taken], [n for _, n in taken])
        ],
    )
    return cast_at


async def _insert(session: WriteSession, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await session.execute(insert(table), rows)


async def find_casts(
    session: AsyncSession | AsyncConnection,
    vote_ids: Collection[UUID],
    member_ids: Collection[UUID],
) -> dict[tuple[UUID, UUID], list[CastBallot]]:
    """What the box recorded of the members' casts, by (vote, member), what counts last."""
    ballots = await session.execute(
        select(
            Ballot.id,
            Ballot.vote_id,
            Ballot.member_id,
            Ballot.key,
            Ballot.cast_at,
            BallotChoice.option_id,
        )
        .outerjoin(BallotChoice, BallotChoice.ballot_id == Ballot.id)
        .where(Ballot.vote_id.in_(vote_ids), Ballot.member_id.in_(member_ids))
        .order_by(Ballot.sequence, BallotChoice.option_id)
    )
    found: dict[tuple[UUID, UUID], dict[UUID, CastBallot]] = {}
    for row in ballots:
        of_member = found.setdefault((row.vote_id, row.member_id), {})
        before = of_member[row.id].choices if row.id in of_member else ()
        choices = (*(before or ()), *([row.option_id] if row.option_id else []))
        of_member[row.id] = CastBallot(row.id, row.vote_id, row.key, choices, row.cast_at)
    casts = {key: list(of_member.values()) for key, of_member in found.items()}
    marks = await session.execute(
        select(CastMark.vote_id, CastMark.member_id, CastMark.key, CastMark.cast_at).where(
            CastMark.vote_id.in_(vote_ids), CastMark.member_id.in_(member_ids)
        )
    )
    for mark in marks:
        receipt = mark_id(mark.vote_id, mark.member_id)
        casts[mark.vote_id, mark.member_id] = [
            CastBallot(receipt, mark.vote_id, mark.key, None, mark.cast_at)
        ]
    return casts


@dataclass(frozen=True)
class Voter:
    """What tells somebody whose ballot the box did not take why, at one moment."""

    state: VoteState
    is_over: bool
    """The time of the vote, by the database's clock."""
    standing: Standing
    is_on_roll: bool
    left_out: LeftOut | None
    was_counted: bool
    """By hand, in the room."""
    casts: list[CastBallot]


async def find_voters(
    connection: AsyncConnection, vote_id: UUID, session_ids: Collection[UUID]
) -> dict[UUID, Voter]:
    """Those who are signed in by these sessions, by session; whose session has ended is missing.

    The casts are read last: a ballot that was in the way of another one is among them.
    """
    rows = (
        await connection.execute(
            select(
                Session.id,
                Account.member_id,
                Vote.state,
                and_(Vote.closes_at.is_not(None), Vote.closes_at <= database_clock()).label(
                    "is_over"
                ),
                Member.standing,
                RollEntry.member_id.is_not(None).label("is_on_roll"),
                RollEntry.left_out,
                HandMark.member_id.is_not(None).label("was_counted"),
            )
            .join(Account, Account.id == Session.account_id)
            .join(Member, Member.id == Account.member_id)
            .join(Vote, Vote.id == vote_id)
            .outerjoin(RollEntry, _of_member(RollEntry))
            .outerjoin(HandMark, _of_member(HandMark))
            .where(
                Session.id.in_(session_ids),
                Session.revoked_at.is_(None),
                Session.expires_at > database_clock(),
            )
        )
    ).all()
    casts = await find_casts(connection, [vote_id], [row.member_id for row in rows])
    return {
        row.id: Voter(
            row.state,
            row.is_over,
            row.standing,
            row.is_on_roll,
            row.left_out,
            row.was_counted,
            casts.get((vote_id, row.member_id), []),
        )
        for row in rows
    }


def _of_member(table: type[RollEntry] | type[HandMark]) -> ColumnElement[bool]:
    return and_(table.vote_id == Vote.id, table.member_id == Member.id)


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
    rows = await session.execute(
        select(Ballot.id, Ballot.vote_id, Ballot.member_id, Ballot.validity, BallotChoice.option_id)
        .outerjoin(BallotChoice, BallotChoice.ballot_id == Ballot.id)
        .where(Ballot.vote_id.in_(vote_ids), _is_last())
        .order_by(Ballot.member_id, BallotChoice.option_id)
    )
    found: dict[UUID, dict[UUID, RecordedBallot]] = {vote_id: {} for vote_id in vote_ids}
    for row in rows:
        of_vote = found[row.vote_id]
        before = of_vote[row.id].choices if row.id in of_vote else ()
        choices = (*before, *([row.option_id] if row.option_id else []))
        of_vote[row.id] = RecordedBallot(row.id, row.member_id, row.validity, choices)
    return {vote_id: list(of_vote.values()) for vote_id, of_vote in found.items()}


async def list_castable(
    session: AsyncSession, vote_ids: Collection[UUID], member_ids: Collection[UUID]
) -> set[tuple[UUID, UUID]]:
    """(vote, member) of these votes whose box would take a ballot of one of these members now."""
    cast = [
        select(table.vote_id)
        .where(table.vote_id == Vote.id, table.member_id == RollEntry.member_id)
        .correlate(Vote, RollEntry)
        .exists()
        for table in (Ballot, CastMark, HandMark)
    ]
    has_ballot, has_mark, was_counted = cast
    rows = await session.execute(
        select(Vote.id, RollEntry.member_id)
        .join(RollEntry, RollEntry.vote_id == Vote.id)
        .join(Member, Member.id == RollEntry.member_id)
        .where(
            Vote.id.in_(vote_ids),
            Vote.state == VoteState.OPEN,
            or_(Vote.closes_at.is_(None), Vote.closes_at > database_clock()),
            RollEntry.member_id.in_(member_ids),
            RollEntry.left_out.is_(None),
            Member.standing != Standing.SUSPENDED,
            ~has_mark,
            ~was_counted,
            or_(Vote.change == Change.LAST_COUNTS, ~has_ballot),
        )
    )
    return {(row.id, row.member_id) for row in rows}


async def flip_vote(session: WriteSession, vote_id: UUID, to: VoteState) -> datetime | None:
    """Move the vote from its state to the next. None if it was not in the state before `to`.

    Closing flips first and counts after: whoever waited for the lock finds it closed.
    """
    before, moment = {
        VoteState.OPEN: (VoteState.PREPARED, Vote.opened_at),
        VoteState.CLOSED: (VoteState.OPEN, Vote.closed_at),
        VoteState.ANNULLED: (VoteState.CLOSED, Vote.annulled_at),
    }[to]
    return await session.scalar(
        update(Vote)
        .where(Vote.id == vote_id, Vote.state == before)
        .values(
            {
                Vote.state: to,
                moment: database_clock(),
                Vote.row_version: Vote.row_version + 1,
            }
        )
        .returning(moment)
    )


async def count_votes(session: AsyncSession, vote_ids: Collection[UUID]) -> dict[UUID, Tallies]:
    """Recount ballots, papers and hands, by vote. Never a figure that was kept aside."""
    by_validity: dict[UUID, dict[Validity, Count]] = {}
    options: dict[UUID, dict[UUID, Count]] = {}
    for row in await session.execute(_COUNTS, {"votes": list(vote_ids)}):
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


def _is_last() -> Any:
    """Of a member's ballots the one with the highest sequence counts."""
    later = aliased(Ballot)
    return ~(
        select(later.id)
        .where(
            later.vote_id == Ballot.vote_id,
            later.member_id == Ballot.member_id,
            later.sequence > Ballot.sequence,
        )
        .exists()
    )


def _on_roll() -> Any:
    return (RollEntry.vote_id == Ballot.vote_id) & (RollEntry.member_id == Ballot.member_id)


def _papers() -> Any:
    """(vote, validity, no option, weight, heads) of everything cast; each hand counted is a valid
    ballot."""
    cast = union_all(
        select(Ballot.vote_id, Ballot.validity, RollEntry.weight, literal(1).label("heads"))
        .join(RollEntry, _on_roll())
        .where(Ballot.vote_id.in_(_VOTES), _is_last()),
        select(Paper.vote_id, Paper.validity, literal(1), literal(1)).where(
            Paper.vote_id.in_(_VOTES)
        ),
        select(
            HandMark.vote_id, literal(Validity.VALID, Ballot.validity.type), literal(1), literal(1)
        ).where(HandMark.vote_id.in_(_VOTES)),
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
        select(Ballot.vote_id, BallotChoice.option_id, RollEntry.weight, literal(1).label("heads"))
        .join(BallotChoice, BallotChoice.ballot_id == Ballot.id)
        .join(RollEntry, _on_roll())
        .where(Ballot.vote_id.in_(_VOTES), _is_last()),
        select(PaperChoice.vote_id, PaperChoice.option_id, literal(1), literal(1)).where(
            PaperChoice.vote_id.in_(_VOTES)
        ),
        select(HandCount.vote_id, HandCount.option_id, HandCount.hands, HandCount.hands).where(
            HandCount.vote_id.in_(_VOTES)
        ),
    ).subquery()
    return select(
        marked.c.vote_id,
        sql_cast(None, Ballot.validity.type),
        marked.c.option_id,
        func.sum(marked.c.weight).label("weight"),
        func.sum(marked.c.heads).label("heads"),
    ).group_by(marked.c.vote_id, marked.c.option_id)


_VOTES = bindparam("votes", type_=Uuid(), expanding=True)
# Built once: to build it takes longer than to run it.
_COUNTS = union_all(_papers(), _choices())


async def rewrite_papers(session: WriteSession, vote_id: UUID) -> None:
    """Write the papers of a closed UNATTRIBUTED vote anew, in random order with other ids.

    On PostgreSQL by a function of the tables' owner: the application's role may not delete.
    """
    if on_postgresql(session):
        await session.execute(select(func.rewrite_papers(vote_id)))
        return
    papers = (
        await session.execute(select(Paper.id, Paper.validity).where(Paper.vote_id == vote_id))
    ).all()
    choices = (
        await session.execute(
            select(PaperChoice.paper_id, PaperChoice.option_id).where(
                PaperChoice.vote_id == vote_id
            )
        )
    ).all()
    fresh = {row.id: uuid4() for row in papers}
    await session.execute(delete(PaperChoice).where(PaperChoice.vote_id == vote_id))
    await session.execute(delete(Paper).where(Paper.vote_id == vote_id))
    new_papers = [
        {"id": fresh[row.id], "vote_id": vote_id, "validity": row.validity} for row in papers
    ]
    SystemRandom().shuffle(new_papers)
    await _insert(session, Paper, new_papers)
    new_choices = [
        {"paper_id": fresh[row.paper_id], "option_id": row.option_id, "vote_id": vote_id}
        for row in choices
    ]
    SystemRandom().shuffle(new_choices)
    await _insert(session, PaperChoice, new_choices)
