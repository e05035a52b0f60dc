import type { HandsInput } from "../gql/graphql";

/** Hands raised in the room: the option that each member, by id, raised one for. */
export type Hands = Readonly<Record<string, string>>;

export const NO_HANDS: Hands = {};

/** One touch counts a member's hand for the option, or moves it there; another takes it away. */
export function toggleHand(hands: Hands, memberId: string, optionId: string): Hands {
  const { [memberId]: before, ...others } = hands;
  return before === optionId ? others : { ...others, [memberId]: optionId };
}

export function countFor(hands: Hands, optionId: string): number {
  return Object.values(hands).filter((id) => id === optionId).length;
}

export function without(hands: Hands, memberIds: readonly string[]): Hands {
  return Object.fromEntries(Object.entries(hands).filter(([id]) => !memberIds.includes(id)));
}

export function handsInput(hands: Hands): HandsInput[] {
  return [...new Set(Object.values(hands))].map((optionId) => {
    const memberIds = Object.keys(hands).filter((id) => hands[id] === optionId);
    return { optionId, count: memberIds.length, memberIds };
  });
}

/** The members whom a refusal names; none where it names nobody. */
export function membersIn(details: unknown): string[] {
  const { members } = (details ?? {}) as { members?: unknown };
  return Array.isArray(members) ? members.map(String) : [];
}
