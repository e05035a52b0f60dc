import type { MeetingFieldsFragment, VoteFieldsFragment } from "../gql/graphql";

// A push and the answer to a mutation may cross on their way. Versions only grow, so the newest stays.

export type Meeting = MeetingFieldsFragment;
export type Vote = VoteFieldsFragment;

/** A vote has a version of its own: a ballot raises it and leaves the meeting's as it was. */
export function newestMeeting(held: Meeting | null, arriving: Meeting): Meeting {
  if (held === null) return arriving;
  const newest = newestOf(held, arriving);
  const votes = newest.votes.map((vote) => newestVoteAmong([held, arriving], vote));
  return { ...newest, votes };
}

/** A vote that was just prepared is new to the meeting. */
export function withVote(held: Meeting, arriving: Vote): Meeting {
  const isKnown = held.votes.some((vote) => vote.id === arriving.id);
  if (!isKnown) return { ...held, votes: [...held.votes, arriving] };
  const votes = held.votes.map((vote) =>
    vote.id === arriving.id ? newestOf(vote, arriving) : vote,
  );
  return { ...held, votes };
}

function newestOf<Versioned extends { version: number }>(
  held: Versioned,
  arriving: Versioned,
): Versioned {
  return arriving.version >= held.version ? arriving : held;
}

function newestVoteAmong(meetings: Meeting[], wanted: Vote): Vote {
  return meetings
    .flatMap((meeting) => meeting.votes.filter((vote) => vote.id === wanted.id))
    .reduce(newestOf);
}
