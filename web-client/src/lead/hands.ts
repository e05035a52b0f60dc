import type { HandsInput } from "../gql/graphql";

/** Hands raised in the room: who raised one, and how many for each option. */
export interface Hands {
  members: string[];
  counts: Record<string, number>;
}

export const NO_HANDS: Hands = { members: [], counts: {} };

export function toggleMember(hands: Hands, memberId: string): Hands {
  const members = hands.members.includes(memberId)
    ? hands.members.filter((id) => id !== memberId)
    : [...hands.members, memberId];
  return { ...hands, members };
}

/** What was typed as a count: whole, and from 0. */
export function withCount(hands: Hands, optionId: string, typed: string): Hands {
  const count = Math.max(0, Math.floor(Number(typed)) || 0);
  return { ...hands, counts: { ...hands.counts, [optionId]: count } };
}

export function sumOf({ counts }: Hands): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Everybody who raised a hand raised one. */
export function addUp(hands: Hands): boolean {
  return hands.members.length > 0 && sumOf(hands) === hands.members.length;
}

export function handsInput({ counts }: Hands): HandsInput[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([optionId, count]) => ({ optionId, count }));
}

/** The members whom a refusal names; none where it names nobody. */
export function membersIn(details: unknown): string[] {
  const { members } = (details ?? {}) as { members?: unknown };
  return Array.isArray(members) ? members.map(String) : [];
}
