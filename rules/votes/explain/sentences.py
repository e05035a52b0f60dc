"""An outcome told in one sentence with its figures, in each language."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from rules.votes.elections import CandidateResult
from rules.votes.outcome import MeasureResult, Outcome, Verdict
from rules.votes.rule_sets import (
    BASES_OF_PERSONS,
    Base,
    Comparison,
    Method,
    Share,
    TieRule,
)
from rules.votes.ties import NextStep, Tie


class Language(Enum):
    VI = "VI"
    EN = "EN"


Labels = Mapping[UUID, str]
"""What options are called in the sentence, by id: a candidate's name, a measure."""

NO_LABELS: Labels = {}


def explain(outcome: Outcome, language: Language, labels: Labels = NO_LABELS) -> str:
    """For example "Carried: 12 of 20 entitled members for (60.00 %); more than 1/2 needed, …".

    An option without a label is named by its position.
    """
    words = _WORDS[language]
    if outcome.verdict is Verdict.TOO_FEW_BALLOTS:
        return _sentence([_too_few(outcome, words)])
    match outcome.method:
        case Method.FOR_AGAINST_ABSTAIN:
            return _tell_motion(outcome, words)
        case Method.ORDERED_CUMULATIVE:
            return _tell_measure(outcome, words, labels)
        case Method.CHOOSE_UP_TO | Method.YES_NO_PER_CANDIDATE:
            return _tell_election(outcome, words, labels)


@dataclass(frozen=True)
class _Words:
    """The pieces of the sentences of one language."""

    decimal_mark: str
    option: str
    verdicts: Mapping[Verdict, str]
    motion: str
    comparison: str
    strict: str
    not_strict: str
    needed: str
    needed_of: str
    that_is: str
    comparisons: Mapping[Comparison, str]
    bases: Mapping[Base, str]
    weighted: str
    decided: str
    nothing_decided: str
    fell_short: str
    short: str
    elected: str
    chosen: str
    nobody: str
    candidate: str
    tied: str
    next_steps: Mapping[NextStep, str]
    tie_decided: Mapping[TieRule, str]
    seed: str
    further_round: str
    too_few: str


def _too_few(outcome: Outcome, words: _Words) -> str:
    return words.too_few.format(cast=outcome.cast, entitled=outcome.entitled, needed=outcome.needed)


def _tell_motion(outcome: Outcome, words: _Words) -> str:
    is_share = isinstance(outcome.threshold, Share)
    template = words.motion if is_share else words.comparison
    told = template.format(
        verdict=words.verdicts[outcome.verdict],
        votes=outcome.votes_for,
        against=outcome.votes_against,
        base=outcome.base,
        body=_body(outcome, words),
        percent=_percent(outcome.hundredths, words),
    )
    parts = [told, _threshold(outcome.threshold, words) + _that_is(outcome.needed, words)]
    if outcome.next_step is not None:
        parts.append(words.next_steps[outcome.next_step])
    elif outcome.tie is not None and outcome.tie.rule is not TieRule.LOST:
        parts.append(_tie_decided(outcome.tie, words))
    return _sentence(parts)


def _tell_measure(outcome: Outcome, words: _Words, labels: Labels) -> str:
    chosen = next((one for one in outcome.measures if one.has_reached), None)
    short = [
        one
        for one in outcome.measures
        if not one.has_reached and (chosen is None or one.position < chosen.position)
    ]
    if chosen is None:
        frame, body = words.nothing_decided, _body(outcome, words)
        shorts = _shorts(short, words, labels)
        return _sentence([frame.format(short=shorts, base=outcome.base, body=body)])
    told = words.decided.format(
        label=_label(chosen, words, labels),
        votes=chosen.cumulative,
        base=outcome.base,
        body=_body(outcome, words),
        percent=_percent(chosen.hundredths, words),
    )
    parts = [told, _threshold(chosen.threshold, words) + _that_is(chosen.needed, words)]
    if short:
        parts.append(words.fell_short.format(short=_shorts(short, words, labels)))
    return _sentence(parts)


def _tell_election(outcome: Outcome, words: _Words, labels: Labels) -> str:
    elected = [one for one in outcome.candidates if one.is_elected]
    has_candidates = any(one.candidate_id is not None for one in outcome.candidates)
    template = words.nobody if not elected else words.elected if has_candidates else words.chosen
    told = template.format(
        elected=len(elected),
        seats=outcome.seats,
        names=", ".join(_candidate(one, words, labels) for one in elected),
    )
    threshold = _threshold(outcome.threshold, words, _body(outcome, words))
    if len({one.needed for one in outcome.candidates}) == 1 and isinstance(
        outcome.threshold, Share
    ):
        threshold += _that_is(outcome.candidates[0].needed, words)
    parts = [told, threshold]
    if outcome.tie is not None:
        parts += _tell_tie(outcome, outcome.tie, words, labels)
    if outcome.next_step is NextStep.FURTHER_ROUND:
        parts.append(words.further_round.format(seats=outcome.next_seats))
    return _sentence(parts)


def _tell_tie(outcome: Outcome, tie: Tie, words: _Words, labels: Labels) -> list[str]:
    tied = [one for one in outcome.candidates if one.option_id in tie.tied]
    names = ", ".join(_label(one, words, labels) for one in tied)
    after = words.next_steps[tie.next_step] if tie.next_step else _tie_decided(tie, words)
    return [words.tied.format(places=tie.places, names=names), after]


def _tie_decided(tie: Tie, words: _Words) -> str:
    seed = words.seed.format(seed=tie.seed) if tie.seed is not None else ""
    return words.tie_decided[tie.rule] + seed


def _candidate(one: CandidateResult, words: _Words, labels: Labels) -> str:
    return words.candidate.format(
        label=_label(one, words, labels),
        votes=one.votes,
        base=one.base,
        percent=_percent(one.hundredths, words),
    )


def _shorts(measures: list[MeasureResult], words: _Words, labels: Labels) -> str:
    return ", ".join(
        words.short.format(
            label=_label(one, words, labels), votes=one.cumulative, needed=one.needed
        )
        for one in measures
    )


def _threshold(threshold: Share | Comparison, words: _Words, body: str | None = None) -> str:
    if isinstance(threshold, Comparison):
        return words.comparisons[threshold]
    share = f"{threshold.numerator}/{threshold.denominator}"
    template = words.needed if body is None else words.needed_of
    how = words.strict if threshold.strict else words.not_strict
    return template.format(how=how, share=share, body=body)


def _that_is(needed: int, words: _Words) -> str:
    return words.that_is.format(needed=needed)


def _body(outcome: Outcome, words: _Words) -> str:
    body = words.bases[outcome.base_kind]
    if outcome.is_weighted and outcome.base_kind in BASES_OF_PERSONS:
        return words.weighted.format(body=body)
    return body


def _label(one: CandidateResult | MeasureResult, words: _Words, labels: Labels) -> str:
    return labels.get(one.option_id) or words.option.format(position=one.position)


def _percent(hundredths: int, words: _Words) -> str:
    return f"{hundredths // 100}{words.decimal_mark}{hundredths % 100:02d} %"


def _sentence(parts: list[str]) -> str:
    return "; ".join(parts) + "."


_WORDS = {
    Language.EN: _Words(
        decimal_mark=".",
        option="option {position}",
        verdicts={
            Verdict.CARRIED: "Carried",
            Verdict.NOT_CARRIED: "Not carried",
            Verdict.UNDECIDED: "Tied",
        },
        motion="{verdict}: {votes} of {base} {body} for ({percent})",
        comparison="{verdict}: {votes} for and {against} against ({percent} of {base} {body})",
        strict="more than",
        not_strict="at least",
        needed="{how} {share} needed",
        needed_of="{how} {share} of the {body} needed",
        that_is=", that is {needed}",
        comparisons={
            Comparison.PLURALITY: "the most votes win",
            Comparison.MORE_FOR_THAN_AGAINST: "more for than against needed",
        },
        bases={
            Base.ENTITLED: "entitled members",
            Base.SUMMONED: "entitled members summoned",
            Base.PRESENT_AT_OPENING: "entitled members present at opening",
            Base.PRESENT: "entitled members present",
            Base.BALLOTS_CAST: "ballots cast",
            Base.VALID_BALLOTS: "valid ballots",
            Base.FOR_AND_AGAINST: "votes for and against",
        },
        weighted="votes of {body}",
        decided="Decided: {label}, with {votes} of {base} {body} for it or a heavier measure"
        " ({percent})",
        nothing_decided="No measure decided: {short}, of {base} {body}",
        fell_short="heavier ones fell short: {short}",
        short="{label} ({votes}, {needed} needed)",
        elected="Elected {elected} of {seats}: {names}",
        chosen="Chosen {elected} of {seats}: {names}",
        nobody="None of {seats} elected",
        candidate="{label} ({votes} of {base}, {percent})",
        tied="tied for {places} more: {names}",
        next_steps={
            NextStep.CHAIR_MUST_CAST: "the chair must cast the deciding vote",
            NextStep.REVOTE: "the tied must be voted on again",
            NextStep.SENIORITY: "their seniority must be stated",
            NextStep.LOT: "the lot must be drawn",
            NextStep.BODY_DECIDES: "the meeting must decide how to go on",
        },
        tie_decided={
            TieRule.LOST: "none of them is elected",
            TieRule.CHAIR_CASTS: "decided by the chair's casting vote",
            TieRule.SENIORITY: "decided by seniority",
            TieRule.LOT: "decided by lot",
            TieRule.BODY_DECIDES: "decided by the meeting",
        },
        seed=" with the seed {seed}",
        further_round="a further round is needed for {seats} more",
        too_few="Too few ballots: {cast} of {entitled} entitled members voted, and fewer than"
        " {needed} ballots could show who chose what; nobody is shown any figures",
    ),
    Language.VI: _Words(
        decimal_mark=",",
        option="phương án {position}",
        verdicts={
            Verdict.CARRIED: "Được thông qua",
            Verdict.NOT_CARRIED: "Không được thông qua",
            Verdict.UNDECIDED: "Ngang phiếu",
        },
        motion="{verdict}: {votes}/{base} {body} tán thành ({percent})",
        comparison="{verdict}: {votes} tán thành, {against} không tán thành"
        " ({percent} của {base} {body})",
        strict="quá",
        not_strict="ít nhất",
        needed="cần {how} {share}",
        needed_of="cần {how} {share} số {body}",
        that_is=", tức là {needed}",
        comparisons={
            Comparison.PLURALITY: "nhiều phiếu nhất thì được chọn",
            Comparison.MORE_FOR_THAN_AGAINST: "cần nhiều phiếu tán thành hơn không tán thành",
        },
        bases={
            Base.ENTITLED: "người có quyền biểu quyết",
            Base.SUMMONED: "người có quyền biểu quyết được triệu tập",
            Base.PRESENT_AT_OPENING: "người có quyền biểu quyết có mặt khi mở biểu quyết",
            Base.PRESENT: "người có quyền biểu quyết có mặt",
            Base.BALLOTS_CAST: "phiếu đã bỏ",
            Base.VALID_BALLOTS: "phiếu hợp lệ",
            Base.FOR_AND_AGAINST: "phiếu tán thành và không tán thành",
        },
        weighted="phiếu của {body}",
        decided="Quyết định: {label}, với {votes}/{base} {body} tán thành mức này hoặc mức nặng"
        " hơn ({percent})",
        nothing_decided="Không mức nào được quyết định: {short}, trên {base} {body}",
        fell_short="các mức nặng hơn không đủ: {short}",
        short="{label} ({votes}, cần {needed})",
        elected="Trúng cử {elected}/{seats}: {names}",
        chosen="Được chọn {elected}/{seats}: {names}",
        nobody="Chưa ai trúng cử trong số {seats} cần bầu",
        candidate="{label} ({votes}/{base}, {percent})",
        tied="ngang phiếu khi còn {places} vị trí: {names}",
        next_steps={
            NextStep.CHAIR_MUST_CAST: "người chủ trì phải bỏ phiếu quyết định",
            NextStep.REVOTE: "phải bỏ phiếu lại giữa những lựa chọn ngang phiếu",
            NextStep.SENIORITY: "phải nêu thứ tự thâm niên",
            NextStep.LOT: "phải rút thăm",
            NextStep.BODY_DECIDES: "cuộc họp phải quyết định cách tiếp tục",
        },
        tie_decided={
            TieRule.LOST: "không ai trong số đó trúng cử",
            TieRule.CHAIR_CASTS: "do người chủ trì bỏ phiếu quyết định",
            TieRule.SENIORITY: "do thâm niên quyết định",
            TieRule.LOT: "do rút thăm quyết định",
            TieRule.BODY_DECIDES: "do cuộc họp quyết định",
        },
        seed=" với mã {seed}",
        further_round="cần bầu tiếp {seats} vị trí",
        too_few="Quá ít phiếu: {cast}/{entitled} người có quyền biểu quyết đã bỏ phiếu; dưới"
        " {needed} phiếu có thể lộ ai đã chọn gì, nên không ai được xem số phiếu",
    ),
}
