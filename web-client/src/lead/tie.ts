import type { Outcome } from "../vote/result";

/** How the chair breaks a tie, by what the outcome asks for. */
export type Breaking = "choose" | "order" | "draw";

export function breakingOf({ nextStep }: Outcome): Breaking {
  if (nextStep === "LOT") return "draw";
  return nextStep === "SENIORITY" ? "order" : "choose";
}

/** Whether one of the tied takes the place of another. */
export function takesOne(outcome: Outcome): boolean {
  return breakingOf(outcome) === "choose" && picksNeeded(outcome) === 1;
}

/** One touch of one of the tied: put in its place, or taken out again. */
export function pick(outcome: Outcome, picked: string[], optionId: string): string[] {
  if (takesOne(outcome)) return [optionId];
  return picked.includes(optionId) ? picked.filter((id) => id !== optionId) : [...picked, optionId];
}

/** How many must be picked: the places, or everybody for an order. */
export function picksNeeded(outcome: Outcome): number {
  const { tie } = outcome;
  switch (breakingOf(outcome)) {
    case "choose":
      return tie?.places ?? 0;
    case "order":
      return tie?.tied.length ?? 0;
    case "draw":
      return 0;
  }
}

/** What the server is told. */
export function breakerOf(outcome: Outcome, picked: string[]) {
  const isOrder = breakingOf(outcome) === "order";
  return { chosen: isOrder ? [] : picked, seniority: isOrder ? picked : [] };
}
