"""Preparing votes: by which rule, with what on the paper, and what a vote needs to open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.meetings.meetings import AgendaItem
from models.register.rule_sets import UnitRule
from models.votes.votes import Recusal
from rules.meetings.meetings import ItemState, MeetingState
from rules.votes.presets import PRESETS, Assignment, Matter
from rules.votes.rule_sets import Empty, RuleSet, Secrecy
from tests.support.asking import act, ask
from tests.support.factories import ORDINARY, SINCE, City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import (
    chain,
    draft_of,
    look,
    no_to,
    paper_of,
    prepare,
    reason,
    refused,
    set_state,
    stored,
    vote_after,
)

NO_TEXT = ["", " ", "\n\t", "\x00", "a\x00b", "a\x07b", "\ud800", "\u202egnud", "\u2028"]
PARTY = PRESETS["vi-party"]


@pytest.fixture
async def city(city: City) -> City:
    """The city, which votes as a party does; what is below inherits it."""
    city.scene.preset(city.city, "vi-party")
    await city.scene.save()
    return city


async def refused_drafts(city: City, why: str, *drafts: dict[str, Any]) -> None:
    for draft in drafts:
        whole = draft_of(city.meeting.items[0], **draft)
        assert await reason(city.hanh, "prepareVote", draft=whole) == why, draft


# --- The paper ----------------------------------------------------------------------------------


@pytest.mark.parametrize("matter", [Matter.ORDINARY, Matter.TWO_THIRDS, Matter.ADMISSION])
async def test_a_motion_has_three_boxes_and_the_rule_of_its_matter(
    city: City, matter: Matter
) -> None:
    paper = await prepare(city.hanh, city.meeting.items[1], matter, question="  Kết nạp?  ")
    vote = await look(city.an, paper)
    assert (vote["state"], vote["question"]) == ("PREPARED", "Kết nạp?")
    assert vote["matter"] == matter.value
    assert vote["itemId"] == str(city.meeting.items[1])
    assert vote["rule"]["name"] == PARTY[matter].name
    assert [option["kind"] for option in vote["options"]] == ["FOR", "AGAINST", "ABSTAIN"]
    assert (vote["roll"], vote["outcome"], vote["record"]) == ([], None, None)
    ((kind, payload),) = await chain(city, paper)
    assert (kind, payload["by"], payload["question"]) == ("CREATED", str(city.hanh.id), "Kết nạp?")
    rule = RuleSet.from_data(payload["rule"])
    assert rule == replace(PARTY[matter], valid_from=SINCE)


async def test_measures_stand_from_the_heaviest_and_one_may_abstain(city: City) -> None:
    measures = ["Khai trừ", "Cách chức", "Cảnh cáo", "Khiển trách"]
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.DISCIPLINE, measures)
    assert [option["label"] for option in paper.options[:4]] == measures
    kinds = [option["kind"] for option in paper.options]
    assert kinds == ["MEASURE"] * 4 + ["ABSTAIN"]
    rule = (await look(city.an, paper))["rule"]
    assert (rule["secrecy"], rule["mostChoices"]) == ("UNATTRIBUTED", 1)


async def test_each_candidate_has_two_boxes(city: City) -> None:
    paper = await prepare(
        city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai", "Long"], seats=2
    )
    boxes = [(option["label"], option["kind"]) for option in paper.options]
    assert boxes == [("Mai", "FOR"), ("Mai", "AGAINST"), ("Long", "FOR"), ("Long", "AGAINST")]
    candidates = [option["candidateId"] for option in paper.options]
    assert candidates[0] == candidates[1] != candidates[2] == candidates[3]
    assert (await look(city.an, paper))["rule"]["seats"] == 2


async def test_where_the_rule_says_so_a_candidate_has_one_box(city: City) -> None:
    city.scene.preset(city.branch, "de-verein")
    await city.scene.save()
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai", "Long"])
    assert [option["kind"] for option in paper.options] == ["CHOICE", "CHOICE"]
    assert len({option["candidateId"] for option in paper.options}) == 2


async def test_texts_may_be_as_long_as_they_are_and_no_longer(city: City) -> None:
    paper = await prepare(
        city.hanh, city.meeting.items[0], Matter.DISCIPLINE, ["ễ" * 200], question="ễ" * 1_000
    )
    assert (await look(city.an, paper))["question"] == "ễ" * 1_000
    two_lines = await prepare(city.hanh, city.meeting.items[0], question="Thông qua\nnghị quyết?")
    assert (await look(city.an, two_lines))["question"] == "Thông qua\nnghị quyết?"
    await refused_drafts(
        city,
        "INVALID_INPUT",
        {"question": "x" * 1_001},
        {"matter": Matter.DISCIPLINE, "answers": ["x" * 201]},
    )


async def test_what_is_no_text_is_refused(city: City) -> None:
    election = {"matter": Matter.ELECTION, "seats": 2}
    await refused_drafts(city, "INVALID_INPUT", *({"question": text} for text in NO_TEXT))
    await refused_drafts(
        city, "INVALID_INPUT", *({**election, "answers": ["Mai", text]} for text in NO_TEXT)
    )


async def test_two_answers_that_read_the_same_are_refused(city: City) -> None:
    await refused_drafts(
        city,
        "INVALID_INPUT",
        *(
            {"matter": matter, "answers": answers, "seats": seats}
            for matter, seats in [(Matter.ELECTION, 3), (Matter.DISCIPLINE, None)]
            for answers in [
                ["Mai", "Long", "Mai"],
                ["Mai", " Mai "],
                ["Nguyễn", "Nguyê\u0303n"],  # typed on two keyboards
            ]
        ),
    )


async def test_a_motion_has_no_answers_and_measures_need_some(city: City) -> None:
    await refused_drafts(city, "INVALID_INPUT", {"answers": ["Có", "Không"]})
    await refused_drafts(city, "INVALID_RULE", {"matter": Matter.DISCIPLINE})
    await refused_drafts(
        city,
        "INVALID_INPUT",
        {"matter": Matter.DISCIPLINE, "answers": [f"Hình thức {n}" for n in range(100)]},
    )


async def test_no_more_candidates_stand_than_the_surplus_allows(city: City) -> None:
    names = [f"Ứng viên {number}" for number in range(15)]
    election = {"itemId": city.meeting.items[0], "matter": Matter.ELECTION, "question": "Bầu?"}
    for seats, most in [(1, 1), (3, 3), (4, 5), (10, 13)]:
        draft = {**election, "seats": seats, "answers": names[: most + 1]}
        value = await refused(city.hanh, "prepareVote", draft=draft)
        assert value["reason"] == "TOO_MANY_CANDIDATES"
        assert value["details"] == {"candidates": most + 1, "most": most}
        await vote_after(city.hanh, "prepareVote", draft={**draft, "answers": names[:most]})


async def test_seats_are_one_or_more_and_only_elections_have_them(city: City) -> None:
    election = {"matter": Matter.ELECTION, "answers": ["Mai"]}
    await refused_drafts(
        city, "INVALID_RULE", {**election, "seats": 0}, {**election, "seats": -1}, {"seats": 2}
    )


async def test_a_vote_lasts_ten_seconds_to_a_day(city: City) -> None:
    await refused_drafts(
        city, "INVALID_INPUT", *({"seconds": seconds} for seconds in (-1, 0, 9, 86_401))
    )
    paper = await prepare(city.hanh, city.meeting.items[0], seconds=86_400)
    vote = await vote_after(city.hanh, "openVote", paper)
    opened, closes = (datetime.fromisoformat(vote[name]) for name in ("openedAt", "closesAt"))
    assert closes - opened == timedelta(days=1)


# --- Where and when -----------------------------------------------------------------------------


async def test_votes_are_prepared_for_what_is_still_to_come(city: City) -> None:
    database, item = city.scene.database, city.meeting.items[0]
    states = {
        MeetingState.SUMMONED: True,
        MeetingState.PAUSED: True,
        MeetingState.DRAFT: False,
        MeetingState.CANCELLED: False,
        MeetingState.CLOSED: False,
        MeetingState.MINUTES_SIGNED: False,
        MeetingState.IN_SESSION: True,
    }
    for state, is_possible in states.items():
        await set_state(city, state)
        value = await act(context_of(city.hanh), "prepareVote", draft=draft_of(item))
        assert value["__typename"] == ("Vote" if is_possible else "Refused"), state
        if not is_possible:
            assert value["reason"] == "WRONG_STATE"
    await change(database, AgendaItem, AgendaItem.id == item, state=ItemState.DONE)
    assert await reason(city.hanh, "prepareVote", draft=draft_of(item)) == "WRONG_STATE"


async def test_only_who_chairs_the_branch_prepares_and_nominates(city: City) -> None:
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai"])
    draft = draft_of(city.meeting.items[0])
    knowing = dict.fromkeys((city.an, city.oanh), "NOT_ALLOWED")
    for person, why in {
        **knowing,
        **dict.fromkeys((city.yen, city.tuan, city.son), "NOT_FOUND"),
    }.items():
        assert await reason(person, "prepareVote", draft=draft) == why
        assert await reason(person, "nominate", voteId=paper.id, name="Long") == why
    other = draft_of(city.other_meeting.items[0])
    assert await reason(city.hanh, "prepareVote", draft=other) == "NOT_FOUND"


async def test_members_of_the_branch_are_recused_and_nobody_else(city: City) -> None:
    item = city.meeting.items[0]
    for unknown in (city.yen.id, uuid4(), "x", "\ud800"):
        draft = draft_of(item, recused=[city.an.id, unknown])
        assert await reason(city.hanh, "prepareVote", draft=draft) == "NOT_FOUND"
    paper = await prepare(city.hanh, item, recused=[city.an.id, city.thu.id, city.an.id])
    rows = await stored(city, Recusal.__table__.select())
    assert {row.member_id for row in rows} == {city.an.id, city.thu.id}
    assert {row.vote_id for row in rows} == {paper.id}


# --- Which rule ---------------------------------------------------------------------------------


async def rules_of(person: Person, unit: object) -> dict[str, str]:
    document = "query ($id: ID!) { rules(unitId: $id) { matter rule { name } } }"
    rows = (await ask(context_of(person), document, id=str(unit)))["rules"]
    return {row["matter"]: row["rule"]["name"] for row in rows}


async def test_a_branch_votes_by_the_rules_of_the_nearest_unit_that_has_them(city: City) -> None:
    party = {matter.value: rule.name for matter, rule in PARTY.items()}
    assert await rules_of(city.an, city.branch) == party
    city.scene.preset(city.ward, "roberts-rules")
    city.scene.rule(city.branch, PRESETS["de-verein"][Matter.BYLAWS], Matter.BYLAWS)
    await city.scene.save()
    robert = {matter.value: rule.name for matter, rule in PRESETS["roberts-rules"].items()}
    assert await rules_of(city.thu, city.other_branch) == party | robert
    expected = party | robert | {"BYLAWS": "de-verein.bylaws"}
    assert await rules_of(city.an, city.branch) == expected
    for matter in (Matter.BYLAWS, Matter.TWO_THIRDS, Matter.ADMISSION):
        paper = await prepare(city.hanh, city.meeting.items[0], matter)
        rule = (await look(city.hanh, paper))["rule"]
        assert rule["name"] == expected[matter.value]


async def test_a_rule_tells_what_too_many_marks_and_none_make_of_a_ballot(city: City) -> None:
    document = """query ($id: ID!) { rules(unitId: $id) { matter rule {
      measureThresholds { numerator denominator strict } maxSurplus { numerator denominator }
      mostChoices maxChoices overvote empty takesBlank proxies
    } } }"""
    invalid = replace(
        PARTY[Matter.ELECTION],
        max_choices=2,
        max_surplus=None,
        empty=Empty.INVALID,
        secrecy=Secrecy.OPEN,
        proxies=3,
    )
    city.scene.rule(city.branch, invalid, Matter.BYLAWS)
    await city.scene.save()
    rows = (await ask(context_of(city.an), document, id=str(city.branch)))["rules"]
    rules = {row["matter"]: row["rule"] for row in rows}
    plain: dict[str, object] = {
        "measureThresholds": [],
        "maxSurplus": None,
        "maxChoices": None,
        "proxies": None,
    }
    assert rules["ORDINARY"] == plain | {
        "mostChoices": 1,
        "overvote": "REFUSED",
        "empty": "REFUSED",
        "takesBlank": False,
    }
    on_paper = plain | {"mostChoices": 1, "overvote": "INVALID", "empty": "BLANK"}
    two_thirds = {"numerator": 2, "denominator": 3, "strict": False}
    assert rules["DISCIPLINE"] == on_paper | {
        "measureThresholds": [two_thirds],
        "takesBlank": True,
    }
    surplus = {"numerator": 30, "denominator": 100}
    assert rules["ELECTION"] == on_paper | {"maxSurplus": surplus, "takesBlank": True}
    two = {"mostChoices": 2, "maxChoices": 2, "empty": "INVALID", "takesBlank": True, "proxies": 3}
    assert rules["BYLAWS"] == on_paper | two


async def test_without_a_rule_for_the_matter_there_is_no_vote(city: City) -> None:
    draft = draft_of(city.meeting.items[0], Matter.DISSOLUTION)
    value = await refused(city.hanh, "prepareVote", draft=draft)
    assert (value["reason"], value["details"]) == ("INVALID_RULE", {"matter": "DISSOLUTION"})


async def test_a_rule_holds_from_its_first_day_and_before_its_last(city: City) -> None:
    today = datetime.now(UTC).date()
    days = {-9: "past", -5: "present", 5: "future"}
    firsts = [(today + timedelta(days=day), name) for day, name in days.items()]
    ends: list[date | None] = [first for first, _ in firsts[1:]]
    city.scene.adopt(
        Assignment(city.branch, Matter.ORDINARY, replace(ORDINARY, name=name, valid_from=first), to)
        for (first, name), to in zip(firsts, [*ends, None], strict=True)
    )
    await city.scene.save()
    assert (await rules_of(city.an, city.branch))["ORDINARY"] == "present"
    ended = {"valid_to": today - timedelta(days=2)}
    rule = UnitRule.valid_from == firsts[1][0]
    await change(city.scene.database, UnitRule, rule, **ended)
    assert (await rules_of(city.an, city.branch))["ORDINARY"] == "vi-party.ordinary"


async def test_a_vote_keeps_the_rule_that_it_was_prepared_under(city: City) -> None:
    paper = await prepare(city.hanh, city.meeting.items[0])
    city.scene.preset(city.branch, "roberts-rules")
    await city.scene.save()
    assert (await vote_after(city.hanh, "openVote", paper))["rule"]["name"] == "vi-party.ordinary"


# --- Nominations --------------------------------------------------------------------------------


async def test_candidates_are_nominated_until_the_election_opens(city: City) -> None:
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai"], seats=4)
    value = await refused(city.hanh, "openVote", voteId=paper.id)
    assert value["reason"] == "TOO_FEW_CANDIDATES"
    assert value["details"] == {"candidates": 1, "seats": 4}
    for name in (" Long ", "Phúc", "Quý"):
        await vote_after(city.hanh, "nominate", paper, name=name)
    vote = await vote_after(city.dung, "nominate", paper, name="Sâm")
    by_name = [option["label"] for option in vote["options"]]
    assert by_name == [name for name in ("Mai", "Long", "Phúc", "Quý", "Sâm") for _ in range(2)]
    assert await reason(city.hanh, "nominate", voteId=paper.id, name="Tú") == "TOO_MANY_CANDIDATES"
    await vote_after(city.hanh, "openVote", paper)
    assert await reason(city.hanh, "nominate", voteId=paper.id, name="Tú") == "WRONG_STATE"


async def test_who_stands_already_is_not_nominated_again(city: City) -> None:
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai"], seats=4)
    await vote_after(city.hanh, "nominate", paper, name="Nguyễn")
    for name in ("Mai", " Mai", "Nguyê\u0303n"):
        assert await reason(city.hanh, "nominate", voteId=paper.id, name=name) == "INVALID_INPUT"


async def test_a_name_that_is_none_is_refused(city: City) -> None:
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai"], seats=4)
    for name in [*NO_TEXT, "x" * 201]:
        assert await reason(city.hanh, "nominate", voteId=paper.id, name=name) == "INVALID_INPUT"


async def test_a_motion_has_no_candidates(city: City) -> None:
    paper = await prepare(city.hanh, city.meeting.items[0])
    assert await reason(city.hanh, "nominate", voteId=paper.id, name="Mai") == "INVALID_RULE"


# --- What a vote needs to open ------------------------------------------------------------------


async def test_without_a_quorum_no_vote_opens(city: City) -> None:
    """Robert's Rules: a majority of all members at each vote, here four of six."""
    city.scene.preset(city.branch, "roberts-rules")
    await city.scene.save()
    paper = await prepare(city.hanh, city.meeting.items[0])
    meeting = {"meetingId": city.meeting.id}
    for person in (city.hanh, city.an, city.binh, city.minh, city.lan, city.thu):
        await act(context_of(person), "checkIn", **meeting)
    value = await refused(city.hanh, "openVote", voteId=paper.id)
    assert value["reason"] == "NO_QUORUM"
    assert value["details"] == {"present": 3, "of": 6, "needed": 4}
    await act(context_of(city.chi), "checkIn", **meeting)
    assert (await vote_after(city.hanh, "openVote", paper))["state"] == "OPEN"


async def test_a_draft_of_a_motion_needs_an_item_a_matter_and_a_question(city: City) -> None:
    assert (await no_to(city.hanh, "prepareVote", draft=draft_of(uuid4())))["reason"] == "NOT_FOUND"
    vote = await vote_after(
        city.hanh,
        "prepareVote",
        draft={"itemId": city.meeting.items[0], "matter": "ORDINARY", "question": "Thông qua?"},
    )
    assert paper_of(vote).of_kind("FOR")
