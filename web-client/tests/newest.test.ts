import { expect, test } from "vitest";
import {
  newestMeeting,
  newestOwnVotes,
  type OwnVote,
  withOwnVotes,
  withVote,
} from "../src/meeting/newest";
import { meetingOf, voteOf } from "./factories";

test("a push with a higher version replaces what is held", () => {
  const held = meetingOf({ version: 1, state: "SUMMONED" });
  expect(newestMeeting(held, meetingOf({ version: 2 })).state).toBe("IN_SESSION");
});

test("a push with the same version replaces what is held, for a tally raises no meeting", () => {
  const held = meetingOf({ turnout: { summoned: 3, present: 0 } });
  expect(newestMeeting(held, meetingOf()).turnout.present).toBe(2);
});

test("an answer that was overtaken on its way changes nothing", () => {
  const held = meetingOf({ version: 3, state: "PAUSED" });
  expect(newestMeeting(held, meetingOf({ version: 2 }))).toEqual(held);
});

test("a vote keeps its newest version, whichever meeting brought it", () => {
  const held = meetingOf({ version: 1, votes: [voteOf({ version: 5, state: "CLOSED" })] });
  const arriving = meetingOf({ version: 2, votes: [voteOf({ version: 4 })] });
  const shown = newestMeeting(held, arriving);
  expect(shown.version).toBe(2);
  expect(shown.votes[0]?.state).toBe("CLOSED");
});

test("a vote that the newest meeting no longer has is gone", () => {
  const held = meetingOf({ version: 1, votes: [voteOf()] });
  expect(newestMeeting(held, meetingOf({ version: 2 })).votes).toEqual([]);
});

test("a vote that was just prepared joins the meeting", () => {
  const held = meetingOf({ votes: [voteOf()] });
  expect(withVote(held, voteOf({ id: "new" })).votes.map(({ id }) => id)).toEqual(["vote", "new"]);
});

test("the answer to opening a vote shows at once, but not over a newer push", () => {
  const held = meetingOf({ votes: [voteOf({ version: 2, state: "PREPARED" })] });
  expect(withVote(held, voteOf({ version: 3 })).votes[0]?.state).toBe("OPEN");
  expect(withVote(held, voteOf({ version: 1 })).votes[0]?.state).toBe("PREPARED");
});

const ownOf = (changes: Partial<OwnVote> = {}): OwnVote => ({
  id: "vote",
  revision: 1,
  state: "OPEN",
  viewerMay: ["CAST_BALLOT"],
  myReceipt: null,
  myHand: null,
  ...changes,
});
const receipt = { id: "r", choices: ["for"], castAt: "2026-11-03T12:30:00Z", tracker: "AB" };
const NOTHING = new Map<string, OwnVote>();

test("both parts of a vote show as one, whichever came first", () => {
  const shown = withOwnVotes(meetingOf({ votes: [voteOf()] }), newestOwnVotes(NOTHING, [ownOf()]));
  expect(shown.votes[0]).toMatchObject({ viewerMay: ["CAST_BALLOT"], isOwnKnown: true });
});

test("a vote whose own part has not come yet shows without it", () => {
  const shown = withOwnVotes(meetingOf({ votes: [voteOf()] }), NOTHING);
  expect(shown.votes[0]).toMatchObject({ viewerMay: [], myReceipt: null, isOwnKnown: false });
});

test("an own part whose vote has not come yet waits for it", () => {
  const own = newestOwnVotes(NOTHING, [ownOf({ id: "new" })]);
  expect(withOwnVotes(meetingOf({ votes: [] }), own).votes).toEqual([]);
  const later = withOwnVotes(meetingOf({ votes: [voteOf({ id: "new" })] }), own);
  expect(later.votes[0]?.isOwnKnown).toBe(true);
});

test("of two own parts the newer one stays, in whatever order they come", () => {
  const older = ownOf({ revision: 4 });
  const newer = ownOf({ revision: 5, viewerMay: [], myReceipt: receipt });
  for (const [first, second] of [
    [older, newer],
    [newer, older],
  ] as const) {
    const own = newestOwnVotes(newestOwnVotes(NOTHING, [first]), [second]);
    expect(own.get("vote")).toEqual(newer);
  }
});

test("acts of another state of the vote are not offered, and a receipt stays", () => {
  const prepared = ownOf({ state: "PREPARED", viewerMay: ["OPEN_VOTE"] });
  const opened = withOwnVotes(
    meetingOf({ votes: [voteOf({ version: 9 })] }),
    newestOwnVotes(NOTHING, [prepared]),
  );
  expect(opened.votes[0]).toMatchObject({ state: "OPEN", viewerMay: [], isOwnKnown: false });
  const closed = withOwnVotes(
    meetingOf({ votes: [voteOf({ version: 9, state: "CLOSED" })] }),
    newestOwnVotes(NOTHING, [ownOf({ viewerMay: [], myReceipt: receipt })]),
  );
  expect(closed.votes[0]).toMatchObject({ isOwnKnown: false, myReceipt: receipt });
});

test("counts that come in leave the own part as it was", () => {
  const own = newestOwnVotes(NOTHING, [ownOf({ revision: 2 })]);
  const shown = withOwnVotes(meetingOf({ votes: [voteOf({ version: 40 })] }), own);
  expect(shown.votes[0]).toMatchObject({ viewerMay: ["CAST_BALLOT"], isOwnKnown: true });
});

test("of the same revision that with the later receipt stays: an answer may have been overtaken", () => {
  const before = ownOf();
  const after = ownOf({ viewerMay: [], myReceipt: receipt });
  const changed = ownOf({ myReceipt: { ...receipt, castAt: "2026-11-03T12:31:00Z" } });
  const own = newestOwnVotes(newestOwnVotes(NOTHING, [after]), [before]);
  expect(own.get("vote")).toEqual(after);
  expect(newestOwnVotes(own, [changed]).get("vote")).toEqual(changed);
});
