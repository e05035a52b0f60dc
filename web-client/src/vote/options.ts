import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";

export type Option = Vote["options"][number];

export interface Candidate {
  id: string;
  name: string;
  /** The FOR box and the AGAINST box. */
  boxes: Option[];
}

/** What stands beside a box: a motion's answers are translated, the rest is as the chair wrote it. */
export function labelOf({ kind, label }: Option): string {
  const { options } = messages.value;
  return kind === "CHOICE" || kind === "MEASURE" ? label : options[kind];
}

/** The same where a candidate's two boxes stand apart from their name. */
export function fullLabelOf(option: Option): string {
  return option.kind !== "CHOICE" && option.candidateId
    ? `${option.label}: ${labelOf(option)}`
    : labelOf(option);
}

export function isElection({ rule }: Pick<Vote, "rule">): boolean {
  return rule.method === "CHOOSE_UP_TO" || rule.method === "YES_NO_PER_CANDIDATE";
}

/** How many may stand, as the server counts it; null: as many as are nominated. */
export function mostCandidates({ seats, maxSurplus }: Vote["rule"]): number | null {
  if (maxSurplus === null) return null;
  return seats + Math.floor((seats * maxSurplus.numerator) / maxSurplus.denominator);
}

/** What the lines of a paper are: people stand only in an election. */
export function linesOf({ matter, rule }: Pick<Vote, "matter" | "rule">) {
  if (rule.method === "ORDERED_CUMULATIVE") return "measures";
  return matter === "ELECTION" ? "candidates" : "answers";
}

/** In the order of the paper. */
export function candidatesOf(vote: Vote): Candidate[] {
  const ids = [...new Set(vote.options.flatMap(({ candidateId }) => candidateId ?? []))];
  return ids.map((id) => {
    const boxes = vote.options.filter(({ candidateId }) => candidateId === id);
    return { id, name: boxes[0]?.label ?? "", boxes };
  });
}

/** What these options are called where a tie is told: candidates by name, answers as on the paper. */
export function labelsOf(vote: Vote, optionIds: readonly string[]): string[] {
  return vote.options
    .filter(({ id }) => optionIds.includes(id))
    .map((option) => (option.candidateId ? option.label : labelOf(option)));
}

/** Whether the result does not show who chose what: then nobody sees it before everybody does. */
export function isHidden({ rule }: Pick<Vote, "rule">): boolean {
  return rule.secrecy !== "OPEN";
}
