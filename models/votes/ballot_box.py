"""Putting ballots into the box, so that no interleaving loses, doubles or adds one.

Casting holds the vote shared, opening, closing and recording hands hold it alone
(`models.locks`), each in a statement of its own before anything is checked. On PostgreSQL lock,
check and commit are one call of a function: nobody waits for this process while it holds the vote.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4, uuid5

from sqlalchemy import ARRAY, BigInteger, String, TextualSelect, Uuid, bindparam, text

from models.base import Instant
from models.database import Database, WriteSession, insert_rows
from models.driver.hot_statements import Statement
from models.locks import lock_number
from models.votes.votes import BallotChoice, OpenPaper
from rules.votes.ballots import Judged
from rules.votes.rule_sets import Secrecy


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


_BINDS = (
    bindparam("vote", type_=Uuid()),
    bindparam("number", type_=BigInteger()),
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("members", type_=ARRAY(Uuid())),
    bindparam("sessions", type_=ARRAY(Uuid())),
    bindparam("keys", type_=ARRAY(String())),
    bindparam("validities", type_=ARRAY(String())),
    bindparam("papers", type_=ARRAY(Uuid())),
    bindparam("options", type_=ARRAY(Uuid())),
)


def _call(function: str) -> Statement:
    """Lock, guard and rows are in the function, which migration 0008 has."""
    arguments = ", ".join(f":{bind.key}" for bind in _BINDS)
    return _statement(f"SELECT voter, moment FROM {function}({arguments})")


def _statement(call: str) -> Statement:
    bound = text(call).bindparams(*_BINDS)
    return Statement(bound.columns(voter=Uuid(), moment=Instant()))


_PUT_BALLOTS = _call("put_ballots")
_PUT_PAPERS = _call("put_papers")

# Whoever may cast now, by the database's clock and rows: what the functions ask on PostgreSQL.
_NOW = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
_ENTITLED = f"""
    FROM (
      SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS member_id,
             json_extract(value, '$[2]') AS session_id, json_extract(value, '$[3]') AS key,
             json_extract(value, '$[4]') AS validity
      FROM json_each(:new)
    ) AS new
    JOIN roll_entry ON roll_entry.vote_id = :vote AND roll_entry.member_id = new.member_id
    JOIN vote ON vote.id = roll_entry.vote_id
    JOIN member ON member.id = roll_entry.member_id
    JOIN session ON session.id = new.session_id
    WHERE session.revoked_at IS NULL AND session.expires_at > {_NOW}
      AND roll_entry.left_out IS NULL AND member.standing <> 'SUSPENDED'
      AND vote.state = 'OPEN' AND (vote.closes_at IS NULL OR {_NOW} < vote.closes_at)
      AND NOT EXISTS (
        SELECT 1 FROM hand_mark
        WHERE hand_mark.vote_id = vote.id AND hand_mark.member_id = new.member_id
          AND NOT EXISTS (
            SELECT 1 FROM hand_taken_back AS back
            WHERE back.vote_id = hand_mark.vote_id AND back.member_id = hand_mark.member_id
              AND back.sequence = hand_mark.sequence
          )
      )
      {{once}}
    ON CONFLICT DO NOTHING
"""

_ONE_BALLOT = """AND NOT EXISTS (
        SELECT 1 FROM ballot AS earlier
        WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
          AND (vote.change = 'FINAL' OR earlier.key = new.key)
      )"""


def _on_sqlite(put: str) -> TextualSelect:
    return (
        text(put)
        .bindparams(bindparam("vote", type_=Uuid()))
        .columns(member_id=Uuid(), cast_at=Instant())
    )


_BALLOTS_ON_SQLITE = _on_sqlite(f"""
    INSERT INTO ballot (id, vote_id, member_id, key, validity, cast_at, sequence)
    SELECT new.id, vote.id, new.member_id, new.key, new.validity, {_NOW}, 1 + COALESCE((
        SELECT MAX(earlier.sequence) FROM ballot AS earlier
        WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
      ), 0)
    {_ENTITLED.format(once=_ONE_BALLOT)}
    RETURNING member_id, cast_at
""")

_MARKS_ON_SQLITE = _on_sqlite(f"""
    INSERT INTO cast_mark (vote_id, member_id, key, cast_at)
    SELECT vote.id, new.member_id, new.key, {_NOW}
    {_ENTITLED.format(once="")}
    RETURNING member_id, cast_at
""")


async def put_ballots(
    database: Database, vote_id: UUID, secrecy: Secrecy, ballots: Sequence[NewBallot]
) -> list[CastBallot | None]:
    """Put each ballot into the box if the vote is open and its member may cast now, else None.

    One transaction, committed, however many. The caller has judged the ballots. Of two ballots of
    one member here, the first is taken; the database sees no other, because a statement does not
    see its own rows.
    """
    firsts: dict[UUID, NewBallot] = {}
    for new in ballots:
        firsts.setdefault(new.member_id, new)
    ids = {member_id: uuid4() for member_id in firsts}
    put = _put_on_postgresql if database.dialect == "postgresql" else _put_on_sqlite
    cast_at = await put(database, vote_id, secrecy, list(ids.values()), list(firsts.values()))
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
    database: Database,
    vote_id: UUID,
    secrecy: Secrecy,
    ids: Sequence[UUID],
    ballots: Sequence[NewBallot],
) -> dict[UUID, datetime]:
    marks = list(_marks(ids, ballots))
    rows = await database.look(
        _PUT_BALLOTS if secrecy is Secrecy.OPEN else _PUT_PAPERS,
        {
            "vote": vote_id,
            "number": lock_number(vote_id),
            "ids": list(ids),
            "members": [new.member_id for new in ballots],
            "sessions": [new.session_id for new in ballots],
            "keys": [new.key for new in ballots],
            "validities": [new.judged.validity.value for new in ballots],
            "papers": [paper_id for paper_id, _ in marks],
            "options": [option_id for _, option_id in marks],
        },
    )
    return {row.voter: row.moment for row in rows}


def _marks(ids: Sequence[UUID], ballots: Sequence[NewBallot]) -> Iterable[tuple[UUID, UUID]]:
    for ballot_id, new in zip(ids, ballots, strict=True):
        for option_id in new.judged.choices:
            yield ballot_id, option_id


async def _put_on_sqlite(
    database: Database,
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
    async with database.writing() as session:
        rows = await session.execute(
            _BALLOTS_ON_SQLITE if is_open else _MARKS_ON_SQLITE,
            {"vote": vote_id, "new": json.dumps(new)},
        )
        cast_at = {row.member_id: row.cast_at for row in rows}
        taken = [(i, n) for i, n in zip(ids, ballots, strict=True) if n.member_id in cast_at]
        await (_insert_choices if is_open else _insert_papers)(session, vote_id, taken)
        await session.commit()
    return cast_at


async def _insert_choices(
    session: WriteSession, vote_id: UUID, taken: Sequence[tuple[UUID, NewBallot]]
) -> None:
    choices = [
        {"ballot_id": i, "option_id": option_id, "vote_id": vote_id}
        for i, option_id in _marks([i for i, _ in taken], [n for _, n in taken])
    ]
    await insert_rows(session, BallotChoice, choices)


async def _insert_papers(
    session: WriteSession, vote_id: UUID, taken: Sequence[tuple[UUID, NewBallot]]
) -> None:
    papers = [
        {
            "id": i,
            "vote_id": vote_id,
            "validity": n.judged.validity,
            "choices": [str(option_id) for option_id in n.judged.choices],
        }
        for i, n in taken
    ]
    await insert_rows(session, OpenPaper, papers)
