"""Counting a vote again from an export, by anybody (invariants I2, I4, I10, I11)."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

from rules.refusals import Refusal
from rules.register.members import Standing
from rules.votes.ballots import (
    Count,
    Judged,
    Option,
    OptionKind,
    Tallies,
    Validity,
    count_ballots,
)
from rules.votes.bases import Voter
from rules.votes.hands import standing_hands
from rules.votes.lot import wrong_lot
from rules.votes.outcome import Outcome, decide
from rules.votes.record.audit import BEGINNING, AuditKind, canonical_json, chain_hash
from rules.votes.roll import LeftOut, roll_hash
from rules.votes.rule_sets import RuleSet, Secrecy
from rules.votes.ties import NO_TIE_BREAKERS, TieBreakers


class Withheld(Enum):
    """Why an export leaves out the papers of a hidden vote."""

    NOT_PUBLISHED = "NOT_PUBLISHED"
    TOO_FEW_BALLOTS = "TOO_FEW_BALLOTS"


Export = Mapping[str, Any]
"""What `branch-meetings export vote` writes: plain JSON, every id as text, hashes in hex."""


def recount(export: Export) -> Outcome:
    """The outcome by the exported rule, roll, ballots and hands. Nothing else is looked at.

    Of too few ballots none are needed. Raises ValueError for papers that nobody may see yet.
    """
    if withheld_of(export) is Withheld.NOT_PUBLISHED:
        raise ValueError("the result was not published, and its papers are withheld")
    voters = [_voter(line) for line in export["roll"]]
    weights = {voter.member_id: voter.weight for voter in voters}
    ballots = [
        (
            Judged(Validity(one["validity"]), tuple(map(UUID, one["choices"]))),
            weights[UUID(one["member"])] if one["member"] else 1,
        )
        for one in export["ballots"]
    ]
    return decide(
        RuleSet.from_data(export["rule"]),
        [_option(one) for one in export["options"]],
        voters,
        _with_hands(count_ballots(ballots), export["hands"]),
        _breakers(export["outcome"]),
    )


def problems(export: Export) -> Iterator[str]:
    """What is wrong with the export, a sentence each; nothing if all is well."""
    yield from broken_links(export["audit"])
    yield from _wrong_state(export)
    yield from _wrong_paper(export)
    yield from _wrong_roll(export)
    yield from _wrong_marks(export)
    yield from _wrong_outcome(export)
    yield from wrong_lot(export)


def withheld_of(export: Export) -> Withheld | None:
    return Withheld(export["withheld"]) if export.get("withheld") else None


def _wrong_outcome(export: Export) -> Iterator[str]:
    """A hidden vote has none before it is published; then the chain has none either."""
    told = (row["payload"].get("outcome") for row in export["audit"])
    fixed = [outcome for outcome in told if outcome is not None]
    if fixed[-1:] != ([export["outcome"]] if export["outcome"] else []):
        yield "the stored outcome is not the one that the audit chain fixed"
    if export["outcome"] is None:
        if export["secrecy"] == Secrecy.OPEN.value:
            yield "there is no outcome"
        return
    try:
        # By value: what was stored before a field was added has its default.
        if recount(export) != Outcome.from_data(export["outcome"]):
            yield "the recount differs from the stored outcome"
    except (ValueError, Refusal) as error:
        yield f"the vote cannot be recounted: {error}"


_ENDS = frozenset({AuditKind.CLOSED.value, AuditKind.ANNULLED.value})


def broken_links(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Where the hash chain does not hold: an edit, a deletion, another order."""
    previous = BEGINNING
    for place, row in enumerate(rows, start=1):
        is_next = row["sequence"] == place and row["previousHash"] == previous.hex()
        digest = chain_hash(previous, AuditKind(row["kind"]), row["payload"])
        if not is_next or row["hash"] != digest.hex():
            yield f"audit row {place} does not follow from the one before"
        previous = digest
    if not rows or rows[0]["kind"] != AuditKind.CREATED.value:
        yield "the audit chain does not begin with the vote's creation"


def paper_hash(vote: Mapping[str, Any]) -> str:
    """SHA-256, in hex, over what is asked and what can be answered, as the export tells it."""
    asked = {name: vote[name] for name in ("vote", "meeting", "question", "options")}
    return hashlib.sha256(canonical_json(asked)).hexdigest()


def _wrong_state(export: Export) -> Iterator[str]:
    kinds = [row["kind"] for row in export["audit"]]
    ends = [kind for kind in kinds if kind in _ENDS]
    if not ends or ends[-1] != export["state"]:
        yield "the state is not the one that the audit chain tells"


def _wrong_paper(export: Export) -> Iterator[str]:
    created, opened = (
        [row["payload"] for row in export["audit"] if row["kind"] == kind.value]
        for kind in (AuditKind.CREATED, AuditKind.OPENED)
    )
    rules = [payload["rule"] for payload in created]
    if rules != [export["rule"]] or export["secrecy"] != export["rule"]["secrecy"]:
        yield "the rule is not the one that the audit chain fixed"
    if [payload.get("paper") for payload in opened] != [paper_hash(export)]:
        yield "the paper is not the one that the audit chain fixed"


def _wrong_marks(export: Export) -> Iterator[str]:
    """Every mark in the roll is a ballot, a paper or a hand, and nobody has two of them."""
    marked = sorted(line["member"] for line in export["roll"] if line["hasCast"])
    counted = standing_hands(export["audit"])
    named = [one["member"] for one in export["ballots"] if one["member"]]
    if len(set(named)) < len(named):
        yield "a member has two counted ballots"
    if sum(export["hands"].values()) != len(counted):
        yield "there are not as many hands as members counted"
    yield from _wrong_hands(export, counted)
    if withheld_of(export):
        is_right = not named and not export["ballots"]
    elif export["secrecy"] == Secrecy.OPEN.value:
        is_right = sorted([*named, *counted]) == marked
    else:
        is_right = not named and len(export["ballots"]) + len(counted) == len(marked)
        is_right = is_right and set(counted) <= set(marked)
    if not is_right:
        yield "the ballots and hands are not those of the members who are marked in the roll"


def _wrong_hands(export: Export, counted: Mapping[str, str | None]) -> Iterator[str]:
    """Each hand is that of a member whom the chain names, for the option that it names."""
    raised = {one["member"]: one["option"] for one in export["raised"]}
    if raised != counted or len(raised) < len(export["raised"]):
        yield "the hands are not those that the audit chain tells"
    sums = Counter(option for option in counted.values() if option)
    unknown = list(counted.values()).count(None)
    over = Counter[str](export["hands"])
    over.subtract(sums)
    if min(over.values(), default=0) < 0 or (not unknown and any(over.values())):
        yield "the hands of an option are not as many as the audit chain tells"


def _wrong_roll(export: Export) -> Iterator[str]:
    fixed = [row["payload"]["roll"] for row in export["audit"] if "roll" in row["payload"]]
    if fixed and fixed[-1] != roll_hash([_voter(line) for line in export["roll"]]):
        yield "the electoral roll is not the one that the audit chain fixed"


def _voter(line: Mapping[str, Any]) -> Voter:
    return Voter(
        member_id=UUID(line["member"]),
        standing=Standing(line["standing"]),
        left_out=LeftOut(line["leftOut"]) if line["leftOut"] else None,
        weight=line["weight"],
        has_cast=line["hasCast"],
        is_elsewhere=line["isElsewhere"],
        is_summoned=line["isSummoned"],
        is_excused=line["isExcused"],
        was_present_at_opening=line["wasPresentAtOpening"],
        is_present=line["isPresent"],
    )


def _option(one: Mapping[str, Any]) -> Option:
    candidate = UUID(one["candidate"]) if one["candidate"] else None
    return Option(UUID(one["id"]), OptionKind(one["kind"]), one["position"], candidate)


def _with_hands(tallies: Tallies, hands: Mapping[str, int]) -> Tallies:
    """Each hand is a valid ballot for its option."""
    options = dict(tallies.options)
    for option_id, count in hands.items():
        options[UUID(option_id)] = tallies.of(UUID(option_id)) + Count(count, count)
    raised = sum(hands.values())
    return Tallies(
        valid=tallies.valid + Count(raised, raised),
        blank=tallies.blank,
        invalid=tallies.invalid,
        options=options,
    )


def _breakers(outcome: Mapping[str, Any] | None) -> TieBreakers:
    """What broke the tie, as the outcome tells it; a lot is drawn again from its seed."""
    tie = Outcome.from_data(outcome).tie if outcome else None
    if tie is None:
        return NO_TIE_BREAKERS
    rest = tuple(option for option in tie.tied if option not in tie.chosen)
    seniority = (*tie.chosen, *rest)
    return TieBreakers(tie.chosen, seniority, tie.seed, tie.secret)
