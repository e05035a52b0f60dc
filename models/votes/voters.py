"""What the ballot box knows of its voters: what they cast, and whether and why not they may."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.accounts.accounts import Account, Session
from models.base import database_clock
from models.database import WriteSession
from models.driver.hot_statements import Statement
from models.meetings.meetings import Attendance
from models.register.units import Member
from models.votes.ballot_box import CastBallot, mark_id
from models.votes.votes import Ballot, BallotChoice, CastMark, CountedHand, RollEntry, Vote
from rules.meetings.meetings import AttendanceStatus, VoteState
from rules.register.members import Standing
from rules.votes.roll import LeftOut
from rules.votes.rule_sets import Change


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

    @property
    def is_entitled(self) -> bool:
        return self.is_on_roll and self.left_out is None


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
                CountedHand.member_id.is_not(None).label("was_counted"),
            )
            .join(Account, Account.id == Session.account_id)
            .join(Member, Member.id == Account.member_id)
            .join(Vote, Vote.id == vote_id)
            .outerjoin(RollEntry, _of_member(RollEntry))
            .outerjoin(CountedHand, _of_member(CountedHand))
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


async def count_waiting(session: WriteSession, vote_id: UUID) -> int:
    """How many of those present may still vote in an open vote; none once its time is over.

    Present is who has checked in. Where nobody entitled has, it is everybody: nobody can say then
    who is there.
    """
    (row,) = await session.fetch(_WAITING, {"vote": vote_id})
    if row.is_over:
        return 0
    return int(row.present_waiting if row.present else row.waiting)


def _waiting() -> Statement:
    vote_id = bindparam("vote", type_=Uuid())
    has_cast = RollEntry.member_id.in_(
        union_all(
            *(
                select(table.member_id).where(table.vote_id == vote_id)
                for table in (Ballot, CastMark, CountedHand)
            )
        )
    )
    is_present = Attendance.status == AttendanceStatus.PRESENT
    is_entitled = and_(RollEntry.left_out.is_(None), Member.standing != Standing.SUSPENDED)
    is_over = or_(
        Vote.state != VoteState.OPEN,
        and_(Vote.closes_at.is_not(None), Vote.closes_at <= database_clock()),
    )
    return Statement(
        select(
            func.count().filter(is_entitled, ~has_cast).label("waiting"),
            func.count().filter(is_entitled, is_present).label("present"),
            func.count().filter(is_entitled, is_present, ~has_cast).label("present_waiting"),
            select(is_over).where(Vote.id == vote_id).scalar_subquery().label("is_over"),
        )
        .select_from(RollEntry)
        .join(Vote, Vote.id == RollEntry.vote_id)
        .join(Member, Member.id == RollEntry.member_id)
        .outerjoin(
            Attendance,
            and_(
                Attendance.meeting_id == Vote.meeting_id,
                Attendance.member_id == RollEntry.member_id,
            ),
        )
        .where(RollEntry.vote_id == vote_id)
    )


def _of_member(table: type[RollEntry] | type[CountedHand]) -> ColumnElement[bool]:
    return and_(table.vote_id == Vote.id, table.member_id == Member.id)


async def list_castable(
    session: AsyncSession, vote_ids: Collection[UUID], member_ids: Collection[UUID]
) -> set[tuple[UUID, UUID]]:
    """(vote, member) of these votes whose box would take a ballot of one of these members now."""
    cast = [
        select(table.vote_id)
        .where(table.vote_id == Vote.id, table.member_id == RollEntry.member_id)
        .correlate(Vote, RollEntry)
        .exists()
        for table in (Ballot, CastMark, CountedHand)
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


# Built once: to build it takes longer than to run it.
_WAITING = _waiting()
