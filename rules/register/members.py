"""Words for units and the people in them, and what a suspension needs (design: Terms)."""

from enum import Enum

from rules.refusals import Reason, Refusal


class UnitKind(Enum):
    CITY = "CITY"
    UPPER = "UPPER"
    BASE = "BASE"
    SUB = "SUB"
    BRANCH = "BRANCH"
    GROUP = "GROUP"


class Standing(Enum):
    FULL = "FULL"
    PROBATIONARY = "PROBATIONARY"
    EXEMPT = "EXEMPT"
    SUSPENDED = "SUSPENDED"


class Role(Enum):
    SECRETARY = "SECRETARY"
    DEPUTY_SECRETARY = "DEPUTY_SECRETARY"
    COMMITTEE_MEMBER = "COMMITTEE_MEMBER"
    OVERSEER = "OVERSEER"


class MembershipKind(Enum):
    """A member has one `REGULAR` branch and at most one `TEMPORARY` attachment at a time."""

    REGULAR = "REGULAR"
    TEMPORARY = "TEMPORARY"


def check_suspension(standing: Standing, *, is_oneself: bool) -> None:
    """Nobody suspends themselves, nor anybody twice. Raises NOT_ALLOWED or WRONG_STATE."""
    if is_oneself:
        raise Refusal(Reason.NOT_ALLOWED, "Nobody suspends themselves.")
    if standing is Standing.SUSPENDED:
        raise Refusal(
            Reason.WRONG_STATE, "The member is suspended already.", standing=standing.value
        )


def standing_to_give_back(standing: Standing, before: Standing | None) -> Standing:
    """The standing of before the suspension. Raises WRONG_STATE where there is none to end, or
    where it was not recorded here."""
    if standing is not Standing.SUSPENDED:
        raise Refusal(Reason.WRONG_STATE, "The member is not suspended.", standing=standing.value)
    if before is None:
        raise Refusal(
            Reason.WRONG_STATE,
            "The suspension was not recorded here, nor the standing before it.",
            standing=standing.value,
        )
    return before


def check_takes_part(standing: Standing) -> None:
    """Who is suspended takes no part in meetings. Raises NOT_ENTITLED."""
    if standing is Standing.SUSPENDED:
        raise Refusal(Reason.NOT_ENTITLED, "The member is suspended.", standing=standing.value)
