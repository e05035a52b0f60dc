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

export function votesOf(meeting: Meeting, item: AgendaItem | null): Vote[] {
  return meeting.votes.filter((vote) => vote.itemId === item?.id);
}
