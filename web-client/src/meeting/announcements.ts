import type { Language } from "../language/language";
import type { Messages } from "../language/vi";
import type { Meeting, Vote } from "./newest";

/** What a screen reader says when a vote opened or closed between two states of a meeting. */
export function announcementsOf(
  before: Meeting | null,
  after: Meeting,
  { vote: words }: Messages,
  language: Language,
): string[] {
  if (before === null) return [];
  return after.votes
    .filter((vote) => changedState(before, vote))
    .flatMap((vote) => {
      if (vote.state === "OPEN") return [words.announceOpen(vote.question)];
      return vote.outcome ? [words.announceClosed(vote.outcome[language])] : [];
    });
}

function changedState(before: Meeting, vote: Vote): boolean {
  return before.votes.find((held) => held.id === vote.id)?.state !== vote.state;
}
