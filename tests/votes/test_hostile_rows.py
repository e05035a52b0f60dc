"""What may never be, whoever asks: triggers refuse it to the tables' owner, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import IntegrityError

from models.votes.votes import (
    AuditRow,
    Ballot,
    CastMark,
    HandCount,
    HandMark,
    OpenPaper,
    Paper,
    Recusal,
    RollEntry,
    Vote,
    VoteOption,
)
from rules.meetings.meetings import VoteState
from rules.register.members import Standing
from rules.votes.ballots import OptionKind, Validity
from rules.votes.presets import Matter
from rules.votes.record.audit import BEGINNING, AuditKind
from rules.votes.rule_sets import Secrecy
from tests.support.asking import act
from tests.support.database_log import unchanged
from tests.support.factories import ORDINARY, City, VoteIds, context_of
from tests.support.voting import HIDDEN, cast, end, open_motion, vote_after

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


async def refuses(
    city: City, statement: Any, why: str = r"only|begins|follows|stay|never|counted"
) -> None:
    async with city.scene.database.writing() as session:
        with pytest.raises(IntegrityError, match=why):
            await session.execute(text(statement) if isinstance(statement, str) else statement)


async def refuses_all(city: City, statements: dict[str, Any]) -> None:
    async with unchanged(city.scene.database):
        for statement in statements.values():
            await refuses(city, statement)


async def closed_motion(city: City, *, is_hidden: bool = False) -> VoteIds:
    hidden = replace(HIDDEN, min_voters_for_secret=2)
    vote = await open_motion(city, hidden if is_hidden else ORDINARY)
    for person in (city.an, city.binh):
        await cast(person, vote, vote.for_)
    await end(city, vote)
    return vote


def changes(vote: VoteIds, **values: Any) -> dict[str, Any]:
    return {
        name: update(Vote).where(Vote.id == vote.id).values({name: value})
        for name, value in values.items()
    }


def in_the_box(city: City, vote: VoteIds) -> dict[str, Any]:
    """Rows for the box of a vote, and what else grows while it is open."""
    row = {"vote_id": vote.id}
    member = {**row, "member_id": city.chi.id}
    valid = {"id": uuid4(), "validity": Validity.VALID}
    return {
        "ballot": insert(Ballot).values(**member, **valid, key="key", cast_at=NOW),
        "mark": insert(CastMark).values(**member, key="key", cast_at=NOW),
        "open paper": insert(OpenPaper).values(**row, **valid, choices=[]),
        "hand": insert(HandMark).values(**member, option_id=vote.for_),
        "hands": insert(HandCount).values(**row, option_id=vote.against, hands=1),
    }


def on_the_paper(city: City, vote: VoteIds) -> dict[str, Any]:
    row = {"vote_id": vote.id}
    option: dict[str, Any] = {"kind": OptionKind.CHOICE, "label": "Khác", "position": 9}
    return {
        "option": insert(VoteOption).values(id=uuid4(), **row, **option),
        "recusal": insert(Recusal).values(**row, member_id=city.chi.id),
        "label": update(VoteOption).where(VoteOption.vote_id == vote.id).values(label="Khác"),
    }


async def test_a_prepared_vote_takes_no_ballots(city: City) -> None:
    for statement in (in_the_box(city, city.vote) | papers(city.vote)).values():
        await refuses(city, statement, "only|foreign key|counted")  # it has no roll yet


def papers(vote: VoteIds) -> dict[str, Any]:
    row = {"vote_id": vote.id}
    return {"paper": insert(Paper).values(id=uuid4(), **row, validity=Validity.VALID)}


@pytest.mark.parametrize("is_hidden", [False, True], ids=["open", "unattributed"])
@pytest.mark.parametrize("is_annulled", [False, True], ids=["closed", "annulled"])
async def test_a_vote_that_has_ended_takes_nothing_more(
    city: City, is_hidden: bool, is_annulled: bool
) -> None:
    vote = await closed_motion(city, is_hidden=is_hidden)
    if is_hidden:
        await vote_after(city.hanh, "publishVote", vote)
    if is_annulled:
        await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    if is_annulled and is_hidden:
        await act(context_of(city.dung), "confirmAnnulment", voteId=vote.id)
    late = {
        "roll": insert(RollEntry).values(
            vote_id=vote.id,
            member_id=city.yen.id,
            standing=Standing.FULL,
            is_elsewhere=False,
            is_summoned=True,
            was_present_at_opening=True,
        ),
        "choice of a ballot": text(
            "INSERT INTO ballot_choice (ballot_id, option_id, vote_id)"
            " SELECT ballot.id, vote_option.id, ballot.vote_id FROM ballot JOIN vote_option"
            " ON vote_option.vote_id = ballot.vote_id AND vote_option.kind = 'AGAINST'"
        ),
        "choice of a paper": text(
            "INSERT INTO paper_choice (paper_id, option_id, vote_id)"
            " SELECT paper.id, vote_option.id, paper.vote_id FROM paper JOIN vote_option"
            " ON vote_option.vote_id = paper.vote_id AND vote_option.kind = 'AGAINST'"
        ),
    }
    del late["choice of a ballot" if is_hidden else "choice of a paper"]
    await refuses_all(city, in_the_box(city, vote) | on_the_paper(city, vote) | papers(vote) | late)


async def test_a_vote_goes_along_its_edges_only(city: City) -> None:
    steps: dict[VoteState, dict[str, Any]] = {
        VoteState.PREPARED: {"opened_at": None, "closed_at": None, "annulled_at": None},
        VoteState.OPEN: {"opened_at": NOW, "closed_at": None, "annulled_at": None},
        VoteState.CLOSED: {"opened_at": NOW, "closed_at": NOW, "annulled_at": None},
        VoteState.ANNULLED: {"opened_at": NOW, "closed_at": NOW, "annulled_at": NOW},
    }
    vote = await closed_motion(city)

    def to(state: VoteState, held: VoteIds) -> Any:
        return update(Vote).where(Vote.id == held.id).values(state=state, **steps[state])

    await refuses_all(city, {s.value: to(s, vote) for s in (VoteState.PREPARED, VoteState.OPEN)})
    for skipped in (VoteState.CLOSED, VoteState.ANNULLED):
        await refuses(city, to(skipped, city.vote))
    await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    before = (VoteState.PREPARED, VoteState.OPEN, VoteState.CLOSED)
    await refuses_all(city, {state.value: to(state, vote) for state in before})


async def test_nothing_of_a_closed_vote_changes_but_by_its_acts(city: City) -> None:
    vote = await closed_motion(city)
    await refuses_all(
        city,
        changes(
            vote,
            question="Khác?",
            matter=Matter.ELECTION,
            rule=HIDDEN.to_data(),
            secrecy=Secrecy.UNATTRIBUTED,
            position=9,
            closes_when_all_voted=True,
            opened_at=NOW,
            closes_at=NOW + timedelta(days=400),
            closed_at=NOW,
            outcome={"verdict": "NOT_CARRIED"},
            published_at=None,
            annulment="Sai",
            row_version=1,
        ),
    )
    await refuses_all(
        city,
        {
            "roll": "UPDATE roll_entry SET weight = 9",
            "who was here": "UPDATE roll_entry SET was_present_at_closing = true",
            "left out": "UPDATE roll_entry SET left_out = 'RECUSED'",
            "roll gone": "DELETE FROM roll_entry",
            "vote gone": "DELETE FROM vote",
        },
    )


async def test_what_is_hidden_stays_so_and_a_result_is_decided_once(city: City) -> None:
    vote = await closed_motion(city, is_hidden=True)
    await refuses_all(city, changes(vote, secrecy=Secrecy.OPEN, published_at=NOW))
    await vote_after(city.hanh, "publishVote", vote)
    await refuses_all(city, changes(vote, published_at=NOW, outcome=None))


async def test_an_open_vote_ends_no_sooner_and_its_hands_stay(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    later = datetime.now(UTC) + timedelta(hours=1)
    await vote_after(city.hanh, "extendVote", vote, closesAt=later)
    await refuses_all(
        city,
        {
            **changes(vote, closes_at=later - timedelta(minutes=1), question="Khác?"),
            "no end": update(Vote).where(Vote.id == vote.id).values(closes_at=None),
            **on_the_paper(city, vote),
            "roll": "UPDATE roll_entry SET weight = 9",
            "who was here": "UPDATE roll_entry SET was_present_at_closing = true",
        },
    )


async def test_a_vote_begins_prepared_and_a_link_follows_the_last_one(city: City) -> None:
    begun: dict[str, Any] = {
        "meeting_id": city.meeting.id,
        "item_id": city.meeting.items[0],
        "position": 70,
        "question": "Biểu quyết?",
        "matter": Matter.ORDINARY,
        "rule": ORDINARY.to_data(),
        "secrecy": Secrecy.OPEN,
        "change": ORDINARY.change,
        "state": VoteState.OPEN,
        "opened_at": NOW,
    }
    link: dict[str, Any] = {
        "vote_id": city.vote.id,
        "kind": AuditKind.PUBLISHED,
        "payload": {},
        "hash": BEGINNING,
    }
    await refuses_all(
        city,
        {
            "vote": insert(Vote).values(id=uuid4(), **begun),
            "gap": insert(AuditRow).values(**link, sequence=3, previous_hash=BEGINNING),
            "fork": insert(AuditRow).values(**link, sequence=2, previous_hash=BEGINNING),
        },
    )
