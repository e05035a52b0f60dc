"""Loading, permitting and locking in one call: nobody loads a row without saying what for."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from models.database import ReadSession, WriteSession
from models.locks import hold_alone, hold_shared, hold_vote_alone
from models.meetings import Meeting
from models.statements import Statement
from models.units import Member, Membership, Unit, units_above, units_below
from models.votes import Vote
from resolvers.context import Context, Transaction, Viewer
from resolvers.places import read_accesses
from resolvers.sessions import Access
from rules.members import MembershipKind
from rules.permissions import (
    Act,
    Place,
    Relation,
    direct_relations,
    may,
    not_allowed,
    permit,
    tree_relations,
)
from rules.refusals import Reason, Refusal


def parse_id(text: str, what: str) -> UUID:
    """An id from outside. Whatever is no id names nothing: NOT_FOUND."""
    try:
        return UUID(text)
    except ValueError:
        raise not_found(what) from None


def _wanted(context: Context, subject: str | UUID, what: str) -> UUID:
    """Who is not signed in is told that first, whatever they ask for."""
    if context.viewpoint is None:
        context.signed_in()
    return subject if isinstance(subject, UUID) else parse_id(subject, what)


def not_found(what: str) -> Refusal:
    return Refusal(Reason.NOT_FOUND, f"There is no such {what}.")


def session_ended() -> Refusal:
    return Refusal(Reason.NOT_SIGNED_IN, "Your session has ended; sign in again.")


async def read_viewer(context: Context) -> Viewer | None:
    """Who is signed in, if anybody. Raises NOT_SIGNED_IN when the session has ended since."""
    if context.viewer is None:
        return None
    async with context.reading() as session:
        access = await _load_access(session, context.viewer)
    context.snapshot.place = access.place
    return access.viewer


async def read_unit(context: Context, unit_id: str | UUID, act: Act) -> Unit:
    """Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN."""
    wanted = _wanted(context, unit_id, "unit")
    async with context.reading() as session:
        unit = await session.get(Unit, wanted)
        if unit is None:
            raise not_found("unit")
        await permit_in_unit(session, await _viewer_place(context, session), act, unit.id)
    return unit


async def read_meeting(context: Context, meeting_id: str | UUID, act: Act) -> Meeting:
    """Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN."""
    meeting = await context.loaders.meeting_if_any.load(_wanted(context, meeting_id, "meeting"))
    if meeting is None:
        raise not_found("meeting")
    await _permit_viewer(context, act, meeting.unit_id)
    return meeting


async def read_vote(context: Context, vote_id: str | UUID, act: Act) -> Vote:
    """Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN."""
    found = await context.loaders.vote_if_any.load(_wanted(context, vote_id, "vote"))
    if found is None:
        raise not_found("vote")
    await _permit_viewer(context, act, found.unit_id)
    return found.vote


async def read_member(context: Context, member_id: str | UUID, act: Act) -> tuple[Member, bool]:
    """A member, and whether the viewer may see the whole record. Raises as `read_unit`."""
    wanted = _wanted(context, member_id, "member")
    async with context.reading() as session:
        member = await session.get(Member, wanted)
        if member is None:
            raise not_found("member")
        place = await _viewer_place(context, session)
        relations = await _relations_to_member(session, place, member.id)
    permit(act, relations)
    return member, may(Act.VIEW_MEMBER_RECORD, relations)


async def meeting_to_join(
    transaction: Transaction, viewer: Viewer, meeting_id: UUID, act: Act
) -> Meeting:
    """Load a meeting whose state stays as it is until the end of the transaction."""
    await hold_shared(transaction.session, meeting_id)
    return await _permitted_meeting(transaction.session, viewer, meeting_id, act)


async def meeting_to_change(
    transaction: Transaction, viewer: Viewer, meeting_id: UUID, act: Act
) -> Meeting:
    """Load a meeting that nobody else changes until the end of the transaction."""
    await hold_alone(transaction.session, meeting_id)
    return await _permitted_meeting(transaction.session, viewer, meeting_id, act)


async def vote_to_change(
    transaction: Transaction, viewer: Viewer, vote_id: UUID, act: Act
) -> tuple[Vote, Meeting]:
    """Load a vote and its meeting, both alone: ballots under way are in, others wait."""
    await hold_vote(transaction, viewer, vote_id, act)
    row = (
        await transaction.session.execute(
            select(Vote, Meeting)
            .join(Meeting, Meeting.id == Vote.meeting_id)
            .where(Vote.id == vote_id)
        )
    ).one()
    return row.Vote, row.Meeting


async def hold_vote(
    transaction: Transaction,
    viewer: Viewer,
    vote_id: UUID,
    act: Act,
    unit_id: UUID | None = None,
) -> None:
    """Hold a vote and its meeting alone until the end of the transaction. The unit is read where
    the caller does not know it; it never changes."""
    session = transaction.session
    unit_id = unit_id or await _unit_of_vote(session, vote_id)
    # Asked before waiting for voters: who may not close must not make them wait either.
    await permit_in_unit(session, await load_place(session, viewer), act, unit_id)
    await hold_vote_alone(session, vote_id)


async def _unit_of_vote(session: WriteSession, vote_id: UUID) -> UUID:
    rows = await session.fetch(_UNIT_OF_VOTE, {"vote": vote_id})
    if not rows:
        raise not_found("vote")
    unit_id: UUID = rows[0].unit_id
    return unit_id


async def member_to_change(
    transaction: Transaction, viewer: Viewer, member_id: UUID, act: Act
) -> Member:
    """Load a member whom nobody else changes until the end of the transaction.

    The act is one of the regular branch: where a member is attached for a time, nobody decides
    about them.
    """
    session = transaction.session
    await hold_alone(session, member_id)
    member = await session.get(Member, member_id)
    if member is None:
        raise not_found("member")
    place = await load_place(session, viewer)
    permit(act, await _relations_to_member(session, place, member_id, MembershipKind.REGULAR))
    return member


async def _permitted_meeting(
    session: WriteSession, viewer: Viewer, meeting_id: UUID, act: Act
) -> Meeting:
    meeting = await session.get(Meeting, meeting_id)
    if meeting is None:
        raise not_found("meeting")
    await permit_in_unit(session, await load_place(session, viewer), act, meeting.unit_id)
    return meeting


async def may_in_unit(context: Context, act: Act, unit_id: UUID) -> bool:
    """Whether the viewer is allowed the act in the unit, without an error if not."""
    try:
        async with context.reading() as session:
            await permit_in_unit(session, await _viewer_place(context, session), act, unit_id)
    except Refusal:
        return False
    return True


async def viewer_may(context: Context, act: Act, unit_id: UUID) -> bool:
    """Whether the viewer is allowed the act by relations that need no look at the tree.

    Where the place is known it waits for nothing: fields that waited here one after the other
    would go on one by one, and what they load next would no longer be one statement.
    """
    if context.viewpoint is not None:
        return context.viewpoint.may(act, unit_id)
    place = context.snapshot.place
    if place is None:
        async with context.reading() as session:
            place = await _viewer_place(context, session)
    return may(act, direct_relations(place, unit_id))


async def _permit_viewer(context: Context, act: Act, unit_id: UUID) -> None:
    """Raises NOT_ALLOWED."""
    if not await viewer_may(context, act, unit_id):
        raise not_allowed(act)


async def _viewer_place(context: Context, session: ReadSession) -> Place:
    """The viewer's place, read once a snapshot."""
    if context.snapshot.place is None:
        context.snapshot.place = await load_place(session, context.signed_in())
    return context.snapshot.place


async def permit_in_unit(session: AsyncSession, place: Place, act: Act, unit_id: UUID) -> None:
    """Raises NOT_ALLOWED."""
    relations = direct_relations(place, unit_id)
    if not may(act, relations):
        permit(act, relations | await _tree_relations(session, place, unit_id))


async def load_place(session: ReadSession | WriteSession, viewer: Viewer) -> Place:
    """Read the viewer's place afresh. Raises NOT_SIGNED_IN when the session has ended."""
    return (await _load_access(session, viewer)).place


async def _load_access(session: ReadSession | WriteSession, viewer: Viewer) -> Access:
    found = await read_accesses(session.fetch, [viewer.session_id])
    if viewer.session_id not in found:
        raise session_ended()
    return found[viewer.session_id]


async def _tree_relations(
    session: AsyncSession, place: Place, unit_id: UUID
) -> frozenset[Relation]:
    above = await _ids(session, select(units_above(unit_id).c.unit_id))
    below = await _ids(session, select(units_below([unit_id]).c.unit_id))
    return tree_relations(place, above, below)


async def _ids(session: AsyncSession, statement: Select[UUID]) -> Collection[UUID]:
    return (await session.scalars(statement)).all()


async def _relations_to_member(
    session: AsyncSession,
    place: Place,
    member_id: UUID,
    *kinds: MembershipKind,
) -> frozenset[Relation]:
    """The relations to the member through the units they belong to in one of the ways."""
    units = await session.scalars(
        select(Membership.unit_id).where(
            Membership.member_id == member_id,
            Membership.kind.in_(kinds or MembershipKind),
            Membership.valid_to.is_(None),
        )
    )
    relations = frozenset().union(*(direct_relations(place, unit_id) for unit_id in units))
    # An overseer follows the branch's meetings, not its people.
    relations -= {Relation.OVERSEER}
    return relations | {Relation.SELF} if member_id == place.member_id else relations


# Built once: to build it takes longer than to run it.
_UNIT_OF_VOTE = Statement(
    select(Meeting.unit_id)
    .join(Vote, Vote.meeting_id == Meeting.id)
    .where(Vote.id == bindparam("vote", type_=Uuid()))
)
