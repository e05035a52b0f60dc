"""An outcome told in one sentence with its figures, per language."""

from collections.abc import Callable
from enum import Enum

from rules.voting import Base, Outcome


class Language(Enum):
    VI = "VI"
    EN = "EN"


def outcome_sentence(outcome: Outcome, language: Language) -> str:
    """For example "Carried: 12 of 20 entitled members for (60.00 %); more than 1/2 needed, …"."""
    return _SENTENCES[language](outcome)


def _english(outcome: Outcome) -> str:
    verdict = "Carried" if outcome.carried else "Not carried"
    threshold = "more than" if outcome.strict else "at least"
    return (
        f"{verdict}: {outcome.votes_for} of {outcome.base} {_ENGLISH_BASES[outcome.base_kind]} for"
        f" ({_percent(outcome, '.')}); {threshold} {outcome.numerator}/{outcome.denominator}"
        f" needed, that is {outcome.needed}."
    )


def _vietnamese(outcome: Outcome) -> str:
    verdict = "Được thông qua" if outcome.carried else "Không được thông qua"
    threshold = "quá" if outcome.strict else "ít nhất"
    return (
        f"{verdict}: {outcome.votes_for}/{outcome.base} {_VIETNAMESE_BASES[outcome.base_kind]}"
        f" tán thành ({_percent(outcome, ',')}); cần {threshold}"
        f" {outcome.numerator}/{outcome.denominator}, tức là {outcome.needed}."
    )


def _percent(outcome: Outcome, decimal_mark: str) -> str:
    """Two decimals, rounded half up in integers; a base of nobody is 0."""
    base = max(outcome.base, 1)
    hundredths = (outcome.votes_for * 20_000 + base) // (2 * base)
    return f"{hundredths // 100}{decimal_mark}{hundredths % 100:02d} %"


_ENGLISH_BASES = {
    Base.ENTITLED: "entitled members",
    Base.SUMMONED: "entitled members summoned",
    Base.PRESENT_AT_OPENING: "entitled members present at opening",
    Base.PRESENT: "entitled members present",
    Base.BALLOTS_CAST: "ballots cast",
    Base.VALID_BALLOTS: "valid ballots",
    Base.FOR_AND_AGAINST: "votes for and against",
}

_VIETNAMESE_BASES = {
    Base.ENTITLED: "người có quyền biểu quyết",
    Base.SUMMONED: "người có quyền biểu quyết được triệu tập",
    Base.PRESENT_AT_OPENING: "người có quyền biểu quyết có mặt khi mở biểu quyết",
    Base.PRESENT: "người có quyền biểu quyết có mặt",
    Base.BALLOTS_CAST: "phiếu đã bỏ",
    Base.VALID_BALLOTS: "phiếu hợp lệ",
    Base.FOR_AND_AGAINST: "phiếu tán thành và không tán thành",
}

_SENTENCES: dict[Language, Callable[[Outcome], str]] = {
    Language.EN: _english,
    Language.VI: _vietnamese,
}
