"""What happens to a vote: opened, extended, closed, decided, published, annulled."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, update

from models.audit import append_audit, append_links, audit_head
from models.base import database_clock
from models.closing import flip_to_closed, flip_vote, rewrite_papers, store_outcome
from models.counting import count_votes
from models.database import WriteSession
from models.export import describe_paper
from models.meetings import AgendaItem
from models.record import seal_tables
from models.statements import Statement
from models.votes import Vote, VoteOption
from realtime.events import channel_of_meeting, topic_of_vote
from resolvers.access import (
    hold_vote,
    parse_id,
    permit_on_vote,
    read_vote,
    viewer_may,
    vote_to_change,
)
from resolvers.casting import VoteFacts
from resolvers.context import Context, Transaction, Viewer
from resolvers.roll import freeze_presence, freeze_roll, load_electors, load_voters
from resolvers.shown import own_hand
from resolvers.texts import read_text
from rules.audit import AuditKind, instant_text
from rules.ballots import Option, check_options
from rules.chain import FROZEN, PAPER
from rules.elections import check_candidates
from rules.explain import Labels
from rules.meetings import VoteState, check_closed, check_open, check_opening, why_not_open
from rules.outcome import Outcome, decide
from rules.permissions import Act
from rules.quorum import check_quorum, count_turnout
from rules.recount import paper_hash
from rules.refusals import Reason, Refusal
from rules.roll import RollEntry, electoral_roll, roll_hash
from rules.rule_sets import ELECTIONS, LiveTally, QuorumCheck, RuleSet, Secrecy
from rules.ties import NextStep, TieBreakers

REASON_MAXIMUM = 1_000
"""Characters of a reason."""

_BREAKABLE = frozenset(
    {NextStep.CHAIR_MUST_CAST, NextStep.BODY_DECIDES, NextStep.SENIORITY, NextStep.LOT}
)


async def open_vote(context: Context, vote_id: str) -> Vote:
    """Freeze the electoral roll and the paper, and open the vote.

    Raises VOTE_CLOSED, WRONG_STATE, MEETING_NOT_IN_SESSION, ITEM_NOT_CURRENT, NO_QUORUM,
    TOO_FEW_CANDIDATES, TOO_MANY_CANDIDATES.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.OPEN_VOTE
        )
        item = await session.get_one(AgendaItem, vote.item_id)
        check_opening(meeting.state, item.state, vote.state)
        rule = RuleSet.from_data(vote.rule)
        await _check_paper(session, rule, vote.id)
        roll = electoral_roll(rule, await load_electors(session, meeting, vote.id))
        await freeze_roll(session, vote.id, roll)
        voters = await load_voters(session, vote)
        check_quorum(rule, QuorumCheck.AT_EACH_VOTE, count_turnout(rule, voters))
        opened_at = await flip_vote(session, vote.id, VoteState.OPEN)
        closes_at = None
        if opened_at is not None and rule.duration_seconds is not None:
            closes_at = opened_at + timedelta(seconds=rule.duration_seconds)
            await _change(session, vote.id, closes_at=closes_at)
        await append_audit(
            session,
            vote.id,
            AuditKind.OPENED,
            {
                "by": str(viewer.member_id),
                "eligible": sum(entry.is_entitled for entry in roll),
                "roll": roll_hash(roll),
                **_proxies(roll),
                "paper": paper_hash(await describe_paper(session, vote)),
                "openedAt": instant_text(opened_at),
                "closesAt": instant_text(closes_at),
                "sealed": await seal_tables(session, vote.id, (*PAPER, *FROZEN)),
            },
        )
        _announce(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


def _proxies(roll: Sequence[RollEntry]) -> dict[str, Any]:
    """Who votes for whom, where anybody does."""
    given = {str(e.member_id): str(e.represented_by) for e in roll if e.represented_by}
    return {"proxies": given} if given else {}


async def extend_vote(context: Context, vote_id: str, closes_at: datetime) -> Vote:
    """Give an open vote more time. Raises INVALID_INPUT for a moment that is not later."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.EXTEND_VOTE
        )
        now = await check_takes_more(session, vote)
        if closes_at.tzinfo is None or closes_at <= (vote.closes_at or now):
            raise Refusal(Reason.INVALID_INPUT, "Name a later moment, with its time zone.")
        await _change(session, vote.id, closes_at=closes_at)
        await append_audit(
            session,
            vote.id,
            AuditKind.EXTENDED,
            {"by": str(viewer.member_id), "closesAt": instant_text(closes_at)},
        )
        _announce(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def check_takes_more(session: WriteSession, vote: Vote) -> datetime:
    """What the database's clock says. Raises VOTE_NOT_OPEN and VOTE_CLOSED, the latter also where
    the time is over and nobody has closed the vote yet."""
    check_open(vote.state)
    now = (await session.execute(select(database_clock()))).scalar_one()
    if vote.closes_at is not None and vote.closes_at <= now:
        raise Refusal(Reason.VOTE_CLOSED, "The time for this vote is over.")
    return now


async def close_vote(context: Context, vote_id: str) -> Vote:
    """Close the vote, count its ballots and decide. Raises VOTE_NOT_OPEN, VOTE_CLOSED.

    Nothing is read after the commit: then everybody who came too late is answered first.
    """
    viewer = context.signed_in()
    wanted = parse_id(vote_id, "vote")
    facts = context.casting.known_facts(wanted)
    act, known_unit = Act.CLOSE_VOTE, facts.unit_id if facts else None
    unit_id = await permit_on_vote(context.database.look, viewer, wanted, act, known_unit)
    with context.casting.making_way(wanted):
        async with context.transaction() as transaction:
            await hold_vote(transaction, viewer, wanted, act, unit_id)
            return await close_held_vote(transaction, wanted, viewer, facts)


async def close_held_vote(
    transaction: Transaction, vote_id: UUID, by: Viewer | None, facts: VoteFacts | None
) -> Vote:
    """Close a vote that the transaction holds alone; by nobody when its time is over. Raises
    VOTE_NOT_OPEN, VOTE_CLOSED.

    The state flips first, then the ballots are counted. What everybody has seen live is published
    at once; a hidden or an undecided result waits for the chair.
    """
    session = transaction.session
    closed = await flip_to_closed(session, vote_id)
    if closed is None:
        raise why_not_open(await _read_state(session, vote_id)) or RuntimeError("it is open")
    if closed.secrecy is Secrecy.UNATTRIBUTED:
        await rewrite_papers(session, vote_id)
    rule = facts.rule if facts else RuleSet.from_data(closed.rule)
    outcome = decide(
        rule,
        facts.options if facts else await load_options(session, vote_id),
        await freeze_presence(session, vote_id, closed.meeting_id),
        (await count_votes(session, [vote_id]))[vote_id],
    )
    is_published = rule.live_tally is LiveTally.ALWAYS and outcome.next_step not in _BREAKABLE
    vote = await store_outcome(session, vote_id, outcome.to_data(), is_published=is_published)
    links = _closing_links(vote, by, await seal_tables(session, vote_id))
    await append_links(session, vote_id, closed.chain, links)
    _announce(transaction, vote)
    return vote


def _closing_links(
    vote: Vote, by: Viewer | None, sealed: dict[str, Any]
) -> list[tuple[AuditKind, dict[str, Any]]]:
    """That the vote was closed, with everything that counts, and published if it was."""
    who = {"by": str(by.member_id) if by else None}
    closed = {
        **who,
        "outcome": vote.outcome,
        "closedAt": instant_text(vote.closed_at),
        "sealed": sealed,
    }
    links: list[tuple[AuditKind, dict[str, Any]]] = [(AuditKind.CLOSED, closed)]
    if vote.published_at is not None:
        published = {**who, "publishedAt": instant_text(vote.published_at)}
        links.append((AuditKind.PUBLISHED, published))
    return links


async def break_tie(
    context: Context, vote_id: str, chosen: Sequence[str], seniority: Sequence[str]
) -> Vote:
    """Decide a closed vote whose outcome waits for a tie-breaker.

    The chair's or the body's choice, the order of seniority, or nothing for a lot: its seed is the
    audit chain's head, which was fixed with the ballots. Raises WRONG_STATE, INVALID_CHOICE.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.BREAK_TIE
        )
        check_closed(vote.state)
        before = Outcome.from_data(vote.outcome or {})
        if vote.published_at is not None or before.next_step not in _BREAKABLE:
            raise Refusal(Reason.WRONG_STATE, "This result waits for no tie-breaker.")
        seed = (await audit_head(session, vote.id)).hex()
        breakers = TieBreakers(
            chosen=tuple(parse_id(text, "option") for text in chosen),
            seniority=tuple(parse_id(text, "option") for text in seniority),
            seed=seed if before.next_step is NextStep.LOT else None,
        )
        outcome = await _decide(session, vote, breakers)
        if outcome.next_step in _BREAKABLE:
            raise Refusal(Reason.INVALID_CHOICE, "This does not break the tie.")
        await _change(session, vote.id, outcome=outcome.to_data())
        await append_audit(
            session,
            vote.id,
            AuditKind.TIE_BROKEN,
            {"by": str(viewer.member_id), "outcome": outcome.to_data()},
        )
        _announce(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def publish_vote(context: Context, vote_id: str) -> Vote:
    """Show the result to everybody, for good. Publishing twice is the same as once.

    Raises VOTE_STILL_OPEN, and WRONG_STATE while the result waits for a tie-breaker.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.PUBLISH_VOTE
        )
        check_closed(vote.state)
        if Outcome.from_data(vote.outcome or {}).next_step in _BREAKABLE:
            raise Refusal(Reason.WRONG_STATE, "The result waits for a tie-breaker.")
        if vote.published_at is None:
            published_at = await _publish(transaction.session, vote.id)
            told = {"by": str(viewer.member_id), "publishedAt": instant_text(published_at)}
            await append_audit(transaction.session, vote.id, AuditKind.PUBLISHED, told)
            _announce(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def annul_vote(context: Context, vote_id: str, reason: str) -> Vote:
    """Set a closed vote aside with a reason; nothing of it is deleted. Raises WRONG_STATE."""
    viewer = context.signed_in()
    reason = read_text(reason, REASON_MAXIMUM, "reason")
    async with context.transaction() as transaction:
        session = transaction.session
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.ANNUL_VOTE
        )
        check_closed(vote.state)
        annulled_at = await flip_vote(session, vote.id, VoteState.ANNULLED)
        await _change(session, vote.id, annulment=reason)
        told = {"by": str(viewer.member_id), "annulledAt": instant_text(annulled_at)}
        await append_audit(session, vote.id, AuditKind.ANNULLED, {**told, "reason": reason})
        _announce(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def acts_on_vote(context: Context, vote: Vote) -> list[Act]:
    """What the viewer can do with the vote as it stands."""
    acts = []
    key = (vote.id, context.viewer_id())
    if vote.state is VoteState.OPEN and await context.loaders.may_cast.load(key):
        acts.append(Act.CAST_BALLOT)
    elif vote.state is VoteState.OPEN and await own_hand(context, vote):
        acts.append(Act.CONTEST_HAND)
    unit_id = await context.loaders.unit_of_meeting.load(vote.meeting_id)
    chairs = [act for act in _chair_acts(vote) if await viewer_may(context, act, unit_id)]
    return acts + chairs


async def paper_of(context: Context, vote: Vote) -> list[UUID]:
    """The ids of the options, in the order of the paper.

    Of a vote that members cast in here they are known already: they stay as they were when it
    opened.
    """
    facts = context.casting.known_facts(vote.id)
    if facts is None:
        return [option.id for option in await context.loaders.options.load(vote.id)]
    return [option.id for option in sorted(facts.options, key=lambda option: option.position)]


def _chair_acts(vote: Vote) -> list[Act]:
    match vote.state:
        case VoteState.PREPARED:
            return [Act.OPEN_VOTE, Act.PREPARE_VOTE]
        case VoteState.OPEN:
            hands = [Act.RECORD_HANDS, Act.TAKE_BACK_HANDS]
            return [
                Act.CLOSE_VOTE,
                Act.EXTEND_VOTE,
                Act.AMEND_ROLL,
                *(hands if vote.secrecy is Secrecy.OPEN else []),
            ]
        case VoteState.ANNULLED:
            return [Act.REPEAT_VOTE]
        case VoteState.CLOSED if vote.published_at is not None:
            return [Act.ANNUL_VOTE, Act.REPEAT_VOTE]
        case VoteState.CLOSED:
            next_step = Outcome.from_data(vote.outcome or {}).next_step
            first = Act.BREAK_TIE if next_step in _BREAKABLE else Act.PUBLISH_VOTE
            return [first, Act.ANNUL_VOTE]


async def load_options(session: WriteSession, vote_id: UUID) -> list[Option]:
    rows = await session.fetch(_OPTIONS, {"vote": vote_id})
    return [Option(row.id, row.kind, row.position, row.candidate_id) for row in rows]


_OPTIONS = Statement(
    select(VoteOption.id, VoteOption.kind, VoteOption.position, VoteOption.candidate_id).where(
        VoteOption.vote_id == bindparam("vote", type_=Uuid())
    )
)


def labels_of(options: Sequence[VoteOption]) -> Labels:
    """What the sentences call the options."""
    return {option.id: option.label for option in options}


async def _check_paper(session: WriteSession, rule: RuleSet, vote_id: UUID) -> None:
    options = await load_options(session, vote_id)
    check_options(rule, options)
    if rule.method in ELECTIONS:
        check_candidates(rule, len({option.candidate_id or option.id for option in options}))


async def _decide(session: WriteSession, vote: Vote, breakers: TieBreakers) -> Outcome:
    """Recount and decide."""
    tallies = await count_votes(session, [vote.id])
    return decide(
        RuleSet.from_data(vote.rule),
        await load_options(session, vote.id),
        await load_voters(session, vote),
        tallies[vote.id],
        breakers,
    )


async def _read_state(session: WriteSession, vote_id: UUID) -> VoteState:
    return (await session.execute(select(Vote.state).where(Vote.id == vote_id))).scalar_one()


async def grow_vote(session: WriteSession, vote_id: UUID) -> None:
    """Something that belongs to the vote has changed: its version grows."""
    await _change(session, vote_id)


async def _change(session: WriteSession, vote_id: UUID, **values: object) -> None:
    await session.execute(
        update(Vote)
        .where(Vote.id == vote_id)
        .values(row_version=Vote.row_version + 1, **values)
        .execution_options(synchronize_session=False)
    )


async def _publish(session: WriteSession, vote_id: UUID) -> datetime | None:
    return await session.scalar(
        update(Vote)
        .where(Vote.id == vote_id)
        .values(row_version=Vote.row_version + 1, published_at=database_clock())
        .returning(Vote.published_at)
        .execution_options(synchronize_session=False)
    )


def _announce(transaction: Transaction, vote: Vote) -> None:
    transaction.announce(channel_of_meeting(vote.meeting_id), topic_of_vote(vote.id))
