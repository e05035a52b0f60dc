"""Ballot papers, rolls and boxes for tests of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from rules.register.members import Standing
from rules.votes.ballots import Count, Option, OptionKind, Tallies, count_ballots, judge_ballot
from rules.votes.bases import Voter
from rules.votes.outcome import Outcome, decide
from rules.votes.rule_sets import Base, Method, RuleSet, Share
from rules.votes.ties import NO_TIE_BREAKERS, TieBreakers

FOR, AGAINST, ABSTAIN = (UUID(int=number) for number in (1, 2, 3))

MOTION = (
    Option(FOR, OptionKind.FOR, 1),
    Option(AGAINST, OptionKind.AGAINST, 2),
    Option(ABSTAIN, OptionKind.ABSTAIN, 3),
)


def person(number: int) -> UUID:
    return UUID(int=1000 + number)


def a_rule(**changes: Any) -> RuleSet:
    """More than half of those entitled, one ballot each, and whatever the test says instead."""
    plain: dict[str, Any] = {
        "name": "test",
        "version": 1,
        "valid_from": date(2024, 1, 1),
        "method": Method.FOR_AGAINST_ABSTAIN,
        "eligibility": frozenset({Standing.FULL, Standing.EXEMPT}),
        "base": Base.ENTITLED,
        "threshold": Share(1, 2, strict=True),
    }
    return RuleSet(**{**plain, **changes})


def choice(number: int) -> UUID:
    """The CHOICE, the MEASURE or the FOR box in this place."""
    return UUID(int=100 + number)


def against(number: int) -> UUID:
    return UUID(int=200 + number)


def choices(count: int) -> list[Option]:
    return [
        Option(choice(place), OptionKind.CHOICE, place, person(place))
        for place in range(1, count + 1)
    ]


def boxes(count: int) -> list[Option]:
    """A FOR and an AGAINST box for each candidate."""
    return [
        option
        for place in range(1, count + 1)
        for option in (
            Option(choice(place), OptionKind.FOR, 2 * place, person(place)),
            Option(against(place), OptionKind.AGAINST, 2 * place + 1, person(place)),
        )
    ]


def measures(count: int) -> list[Option]:
    heaviest_first = [
        Option(choice(place), OptionKind.MEASURE, place) for place in range(1, count + 1)
    ]
    return [*heaviest_first, Option(ABSTAIN, OptionKind.ABSTAIN, count + 1)]


def members(count: int, first: int = 1, **facts: Any) -> list[Voter]:
    facts = {"standing": Standing.FULL, "is_present": True, **facts}
    return [Voter(member_id=person(first + place), **facts) for place in range(count)]


def having_cast(voters: Sequence[Voter], count: int) -> list[Voter]:
    """The first so many of them have cast a ballot."""
    return [
        replace(voter, has_cast=True) if place < count else voter
        for place, voter in enumerate(voters)
    ]


def tally(*, blank: int = 0, invalid: int = 0, **votes: int) -> Tallies:
    """Ballots with one mark each, named votes_for, votes_against, abstain."""
    names = {"votes_for": FOR, "votes_against": AGAINST, "abstain": ABSTAIN}
    return tally_of({names[name]: count for name, count in votes.items()}, blank, invalid)


def tally_of(votes: dict[UUID, int], blank: int = 0, invalid: int = 0) -> Tallies:
    """Ballots with one mark each."""
    return Tallies(
        valid=heads(sum(votes.values())),
        blank=heads(blank),
        invalid=heads(invalid),
        options={option: heads(count) for option, count in votes.items()},
    )


def heads(count: int) -> Count:
    return Count(count, count)


def vote(
    rule: RuleSet,
    options: Sequence[Option],
    voters: Sequence[Voter],
    tallies: Tallies,
    breakers: TieBreakers = NO_TIE_BREAKERS,
) -> Outcome:
    """Decide with as many of the voters having cast as there are ballots."""
    voters = having_cast(voters, tallies.cast.heads)
    return decide(rule, options, voters, tallies, breakers)


def count(rule: RuleSet, options: Sequence[Option], ballots: Iterable[Sequence[UUID]]) -> Tallies:
    return count_ballots((judge_ballot(rule, options, marks), 1) for marks in ballots)
