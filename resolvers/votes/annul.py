"""Setting a closed vote aside: an OPEN one by its chair, a hidden one by two officers."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.base import database_clock
from models.database import ReadSession, WriteSession
from models.meetings.meetings import Meeting
from models.register.units import Appointment, Member, Unit, units_below
from models.votes.audit import append_audit
from models.votes.closing import flip_vote
from models.votes.votes import Vote
from resolvers.access.permit import (
    load_place,
    parse_id,
    read_vote,
    viewer_may,
    vote_to_change,
)
from resolvers.context import Context, Transaction
from resolvers.input_text import read_text
from resolvers.votes.votes import announce_vote, change_vote
from rules.meetings.meetings import VoteState, check_closed
from rules.permissions import OFFICERS, Act
from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from rules.votes.annulling import check_second_officer
from rules.votes.record.audit import AuditKind, instant_text
from rules.votes.rule_sets import Secrecy

REASON_MAXIMUM = 1_000
"""Characters of a reason."""


class AnnulmentState(Enum):
    PROPOSED = "PROPOSED"
    CONFIRMED = "CONFIRMED"
    WITHDRAWN = "WITHDRAWN"


@dataclass(frozen=True)
class Annulment:
    """The annulment of a hidden vote, as an officer of a unit above may know of it too."""

    vote_id: UUID
    unit_id: UUID
    unit: str
    question: str
    reason: str
    proposed_by: str
    """A name."""
    proposed_at: datetime
    state: AnnulmentState


async def annul_vote(context: Context, vote_id: str, reason: str) -> Vote:
    """Set a closed vote aside with a reason; nothing of it is deleted, nor shown by that.

    A hidden one is set aside when another officer confirms it. Raises WRONG_STATE.
    """
    viewer = context.signed_in()
    reason = read_text(reason, REASON_MAXIMUM, "reason")
    async with context.transaction() as transaction:
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.ANNUL_VOTE
        )
        check_closed(vote.state)
        who = {"by": str(viewer.member_id), "reason": reason}
        if vote.secrecy is Secrecy.OPEN:
            await _annul(transaction, vote, reason, who)
        else:
            await _propose(transaction, vote, viewer.member_id, who)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def confirm_annulment(context: Context, vote_id: str) -> Annulment:
    """Set a hidden vote aside that another officer has proposed to annul.

    Raises WRONG_STATE where nobody has, and SECOND_OFFICER_NEEDED.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.CONFIRM_ANNULMENT
        )
        found = await _proposed(session, vote, AnnulmentState.CONFIRMED)
        proposer = vote.annulment_proposed_by_id
        assert proposer is not None  # noqa: S101 - written with the rest of the proposal
        officers = await _officers(session, meeting.unit_id)
        check_second_officer(viewer.member_id, proposer, officers)
        who = {"by": str(viewer.member_id), "proposedBy": str(proposer), "reason": found.reason}
        await _annul(transaction, vote, found.reason, who)
    return found


async def withdraw_annulment(context: Context, vote_id: str) -> Annulment:
    """Let a hidden vote stand that somebody has proposed to annul. Raises WRONG_STATE."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.WITHDRAW_ANNULMENT
        )
        found = await _proposed(session, vote, AnnulmentState.WITHDRAWN)
        await change_vote(session, vote.id, **_NO_PROPOSAL)
        who = {"by": str(viewer.member_id)}
        await append_audit(session, vote.id, AuditKind.ANNULMENT_WITHDRAWN, who)
        announce_vote(transaction, vote)
    return found


async def list_annulments(context: Context) -> list[Annulment]:
    """What waits for the viewer's confirmation, the oldest first."""
    viewer = context.signed_in()
    async with context.reading() as session:
        place = await load_place(session.fetch, viewer)
        led = [unit_id for unit_id in place.roles if place.is_officer(unit_id)]
        below = units_below(led)
        rows = await session.execute(
            _PROPOSALS.where(
                Vote.state == VoteState.CLOSED,
                Meeting.unit_id.in_(select(below.c.unit_id)),
            )
        )
        return [
            _annulment(row, AnnulmentState.PROPOSED)
            for row in rows.all()
            if await _may_confirm(session, viewer.member_id, row)
        ]


async def vote_of(context: Context, annulment: Annulment) -> Vote | None:
    """The vote itself, for who may see the meeting."""
    if not await viewer_may(context, Act.VIEW_MEETING, annulment.unit_id):
        return None
    return await read_vote(context, annulment.vote_id, Act.VIEW_MEETING)


async def _may_confirm(session: ReadSession, member_id: UUID, row: Any) -> bool:
    try:
        check_second_officer(member_id, row.proposer_id, await _officers(session, row.unit_id))
    except Refusal:
        return False
    return True


async def _annul(
    transaction: Transaction, vote: Vote, reason: str, payload: dict[str, Any]
) -> None:
    session = transaction.session
    annulled_at = await flip_vote(session, vote.id, VoteState.ANNULLED)
    await change_vote(session, vote.id, annulment=reason, **_NO_PROPOSAL)
    told = {**payload, "annulledAt": instant_text(annulled_at)}
    await append_audit(session, vote.id, AuditKind.ANNULLED, told)
    announce_vote(transaction, vote)


async def _propose(
    transaction: Transaction, vote: Vote, member_id: UUID, payload: dict[str, Any]
) -> None:
    if vote.annulment_proposed_at is not None:
        raise Refusal(Reason.WRONG_STATE, "This is proposed already; another officer confirms it.")
    session = transaction.session
    proposed_at = (await session.execute(select(database_clock()))).scalar_one()
    await change_vote(
        session,
        vote.id,
        annulment_proposed_at=proposed_at,
        annulment_proposed_by_id=member_id,
        proposed_annulment=payload["reason"],
    )
    told = {**payload, "proposedAt": instant_text(proposed_at)}
    await append_audit(session, vote.id, AuditKind.ANNULMENT_PROPOSED, told)
    announce_vote(transaction, vote)


async def _proposed(session: WriteSession, vote: Vote, state: AnnulmentState) -> Annulment:
    """What is proposed about the closed vote. Raises WRONG_STATE where nothing is."""
    check_closed(vote.state)
    row = (await session.execute(_PROPOSALS.where(Vote.id == vote.id))).one_or_none()
    if row is None:
        raise Refusal(Reason.WRONG_STATE, "Nobody has proposed to annul this vote.")
    return _annulment(row, state)


def _annulment(row: Any, state: AnnulmentState) -> Annulment:
    return Annulment(
        vote_id=row.id,
        unit_id=row.unit_id,
        unit=row.unit,
        question=row.question,
        reason=row.proposed_annulment,
        proposed_by=row.proposer,
        proposed_at=row.annulment_proposed_at,
        state=state,
    )


_PROPOSALS: Any = (
    select(
        Vote.id,
        Meeting.unit_id,
        Unit.name.label("unit"),
        Vote.question,
        Vote.proposed_annulment,
        Member.id.label("proposer_id"),
        Member.name.label("proposer"),
        Vote.annulment_proposed_at,
    )
    .join(Meeting, Meeting.id == Vote.meeting_id)
    .join(Unit, Unit.id == Meeting.unit_id)
    .join(Member, Member.id == Vote.annulment_proposed_by_id)
    .order_by(Vote.annulment_proposed_at)
)


async def _officers(session: ReadSession | WriteSession, unit_id: UUID) -> set[UUID]:
    """Those of the unit itself who are not suspended."""
    rows = await session.scalars(
        select(Appointment.member_id)
        .join(Member, Member.id == Appointment.member_id)
        .where(
            Appointment.unit_id == unit_id,
            Appointment.role.in_(OFFICERS),
            Appointment.valid_to.is_(None),
            Member.standing != Standing.SUSPENDED,
        )
    )
    return set(rows)


_NO_PROPOSAL: dict[str, Any] = {
    "annulment_proposed_at": None,
    "annulment_proposed_by_id": None,
    "proposed_annulment": None,
}
