"""What may be shown of a vote, and to whom (design: Secrecy, said honestly; invariant I9)."""

from rules.rule_sets import LiveTally, RuleSet, Secrecy


def is_small_group(rule: RuleSet, entitled: int) -> bool:
    """Whether so few may vote that a unanimous result would show how everybody voted."""
    return rule.secrecy is not Secrecy.OPEN and entitled < rule.min_voters_for_secret


def may_see_counts(rule: RuleSet, *, is_closed: bool, is_chair: bool) -> bool:
    """Whether the figures of the options may be shown; the turnout always may."""
    match rule.live_tally:
        case LiveTally.ALWAYS:
            return True
        case LiveTally.CHAIR:
            return is_closed or is_chair
        case LiveTally.AFTER_CLOSE:
            return is_closed
