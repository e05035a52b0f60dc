import type { Language } from "../language/language";
import type { Messages } from "../language/vi";
import type { SharedMeeting, SharedVote } from "./newest";

/** What a screen reader says when a vote opened, closed or was published between two states of a meeting. */
export function announcementsOf(
  before: SharedMeeting | null,
  after: SharedMeeting,
  { vote: words, voting }: Messages,
  language: Language,
): string[] {
  if (before === null) return [];
  return after.votes
    .filter((vote) => changedState(before, vote))
    .flatMap((vote) => {
      if (vote.state === "OPEN") return [words.announceOpen(vote.question)];
      if (vote.state === "ANNULLED") return [voting.announceAnnulled(vote.question)];
      if (vote.state !== "CLOSED") return [];
      return [closedText(vote, wasClosed(before, vote))];
    });

  function closedText({ publishedAt, outcome }: SharedVote, wasClosed: boolean): string {
    if (publishedAt === null || outcome === null) return voting.announceWaiting;
    const sentence = outcome[language];
    return wasClosed ? voting.announcePublished(sentence) : words.announceClosed(sentence);
  }
}

/** A result that is published later is news of its own. */
function changedState(before: SharedMeeting, vote: SharedVote): boolean {
  const held = heldVote(before, vote);
  return held?.state !== vote.state || held.publishedAt !== vote.publishedAt;
}

function wasClosed(before: SharedMeeting, vote: SharedVote): boolean {
  return heldVote(before, vote)?.state === "CLOSED";
}

function heldVote({ votes }: SharedMeeting, { id }: SharedVote): SharedVote | undefined {
  return votes.find((held) => held.id === id);
}
