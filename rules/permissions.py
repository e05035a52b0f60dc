"""Who may do what: one table of acts by relation; whatever it does not name is not allowed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from rules.refusals import Reason, Refusal
from rules.register.members import Role, Standing


class Relation(Enum):
    """How the viewer stands to the unit or person that an act concerns."""

    SELF = "SELF"
    MEMBER = "MEMBER"
    """Belongs to the unit, or is temporarily attached to it, and is not suspended."""
    OFFICER = "OFFICER"
    """Secretary or deputy secretary of the unit: chairs its meetings."""
    OVERSEER = "OVERSEER"
    """Appointed by the upper committee to follow the unit."""
    UPPER_OFFICER = "UPPER_OFFICER"
    """Officer of a unit above: sees aggregates of the subtree, never a meeting or a person."""
    BELOW = "BELOW"
    """Belongs somewhere in the unit's subtree."""


class Act(Enum):
    VIEW_UNIT = "VIEW_UNIT"
    VIEW_SUBTREE = "VIEW_SUBTREE"
    VIEW_MEMBER = "VIEW_MEMBER"
    VIEW_MEMBER_RECORD = "VIEW_MEMBER_RECORD"
    LIST_MEETINGS = "LIST_MEETINGS"
    VIEW_MEETING = "VIEW_MEETING"
    CHECK_IN = "CHECK_IN"
    CAST_BALLOT = "CAST_BALLOT"
    START_MEETING = "START_MEETING"
    PAUSE_MEETING = "PAUSE_MEETING"
    CLOSE_MEETING = "CLOSE_MEETING"
    MOVE_AGENDA = "MOVE_AGENDA"
    OPEN_VOTE = "OPEN_VOTE"
    CLOSE_VOTE = "CLOSE_VOTE"
    PREPARE_VOTE = "PREPARE_VOTE"
    AMEND_ROLL = "AMEND_ROLL"
    EXTEND_VOTE = "EXTEND_VOTE"
    RECORD_HANDS = "RECORD_HANDS"
    TAKE_BACK_HANDS = "TAKE_BACK_HANDS"
    CONTEST_HAND = "CONTEST_HAND"
    BREAK_TIE = "BREAK_TIE"
    PUBLISH_VOTE = "PUBLISH_VOTE"
    ANNUL_VOTE = "ANNUL_VOTE"
    CONFIRM_ANNULMENT = "CONFIRM_ANNULMENT"
    WITHDRAW_ANNULMENT = "WITHDRAW_ANNULMENT"
    REPEAT_VOTE = "REPEAT_VOTE"
    GIVE_PROXY = "GIVE_PROXY"
    CONFIRM_ATTENDANCE = "CONFIRM_ATTENDANCE"
    SUSPEND_MEMBER = "SUSPEND_MEMBER"
    REINSTATE_MEMBER = "REINSTATE_MEMBER"
    SUSPEND_OFFICER = "SUSPEND_OFFICER"
    REINSTATE_OFFICER = "REINSTATE_OFFICER"


_BRANCH = frozenset({Relation.MEMBER, Relation.OFFICER, Relation.OVERSEER})
_CHAIR = frozenset({Relation.OFFICER})

PERMISSIONS: dict[Act, frozenset[Relation]] = {
    Act.VIEW_UNIT: _BRANCH | {Relation.UPPER_OFFICER, Relation.BELOW},
    Act.VIEW_SUBTREE: _BRANCH | {Relation.UPPER_OFFICER},
    Act.VIEW_MEMBER: frozenset({Relation.SELF, Relation.MEMBER, Relation.OFFICER}),
    Act.VIEW_MEMBER_RECORD: frozenset({Relation.SELF, Relation.OFFICER}),
    Act.LIST_MEETINGS: _BRANCH,
    Act.VIEW_MEETING: _BRANCH,
    Act.CHECK_IN: frozenset({Relation.MEMBER}),
    Act.CAST_BALLOT: frozenset({Relation.MEMBER}),
    Act.START_MEETING: _CHAIR,
    Act.PAUSE_MEETING: _CHAIR,
    Act.CLOSE_MEETING: _CHAIR,
    Act.MOVE_AGENDA: _CHAIR,
    Act.OPEN_VOTE: _CHAIR,
    Act.CLOSE_VOTE: _CHAIR,
    Act.PREPARE_VOTE: _CHAIR,
    Act.AMEND_ROLL: _CHAIR,
    Act.EXTEND_VOTE: _CHAIR,
    Act.RECORD_HANDS: _CHAIR,
    Act.TAKE_BACK_HANDS: _CHAIR,
    Act.CONTEST_HAND: frozenset({Relation.MEMBER}),
    Act.BREAK_TIE: _CHAIR,
    Act.PUBLISH_VOTE: _CHAIR,
    Act.ANNUL_VOTE: _CHAIR,
    Act.CONFIRM_ANNULMENT: _CHAIR | {Relation.UPPER_OFFICER},
    Act.WITHDRAW_ANNULMENT: _CHAIR,
    Act.REPEAT_VOTE: _CHAIR,
    Act.GIVE_PROXY: frozenset({Relation.MEMBER}),
    Act.CONFIRM_ATTENDANCE: _CHAIR,
    Act.SUSPEND_MEMBER: _CHAIR,
    # What a branch decided about a member can be undone above it.
    Act.REINSTATE_MEMBER: _CHAIR | {Relation.UPPER_OFFICER},
    # Whoever holds an office, wherever it is, answers to the level above it alone.
    Act.SUSPEND_OFFICER: frozenset({Relation.UPPER_OFFICER}),
    Act.REINSTATE_OFFICER: frozenset({Relation.UPPER_OFFICER}),
}

MEETING_ACTS = (
    Act.CHECK_IN,
    Act.CAST_BALLOT,
    Act.START_MEETING,
    Act.PAUSE_MEETING,
    Act.CLOSE_MEETING,
    Act.MOVE_AGENDA,
    Act.OPEN_VOTE,
    Act.CLOSE_VOTE,
    Act.PREPARE_VOTE,
    Act.GIVE_PROXY,
    Act.CONFIRM_ATTENDANCE,
)

_SHOWN_BY = {
    Act.VIEW_UNIT: Act.VIEW_UNIT,
    Act.VIEW_SUBTREE: Act.VIEW_UNIT,
    Act.LIST_MEETINGS: Act.VIEW_UNIT,
    Act.VIEW_MEMBER: Act.VIEW_MEMBER,
    Act.VIEW_MEMBER_RECORD: Act.VIEW_MEMBER,
    Act.SUSPEND_MEMBER: Act.VIEW_MEMBER,
    Act.REINSTATE_MEMBER: Act.VIEW_MEMBER,
    Act.SUSPEND_OFFICER: Act.VIEW_MEMBER,
    Act.REINSTATE_OFFICER: Act.VIEW_MEMBER,
}
"""The act that shows somebody that there is what an act is about; of all others VIEW_MEETING."""

OFFICERS = frozenset({Role.SECRETARY, Role.DEPUTY_SECRETARY})


@dataclass(frozen=True)
class Place:
    """Where a person stands today: the units they belong or are attached to, and their roles."""

    member_id: UUID
    standing: Standing
    units: frozenset[UUID]
    roles: Mapping[UUID, frozenset[Role]]

    def is_officer(self, unit_id: UUID) -> bool:
        return not OFFICERS.isdisjoint(self.roles.get(unit_id, frozenset()))


@dataclass(frozen=True)
class Audience:
    """Those who see the same of a unit's meetings: what is shown depends on nothing else.

    `member_id` is set where something personal is shown: such an audience is one member.
    """

    unit_id: UUID
    relations: frozenset[Relation]
    member_id: UUID | None = None

    def may(self, act: Act, unit_id: UUID) -> bool:
        """In every other unit it may nothing: what is not known is not allowed."""
        return unit_id == self.unit_id and may(act, self.relations)


def direct_relations(place: Place, unit_id: UUID) -> frozenset[Relation]:
    """Relations to a unit that need no look at the tree. A suspended member has none."""
    if place.standing is Standing.SUSPENDED:
        return frozenset()
    relations = set()
    if unit_id in place.units:
        relations.add(Relation.MEMBER)
    if place.is_officer(unit_id):
        relations.add(Relation.OFFICER)
    if Role.OVERSEER in place.roles.get(unit_id, frozenset()):
        relations.add(Relation.OVERSEER)
    return frozenset(relations)


def tree_relations(
    place: Place, above: Collection[UUID], below: Collection[UUID]
) -> frozenset[Relation]:
    """Relations to a unit through the units above it and below it. A suspended member has none."""
    if place.standing is Standing.SUSPENDED:
        return frozenset()
    relations = set()
    if any(map(place.is_officer, above)):
        relations.add(Relation.UPPER_OFFICER)
    if not place.units.isdisjoint(below):
        relations.add(Relation.BELOW)
    return frozenset(relations)


def relations_to_person(
    place: Place, unit_id: UUID, above: Collection[UUID], offices: Collection[Collection[UUID]]
) -> frozenset[Relation]:
    """How somebody stands to a person about whom they would decide: as an officer of the person's
    unit, or of one above it and above every office that the person holds.

    `above` are the units above the person's unit, `offices` those above each unit in which the
    person holds an office: nobody decides about who stands beside or above them, nor about
    themselves. A suspended member has no relations.
    """
    if place.standing is Standing.SUSPENDED:
        return frozenset()
    reach = {unit_id, *above}.intersection(*offices)
    led = set(filter(place.is_officer, reach))
    beside = set() if offices else {unit_id}
    relations = set()
    if led & beside:
        relations.add(Relation.OFFICER)
    if led - beside:
        relations.add(Relation.UPPER_OFFICER)
    return frozenset(relations)


def may(act: Act, relations: Collection[Relation]) -> bool:
    return not PERMISSIONS[act].isdisjoint(relations)


def permit(act: Act, relations: Collection[Relation], what: str) -> None:
    """Raises NOT_ALLOWED unless one of the viewer's relations is allowed the act, and NOT_FOUND
    where none of them shows the viewer that there is such a thing: as if there were none."""
    if not may(act, relations):
        raise refusal_of(act, relations, what)


def refusal_of(act: Act, relations: Collection[Relation], what: str) -> Refusal:
    """How the act is refused to somebody with these relations to the thing."""
    if may(_SHOWN_BY.get(act, Act.VIEW_MEETING), relations):
        return Refusal(Reason.NOT_ALLOWED, f"You may not {_words(act)} here.", act=act.value)
    return not_found(what)


def not_found(what: str) -> Refusal:
    return Refusal(Reason.NOT_FOUND, f"There is no such {what}.")


def _words(act: Act) -> str:
    return act.value.lower().replace("_", " ")
