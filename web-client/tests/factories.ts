import type { Meeting, Vote } from "../src/meeting/newest";
import type { Option } from "../src/vote/options";
import type { Outcome } from "../src/vote/result";

/** A meeting in session with one agenda item and no votes, unless told otherwise. */
export function meetingOf(changes: Partial<Meeting> = {}): Meeting {
  return {
    id: "meeting",
    version: 1,
    state: "IN_SESSION",
    kind: "REGULAR",
    mode: "HYBRID",
    title: "Sinh hoạt thường kỳ",
    startsAt: "2026-11-03T12:00:00Z",
    openedAt: "2026-11-03T12:01:00Z",
    closedAt: null,
    viewerMay: ["CHECK_IN", "CAST_BALLOT"],
    unit: { id: "unit", name: "Chi bộ 1" },
    currentItem: { id: "item-1" },
    agenda: [itemOf(1, "Thông qua nghị quyết")],
    votes: [],
    turnout: { summoned: 3, present: 2 },
    ...changes,
  };
}

export function voteOf(changes: Partial<Vote> = {}): Vote {
  return {
    id: "vote",
    version: 1,
    itemId: "item-1",
    state: "OPEN",
    question: "Thông qua nghị quyết?",
    matter: "ORDINARY",
    closesAt: null,
    publishedAt: null,
    annulment: null,
    annulmentProposed: null,
    annulledRounds: 0,
    repeatOf: null,
    repeatedBy: null,
    revision: 1,
    viewerMay: ["CAST_BALLOT"],
    isOwnKnown: true,
    options: [
      optionOf("for", "FOR"),
      optionOf("against", "AGAINST"),
      optionOf("abstain", "ABSTAIN"),
    ],
    rule: ruleOf(),
    tally: tallyOf(),
    outcome: null,
    myReceipt: null,
    myHand: null,
    ...changes,
  };
}

export function itemOf(position: number, title: string): Meeting["agenda"][number] {
  return { id: `item-${position}`, position, title, state: "PENDING" };
}

export function optionOf(id: string, kind: Option["kind"], changes: Partial<Option> = {}): Option {
  return { id, kind, label: id, candidateId: null, ...changes };
}

export function ruleOf(changes: Partial<Vote["rule"]> = {}): Vote["rule"] {
  return {
    method: "FOR_AGAINST_ABSTAIN",
    base: "SUMMONED",
    numerator: 1,
    denominator: 2,
    strict: true,
    comparison: null,
    measureThresholds: [],
    seats: 1,
    maxSurplus: null,
    mostChoices: 1,
    maxChoices: null,
    overvote: "INVALID",
    empty: "REFUSED",
    secrecy: "OPEN",
    change: "FINAL",
    liveTally: "ALWAYS",
    duration: null,
    ...changes,
  };
}

export function tallyOf(changes: Partial<Vote["tally"]> = {}): Vote["tally"] {
  return { cast: 0, eligible: 3, byHand: 0, blanks: 0, invalid: 0, options: [], ...changes };
}

export function outcomeOf(changes: Partial<Outcome> = {}): Outcome {
  return {
    verdict: "CARRIED",
    needed: 2,
    base: 3,
    baseKind: "SUMMONED",
    percent: 100,
    candidates: [],
    measures: [],
    measure: null,
    tie: null,
    nextStep: null,
    vi: "Được thông qua: 3/3.",
    en: "Carried: 3 of 3.",
    ...changes,
  };
}

/** A yes or no for each of these candidates, of whom at most `seats` may be voted for. */
export function electionOf(names: string[], seats: number, changes: Partial<Vote> = {}): Vote {
  return voteOf({
    matter: "ELECTION",
    rule: ruleOf({
      method: "YES_NO_PER_CANDIDATE",
      seats,
      mostChoices: seats,
      empty: "BLANK",
      secrecy: "UNATTRIBUTED",
      liveTally: "AFTER_CLOSE",
    }),
    options: names.flatMap((name) => [
      optionOf(`${name}+`, "FOR", { label: name, candidateId: name }),
      optionOf(`${name}-`, "AGAINST", { label: name, candidateId: name }),
    ]),
    ...changes,
  });
}

/** At most so many of these answers. */
export function choiceOf(answers: string[], most: number, changes: Partial<Vote> = {}): Vote {
  return voteOf({
    rule: ruleOf({ method: "CHOOSE_UP_TO", seats: most, mostChoices: most, empty: "BLANK" }),
    options: answers.map((answer) =>
      optionOf(answer, "CHOICE", { label: answer, candidateId: answer }),
    ),
    ...changes,
  });
}
