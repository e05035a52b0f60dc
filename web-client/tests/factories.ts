import type { Meeting, Vote } from "../src/meeting/newest";

/** A meeting in session with one agenda item and no votes, unless told otherwise. */
export function meetingOf(changes: Partial<Meeting> = {}): Meeting {
  return {
    id: "meeting",
    version: 1,
    state: "IN_SESSION",
    kind: "REGULAR",
    mode: "HYBRID",
    title: "Sinh hoạt thường kỳ",
    startsAt: "2026-11-03T12:00:00Z",
    openedAt: "2026-11-03T12:01:00Z",
    closedAt: null,
    viewerMay: ["CHECK_IN", "CAST_BALLOT"],
    unit: { name: "Chi bộ 1" },
    currentItem: { id: "item-1" },
    agenda: [{ id: "item-1", position: 1, title: "Thông qua nghị quyết" }],
    votes: [],
    turnout: { summoned: 3, present: 2 },
    ...changes,
  };
}

export function voteOf(changes: Partial<Vote> = {}): Vote {
  return {
    id: "vote",
    version: 1,
    itemId: "item-1",
    state: "OPEN",
    question: "Thông qua nghị quyết?",
    viewerMay: ["CAST_BALLOT"],
    options: [
      { id: "for", kind: "FOR" },
      { id: "against", kind: "AGAINST" },
      { id: "abstain", kind: "ABSTAIN" },
    ],
    rule: { base: "SUMMONED", numerator: 1, denominator: 2, strict: true },
    tally: { cast: 0, eligible: 3, options: [] },
    outcome: null,
    myReceipt: null,
    ...changes,
  };
}
