import type { Vote } from "../meeting/newest";

// What the marks on a ballot are, and what one more touch makes of them. The server judges; this
// only keeps a slip of the thumb from spoiling a ballot.

export interface Marked {
  choices: string[];
  /** The last touch would have been one too many, and changed nothing. */
  isOver: boolean;
}

/** Whether one mark takes the place of another, as with the answers to a motion. */
export function takesOneMark({ rule }: Pick<Vote, "rule">): boolean {
  switch (rule.method) {
    case "FOR_AGAINST_ABSTAIN":
    case "ORDERED_CUMULATIVE":
      return true;
    case "CHOOSE_UP_TO":
      return rule.mostChoices === 1;
    case "YES_NO_PER_CANDIDATE":
      return false;
  }
}

/** Marks an option, or takes its mark away. */
export function touch(vote: Vote, choices: string[], optionId: string): Marked {
  if (takesOneMark(vote)) return { choices: [optionId], isOver: false };
  if (choices.includes(optionId)) {
    return { choices: choices.filter((choice) => choice !== optionId), isOver: false };
  }
  const others = otherBoxes(vote, optionId);
  const marked = [...choices.filter((choice) => !others.includes(choice)), optionId];
  const isOver = limitedMarks(vote, marked) > vote.rule.mostChoices;
  return isOver ? { choices, isOver } : { choices: marked, isOver };
}

/** The marks that the rule limits: options chosen, or candidates voted for. */
export function limitedMarks(vote: Vote, choices: string[]): number {
  if (vote.rule.method !== "YES_NO_PER_CANDIDATE") return choices.length;
  return vote.options.filter(({ id, kind }) => kind === "FOR" && choices.includes(id)).length;
}

/** The other box of the same candidate: nobody is for and against. */
function otherBoxes(vote: Vote, optionId: string): string[] {
  const candidate = vote.options.find(({ id }) => id === optionId)?.candidateId;
  if (vote.rule.method !== "YES_NO_PER_CANDIDATE" || !candidate) return [];
  return vote.options
    .filter(({ id, candidateId }) => candidateId === candidate && id !== optionId)
    .map(({ id }) => id);
}
