import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetPerson } from "../src/session/session";
import { ballotFor, castBallot, choose } from "../src/vote/ballot";
import { answerInTurn } from "./server";

const receipt = { id: "receipt", choices: ["for"], castAt: "2026-11-03T12:30:00Z" };
const recorded = { data: { castBallot: { __typename: "Receipt", ...receipt } } };
const refused = { data: { castBallot: { __typename: "Refused", reason: "VOTE_CLOSED" } } };

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
});

afterEach(() => {
  forgetPerson();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a ballot is recorded only once the server gave its receipt", async () => {
  answerInTurn(recorded);
  const casting = castBallot("vote", "for");
  expect(ballotFor("vote").value.step).toBe("sending");
  await casting;
  expect(ballotFor("vote").value).toEqual({
    step: "recorded",
    receipt: { __typename: "Receipt", ...receipt },
  });
});

test("after a network failure the same ballot is sent again with the same key", async () => {
  const asked = answerInTurn("no answer", 503, recorded);
  const casting = castBallot("vote", "for");
  await vi.advanceTimersByTimeAsync(0);
  expect(ballotFor("vote").value).toEqual({ step: "sending", choice: "for", waiting: true });
  await vi.runAllTimersAsync();
  await casting;
  expect(ballotFor("vote").value.step).toBe("recorded");
  expect(asked).toHaveLength(3);
  expect(new Set(asked.map(({ variables }) => variables.key)).size).toBe(1);
});

test("the network coming back is not waited for longer than needed", async () => {
  answerInTurn("no answer", recorded);
  const casting = castBallot("vote", "for");
  await vi.advanceTimersByTimeAsync(0);
  dispatchEvent(new Event("online"));
  await casting;
  expect(ballotFor("vote").value.step).toBe("recorded");
});

test("key and choice are stored before anything is sent", async () => {
  const asked = answerInTurn(recorded);
  const casting = castBallot("vote", "for");
  const stored = JSON.parse(sessionStorage.getItem("ballot:vote") ?? "{}");
  expect(stored).toMatchObject({ choice: "for", sent: true });
  await casting;
  expect(asked[0]?.variables.key).toBe(stored.key);
});

test("a reload in mid-air repeats the same ballot with the same key", async () => {
  sessionStorage.setItem(
    "ballot:vote",
    JSON.stringify({ key: "first", choice: "against", sent: true }),
  );
  const asked = answerInTurn(recorded);
  expect(ballotFor("vote").value.step).toBe("sending");
  await vi.runAllTimersAsync();
  expect(asked[0]?.variables).toEqual({ voteId: "vote", choices: ["against"], key: "first" });
});

test("a refusal gives its reason, keeps the choice, and the next attempt keeps the key", async () => {
  const asked = answerInTurn(refused, recorded);
  await castBallot("vote", "for");
  expect(ballotFor("vote").value).toEqual({
    step: "choosing",
    choice: "for",
    problem: "VOTE_CLOSED",
  });
  await castBallot("vote", "for");
  expect(asked[1]?.variables.key).toBe(asked[0]?.variables.key);
});

test("a ballot on its way cannot be changed nor sent twice", async () => {
  const asked = answerInTurn(recorded);
  const casting = castBallot("vote", "for");
  choose("vote", "against");
  await Promise.all([casting, castBallot("vote", "against")]);
  expect(asked).toHaveLength(1);
});

test("the next person at the tab does not cast the last one's ballot", async () => {
  const asked = answerInTurn("no answer", recorded);
  const casting = castBallot("vote", "for");
  await vi.advanceTimersByTimeAsync(0);
  forgetPerson();
  await vi.runAllTimersAsync();
  await casting;
  expect(asked).toHaveLength(1);
  expect(sessionStorage.getItem("ballot:vote")).toBeNull();
  expect(ballotFor("vote").value).toEqual({ step: "choosing", choice: null, problem: null });
});
