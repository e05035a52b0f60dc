import { expect, test } from "vitest";
import { vi as vietnamese } from "../src/language/vi";
import { announcementsOf } from "../src/meeting/announcements";
import type { Meeting } from "../src/meeting/newest";
import { meetingOf, outcomeOf, tallyOf, voteOf } from "./factories";

const announced = (before: Meeting | null, after: Meeting) =>
  announcementsOf(before, after, vietnamese, "vi");

const prepared = meetingOf({ votes: [voteOf({ state: "PREPARED" })] });
const open = meetingOf({ votes: [voteOf()] });
const publishedAt = "2026-11-03T12:40:00Z";
const closedVote = voteOf({ state: "CLOSED", publishedAt, outcome: outcomeOf() });
const closed = meetingOf({ votes: [closedVote] });
const waiting = meetingOf({ votes: [voteOf({ state: "CLOSED" })] });
const annulled = meetingOf({ votes: [{ ...closedVote, state: "ANNULLED", annulment: "Sai." }] });

test("the opening of a vote is announced with its question", () => {
  expect(announced(prepared, open)).toEqual(["Đã mở biểu quyết: Thông qua nghị quyết?"]);
});

test("the closing of a vote is announced with its result", () => {
  expect(announced(open, closed)).toEqual(["Biểu quyết đã kết thúc. Được thông qua: 3/3."]);
});

test("a result that waits for the chair is announced twice: closed, then published", () => {
  expect(announced(open, waiting)).toEqual(["Biểu quyết đã kết thúc. Chủ trì sẽ công bố kết quả."]);
  expect(announced(waiting, closed)).toEqual(["Đã công bố kết quả. Được thông qua: 3/3."]);
});

test("annulling a vote is announced", () => {
  expect(announced(closed, annulled)).toEqual(["Đã hủy biểu quyết: Thông qua nghị quyết?"]);
});

test("a tally that moves is not announced", () => {
  const moved = meetingOf({ votes: [voteOf({ tally: tallyOf({ cast: 1 }) })] });
  expect(announced(open, moved)).toEqual([]);
});

test("what was there on arriving is not announced", () => {
  expect(announced(null, open)).toEqual([]);
});
