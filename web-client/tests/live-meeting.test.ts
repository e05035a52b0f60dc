import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LiveMeeting, liveMeeting } from "../src/meeting/live-meeting";
import { link } from "../src/server/live";
import { forgetPerson } from "../src/session/session";
import { meetingOf, tallyOf, voteOf } from "./factories";
import { FakeSocket, push } from "./socket";

let live: LiveMeeting;
let leave: () => void = () => {};

const socket = () => {
  const opened = FakeSocket.opened.at(-1);
  if (!opened) throw new Error("No socket was opened.");
  return opened;
};
const settle = () => vi.advanceTimersByTimeAsync(0);
const shownVote = () => live.meeting.value?.votes[0];

const own = (changes: object = {}) => ({
  meeting: {
    id: "meeting",
    votes: [
      {
        id: "vote",
        revision: 1,
        state: "OPEN",
        viewerMay: ["CAST_BALLOT"],
        myReceipt: null,
        ...changes,
      },
    ],
  },
});
const everybodys = (vote = voteOf()) => ({ meeting: meetingOf({ votes: [vote] }) });

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.opened = [];
  live = liveMeeting("meeting");
  leave = live.watch();
  await settle();
});

afterEach(async () => {
  leave();
  forgetPerson();
  await vi.runOnlyPendingTimersAsync();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("one socket carries what everybody sees and what is the viewer's own", async () => {
  expect(FakeSocket.opened).toHaveLength(1);
  const documents = socket()
    .sent.filter(({ type }) => type === "subscribe")
    .map(({ payload }) => (payload as { query: string }).query);
  expect(documents).toHaveLength(2);
  const [shared, personal] = documents;
  const votes = /fragment VoteFields on Vote \{[^}]*\}/.exec(shared ?? "")?.[0];
  expect(votes).not.toMatch(/viewerMay/);
  expect(shared).not.toMatch(/myReceipt/);
  expect(personal).toMatch(/viewerMay\s+myReceipt/);
  expect(personal, "a version would be pushed again with every ballot").not.toMatch(/version/);
});

test("the own part may come before the meeting", async () => {
  push(socket(), "WatchOwnVotes", own());
  await settle();
  expect(live.meeting.value).toBeNull();
  push(socket(), "WatchMeeting", everybodys());
  await settle();
  expect(shownVote()).toMatchObject({ viewerMay: ["CAST_BALLOT"], isOwnKnown: true });
});

test("the meeting may come before the own part, and shows at once", async () => {
  push(socket(), "WatchMeeting", everybodys());
  await settle();
  expect(shownVote()).toMatchObject({ question: "Thông qua nghị quyết?", isOwnKnown: false });
  push(socket(), "WatchOwnVotes", own());
  await settle();
  expect(shownVote()).toMatchObject({ viewerMay: ["CAST_BALLOT"], isOwnKnown: true });
});

test("an act's answer brings both parts, and older pushes change neither", async () => {
  push(socket(), "WatchMeeting", everybodys(voteOf({ state: "PREPARED" })));
  push(socket(), "WatchOwnVotes", own({ state: "PREPARED", viewerMay: ["OPEN_VOTE"] }));
  await settle();
  live.receiveVote(voteOf({ version: 3, revision: 3, viewerMay: ["CAST_BALLOT", "CLOSE_VOTE"] }));
  push(socket(), "WatchOwnVotes", own({ revision: 2, state: "PREPARED", viewerMay: [] }));
  push(socket(), "WatchMeeting", everybodys(voteOf({ version: 2, state: "PREPARED" })));
  await settle();
  expect(shownVote()).toMatchObject({
    state: "OPEN",
    viewerMay: ["CAST_BALLOT", "CLOSE_VOTE"],
    isOwnKnown: true,
  });
});

test("a tally for everybody takes nothing from the viewer's own part", async () => {
  push(socket(), "WatchMeeting", everybodys());
  push(socket(), "WatchOwnVotes", own());
  await settle();
  const counted = voteOf({ version: 7, tally: tallyOf({ cast: 2 }) });
  push(socket(), "WatchMeeting", everybodys(counted));
  await settle();
  expect(shownVote()?.tally.cast).toBe(2);
  expect(shownVote()?.viewerMay).toEqual(["CAST_BALLOT"]);
});

test("after a reconnect both are watched again", async () => {
  push(socket(), "WatchMeeting", everybodys());
  await settle();
  socket().close(4509);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(link.value.down).toBe(false);
  push(socket(), "WatchMeeting", everybodys(voteOf({ version: 2 })));
  push(socket(), "WatchOwnVotes", own({ revision: 2 }));
  await settle();
  expect(shownVote()).toMatchObject({ version: 2, isOwnKnown: true });
});

test("a problem of either part is told, until that part is pushed again", async () => {
  push(socket(), "WatchMeeting", everybodys());
  const found = socket().sent.find(({ payload }) => JSON.stringify(payload).includes("OwnVotes("));
  socket().says({
    type: "error",
    id: found?.id,
    payload: [{ message: "No.", extensions: { reason: "NOT_ALLOWED" } }],
  });
  await settle();
  push(socket(), "WatchMeeting", everybodys(voteOf({ version: 2 })));
  await settle();
  expect(live.problem.value).toBe("NOT_ALLOWED");
});
