"""Breaking the tie that a closed vote's outcome waits with."""

from collections.abc import Sequence

from models.database import WriteSession
from models.votes.audit import append_audit, audit_head
from models.votes.lots import list_keys, read_secret
from models.votes.votes import Vote
from resolvers.access.permit import parse_id, read_vote, vote_to_change
from resolvers.context import Context
from resolvers.votes.votes import announce_vote, change_vote, decide_again, next_step_of
from rules.meetings.meetings import check_closed
from rules.permissions import Act
from rules.refusals import Reason, Refusal
from rules.votes.lot import lot_seed
from rules.votes.record.audit import AuditKind
from rules.votes.rule_sets import Secrecy
from rules.votes.ties import BREAKABLE, NextStep, TieBreakers


async def break_tie(
    context: Context, vote_id: str, chosen: Sequence[str], seniority: Sequence[str]
) -> Vote:
    """Decide a closed vote whose outcome waits for a tie-breaker.

    The chair's or the body's choice, the order of seniority, or nothing for a lot, whose seed is
    drawn. A hidden result is published first, so that nobody breaks a tie that others do not see;
    an OPEN one afterwards. Raises WRONG_STATE, INVALID_CHOICE.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.BREAK_TIE
        )
        check_closed(vote.state)
        is_shown = vote.published_at is not None
        if next_step_of(vote) not in BREAKABLE or is_shown is (vote.secrecy is Secrecy.OPEN):
            raise Refusal(Reason.WRONG_STATE, "This result waits for no tie-breaker.")
        outcome = await decide_again(
            session, vote, await _breakers(session, vote, chosen, seniority)
        )
        if outcome.next_step in BREAKABLE:
            raise Refusal(Reason.INVALID_CHOICE, "This does not break the tie.")
        told = {"outcome": outcome.to_data()}
        await change_vote(session, vote.id, **told)
        who = {"by": str(viewer.member_id)}
        await append_audit(session, vote.id, AuditKind.TIE_BROKEN, who | told)
        announce_vote(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def _breakers(
    session: WriteSession, vote: Vote, chosen: Sequence[str], seniority: Sequence[str]
) -> TieBreakers:
    if next_step_of(vote) is NextStep.LOT:
        return await _draw(session, vote)
    return TieBreakers(
        chosen=tuple(parse_id(text, "option") for text in chosen),
        seniority=tuple(parse_id(text, "option") for text in seniority),
    )


async def _draw(session: WriteSession, vote: Vote) -> TieBreakers:
    """A vote that opened before secrets were drawn has the head of its chain for a seed."""
    secret = await read_secret(session, vote.id)
    if secret is None:
        return TieBreakers(seed=(await audit_head(session, vote.id)).hex())
    return TieBreakers(seed=lot_seed(secret, await list_keys(session, vote)), secret=secret.hex())
