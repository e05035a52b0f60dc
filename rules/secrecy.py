"""What may be shown of a vote, and to whom (design: Secrecy, said honestly; invariant I9)."""

from rules.refusals import Reason, Refusal
from rules.rule_sets import LiveTally, RuleSet, Secrecy


def check_secrecy(rule: RuleSet, entitled: int) -> None:
    """Among very few voters the figures tell the choices. Raises TOO_FEW_VOTERS_FOR_SECRECY."""
    if rule.secrecy is not Secrecy.OPEN and entitled < rule.min_voters_for_secret:
        raise Refusal(
            Reason.TOO_FEW_VOTERS_FOR_SECRECY,
            f"{entitled} may vote; at least {rule.min_voters_for_secret} are needed to hide"
            " who voted how.",
            entitled=entitled,
            needed=rule.min_voters_for_secret,
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
