"""Loading, permitting and locking in one call: nobody loads a row without saying what for.

Who may do something is asked before any lock, by a look that holds nothing: whoever is refused
keeps nobody waiting. It is asked again behind the lock, where it may have changed meanwhile. And
whoever may not know that a thing exists is answered as if it did not, after as much reading.
"""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, Uuid, bindparam, select

from models.database import ReadSession, WriteSession
from models.driver.hot_statements import Fetch, Statement
from models.locks import hold_alone, hold_shared, hold_vote_alone
from models.meetings.meetings import AgendaItem, Meeting
from models.register.units import Member, Membership, Unit, units_above, units_below, units_over
from models.votes.votes import Vote
from resolvers.access.affiliations import read_accesses
from resolvers.access.logins import Access
from resolvers.context import Context, Transaction, Viewer
from resolvers.meetings.loaders import MeetingLoaders
from resolvers.votes.loaders import VoteLoaders
from rules.permissions import (
    Act,
    Place,
    Relation,
    direct_relations,
    may,
    not_found,
    permit,
    refusal_of,
    relations_to_person,
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


def session_ended() -> Refusal:
    return Refusal(Reason.NOT_SIGNED_IN, "Your session has ended; sign in again.")


async def read_viewer(context: Context) -> Viewer | None:
    """Who is signed in, if anybody. Raises NOT_SIGNED_IN when the session has ended since."""
    if context.viewer is None:
        return None
    async with context.reading() as session:
        access = await _load_access(session.fetch, context.viewer)
    context.snapshot.place = access.place
    return access.viewer


async def read_unit(context: Context, unit_id: str | UUID, act: Act) -> Unit:
    """Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN."""
    wanted = _wanted(context, unit_id, "unit")
    async with context.reading() as session:
        place = await _viewer_place(context, session)
        permit(act, await _relations_to_unit(session, place, act, wanted), "unit")
        return await session.get_one(Unit, wanted)


async def read_meeting(context: Context, meeting_id: str | UUID, act: Act) -> Meeting:
    """Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN."""
    meeting = await context.loaders(MeetingLoaders).meeting_if_any.load(
        _wanted(context, meeting_id, "meeting")
    )
    await _permit_viewer(context, act, meeting.unit_id if meeting else None, "meeting")
    assert meeting is not None  # noqa: S101 - nobody is permitted anything in no unit
    return meeting


async def read_vote(context: Context, vote_id: str | UUID, act: Act) -> Vote:
    """Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN."""
    found = await context.loaders(VoteLoaders).vote_if_any.load(_wanted(context, vote_id, "vote"))
    await _permit_viewer(context, act, found.unit_id if found else None, "vote")
    assert found is not None  # noqa: S101 - as above
    return found.vote


async def read_member(context: Context, member_id: str | UUID, act: Act) -> tuple[Member, bool]:
    """A member, and whether the viewer may see the whole record. Raises as `read_unit`."""
    wanted = _wanted(context, member_id, "member")
    async with context.reading() as session:
        place = await _viewer_place(context, session)
        relations = await _relations_to_member(session.fetch, place, wanted)
        permit(act, relations, "member")
        member = await session.get_one(Member, wanted)
    return member, may(Act.VIEW_MEMBER_RECORD, relations)


async def meeting_to_join(
    transaction: Transaction, viewer: Viewer, meeting_id: UUID, act: Act
) -> Meeting:
    """Load a meeting whose state stays as it is until the end of the transaction."""
    await _permit_in_meeting(transaction.look, viewer, meeting_id, act)
    await hold_shared(transaction.session, meeting_id)
    return await _permitted_meeting(transaction.session, viewer, meeting_id, act)


async def meeting_to_change(
    transaction: Transaction, viewer: Viewer, meeting_id: UUID, act: Act
) -> Meeting:
    """Load a meeting that nobody else changes until the end of the transaction."""
    await _permit_in_meeting(transaction.look, viewer, meeting_id, act)
    await hold_alone(transaction.session, meeting_id)
    return await _permitted_meeting(transaction.session, viewer, meeting_id, act)


async def item_to_change(
    transaction: Transaction, viewer: Viewer, item_id: UUID, act: Act
) -> tuple[AgendaItem, Meeting]:
    """Load an item of an agenda and its meeting, which nobody else changes meanwhile."""
    place = await load_place(transaction.look, viewer)
    rows = await transaction.look(_MEETING_OF_ITEM, {"item": item_id})
    _permit_in_branch(place, act, rows[0].unit_id if rows else None, "agenda item")
    meeting = await meeting_to_change(transaction, viewer, rows[0].meeting_id, act)
    return await transaction.session.get_one(AgendaItem, item_id), meeting


async def vote_to_change(
    transaction: Transaction, viewer: Viewer, vote_id: UUID, act: Act
) -> tuple[Vote, Meeting]:
    """Load a vote and its meeting, both alone: ballots under way are in, others wait."""
    unit_id = await permit_on_vote(transaction.look, viewer, vote_id, act)
    await hold_vote(transaction, viewer, vote_id, act, unit_id)
    row = (
        await transaction.session.execute(
            select(Vote, Meeting)
            .join(Meeting, Meeting.id == Vote.meeting_id)
            .where(Vote.id == vote_id)
        )
    ).one()
    return row.Vote, row.Meeting


async def permit_on_vote(
    look: Fetch, viewer: Viewer, vote_id: UUID, act: Act, unit_id: UUID | None = None
) -> UUID:
    """The unit of the vote, where the viewer may do the act. Nothing is held. The unit is read
    where the caller does not know it; it never changes."""
    place = await load_place(look, viewer)
    unit_id = unit_id or await _unit_of_vote(look, vote_id)
    permit(act, await _relations_to_branch(look, place, act, unit_id), "vote")
    assert unit_id is not None  # noqa: S101 - nobody is permitted anything in no unit
    return unit_id


async def hold_vote(
    transaction: Transaction, viewer: Viewer, vote_id: UUID, act: Act, unit_id: UUID
) -> None:
    """Hold a vote and its meeting alone until the end of the transaction, for who was permitted
    the act in the unit before."""
    await hold_vote_alone(transaction.session, vote_id)
    fetch = transaction.session.fetch
    place = await load_place(fetch, viewer)
    permit(act, await _relations_to_branch(fetch, place, act, unit_id), "vote")


async def _relations_to_branch(
    fetch: Fetch, place: Place, act: Act, unit_id: UUID | None
) -> frozenset[Relation]:
    """Those of an officer of a unit above included, where the act is open to one."""
    direct = direct_relations(place, unit_id) if unit_id else frozenset()
    if unit_id is None or may(act, direct) or not may(act, {Relation.UPPER_OFFICER}):
        return direct
    above = await fetch(_UNITS_ABOVE, {"unit": unit_id})
    return direct | tree_relations(place, [row.unit_id for row in above], ())


async def member_to_judge(
    transaction: Transaction, viewer: Viewer, member_id: UUID, of_member: Act, of_officer: Act
) -> Member:
    """Load a member whom nobody else changes until the end of the transaction.

    Of the two acts the second counts where the member holds an office, in whatever unit. Their
    regular branch decides: where a member is attached for a time, nobody decides about them.
    """
    session = transaction.session
    acts = of_member, of_officer
    await _permit_on_person(transaction.look, viewer, member_id, *acts)
    await hold_alone(session, member_id)
    await _permit_on_person(session.fetch, viewer, member_id, *acts)
    return await session.get_one(Member, member_id)


async def _permit_in_meeting(fetch: Fetch, viewer: Viewer, meeting_id: UUID, act: Act) -> None:
    place = await load_place(fetch, viewer)
    rows = await fetch(_UNIT_OF_MEETING, {"meeting": meeting_id})
    _permit_in_branch(place, act, rows[0].unit_id if rows else None, "meeting")


async def _permitted_meeting(
    session: WriteSession, viewer: Viewer, meeting_id: UUID, act: Act
) -> Meeting:
    """What was permitted before the lock, read behind it."""
    meeting = await session.get_one(Meeting, meeting_id)
    place = await load_place(session.fetch, viewer)
    _permit_in_branch(place, act, meeting.unit_id, "meeting")
    return meeting


async def _unit_of_vote(fetch: Fetch, vote_id: UUID) -> UUID | None:
    rows = await fetch(_UNIT_OF_VOTE, {"vote": vote_id})
    return rows[0].unit_id if rows else None


async def _permit_on_person(
    fetch: Fetch, viewer: Viewer, member_id: UUID, of_member: Act, of_officer: Act
) -> None:
    place = await load_place(fetch, viewer)
    over: dict[tuple[UUID, bool], set[UUID]] = defaultdict(set)
    for row in await fetch(_UNITS_OVER_MEMBER, {"member": member_id}):
        over[row.root_id, bool(row.is_office)].add(row.unit_id)
    regular = next((root for root, is_office in over if not is_office), None)
    offices = [units - {root} for (root, is_office), units in over.items() if is_office]
    relations: frozenset[Relation] = frozenset()
    if regular is not None:
        relations = relations_to_person(place, regular, over[regular, False], offices)
    act = of_officer if offices else of_member
    if not may(act, relations):
        raise refusal_of(act, await _relations_to_member(fetch, place, member_id), "member")


async def may_in_unit(context: Context, act: Act, unit_id: UUID) -> bool:
    """Whether the viewer is allowed the act in the unit, without an error if not."""
    async with context.reading() as session:
        place = await _viewer_place(context, session)
        return may(act, await _relations_to_unit(session, place, act, unit_id))


async def viewer_may(context: Context, act: Act, unit_id: UUID) -> bool:
    """Whether the viewer is allowed the act by relations that need no look at the tree.

    Where the place is known it waits for nothing: fields that waited here one after the other
    would go on one by one, and what they load next would no longer be one statement.
    """
    if context.viewpoint is not None:
        return context.viewpoint.may(act, unit_id)
    place = await _known_place(context)
    return may(act, direct_relations(place, unit_id))


async def _permit_viewer(context: Context, act: Act, unit_id: UUID | None, what: str) -> None:
    """Raises NOT_FOUND, NOT_ALLOWED."""
    if context.viewpoint is None:
        _permit_in_branch(await _known_place(context), act, unit_id, what)
    elif unit_id is None or not context.viewpoint.may(act, unit_id):
        raise not_found(what)


def _permit_in_branch(place: Place, act: Act, unit_id: UUID | None, what: str) -> None:
    """Raises NOT_ALLOWED or NOT_FOUND: what is in no unit is not there. Meetings and votes are
    shown by relations that need no look at the tree."""
    permit(act, direct_relations(place, unit_id) if unit_id else frozenset(), what)


async def _known_place(context: Context) -> Place:
    if context.snapshot.place is not None:
        return context.snapshot.place
    async with context.reading() as session:
        return await _viewer_place(context, session)


async def _viewer_place(context: Context, session: ReadSession) -> Place:
    """The viewer's place, read once a snapshot."""
    if context.snapshot.place is None:
        context.snapshot.place = await load_place(session.fetch, context.signed_in())
    return context.snapshot.place


async def load_place(fetch: Fetch, viewer: Viewer) -> Place:
    """Read the viewer's place afresh. Raises NOT_SIGNED_IN when the session has ended."""
    return (await _load_access(fetch, viewer)).place


async def _load_access(fetch: Fetch, viewer: Viewer) -> Access:
    found = await read_accesses(fetch, [viewer.session_id])
    if viewer.session_id not in found:
        raise session_ended()
    return found[viewer.session_id]


async def _relations_to_unit(
    session: ReadSession, place: Place, act: Act, unit_id: UUID
) -> frozenset[Relation]:
    """Those that allow the act, or else all; none to a unit that there is not."""
    direct = direct_relations(place, unit_id)
    if may(act, direct):
        return direct
    above = await _ids(session, select(units_above(unit_id).c.unit_id))
    below = await _ids(session, select(units_below([unit_id]).c.unit_id))
    return direct | tree_relations(place, above, below)


async def _ids(session: ReadSession, statement: Select[UUID]) -> Collection[UUID]:
    return (await session.scalars(statement)).all()


async def _relations_to_member(fetch: Fetch, place: Place, member_id: UUID) -> frozenset[Relation]:
    """The relations to the member through the units they belong to; none to a member that there is
    not."""
    rows = await fetch(_UNITS_OF_MEMBER, {"member": member_id})
    relations = frozenset().union(*(direct_relations(place, row.unit_id) for row in rows))
    # An overseer follows the branch's meetings, not its people.
    relations -= {Relation.OVERSEER}
    return relations | {Relation.SELF} if member_id == place.member_id else relations


# Built once: to build it takes longer than to run it.
_UNIT_OF_MEETING = Statement(
    select(Meeting.unit_id).where(Meeting.id == bindparam("meeting", type_=Uuid()))
)
_MEETING_OF_ITEM = Statement(
    select(Meeting.id.label("meeting_id"), Meeting.unit_id)
    .join(AgendaItem, AgendaItem.meeting_id == Meeting.id)
    .where(AgendaItem.id == bindparam("item", type_=Uuid()))
)
_UNIT_OF_VOTE = Statement(
    select(Meeting.unit_id)
    .join(Vote, Vote.meeting_id == Meeting.id)
    .where(Vote.id == bindparam("vote", type_=Uuid()))
)
_UNITS_ABOVE = Statement(select(units_above(bindparam("unit", type_=Uuid())).c.unit_id))
_UNITS_OVER_MEMBER = Statement(select(units_over(bindparam("member", type_=Uuid()))))
_UNITS_OF_MEMBER = Statement(
    select(Membership.unit_id).where(
        Membership.member_id == bindparam("member", type_=Uuid()),
        Membership.valid_to.is_(None),
    )
)
