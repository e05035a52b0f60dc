"""What may be shown of a vote, and to whom (design: Secrecy, said honestly; invariant I9)."""

from datetime import datetime, timedelta

from rules.refusals import Reason, Refusal
from rules.votes.rule_sets import LiveTally, RuleSet, Secrecy

NOTICE = timedelta(seconds=30)
"""How long before it the end of a hidden vote is announced, at least: time to cast a ballot."""

LONGEST = timedelta(days=1)
"""A vote's longest time, from the moment at which its end is set."""


def is_small_group(rule: RuleSet, members: int) -> bool:
    """Whether so few may vote, or have voted, that figures would show how somebody voted."""
    return rule.secrecy is not Secrecy.OPEN and members < rule.min_voters_for_secret


def check_group(rule: RuleSet, entitled: int) -> None:
    """A hidden vote opens for enough members only. Raises TOO_FEW_VOTERS_FOR_SECRECY."""
    if is_small_group(rule, entitled):
        raise Refusal(
            Reason.TOO_FEW_VOTERS_FOR_SECRECY,
            f"{entitled} may vote; a vote that hides who chose what needs"
            f" {rule.min_voters_for_secret}.",
            entitled=entitled,
            needed=rule.min_voters_for_secret,
        )


def check_early_closing(waiting: int) -> None:
    """Nobody ends a hidden vote while some of those present have still to vote: whoever chose the
    moment would choose whose ballots are counted. Raises STILL_VOTING, with a number and no name.
    """
    if waiting:
        raise Refusal(
            Reason.STILL_VOTING,
            f"{waiting} of those present have not voted; announce when the vote ends instead.",
            waiting=waiting,
            noticeSeconds=NOTICE.seconds,
        )


def check_end(rule: RuleSet, now: datetime, closes_at: datetime | None, wanted: datetime) -> None:
    """Whether an open vote may end at the moment wanted instead of at `closes_at`.

    An OPEN one only gets more time, since it can be closed at any moment. The end of a hidden one
    may also come nearer, but never by surprise. Raises INVALID_INPUT.
    """
    # A difference holds what a moment in UTC may not: the year 10,000 is nobody's fault.
    if wanted.tzinfo is None or wanted - now > LONGEST:
        raise Refusal(
            Reason.INVALID_INPUT,
            "Name a moment within a day, with its time zone.",
            longestSeconds=int(LONGEST.total_seconds()),
        )
    if rule.secrecy is Secrecy.OPEN:
        if wanted <= max(now, closes_at or now):
            raise Refusal(Reason.INVALID_INPUT, "Name a later moment.")
    elif wanted - now < NOTICE:
        raise Refusal(
            Reason.INVALID_INPUT,
            f"Announce the end {NOTICE.seconds} seconds ahead.",
            noticeSeconds=NOTICE.seconds,
        )


def check_duration(rule: RuleSet, seconds: int) -> None:
    """How long a vote may be prepared to stay open. Raises INVALID_INPUT."""
    shortest = NOTICE.seconds if rule.secrecy is not Secrecy.OPEN else 10
    longest = int(LONGEST.total_seconds())
    if not shortest <= seconds <= longest:
        raise Refusal(
            Reason.INVALID_INPUT,
            f"This vote lasts {shortest} seconds to a day.",
            shortestSeconds=shortest,
            longestSeconds=longest,
        )


def may_see_counts(rule: RuleSet, *, is_closed: bool, is_chair: bool) -> bool:
    """Whether the figures of the options may be shown; the turnout always may."""
    match rule.live_tally:
        case LiveTally.ALWAYS:
            return True
        case LiveTally.CHAIR:
            return is_closed or is_chair
        case LiveTally.AFTER_CLOSE:
            return is_closed
