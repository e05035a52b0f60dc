import type { Meeting, Vote } from "./newest";

export type AgendaItem = Meeting["agenda"][number];

export function currentItem(meeting: Meeting): AgendaItem | null {
  return meeting.agenda.find((item) => item.id === meeting.currentItem?.id) ?? null;
}

/** The item after the current one; the first when none has been called yet; null at the end. */
export function nextItem(meeting: Meeting): AgendaItem | null {
  const current = currentItem(meeting);
  const position = current ? meeting.agenda.indexOf(current) : -1;
  return meeting.agenda[position + 1] ?? null;
}

const ENDED: readonly Vote["state"][] = ["CLOSED", "ANNULLED"];

export function hasEnded({ state }: Vote): boolean {
  return ENDED.includes(state);
}

/**
 * The votes shown large with the current item: the open one, those prepared, and the last result.
 * Older results of the item are among the others.
 */
export function votesOnStage(meeting: Meeting): Vote[] {
  const votes = votesOf(meeting, currentItem(meeting));
  const withState = (state: Vote["state"]) => votes.filter((vote) => vote.state === state);
  return [...withState("OPEN"), ...withState("PREPARED"), ...votes.filter(hasEnded).slice(-1)];
}

export function votesOf(meeting: Meeting, item: AgendaItem | null): Vote[] {
  return meeting.votes.filter((vote) => vote.itemId === item?.id);
}

/** What is still to come or under way, while the meeting is not over: votes are prepared for it. */
export function itemsAhead(meeting: Meeting): AgendaItem[] {
  const isOver = !["SUMMONED", "IN_SESSION", "PAUSED"].includes(meeting.state);
  return isOver ? [] : meeting.agenda.filter(({ state }) => state !== "DONE");
}

export function mayPrepareFor(meeting: Meeting, itemId: string): boolean {
  return itemsAhead(meeting).some(({ id }) => id === itemId);
}
