import type {
  MeetingFieldsFragment,
  OwnVoteFieldsFragment,
  VoteFieldsFragment,
} from "../gql/graphql";

// What everybody sees of a meeting and what the viewer may do in its votes come in pushes of their
// own, in any order, and cross with the answers to mutations. Of each vote's two parts the newest
// stays, by its version or, for the viewer's, its revision; the page shows both as one.

export type SharedMeeting = MeetingFieldsFragment;
export type SharedVote = VoteFieldsFragment;

/** The viewer's part in a vote. */
export type OwnVote = OwnVoteFieldsFragment;
export type OwnVotes = ReadonlyMap<string, OwnVote>;

export type Meeting = Omit<SharedMeeting, "votes"> & { votes: Vote[] };
export type Vote = SharedVote &
  Pick<OwnVote, "revision" | "viewerMay" | "myReceipt" | "myHand"> & {
    /** Whether the viewer's part has arrived for the state that the vote is in. */
    isOwnKnown: boolean;
  };

/** A vote has a version of its own: a ballot raises it and leaves the meeting's as it was. */
export function newestMeeting(held: SharedMeeting | null, arriving: SharedMeeting): SharedMeeting {
  if (held === null) return arriving;
  const newest = newestOf(held, arriving);
  const votes = newest.votes.map((vote) => newestVoteAmong([held, arriving], vote));
  return { ...newest, votes };
}

/** A vote that was just prepared is new to the meeting. */
export function withVote(held: SharedMeeting, arriving: SharedVote): SharedMeeting {
  const isKnown = held.votes.some((vote) => vote.id === arriving.id);
  if (!isKnown) return { ...held, votes: [...held.votes, arriving] };
  const votes = held.votes.map((vote) =>
    vote.id === arriving.id ? newestOf(vote, arriving) : vote,
  );
  return { ...held, votes };
}

/** A vote that the meeting does not show yet is kept for when it does. */
export function newestOwnVotes(held: OwnVotes, arriving: readonly OwnVote[]): OwnVotes {
  const newest = new Map(held);
  for (const vote of arriving) {
    const known = newest.get(vote.id);
    newest.set(vote.id, known ? newestOwn(known, vote) : vote);
  }
  return newest;
}

/** What the page shows. */
export function withOwnVotes(meeting: SharedMeeting, own: OwnVotes): Meeting {
  const votes = meeting.votes.map((vote) => withOwn(vote, own.get(vote.id)));
  return { ...meeting, votes };
}

/**
 * Acts belong to a state, so those of another one do not count: they are about to be replaced. A
 * receipt stays what it is.
 */
function withOwn(vote: SharedVote, own: OwnVote | undefined): Vote {
  const isOwnKnown = own?.state === vote.state;
  return {
    ...vote,
    revision: own?.revision ?? 0,
    viewerMay: isOwnKnown ? own.viewerMay : [],
    myReceipt: own?.myReceipt ?? null,
    myHand: own?.myHand ?? null,
    isOwnKnown,
  };
}

/** A ballot raises no revision, so of the same one that with the later receipt is the newer. */
function newestOwn(held: OwnVote, arriving: OwnVote): OwnVote {
  if (held.revision !== arriving.revision) {
    return arriving.revision > held.revision ? arriving : held;
  }
  return castAt(arriving) >= castAt(held) ? arriving : held;
}

function castAt({ myReceipt }: OwnVote): number {
  return myReceipt ? Date.parse(myReceipt.castAt) : 0;
}

function newestOf<Versioned extends { version: number }>(
  held: Versioned,
  arriving: Versioned,
): Versioned {
  return arriving.version >= held.version ? arriving : held;
}

function newestVoteAmong(meetings: SharedMeeting[], wanted: SharedVote): SharedVote {
  return meetings
    .flatMap((meeting) => meeting.votes.filter((vote) => vote.id === wanted.id))
    .reduce(newestOf);
}
