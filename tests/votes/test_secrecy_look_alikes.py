"""Two candidates whose names look the same are not on one paper."""

from __future__ import annotations

import unicodedata

import pytest

from rules.look_alikes import look_alikes
from rules.votes.presets import Matter
from rules.votes.rule_sets import Method
from tests.support.factories import City
from tests.support.voting import draft_of, prepare, reason, vote_after

SAME = [
    ("A", "А"),  # Cyrillic
    ("An", "Αn"),  # Greek
    ("an", "AN"),
    ("Вinh", "Binh"),
    ("вinh", "Вinh"),
    ("Ｎam", "Nam"),  # full width
    ("𝐍am", "Nam"),
    ("Đức", "Ðức"),  # eth
    ("đạt", "ðạt"),
    ("Đạt", "D\u0335ạt"),
    ("Nguyễn  An", "Nguyễn An"),
    ("Nguyễn\u00a0An", "Nguyễn An"),
    ("Nguyễn\tAn", "Nguyễn An"),
    ("An\u200b", "An"),
    ("A\u00adn", "An"),
    ("An\ufe0f", "An"),
    ("Lê Văn Ố", "Lê Văn O\u0301\u0302"),
    ("Hồ", unicodedata.normalize("NFD", "Hồ")),
    ("Nguyen–An", "Nguyen-An"),
    ("lan", "Ian"),
    ("Phương án 1", "Phương án l"),
    ("Tổ 10", "Tổ 1O"),
    ("ΟΑ", "OA"),
    ("Оlga", "Olga"),
    ("Sоn", "Son"),
    ("ﬁn", "fin"),
]

DIFFERENT = [
    ("Hà", "Hạ"),
    ("Dũng", "Đũng"),
    ("Lan", "Ian"),
    ("Sơn", "Son"),
    ("Nguyễn Văn An (1961)", "Nguyễn Văn An (1967)"),
    ("Phương án 1", "Phương án 2"),
    ("An", "Ân"),
    ("Anh", "An h"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_names_that_look_the_same_are_found(one: str, other: str) -> None:
    assert look_alikes(["Mai", one, other]) == (one, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_a_mark_tells_apart_are_different(one: str, other: str) -> None:
    assert look_alikes([one, other]) is None


@pytest.mark.parametrize("preset", ["vi-party", "de-verein"])
async def test_a_paper_has_no_two_names_that_look_the_same(city: City, preset: str) -> None:
    city.scene.preset(city.branch, preset)
    await city.scene.save()
    item = city.meeting.items[0]
    for names in (["A", "А"], ["Đức", "Ðức"], ["Nguyễn An", "Nguyễn  An"], ["Nam", "NAM"]):
        draft = draft_of(item, Matter.ELECTION, names, seats=2)
        assert await reason(city.hanh, "prepareVote", draft=draft) == "INVALID_INPUT", names
    vote = await prepare(city.hanh, item, Matter.ELECTION, ["Đức (1961)"], seats=2)
    arguments = {"voteId": vote.id, "name": "Ðức (1961)"}
    assert await reason(city.hanh, "nominate", **arguments) == "INVALID_INPUT"
    await vote_after(city.hanh, "nominate", vote, name="Đức (1967)")


@pytest.mark.parametrize("seats", [101, 2**31 - 1])
async def test_nobody_elects_more_people_than_a_paper_holds(city: City, seats: int) -> None:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    draft = draft_of(city.meeting.items[0], Matter.ELECTION, seats=seats)
    assert await reason(city.hanh, "prepareVote", draft=draft) == "INVALID_INPUT"
    election = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, seats=100)
    assert [option for option in election.options if option["kind"] == Method.CHOOSE_UP_TO] == []
