"""Whether enough members are there, and whether they may meet online."""

from collections.abc import Iterable
from dataclasses import dataclass

from rules.refusals import Reason, Refusal
from rules.votes.bases import Voter, why_not_in_base
from rules.votes.rule_sets import QuorumCheck, RuleSet


@dataclass(frozen=True)
class Turnout:
    """Who is there of those who could be, by what their votes weigh."""

    present: int
    of: int


def count_turnout(rule: RuleSet, voters: Iterable[Voter]) -> Turnout:
    """Count the entitled members against the base of the rule's quorum.

    Members in the rule's `base_exclusions` count only if they are present. A member who votes for
    others by proxy counts for them too.
    """
    if rule.quorum is None:
        return Turnout(0, 0)
    present = of = 0
    for voter in voters:
        if voter.left_out is not None:
            continue
        if voter.is_present:
            present += voter.weight
        if voter.is_present or not why_not_in_base(rule.quorum.base, rule.base_exclusions, voter):
            of += voter.weight
    return Turnout(present, of)


def check_quorum(rule: RuleSet, check: QuorumCheck, turnout: Turnout) -> None:
    """Raises NO_QUORUM if the rule checks its quorum here and too few are present.

    Test vector 14: a union that needs 2/3 of those summoned cannot open with 55 of 100.
    """
    if rule.quorum is None or rule.quorum.checked is not check:
        return
    needed = rule.quorum.share.fewest(turnout.of)
    if turnout.present < needed:
        raise Refusal(
            Reason.NO_QUORUM,
            f"{turnout.present} of {turnout.of} members are present; {needed} are needed.",
            present=turnout.present,
            of=turnout.of,
            needed=needed,
        )


def may_meet_online(members: int, unable: int) -> bool:
    """An online meeting is allowed when more than half of the members cannot meet (vector 17)."""
    return 2 * unable > members


def check_online_meeting(members: int, unable: int) -> None:
    """Raises ONLINE_NOT_ALLOWED unless more than half of the members cannot meet in person."""
    if not may_meet_online(members, unable):
        raise Refusal(
            Reason.ONLINE_NOT_ALLOWED,
            f"{unable} of {members} members cannot meet in person; more than half are needed.",
            members=members,
            unable=unable,
        )
