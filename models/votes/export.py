"""A vote with everything that its outcome rests on, as plain JSON."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import String, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from models.votes.counting import list_ballots
from models.votes.lots import list_keys
from models.votes.votes import (
    AuditRow,
    CastMark,
    CountedHand,
    HandCount,
    Paper,
    PaperChoice,
    RollEntry,
    Vote,
    VoteOption,
)
from rules.meetings.meetings import ENDED
from rules.votes.outcome import Verdict
from rules.votes.record.recount import Withheld
from rules.votes.rule_sets import Secrecy


async def export_vote(
    session: AsyncSession, vote_id: UUID, *, is_whole: bool = False
) -> dict[str, Any] | None:
    """What `record.recount` reads; None if there is no such vote, or none that has ended.

    Of an UNATTRIBUTED vote it holds the roll and the papers, and nothing that joins them; papers
    whose figures nobody may see are withheld. A whole one is for checking alone, and shown to
    nobody.
    """
    vote = await session.get(Vote, vote_id)
    if vote is None or vote.state not in ENDED:
        return None
    withheld = None if is_whole else _withheld(vote)
    ballots = [] if withheld else await _papers(session, vote)
    hands = [] if withheld else await _hands(session, vote_id)
    return {
        **await describe_paper(session, vote),
        "state": vote.state.value,
        "secrecy": vote.secrecy.value,
        "rule": vote.rule,
        "roll": await _roll(session, vote_id, {one["member"] for one in ballots}),
        "ballots": ballots,
        **({"withheld": withheld.value} if withheld else {}),
        "hands": {} if withheld else await _sums(session, vote_id, hands),
        "raised": hands,
        "outcome": vote.outcome,
        **await _lot(session, vote),
        "audit": await read_links(session, vote_id),
    }


async def _lot(session: AsyncSession, vote: Vote) -> dict[str, Any]:
    """What a lot was drawn from, besides the secret that the outcome tells."""
    tie = (vote.outcome or {}).get("tie")
    return {"keys": await list_keys(session, vote)} if tie and tie.get("secret") else {}


def _withheld(vote: Vote) -> Withheld | None:
    if vote.secrecy is Secrecy.OPEN:
        return None
    if vote.published_at is None:
        return Withheld.NOT_PUBLISHED
    is_told = Verdict((vote.outcome or {})["verdict"]) is not Verdict.TOO_FEW_BALLOTS
    return None if is_told else Withheld.TOO_FEW_BALLOTS


async def describe_paper(session: AsyncSession, vote: Vote) -> dict[str, Any]:
    """What is asked, and what can be answered: what `record.recount.paper_hash` fixes."""
    return {
        "vote": str(vote.id),
        "meeting": str(vote.meeting_id),
        "question": vote.question,
        "options": await _options(session, vote.id),
    }


async def _options(session: AsyncSession, vote_id: UUID) -> list[dict[str, Any]]:
    rows = await session.scalars(
        select(VoteOption).where(VoteOption.vote_id == vote_id).order_by(VoteOption.position)
    )
    return [
        {
            "id": str(row.id),
            "kind": row.kind.value,
            "position": row.position,
            "label": row.label,
            "candidate": str(row.candidate_id) if row.candidate_id else None,
        }
        for row in rows
    ]


async def _papers(session: AsyncSession, vote: Vote) -> list[dict[str, Any]]:
    """The ballots that count: by member where the vote is OPEN, by nobody otherwise."""
    if vote.secrecy is Secrecy.OPEN:
        ballots = (await list_ballots(session, [vote.id]))[vote.id]
        return [
            {
                "id": str(one.id),
                "member": str(one.member_id),
                "validity": one.validity.value,
                "choices": sorted(map(str, one.choices)),
            }
            for one in ballots
        ]
    papers = await session.execute(
        select(Paper.id, Paper.validity).where(Paper.vote_id == vote.id).order_by(Paper.id)
    )
    choices: dict[UUID, list[str]] = {}
    for row in await session.execute(
        select(PaperChoice.paper_id, PaperChoice.option_id).where(PaperChoice.vote_id == vote.id)
    ):
        choices.setdefault(row.paper_id, []).append(str(row.option_id))
    return [
        {
            "id": str(row.id),
            "member": None,
            "validity": row.validity.value,
            "choices": sorted(choices.get(row.id, [])),
        }
        for row in papers
    ]


async def _roll(
    session: AsyncSession, vote_id: UUID, with_ballot: set[str | None]
) -> list[dict[str, Any]]:
    marked = {
        str(member_id)
        for table in (CastMark, CountedHand)
        for member_id in await session.scalars(
            select(table.member_id).where(table.vote_id == vote_id)
        )
    }
    rows = await session.scalars(
        select(RollEntry).where(RollEntry.vote_id == vote_id).order_by(RollEntry.member_id)
    )
    return [
        {
            "member": str(row.member_id),
            "standing": row.standing.value,
            "leftOut": row.left_out.value if row.left_out else None,
            "weight": row.weight,
            "hasCast": str(row.member_id) in with_ballot | marked,
            "isElsewhere": row.is_elsewhere,
            "isSummoned": row.is_summoned,
            "isExcused": bool(row.was_excused),
            "wasPresentAtOpening": row.was_present_at_opening,
            "isPresent": bool(row.was_present_at_closing),
        }
        for row in rows
    ]


async def _hands(session: AsyncSession, vote_id: UUID) -> list[dict[str, Any]]:
    """Whose hands count, and for what; None where that was not kept."""
    rows = await session.scalars(
        select(CountedHand).where(CountedHand.vote_id == vote_id).order_by(CountedHand.member_id)
    )
    return [
        {"member": str(row.member_id), "option": str(row.option_id) if row.option_id else None}
        for row in rows
    ]


async def _sums(
    session: AsyncSession, vote_id: UUID, hands: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """How many hands each option has, with those of which only sums were kept."""
    rows = await session.scalars(select(HandCount).where(HandCount.vote_id == vote_id))
    sums = Counter({str(row.option_id): row.hands for row in rows})
    sums.update(hand["option"] for hand in hands if hand["option"])
    return dict(sorted(sums.items()))


async def read_links(session: AsyncSession, vote_id: UUID) -> list[dict[str, Any]]:
    """The vote's audit rows, in order, whatever their kinds say."""
    rows = await session.execute(
        select(
            AuditRow.sequence,
            type_coerce(AuditRow.kind, String()).label("kind"),
            AuditRow.payload,
            AuditRow.previous_hash,
            AuditRow.hash,
        )
        .where(AuditRow.vote_id == vote_id)
        .order_by(AuditRow.sequence)
    )
    return [
        {
            "sequence": row.sequence,
            "kind": row.kind,
            "payload": row.payload,
            "previousHash": row.previous_hash.hex(),
            "hash": row.hash.hex(),
        }
        for row in rows
    ]
