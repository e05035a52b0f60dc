"""Casting: a ballot is judged, put into the box with others, and acknowledged after the commit."""

import re
from collections.abc import Sequence
from uuid import UUID

from models.votes.ballot_box import CastBallot, NewBallot
from models.votes.voters import Voter
from resolvers.access.permit import load_place, parse_id, permit_on_vote, session_ended
from resolvers.context import Context, Viewer
from resolvers.votes.cast import Casting, VoteFacts
from rules.meetings.meetings import why_not_open
from rules.permissions import Act, direct_relations, permit
from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from rules.votes.ballots import judge_ballot
from rules.votes.rule_sets import Change

_KEY = re.compile(r"[!-~]{1,64}")

ATTEMPTS = 20
"""How often a ballot that nothing stands against is tried again. Each time another device of the
member was faster, and its ballot was recorded."""


async def cast_ballot(
    context: Context, vote_id: str, choices: Sequence[str], key: str
) -> CastBallot:
    """Cast the viewer's ballot. The same key gives the same receipt again, also after closing.

    Raises INVALID_INPUT (key), INVALID_CHOICE, NOT_ENTITLED, ALREADY_VOTED, KEY_REUSED,
    VOTE_NOT_OPEN, VOTE_CLOSED, NOT_ALLOWED, NOT_FOUND.
    """
    viewer = context.signed_in()
    wanted = parse_id(vote_id, "vote")
    if not _KEY.fullmatch(key):
        raise Refusal(Reason.INVALID_INPUT, "A key is 1 to 64 printable ASCII characters.")
    # The box needs a connection. Who waits for it holds none, or enough of them wait for ever.
    await context.release()
    facts = await context.service(Casting).facts(wanted)
    if facts is None:
        raise await _why_closed_box(context, viewer, wanted)
    if viewer.member_id not in facts.entitled:
        await _check_late_comer(context, viewer, wanted, facts)
    try:
        judged = judge_ballot(facts.rule, facts.options, [_parse_choice(text) for text in choices])
    except Refusal as invalid:
        # What is wrong with a ballot is told to nobody who may not know the vote.
        await _permit_casting(context, viewer, facts.unit_id)
        raise invalid
    # The roll is the permission: who is entitled on it may cast, whoever else is told why not.
    ballot = NewBallot(viewer.member_id, viewer.session_id, key, judged)
    for _ in range(ATTEMPTS):
        if recorded := await context.service(Casting).cast(wanted, facts, ballot):
            return recorded
        voter = await context.service(Casting).find_voter(wanted, facts, viewer.session_id)
        if voter is None:
            raise session_ended()
        if recorded := _earlier_cast(voter, ballot):
            return recorded
        if refusal := await _why_not(context, viewer, facts, voter):
            raise refusal
    raise RuntimeError("other ballots of the same member were faster each time")


def _parse_choice(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(Reason.INVALID_CHOICE, "The option does not belong to this vote.") from None


def _earlier_cast(voter: Voter, ballot: NewBallot) -> CastBallot | None:
    """What this very cast recorded before, if it did. Raises KEY_REUSED."""
    for cast in voter.casts:
        if cast.key == ballot.key:
            if cast.choices is not None and set(cast.choices) != set(ballot.judged.choices):
                raise Refusal(Reason.KEY_REUSED, "This key came with another choice before.")
            return cast
    return None


async def _why_not(
    context: Context, viewer: Viewer, facts: VoteFacts, voter: Voter
) -> Refusal | None:
    """Why the box did not take the ballot, in the order in which a member would ask; None if
    nothing stands against it any more."""
    if voter.was_counted:
        return Refusal(
            Reason.ALREADY_VOTED,
            "Your hand was counted in the room; contest that to cast a ballot.",
            countedByHand=True,
        )
    if voter.casts and facts.rule.change is Change.FINAL:
        return Refusal(Reason.ALREADY_VOTED, "You have voted; that stands.")
    if voter.standing is Standing.SUSPENDED and voter.is_on_roll:
        return Refusal(Reason.NOT_ENTITLED, "You are suspended.", leftOut=voter.standing.value)
    if not voter.is_entitled:
        await _permit_casting(context, viewer, facts.unit_id)
    if not_open := why_not_open(voter.state):
        return not_open
    if not voter.is_entitled:
        why = voter.left_out.value if voter.left_out else None
        return Refusal(Reason.NOT_ENTITLED, "You are not entitled to vote here.", leftOut=why)
    if voter.is_over:  # and nobody has closed it yet
        return Refusal(Reason.VOTE_CLOSED, "The time for this vote is over.")
    return None


async def _check_late_comer(
    context: Context, viewer: Viewer, vote_id: UUID, facts: VoteFacts
) -> None:
    """Whoever was not entitled when the roll was read may be now. Anybody else is refused before
    the box is asked, and takes none of its locks."""
    voter = await context.service(Casting).find_voter(vote_id, facts, viewer.session_id)
    if voter is None:
        raise session_ended()
    if not voter.is_entitled and (refusal := await _why_not(context, viewer, facts, voter)):
        raise refusal


async def _permit_casting(context: Context, viewer: Viewer, unit_id: UUID) -> None:
    """Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN."""
    place = await load_place(context.database.look, viewer)
    permit(Act.CAST_BALLOT, direct_relations(place, unit_id), "vote")


async def _why_closed_box(context: Context, viewer: Viewer, vote_id: UUID) -> Refusal:
    """Of a vote that is not there, or not open yet. Raises NOT_FOUND, NOT_ALLOWED."""
    await permit_on_vote(context.database.look, viewer, vote_id, Act.CAST_BALLOT)
    return Refusal(Reason.VOTE_NOT_OPEN, "The vote is not open yet.")
