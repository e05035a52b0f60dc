import { expect, test } from "vitest";
import { vi as vietnamese } from "../src/language/vi";
import { announcementsOf } from "../src/meeting/announcements";
import type { Meeting } from "../src/meeting/newest";
import { meetingOf, voteOf } from "./factories";

const announced = (before: Meeting | null, after: Meeting) =>
  announcementsOf(before, after, vietnamese, "vi");

const prepared = meetingOf({ votes: [voteOf({ state: "PREPARED" })] });
const open = meetingOf({ votes: [voteOf()] });
const outcome = { carried: true, vi: "Được thông qua: 3/3.", en: "Carried: 3 of 3." };
const closed = meetingOf({ votes: [voteOf({ state: "CLOSED", outcome })] });

test("the opening of a vote is announced with its question", () => {
  expect(announced(prepared, open)).toEqual(["Đã mở biểu quyết: Thông qua nghị quyết?"]);
});

test("the closing of a vote is announced with its result", () => {
  expect(announced(open, closed)).toEqual(["Biểu quyết đã kết thúc. Được thông qua: 3/3."]);
});

test("a tally that moves is not announced", () => {
  const moved = meetingOf({ votes: [voteOf({ tally: { cast: 1, eligible: 3, options: [] } })] });
  expect(announced(open, moved)).toEqual([]);
});

test("what was there on arriving is not announced", () => {
  expect(announced(null, open)).toEqual([]);
});
