import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetPerson } from "../src/session/session";
import { ballotFor, castBallot, changeBallot, choose, keepBallot } from "../src/vote/ballot";
import { voteOf } from "./factories";
import { answerInTurn } from "./server";

const vote = voteOf();
const receipt = {
  id: "receipt",
  choices: ["for"],
  castAt: "2026-11-03T12:30:00Z",
  tracker: "0123456789AB",
};
const recorded = { data: { castBallot: { __typename: "Receipt", ...receipt } } };
const refused = {
  data: { castBallot: { __typename: "Refused", reason: "VOTE_CLOSED", details: {} } },
};

const cast = (choice: string) => {
  choose(vote, choice);
  return castBallot("vote");
};
const untouched = { step: "choosing", choices: [], isChange: false, isOver: false, problem: null };

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
  const casting = cast("for");
  expect(ballotFor("vote").value.step).toBe("sending");
  await casting;
  expect(ballotFor("vote").value).toEqual({
    step: "recorded",
    receipt: { __typename: "Receipt", ...receipt },
  });
});

test("after a network failure the same ballot is sent again with the same key", async () => {
  const asked = answerInTurn("no answer", 503, recorded);
  const casting = cast("for");
  await vi.advanceTimersByTimeAsync(0);
  expect(ballotFor("vote").value).toMatchObject({
    step: "sending",
    choices: ["for"],
    waiting: true,
  });
  await vi.runAllTimersAsync();
  await casting;
  expect(ballotFor("vote").value.step).toBe("recorded");
  expect(asked).toHaveLength(3);
  expect(new Set(asked.map(({ variables }) => variables.key)).size).toBe(1);
});

test("a ballot that is asked to come again later does, with the same key", async () => {
  const later = {
    data: { castBallot: { __typename: "Refused", reason: "TOO_MANY_REQUESTS", details: {} } },
  };
  const asked = answerInTurn(429, later, recorded);
  const casting = cast("for");
  await vi.runAllTimersAsync();
  await casting;
  expect(ballotFor("vote").value.step).toBe("recorded");
  expect(new Set(asked.map(({ variables }) => variables.key)).size).toBe(1);
});

test("the network coming back is not waited for longer than needed", async () => {
  answerInTurn("no answer", recorded);
  const casting = cast("for");
  await vi.advanceTimersByTimeAsync(0);
  dispatchEvent(new Event("online"));
  await casting;
  expect(ballotFor("vote").value.step).toBe("recorded");
});

test("key and choices are stored before anything is sent", async () => {
  const asked = answerInTurn(recorded);
  const casting = cast("for");
  const stored = JSON.parse(sessionStorage.getItem("ballot:vote") ?? "{}");
  expect(stored).toMatchObject({ choices: ["for"], sent: true });
  await casting;
  expect(asked[0]?.variables.key).toBe(stored.key);
});

test("a half-filled ballot is kept for as long as the tab lives, and is not sent by itself", () => {
  const asked = answerInTurn(recorded);
  choose(vote, "against");
  expect(JSON.parse(sessionStorage.getItem("ballot:vote") ?? "{}")).toEqual({
    choices: ["against"],
    isChange: false,
    key: null,
    sent: false,
  });
  expect(asked).toHaveLength(0);
});

test("a reload finds the half-filled ballot again", () => {
  sessionStorage.setItem(
    "ballot:vote",
    JSON.stringify({ choices: ["against"], isChange: false, key: null, sent: false }),
  );
  expect(ballotFor("vote").value).toEqual({ ...untouched, choices: ["against"] });
});

test("a reload in mid-air repeats the same ballot with the same key", async () => {
  sessionStorage.setItem(
    "ballot:vote",
    JSON.stringify({ key: "first", choices: ["against"], isChange: false, sent: true }),
  );
  const asked = answerInTurn(recorded);
  expect(ballotFor("vote").value.step).toBe("sending");
  await vi.runAllTimersAsync();
  expect(asked[0]?.variables).toEqual({ voteId: "vote", choices: ["against"], key: "first" });
});

test("a refusal gives its reason, keeps the choice, and the next attempt keeps the key", async () => {
  const asked = answerInTurn(refused, recorded);
  await cast("for");
  expect(ballotFor("vote").value).toEqual({
    ...untouched,
    choices: ["for"],
    problem: "VOTE_CLOSED",
  });
  await castBallot("vote");
  expect(asked[1]?.variables.key).toBe(asked[0]?.variables.key);
});

test("a ballot on its way cannot be changed nor sent twice", async () => {
  const asked = answerInTurn(recorded);
  const casting = cast("for");
  choose(vote, "against");
  await Promise.all([casting, castBallot("vote")]);
  expect(asked).toHaveLength(1);
});

test("where the last ballot counts, a changed one is sent with a key of its own", async () => {
  const asked = answerInTurn(recorded, recorded);
  await cast("for");
  changeBallot("vote", receipt);
  expect(ballotFor("vote").value).toEqual({ ...untouched, choices: ["for"], isChange: true });
  await cast("against");
  expect(asked.map(({ variables }) => variables.choices)).toEqual([["for"], ["against"]]);
  expect(asked[1]?.variables.key).not.toBe(asked[0]?.variables.key);
});

test("a change that is given up leaves the recorded ballot as it is", async () => {
  const asked = answerInTurn(recorded);
  await cast("for");
  changeBallot("vote", receipt);
  choose(vote, "against");
  keepBallot("vote", receipt);
  expect(ballotFor("vote").value).toEqual({ step: "recorded", receipt });
  expect(sessionStorage.getItem("ballot:vote")).toBeNull();
  expect(asked).toHaveLength(1);
});

test("the next person at the tab does not cast the last one's ballot", async () => {
  const asked = answerInTurn("no answer", recorded);
  const casting = cast("for");
  await vi.advanceTimersByTimeAsync(0);
  forgetPerson();
  await vi.runAllTimersAsync();
  await casting;
  expect(asked).toHaveLength(1);
  expect(sessionStorage.getItem("ballot:vote")).toBeNull();
  expect(ballotFor("vote").value).toEqual(untouched);
});

test.each(["blocked", "full"])(
  "a ballot is sent, with one key throughout, where storage is %s",
  async (how) => {
    choose(vote, "for");
    const refuse = () => {
      throw new DOMException(how, how === "full" ? "QuotaExceededError" : "SecurityError");
    };
    if (how === "blocked") vi.stubGlobal("sessionStorage", null);
    else vi.spyOn(Storage.prototype, "setItem").mockImplementation(refuse);
    const asked = answerInTurn("no answer", 503, recorded);
    const casting = castBallot("vote");
    await vi.runAllTimersAsync();
    await casting;
    expect(ballotFor("vote").value.step).toBe("recorded");
    expect(new Set(asked.map(({ variables }) => variables.key)).size).toBe(1);
    vi.restoreAllMocks();
  },
);

test.each(["garbage", "null", '"text"'])("stored %s is no ballot", (text) => {
  sessionStorage.setItem("ballot:vote", text);
  expect(ballotFor("vote").value).toEqual(untouched);
});
