"""Hands raised in the room: whose are counted, each for what, and what the audit chain tells."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from rules.meetings.meetings import MeetingMode
from rules.refusals import Reason, Refusal
from rules.votes.record.audit import AuditKind
from rules.votes.rule_sets import ELECTIONS, RuleSet, Secrecy


@dataclass(frozen=True)
class Hands:
    """Hands raised for one option."""

    option_id: UUID
    count: int
    member_ids: tuple[UUID, ...] | None = None
    """Whose. None: of all who are named beside, where there is no other option."""


class NotInRoom(Enum):
    """Why a member's hand cannot have been seen."""

    NOT_CHECKED_IN = "NOT_CHECKED_IN"
    """They never said that they are present; a chair alone makes nobody vote."""
    NOT_CONFIRMED = "NOT_CONFIRMED"
    """The chair did not see them in the room: they may be anywhere."""


def check_hands(rule: RuleSet, mode: MeetingMode) -> None:
    """Hands are seen by everybody in a room, and are one vote for one option each.

    Raises HANDS_NOT_COUNTED and INVALID_RULE, before anything of a voter is looked at.
    """
    if rule.method in ELECTIONS or rule.is_weighted:
        raise Refusal(Reason.INVALID_RULE, "Hands cannot be counted under this rule.")
    if rule.secrecy is not Secrecy.OPEN:
        raise Refusal(
            Reason.HANDS_NOT_COUNTED,
            "Hands show who votes how: they are counted in open votes only.",
            secrecy=rule.secrecy.value,
        )
    if mode is MeetingMode.ONLINE:
        raise Refusal(
            Reason.HANDS_NOT_COUNTED,
            "An online meeting has no room in which hands are seen.",
            mode=mode.value,
        )


def hands_by_member(
    member_ids: Sequence[UUID], hands: Collection[Hands], options: Collection[UUID]
) -> dict[UUID, UUID]:
    """The option that each member raised a hand for.

    Members are named by option, or together where all raised theirs for one. Raises
    INVALID_CHOICE for an option of another vote, and INVALID_INPUT.
    """
    if any(one.option_id not in options for one in hands):
        raise Refusal(Reason.INVALID_CHOICE, "The option does not belong to this vote.")
    if any(one.count < 0 for one in hands):
        raise Refusal(Reason.INVALID_INPUT, "Hands are counted from 0.")
    raised = [one for one in hands if one.count or one.member_ids]
    if any(one.member_ids is None for one in raised):
        raised = _all_for_one(member_ids, raised)
    named = [(member_id, one.option_id) for one in raised for member_id in one.member_ids or ()]
    by_member = dict(named)
    is_right = (
        len(named) == len(by_member) > 0
        and all(one.count == len(one.member_ids or ()) for one in raised)
        and (not member_ids or sorted(member_ids) == sorted(by_member))
    )
    if not is_right:
        raise Refusal(
            Reason.INVALID_INPUT,
            "Name each member counted once, and as many as there are hands.",
            members=len(set(member_ids) | set(by_member)),
            hands=sum(one.count for one in raised),
        )
    return by_member


def _all_for_one(member_ids: Sequence[UUID], raised: Collection[Hands]) -> list[Hands]:
    option_ids = {one.option_id for one in raised}
    if len(option_ids) > 1 or any(one.member_ids for one in raised):
        raise Refusal(
            Reason.INVALID_INPUT, "Name for each option the members whose hands it counts."
        )
    count = sum(one.count for one in raised)
    return [Hands(option_ids.pop(), count, tuple(member_ids))]


def check_in_room(reasons: Mapping[UUID, NotInRoom]) -> None:
    """Raises NOT_IN_ROOM, which names everybody whose hand cannot have been seen, and why."""
    if reasons:
        why = {str(member_id): reason.value for member_id, reason in sorted(reasons.items())}
        raise Refusal(
            Reason.NOT_IN_ROOM,
            "Hands are counted of those who checked in and whom the chair saw in the room.",
            members=list(why),
            why=why,
        )


def standing_hands(chain: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    """Whose hands count by a vote's audit chain, and for what; None where it was not kept.

    `chain` has `kind` and `payload` of each link, as an export has them.
    """
    hands: dict[str, str | None] = {}
    for link in chain:
        payload = link["payload"]
        if link["kind"] == AuditKind.HANDS_RECORDED.value:
            hands |= payload.get("choices") or dict.fromkeys(payload["members"])
        elif link["kind"] == AuditKind.HANDS_TAKEN_BACK.value:
            for member in payload["choices"]:
                hands.pop(member, None)
    return hands
