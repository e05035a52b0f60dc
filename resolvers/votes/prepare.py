"""Preparing votes: from a matter's rule in force, with its paper; nominations; repetitions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from models.database import WriteSession
from models.meetings.meetings import AgendaItem, Meeting
from models.register.units import Membership
from models.votes.audit import append_audit, append_created
from models.votes.record import seal_tables
from models.votes.votes import Recusal, Vote, VoteOption
from realtime.topics import channel_of_meeting, topic_of_vote
from resolvers.access.permit import item_to_change, parse_id, read_vote, vote_to_change
from resolvers.context import Context
from resolvers.input_text import read_text
from resolvers.register.unit_rules import load_rules
from resolvers.votes.roll import list_recused
from resolvers.votes.votes import next_step_of
from rules.look_alikes import look_alikes
from rules.meetings.meetings import VoteState, check_prepared, check_preparing
from rules.permissions import Act, not_found
from rules.refusals import Reason, Refusal
from rules.votes.ballots import Option, OptionKind, check_options
from rules.votes.elections import most_candidates
from rules.votes.outcome import Outcome
from rules.votes.presets import Matter
from rules.votes.record.audit import AuditKind
from rules.votes.record.chain import PAPER
from rules.votes.rule_sets import ELECTIONS, Method, RuleSet, for_seats
from rules.votes.secrecy import check_duration
from rules.votes.ties import BREAKABLE

QUESTION_MAXIMUM = 1_000
LABEL_MAXIMUM = 200
OPTIONS_MAXIMUM = 100

MOTION_LABELS = {
    OptionKind.FOR: "Tán thành",
    OptionKind.AGAINST: "Không tán thành",
    OptionKind.ABSTAIN: "Không có ý kiến",
}
"""Clients translate the kinds; the labels are for what reads no kinds, such as an export."""


@dataclass(frozen=True)
class Draft:
    """A vote as its chair writes it down. `answers` are candidates, answers or measures; a motion
    has none. `seats` and `seconds` change what the rule says, where it has them."""

    item_id: str
    matter: Matter
    question: str
    answers: Sequence[str] = ()
    seats: int | None = None
    seconds: int | None = None
    recused: Sequence[str] = ()


async def prepare_vote(context: Context, draft: Draft) -> Vote:
    """Prepare a vote under the matter's rule in force for the branch.

    Raises INVALID_RULE where the branch has no rule for the matter, INVALID_INPUT, WRONG_STATE,
    TOO_MANY_CANDIDATES.
    """
    viewer = context.signed_in()
    question = read_text(draft.question, QUESTION_MAXIMUM, "question")
    async with context.transaction() as transaction:
        session = transaction.session
        item_id = parse_id(draft.item_id, "agenda item")
        item, meeting = await item_to_change(transaction, viewer, item_id, Act.PREPARE_VOTE)
        check_preparing(meeting.state, item.state)
        rule = await _rule(session, meeting, draft)
        paper = list(
            _paper(rule.method, [read_text(a, LABEL_MAXIMUM, "answer") for a in draft.answers])
        )
        _check_paper(rule, paper)
        vote = _new_vote(meeting, item.id, draft.matter, question, rule)
        recused = await _find_recused(session, meeting, draft.recused)
        await _insert_vote(session, vote, paper, recused)
        await append_created(session, vote, viewer.member_id)
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def nominate(context: Context, vote_id: str, name: str) -> Vote:
    """Add a candidate to an election that is not open yet. Raises TOO_MANY_CANDIDATES."""
    viewer = context.signed_in()
    label = read_text(name, LABEL_MAXIMUM, "name")
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.PREPARE_VOTE
        )
        check_prepared(vote.state)
        rule = RuleSet.from_data(vote.rule)
        if rule.method not in ELECTIONS:
            raise Refusal(Reason.INVALID_RULE, "This vote has no candidates.")
        rows = (
            await session.scalars(select(VoteOption).where(VoteOption.vote_id == vote.id))
        ).all()
        before = [
            (Option(row.id, row.kind, row.position, row.candidate_id), row.label) for row in rows
        ]
        added = list(_paper(rule.method, [label], after=len(before)))
        _check_paper(rule, [*before, *added])
        await _insert_options(session, vote.id, added)
        await _grow(session, vote.id)
        sealed = await seal_tables(session, vote.id, PAPER)
        told = {"by": str(viewer.member_id), "name": label, "sealed": sealed}
        await append_audit(session, vote.id, AuditKind.NOMINATED, told)
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def repeat_vote(context: Context, vote_id: str) -> Vote:
    """Prepare a new vote linked to one that has ended: the same again, or what its result asks
    for (those tied, or a further round for the seats still open). Who was recused still is.

    Raises WRONG_STATE.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        old, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.REPEAT_VOTE
        )
        is_done = old.state is VoteState.ANNULLED or (
            old.published_at is not None and next_step_of(old) not in BREAKABLE
        )
        repeated = await session.scalar(select(Vote.id).where(Vote.repeat_of == old.id))
        if not is_done or repeated is not None:
            raise Refusal(Reason.WRONG_STATE, "Only a vote that has ended is repeated, once.")
        item = await session.get_one(AgendaItem, old.item_id)
        check_preparing(meeting.state, item.state)
        rule, labels = await _next_round(session, old)
        paper = list(_paper(rule.method, labels))
        _check_paper(rule, paper)
        vote = _new_vote(meeting, old.item_id, old.matter, old.question, rule)
        vote.repeat_of = old.id
        await _insert_vote(session, vote, paper, await list_recused(session, old.id))
        await append_created(session, vote, viewer.member_id)
        await _grow(session, old.id)
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(old.id))
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def _rule(session: WriteSession, meeting: Meeting, draft: Draft) -> RuleSet:
    rule = (await load_rules(session, meeting.unit_id)).get(draft.matter)
    if rule is None:
        raise Refusal(
            Reason.INVALID_RULE, "The branch has no rule for this.", matter=draft.matter.value
        )
    if draft.seats is not None:
        if draft.seats > OPTIONS_MAXIMUM:
            raise Refusal(
                Reason.INVALID_INPUT,
                f"At most {OPTIONS_MAXIMUM} seats.",
                most=OPTIONS_MAXIMUM,
            )
        rule = for_seats(rule, draft.seats)
    if draft.seconds is not None:
        check_duration(rule, draft.seconds)
        rule = replace(rule, duration_seconds=draft.seconds)
    return rule


def _paper(method: Method, answers: Sequence[str], after: int = 0) -> Iterator[tuple[Option, str]]:
    """The options of a paper with their labels, after those that are there."""
    position = after
    for kind, label, candidate_id in _boxes(method, answers):
        position += 1
        yield Option(uuid4(), kind, position, candidate_id), label


def _boxes(method: Method, answers: Sequence[str]) -> Iterator[tuple[OptionKind, str, UUID | None]]:
    match method:
        case Method.FOR_AGAINST_ABSTAIN:
            if answers:
                raise Refusal(Reason.INVALID_INPUT, "A motion has no answers of its own.")
            yield from ((kind, label, None) for kind, label in MOTION_LABELS.items())
        case Method.CHOOSE_UP_TO:
            yield from ((OptionKind.CHOICE, answer, uuid4()) for answer in answers)
        case Method.YES_NO_PER_CANDIDATE:
            for answer in answers:
                candidate_id = uuid4()
                yield OptionKind.FOR, answer, candidate_id
                yield OptionKind.AGAINST, answer, candidate_id
        case Method.ORDERED_CUMULATIVE:
            yield from ((OptionKind.MEASURE, answer, None) for answer in answers)
            yield OptionKind.ABSTAIN, MOTION_LABELS[OptionKind.ABSTAIN], None


def _check_paper(rule: RuleSet, paper: Sequence[tuple[Option, str]]) -> None:
    """An election may be prepared without candidates, who are nominated before it opens."""
    labels = [label for option, label in paper if option.kind is not OptionKind.AGAINST]
    if alike := look_alikes(labels):
        raise Refusal(
            Reason.INVALID_INPUT,
            "Two answers look the same; say which is which, for example by the year of birth.",
            alike=list(alike),
        )
    if rule.method in ELECTIONS:
        most = min(most_candidates(rule) or OPTIONS_MAXIMUM, OPTIONS_MAXIMUM)
        candidates = len({option.candidate_id for option, _ in paper})
        if candidates > most:
            raise Refusal(
                Reason.TOO_MANY_CANDIDATES,
                f"{candidates} candidates; at most {most}.",
                candidates=candidates,
                most=most,
            )
    else:
        if len(paper) > OPTIONS_MAXIMUM:
            raise Refusal(Reason.INVALID_INPUT, f"At most {OPTIONS_MAXIMUM} options.")
        check_options(rule, [option for option, _ in paper])


def _new_vote(
    meeting: Meeting, item_id: UUID, matter: Matter, question: str, rule: RuleSet
) -> Vote:
    return Vote(
        id=uuid4(),
        meeting_id=meeting.id,
        item_id=item_id,
        question=question,
        matter=matter,
        rule=rule.to_data(),
        secrecy=rule.secrecy,
        change=rule.change,
        closes_when_all_voted=rule.closes_when_all_voted,
    )


async def _insert_vote(
    session: WriteSession,
    vote: Vote,
    paper: Sequence[tuple[Option, str]],
    recused: Sequence[UUID],
) -> None:
    last = await session.scalar(
        select(func.max(Vote.position)).where(Vote.meeting_id == vote.meeting_id)
    )
    vote.position = (last or 0) + 1
    session.add(vote)
    await session.flush()
    await _insert_options(session, vote.id, paper)
    if recused:
        rows = [{"vote_id": vote.id, "member_id": member_id} for member_id in recused]
        await session.execute(insert(Recusal), rows)


async def _grow(session: WriteSession, vote_id: UUID) -> None:
    await session.execute(
        update(Vote).where(Vote.id == vote_id).values(row_version=Vote.row_version + 1)
    )


async def _insert_options(
    session: WriteSession, vote_id: UUID, paper: Sequence[tuple[Option, str]]
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": option.id,
            "vote_id": vote_id,
            "position": option.position,
            "kind": option.kind,
            "label": label,
            "candidate_id": option.candidate_id,
        }
        for option, label in paper
    ]
    if rows:
        await session.execute(insert(VoteOption), rows)


async def _find_recused(
    session: WriteSession, meeting: Meeting, recused: Sequence[str]
) -> list[UUID]:
    """The members named, in the order of their ids. Raises NOT_FOUND for who is not here."""
    members = {parse_id(text, "member") for text in recused}
    here = await session.scalars(
        select(Membership.member_id).where(
            Membership.unit_id == meeting.unit_id,
            Membership.valid_to.is_(None),
            Membership.member_id.in_(members),
        )
    )
    if members - set(here):
        raise not_found("member of this branch")
    return sorted(members)


async def _next_round(session: WriteSession, old: Vote) -> tuple[RuleSet, list[str]]:
    """The rule and the answers of the vote that follows."""
    rows = (
        await session.scalars(
            select(VoteOption).where(VoteOption.vote_id == old.id).order_by(VoteOption.position)
        )
    ).all()
    rule = RuleSet.from_data(old.rule)
    outcome = Outcome.from_data(old.outcome) if old.outcome else None
    again = set(outcome.next_options) if outcome and old.state is VoteState.CLOSED else set()
    kinds = {OptionKind.CHOICE, OptionKind.MEASURE}
    if rule.method is Method.YES_NO_PER_CANDIDATE:
        kinds = {OptionKind.FOR}
    labels = [row.label for row in rows if row.kind in kinds and (not again or row.id in again)]
    if outcome and again and rule.method in ELECTIONS:
        rule = for_seats(rule, outcome.next_seats)
    return rule, labels
