import { expect, test } from "vitest";
import type { Meeting } from "../src/meeting/newest";
import { nextStep } from "../src/meeting/next-step";
import { itemOf, meetingOf, outcomeOf, voteOf } from "./factories";

const agenda = [itemOf(1, "Thứ nhất"), itemOf(2, "Thứ hai")];
const open = voteOf({ id: "open", state: "OPEN" });
const prepared = voteOf({ id: "prepared", state: "PREPARED" });
const closed = voteOf({ id: "closed", state: "CLOSED" });
const unpublished = voteOf({ id: "new", state: "CLOSED", viewerMay: ["PUBLISH_VOTE"] });
const elsewhere = { ...unpublished, itemId: "item-2" };
const tied = voteOf({ id: "tied", state: "CLOSED", viewerMay: ["BREAK_TIE", "ANNUL_VOTE"] });
const undecided = voteOf({
  id: "undecided",
  state: "CLOSED",
  viewerMay: ["REPEAT_VOTE"],
  outcome: outcomeOf({ verdict: "UNDECIDED", nextStep: "FURTHER_ROUND" }),
});

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
  [
    "a hidden result is published before another vote opens",
    { votes: [prepared, unpublished] },
    { act: "publish", vote: unpublished },
  ],
  [
    "a result left behind is published too",
    { votes: [elsewhere] },
    { act: "publish", vote: elsewhere },
  ],
  ["a tie is broken first", { votes: [unpublished, tied] }, { act: "break-tie", vote: tied }],
  ["a further round is prepared", { votes: [undecided] }, { act: "repeat", vote: undecided }],
  [
    "a round that was prepared is not prepared again",
    { votes: [{ ...undecided, repeatedBy: "prepared" }, prepared] },
    { act: "open", vote: prepared },
  ],
  [
    "a result is published also after the meeting",
    { state: "CLOSED", votes: [unpublished] },
    { act: "publish", vote: unpublished },
  ],
  ["a closed meeting needs nothing", { state: "CLOSED" }, null],
])("%s", (_sentence, changes, expected) => {
  expect(nextStep(meetingOf({ agenda, ...changes }))).toEqual(expected);
});
