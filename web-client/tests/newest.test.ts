import { expect, test } from "vitest";
import { newestMeeting, withVote } from "../src/meeting/newest";
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
