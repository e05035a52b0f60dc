"""What happens to a vote: opened, extended, closed, published."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select, update

from models.base import database_clock
from models.database import WriteSession
from models.driver.hot_statements import Statement
from models.meetings.meetings import AgendaItem
from models.votes.audit import append_audit, append_links
from models.votes.closing import flip_to_closed, flip_vote, rewrite_papers, store_outcome
from models.votes.counting import count_votes
from models.votes.export import describe_paper
from models.votes.lots import draw_secret
from models.votes.record import seal_tables
from models.votes.voters import count_waiting
from models.votes.votes import Vote, VoteOption
from realtime.topics import channel_of_meeting, topic_of_vote
from resolvers.access.permit import (
    hold_vote,
    parse_id,
    permit_on_vote,
    read_vote,
    viewer_may,
    vote_to_change,
)
from resolvers.context import Context, Transaction, Viewer
from resolvers.meetings.loaders import MeetingLoaders
from resolvers.votes.cast import Casting, VoteFacts
from resolvers.votes.loaders import VoteLoaders
from resolvers.votes.roll import (
    freeze_presence,
    freeze_roll,
    list_recused,
    load_electors,
    load_voters,
)
from resolvers.votes.visibility import own_hand
from rules.meetings.meetings import VoteState, check_closed, check_open, check_opening, why_not_open
from rules.permissions import Act
from rules.refusals import Reason, Refusal
from rules.votes.ballots import Option, check_options
from rules.votes.elections import check_candidates
from rules.votes.explain.sentences import Labels
from rules.votes.outcome import Outcome, Verdict, decide
from rules.votes.quorum import check_quorum, count_turnout
from rules.votes.record.audit import AuditKind, instant_text
from rules.votes.record.chain import FROZEN, LOT, PAPER
from rules.votes.record.recount import paper_hash
from rules.votes.roll import RollEntry, electoral_roll, roll_hash
from rules.votes.rule_sets import ELECTIONS, LiveTally, QuorumCheck, RuleSet, Secrecy, TieRule
from rules.votes.secrecy import check_early_closing, check_end, check_group
from rules.votes.ties import BREAKABLE, NO_TIE_BREAKERS, NextStep, TieBreakers


async def open_vote(context: Context, vote_id: str) -> Vote:
    """Freeze the electoral roll and the paper, and open the vote.

    Raises VOTE_CLOSED, WRONG_STATE, MEETING_NOT_IN_SESSION, ITEM_NOT_CURRENT, NO_QUORUM,
    TOO_FEW_CANDIDATES, TOO_MANY_CANDIDATES, TOO_FEW_VOTERS_FOR_SECRECY.
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
        entitled = sum(entry.is_entitled for entry in roll)
        check_group(rule, entitled)
        await freeze_roll(session, vote.id, roll)
        voters = await load_voters(session, vote)
        check_quorum(rule, QuorumCheck.AT_EACH_VOTE, count_turnout(rule, voters))
        lot = await _lot(session, rule, vote.id)
        opened_at = await flip_vote(session, vote.id, VoteState.OPEN)
        closes_at = None
        if opened_at is not None and rule.duration_seconds is not None:
            closes_at = opened_at + timedelta(seconds=rule.duration_seconds)
            await change_vote(session, vote.id, closes_at=closes_at)
        await append_audit(
            session,
            vote.id,
            AuditKind.OPENED,
            {
                "by": str(viewer.member_id),
                "eligible": entitled,
                "recused": [str(one) for one in await list_recused(session, vote.id)],
                "roll": roll_hash(roll),
                **_proxies(roll),
                "paper": paper_hash(await describe_paper(session, vote)),
                **lot,
                "openedAt": instant_text(opened_at),
                "closesAt": instant_text(closes_at),
                "sealed": await seal_tables(session, vote.id, (*PAPER, *FROZEN, *LOT)),
            },
        )
        announce_vote(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


def _proxies(roll: Sequence[RollEntry]) -> dict[str, Any]:
    """Who votes for whom, where anybody does."""
    given = {str(e.member_id): str(e.represented_by) for e in roll if e.represented_by}
    return {"proxies": given} if given else {}


async def _lot(session: WriteSession, rule: RuleSet, vote_id: UUID) -> dict[str, str]:
    """What fixes the lot before anybody votes, where the rule may ask for one."""
    return {"lot": await draw_secret(session, vote_id)} if rule.tie is TieRule.LOT else {}


async def extend_vote(context: Context, vote_id: str, closes_at: datetime) -> Vote:
    """Give an open vote an end, or another one. Raises INVALID_INPUT, as `check_end` says."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.EXTEND_VOTE
        )
        now = await check_takes_more(session, vote)
        check_end(RuleSet.from_data(vote.rule), now, vote.closes_at, closes_at)
        await change_vote(session, vote.id, closes_at=closes_at)
        await append_audit(
            session,
            vote.id,
            AuditKind.EXTENDED,
            {"by": str(viewer.member_id), "closesAt": instant_text(closes_at)},
        )
        announce_vote(transaction, vote)
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
    """Close the vote, count its ballots and decide. Raises VOTE_NOT_OPEN, VOTE_CLOSED, and for a
    hidden vote STILL_VOTING.

    Nothing is read after the commit: then everybody who came too late is answered first.
    """
    viewer = context.signed_in()
    wanted = parse_id(vote_id, "vote")
    facts = context.service(Casting).known_facts(wanted)
    act, known_unit = Act.CLOSE_VOTE, facts.unit_id if facts else None
    unit_id = await permit_on_vote(context.database.look, viewer, wanted, act, known_unit)
    facts = await context.service(Casting).facts(wanted)
    with context.service(Casting).making_way(wanted):
        async with context.transaction() as transaction:
            await hold_vote(transaction, viewer, wanted, act, unit_id)
            if facts and facts.rule.secrecy is not Secrecy.OPEN:
                check_early_closing(await count_waiting(transaction.session, wanted))
            return await close_held_vote(transaction, wanted, viewer, facts)


async def close_held_vote(
    transaction: Transaction, vote_id: UUID, by: Viewer | None, facts: VoteFacts | None
) -> Vote:
    """Close a vote that the transaction holds alone; by nobody when its time is over. Raises
    VOTE_NOT_OPEN, VOTE_CLOSED.

    The state flips first, then the ballots are counted. What everybody has seen live is published
    at once, and so is that there were too few ballots; an undecided result waits for the chair, and
    of a hidden one nothing is kept until it is published.
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
    is_told = closed.secrecy is Secrecy.OPEN or outcome.verdict is Verdict.TOO_FEW_BALLOTS
    data = outcome.to_data() if is_told else None
    is_published = _is_published_at_once(rule, outcome)
    vote = await store_outcome(session, vote_id, data, is_published=is_published)
    links = _closing_links(vote, by, await seal_tables(session, vote_id))
    await append_links(session, vote_id, closed.chain, links)
    announce_vote(transaction, vote)
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


def _is_published_at_once(rule: RuleSet, outcome: Outcome) -> bool:
    if outcome.verdict is Verdict.TOO_FEW_BALLOTS:
        return True
    return rule.live_tally is LiveTally.ALWAYS and outcome.next_step not in BREAKABLE


async def publish_vote(context: Context, vote_id: str) -> Vote:
    """Show the result to everybody, for good. Publishing twice is the same as once.

    Of a hidden vote it is only decided now: before, there is nothing that anybody could see. Raises
    VOTE_STILL_OPEN, and WRONG_STATE while the result of an OPEN one waits for a tie-breaker.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, _ = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.PUBLISH_VOTE
        )
        check_closed(vote.state)
        if vote.secrecy is Secrecy.OPEN and next_step_of(vote) in BREAKABLE:
            raise Refusal(Reason.WRONG_STATE, "The result waits for a tie-breaker.")
        if vote.published_at is None:
            told = await _result_to_tell(session, vote)
            published_at = await _publish(session, vote.id, told)
            who = {"by": str(viewer.member_id), "publishedAt": instant_text(published_at)}
            await append_audit(session, vote.id, AuditKind.PUBLISHED, who | told)
            announce_vote(transaction, vote)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def _result_to_tell(session: WriteSession, vote: Vote) -> dict[str, Any]:
    """The outcome that publishing a hidden vote tells. That of an OPEN one is fixed already."""
    if vote.secrecy is Secrecy.OPEN:
        return {}
    return {"outcome": vote.outcome or (await decide_again(session, vote)).to_data()}


async def acts_on_vote(context: Context, vote: Vote) -> list[Act]:
    """What the viewer can do with the vote as it stands."""
    acts = []
    key = (vote.id, context.viewer_id())
    if vote.state is VoteState.OPEN and await context.loaders(VoteLoaders).may_cast.load(key):
        acts.append(Act.CAST_BALLOT)
    elif vote.state is VoteState.OPEN and await own_hand(context, vote):
        acts.append(Act.CONTEST_HAND)
    unit_id = await context.loaders(MeetingLoaders).unit_of_meeting.load(vote.meeting_id)
    chairs = [act for act in _chair_acts(vote) if await viewer_may(context, act, unit_id)]
    if vote.annulment_proposed_by_id == context.viewer_id():
        chairs = [act for act in chairs if act is not Act.CONFIRM_ANNULMENT]
    return acts + chairs


async def paper_of(context: Context, vote: Vote) -> list[UUID]:
    """The ids of the options, in the order of the paper.

    Of a vote that members cast in here they are known already: they stay as they were when it
    opened.
    """
    facts = context.service(Casting).known_facts(vote.id)
    if facts is None:
        return [option.id for option in await context.loaders(VoteLoaders).options.load(vote.id)]
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
        case VoteState.CLOSED:
            return [*_acts_on_result(vote), *_acts_on_annulment(vote)]


def _acts_on_result(vote: Vote) -> list[Act]:
    """Whether a hidden result is a tie is told by publishing it, and by nothing before."""
    is_tied = next_step_of(vote) in BREAKABLE
    if vote.published_at is None and (vote.secrecy is not Secrecy.OPEN or not is_tied):
        return [Act.PUBLISH_VOTE]
    return [Act.BREAK_TIE] if is_tied else [Act.REPEAT_VOTE]


def _acts_on_annulment(vote: Vote) -> list[Act]:
    if vote.annulment_proposed_at is None:
        return [Act.ANNUL_VOTE]
    return [Act.CONFIRM_ANNULMENT, Act.WITHDRAW_ANNULMENT]


def next_step_of(vote: Vote) -> NextStep | None:
    """What the stored outcome waits for, if there is one."""
    return Outcome.from_data(vote.outcome).next_step if vote.outcome else None


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


async def decide_again(
    session: WriteSession, vote: Vote, breakers: TieBreakers = NO_TIE_BREAKERS
) -> Outcome:
    """Recount a closed vote and decide."""
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
    await change_vote(session, vote_id)


async def change_vote(session: WriteSession, vote_id: UUID, **values: object) -> None:
    await session.execute(
        update(Vote)
        .where(Vote.id == vote_id)
        .values(row_version=Vote.row_version + 1, **values)
        .execution_options(synchronize_session=False)
    )


async def _publish(session: WriteSession, vote_id: UUID, values: dict[str, Any]) -> datetime | None:
    return await session.scalar(
        update(Vote)
        .where(Vote.id == vote_id)
        .values(row_version=Vote.row_version + 1, published_at=database_clock(), **values)
        .returning(Vote.published_at)
        .execution_options(synchronize_session=False)
    )


def announce_vote(transaction: Transaction, vote: Vote) -> None:
    transaction.announce(channel_of_meeting(vote.meeting_id), topic_of_vote(vote.id))
