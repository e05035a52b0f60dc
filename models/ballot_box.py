"""Putting ballots into the box, so that no interleaving loses, doubles or adds one.

Casting holds the vote shared, opening, closing and recording hands hold it alone
(`models.locks`), each in a statement of its own before anything is checked.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from sqlalchemy import ARRAY, String, TextClause, TextualSelect, Uuid, bindparam, text

from models.base import Instant
from models.database import WriteSession, insert_rows, on_postgresql
from models.votes import BallotChoice, Paper, PaperChoice
from rules.ballots import Judged
from rules.rule_sets import Secrecy


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
        await insert_rows(
            session,
            Paper,
            [{"id": i, "vote_id": vote_id, "validity": n.judged.validity} for i, n in taken],
        )
    table, name = (BallotChoice, "ballot_id") if is_open else (PaperChoice, "paper_id")
    await insert_rows(
        session,
        table,
        [
            {name: i, "option_id": option_id, "vote_id": vote_id}
            for i, option_id in _marks([i for i, _ in taken], [n for _, n in taken])
        ],
    )
    return cast_at
