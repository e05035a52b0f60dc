"""Words for units and the people in them (design: Terms)."""

from enum import Enum


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
