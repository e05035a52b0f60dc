import { expect, test } from "vitest";
import type { Meeting } from "../src/meeting/newest";
import { nextStep } from "../src/meeting/next-step";
import { meetingOf, voteOf } from "./factories";

const agenda = [
  { id: "item-1", position: 1, title: "Thứ nhất" },
  { id: "item-2", position: 2, title: "Thứ hai" },
];
const open = voteOf({ id: "open", state: "OPEN" });
const prepared = voteOf({ id: "prepared", state: "PREPARED" });
const closed = voteOf({ id: "closed", state: "CLOSED" });

test.each<[string, Partial<Meeting>, object | null]>([
  ["a draft cannot be led yet", { state: "DRAFT" }, null],
  ["a summoned meeting starts", { state: "SUMMONED" }, { act: "start" }],
  ["a paused meeting resumes", { state: "PAUSED" }, { act: "resume" }],
  ["the first item is called", { currentItem: null }, { act: "move", item: agenda[0] }],
  ["an open vote is closed first", { votes: [prepared, open] }, { act: "close", vote: open }],
  ["a prepared vote is opened", { votes: [closed, prepared] }, { act: "open", vote: prepared }],
  ["the next item follows", { votes: [closed] }, { act: "move", item: agenda[1] }],
  [
    "votes of other items wait",
    { votes: [voteOf({ itemId: "item-2", state: "PREPARED" })] },
    { act: "move", item: agenda[1] },
  ],
  ["after the last item the meeting closes", { currentItem: { id: "item-2" } }, { act: "end" }],
  ["a closed meeting needs nothing", { state: "CLOSED" }, null],
])("%s", (_sentence, changes, expected) => {
  expect(nextStep(meetingOf({ agenda, ...changes }))).toEqual(expected);
});
