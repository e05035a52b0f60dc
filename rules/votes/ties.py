"""How equal votes are decided where the result depends on them."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from uuid import UUID

from rules.refusals import Reason, Refusal
from rules.votes.record.audit import canonical_json
from rules.votes.rule_sets import TieRule


class NextStep(Enum):
    """What still has to happen before the result stands."""

    CHAIR_MUST_CAST = "CHAIR_MUST_CAST"
    REVOTE = "REVOTE"
    """Vote again, on the tied options only."""
    SENIORITY = "SENIORITY"
    """State the order of seniority among the tied."""
    LOT = "LOT"
    """Publish a seed and draw the lot."""
    BODY_DECIDES = "BODY_DECIDES"
    FURTHER_ROUND = "FURTHER_ROUND"
    """Vote again for the seats that stay open."""
    VOTE_AGAIN = "VOTE_AGAIN"
    """There were too few ballots to show what they say."""


BREAKABLE = frozenset(
    {NextStep.CHAIR_MUST_CAST, NextStep.BODY_DECIDES, NextStep.SENIORITY, NextStep.LOT}
)
"""The steps that decide the same vote, without another one."""


@dataclass(frozen=True)
class TieBreakers:
    """What is known for breaking a tie; options are named by their ids."""

    chosen: tuple[UUID, ...] = ()
    """What the chair casts for, or what the body decided on: as many as there are places."""
    seniority: tuple[UUID, ...] = ()
    """The options of the candidates, the most senior first."""
    seed: str | None = None
    """Published for the lot, from a source that nobody in the vote could choose (`lot.py`)."""
    secret: str | None = None
    """What the seed was made of besides the ballots' keys, in hex; it goes into the outcome."""


NO_TIE_BREAKERS = TieBreakers()


@dataclass(frozen=True)
class Tie:
    """Options with equal votes for fewer places than they are."""

    tied: tuple[UUID, ...]
    places: int
    rule: TieRule
    chosen: tuple[UUID, ...] = ()
    """Who got the places; empty while `next_step` is open, or where a tie is lost."""
    next_step: NextStep | None = None
    seed: str | None = None
    """The seed of the lot, if one was drawn: `draw_lot` gives the same order to anybody."""
    secret: str | None = None
    """What the server fixed at opening, in hex: `lot_seed` gives the seed to anybody."""


def break_tie(
    rule: TieRule, tied: Sequence[UUID], places: int, breakers: TieBreakers = NO_TIE_BREAKERS
) -> Tie:
    """Decide who of the tied gets the places, or say what is needed to decide.

    Raises INVALID_CHOICE if the chair or the body chose something else than tied options.
    """
    tie = Tie(tuple(tied), places, rule)
    match rule:
        case TieRule.LOST:
            return tie
        case TieRule.REVOTE_TIED:
            return _open(tie, NextStep.REVOTE)
        case TieRule.CHAIR_CASTS:
            return _by_choice(tie, breakers, NextStep.CHAIR_MUST_CAST)
        case TieRule.BODY_DECIDES:
            return _by_choice(tie, breakers, NextStep.BODY_DECIDES)
        case TieRule.SENIORITY:
            return _by_seniority(tie, breakers)
        case TieRule.LOT:
            return _by_lot(tie, breakers)


def draw_lot(seed: str, options: Collection[UUID]) -> tuple[UUID, ...]:
    """The options in the order of the lot: by SHA-256 of the canonical JSON of [seed, id].

    Whoever knows the seed and the options can draw it again, in whatever order they are listed.
    """
    return tuple(sorted(options, key=lambda option: (_lot(seed, option), option)))


def _lot(seed: str, option: UUID) -> bytes:
    return hashlib.sha256(canonical_json([seed, str(option)])).digest()


def _open(tie: Tie, step: NextStep) -> Tie:
    return Tie(tie.tied, tie.places, tie.rule, next_step=step)


def _close(tie: Tie, order: Sequence[UUID]) -> Tie:
    return Tie(tie.tied, tie.places, tie.rule, chosen=tuple(order[: tie.places]))


def _by_choice(tie: Tie, breakers: TieBreakers, otherwise: NextStep) -> Tie:
    chosen = set(breakers.chosen)
    if not chosen:
        return _open(tie, otherwise)
    is_full = len(breakers.chosen) == len(chosen) == tie.places
    if not is_full or not chosen <= set(tie.tied):
        raise Refusal(
            Reason.INVALID_CHOICE,
            "Choose among the tied options, as many as there are places.",
            chosen=len(breakers.chosen),
            allowed=tie.places,
        )
    return _close(tie, [option for option in tie.tied if option in chosen])


def _by_seniority(tie: Tie, breakers: TieBreakers) -> Tie:
    order = [option for option in breakers.seniority if option in tie.tied]
    if set(order) != set(tie.tied):
        return _open(tie, NextStep.SENIORITY)
    return _close(tie, list(dict.fromkeys(order)))


def _by_lot(tie: Tie, breakers: TieBreakers) -> Tie:
    if breakers.seed is None:
        return _open(tie, NextStep.LOT)
    drawn = _close(tie, draw_lot(breakers.seed, tie.tied))
    return replace(drawn, seed=breakers.seed, secret=breakers.secret)
