"""What of a vote is shown to whom, and when (invariants I8 and I9)."""

from enum import Enum

from models.votes.votes import CountedHand, Vote
from resolvers.access.permit import viewer_may
from resolvers.context import Context
from resolvers.meetings.loaders import MeetingLoaders
from resolvers.votes.cast import Casting
from resolvers.votes.loaders import VoteLoaders
from resolvers.votes.roll import load_electors
from rules.meetings.meetings import ENDED, VoteState
from rules.permissions import Act
from rules.votes.outcome import Verdict
from rules.votes.record.audit import AuditKind
from rules.votes.roll import electoral_roll
from rules.votes.rule_sets import RuleSet, Secrecy
from rules.votes.secrecy import is_small_group, may_see_counts


class Shown(Enum):
    COUNTS = "COUNTS"
    OUTCOME = "OUTCOME"
    RECORD = "RECORD"


class VoteWarning(Enum):
    SMALL_GROUP = "SMALL_GROUP"
    """So few may vote that a unanimous result would show how everybody voted."""


async def what_is_shown(context: Context, vote: Vote) -> frozenset[Shown]:
    """Turnout always is. The chair sees an OPEN result first, everybody when it is published. A
    hidden one nobody sees before, and of too few ballots nobody ever sees a figure.

    Whether the viewer chairs is asked where it makes a difference only: audiences that are asked
    nothing they differ in share an execution.
    """
    facts = context.service(Casting).known_facts(vote.id)
    rule = facts.rule if facts else RuleSet.from_data(vote.rule)
    to_all, to_chair = (_shown(rule, vote, is_chair=is_chair) for is_chair in (False, True))
    if to_all == to_chair:
        return to_all
    unit_id = await context.loaders(MeetingLoaders).unit_of_meeting.load(vote.meeting_id)
    return to_chair if await viewer_may(context, Act.CLOSE_VOTE, unit_id) else to_all


async def sees_reasons(context: Context, vote: Vote) -> bool:
    """Whether the viewer sees why a member has no ballot or is in no base: that tells of standings,
    which are of the member's record. Ask where there is something to tell only, as above."""
    unit_id = await context.loaders(MeetingLoaders).unit_of_meeting.load(vote.meeting_id)
    return await viewer_may(context, Act.VIEW_MEMBER_RECORD, unit_id)


def _shown(rule: RuleSet, vote: Vote, *, is_chair: bool) -> frozenset[Shown]:
    has_ended = vote.state in ENDED
    is_first = is_chair and vote.secrecy is Secrecy.OPEN
    has_result = has_ended and (is_first or vote.published_at is not None)
    shown = set()
    has_figures = verdict_of(vote) is not Verdict.TOO_FEW_BALLOTS
    if has_figures and may_see_counts(rule, is_closed=has_result, is_chair=is_chair):
        shown.add(Shown.COUNTS)
    if has_result and vote.outcome is not None:
        shown.add(Shown.OUTCOME)
    if has_ended and vote.published_at is not None and vote.secrecy is Secrecy.OPEN:
        shown.add(Shown.RECORD)
    return frozenset(shown)


async def own_hand(context: Context, vote: Vote) -> CountedHand | None:
    """The viewer's hand as it was counted for them. Who has cast has none: that is known already
    where their receipt is shown."""
    if vote.secrecy is not Secrecy.OPEN or vote.state is VoteState.PREPARED:
        return None
    viewer_id = context.viewer_id()
    if await context.loaders(VoteLoaders).cast.load((vote.id, viewer_id)):
        return None
    hands = await context.loaders(VoteLoaders).hands.load(vote.id)
    return next((hand for hand in hands if hand.member_id == viewer_id), None)


async def hands_of(context: Context, vote: Vote) -> list[CountedHand]:
    """The hands counted in a vote whose record names its voters, at once. Of the few that remain
    from before in other votes nothing is told."""
    if vote.secrecy is not Secrecy.OPEN or vote.state is VoteState.PREPARED:
        return []
    return await context.loaders(VoteLoaders).hands.load(vote.id)


def verdict_of(vote: Vote) -> Verdict | None:
    """What the stored outcome says, if there is one."""
    return Verdict(vote.outcome["verdict"]) if vote.outcome else None


async def audit_head(context: Context, vote: Vote) -> bytes | None:
    """The last hash of the vote's chain, and before a result is shown the one before it.

    Of the row that tells the result everything else is known: its hash would let anybody try the
    few figures that are possible. The chain of a hidden vote tells it when it is published.
    """
    rows = await context.loaders(VoteLoaders).audit.load(vote.id)
    if vote.state in ENDED and Shown.OUTCOME not in await what_is_shown(context, vote):
        tells = [row.kind is AuditKind.CLOSED and bool(row.payload["outcome"]) for row in rows]
        rows = rows[: tells.index(True)] if any(tells) else rows
    return rows[-1].hash if rows else None


async def warnings_of(context: Context, vote: Vote) -> list[VoteWarning]:
    """For a prepared vote, by the roll as it would be drawn up now."""
    rule = RuleSet.from_data(vote.rule)
    if vote.state is not VoteState.PREPARED or rule.secrecy is Secrecy.OPEN:
        return []
    meeting = await context.loaders(MeetingLoaders).meeting.load(vote.meeting_id)
    async with context.reading() as session:
        roll = electoral_roll(rule, await load_electors(session, meeting, vote.id))
    entitled = sum(entry.is_entitled for entry in roll)
    return [VoteWarning.SMALL_GROUP] if is_small_group(rule, entitled) else []
