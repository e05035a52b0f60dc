import type { Matter, RulesQuery, VoteDraft } from "../gql/graphql";

export type MatterRule = NonNullable<RulesQuery["rules"]>[number];
export type Rule = MatterRule["rule"];

/** A vote as the chair is writing it down. */
export interface Draft {
  itemId: string;
  matter: Matter | null;
  question: string;
  answers: string[];
  /** As typed; at first what the rule says. */
  seats: string;
  /** As chosen; empty: as the rule says. */
  minutes: string;
  recused: string[];
}

export type Missing = "matter" | "question" | "measures" | "seats" | "same";

export const STEPS = 3;

export function newDraft(itemId: string): Draft {
  return {
    itemId,
    matter: null,
    question: "",
    answers: [""],
    seats: "",
    minutes: "",
    recused: [],
  };
}

export function hasAnswers({ method }: Rule): boolean {
  return method !== "FOR_AGAINST_ABSTAIN";
}

export function hasSeats({ method }: Rule): boolean {
  return method === "CHOOSE_UP_TO" || method === "YES_NO_PER_CANDIDATE";
}

/** The rule of an election for so many seats. */
export function forSeats(rule: Rule, seats: number): Rule {
  return hasSeats(rule) ? { ...rule, seats, mostChoices: rule.maxChoices ?? seats } : rule;
}

/** The lines with something in them. Candidates may be nominated later, measures may not. */
export function writtenAnswers(draft: Draft, rule: Rule): string[] {
  if (!hasAnswers(rule)) return [];
  return draft.answers.map((answer) => answer.trim()).filter((answer) => answer !== "");
}

/** Why this step cannot be left yet; null when it can. */
export function missingIn(step: number, draft: Draft, rule: Rule | null): Missing | null {
  if (rule === null) return "matter";
  if (step === 1) return null;
  if (draft.question.trim() === "") return "question";
  if (hasSeats(rule) && !(Number(draft.seats) >= 1)) return "seats";
  const answers = writtenAnswers(draft, rule);
  if (new Set(answers).size < answers.length) return "same";
  return rule.method === "ORDERED_CUMULATIVE" && answers.length === 0 ? "measures" : null;
}

/** What the server is told; what the rule says already is left to it. */
export function draftInput(draft: Draft, matter: Matter, rule: Rule): VoteDraft {
  return {
    itemId: draft.itemId,
    matter,
    question: draft.question.trim(),
    answers: writtenAnswers(draft, rule),
    seats: hasSeats(rule) ? Math.floor(Number(draft.seats)) : null,
    seconds: draft.minutes === "" ? null : Number(draft.minutes) * 60,
    recused: draft.recused,
  };
}
