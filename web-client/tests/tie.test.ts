import { expect, test } from "vitest";
import { breakerOf, breakingOf, pick, picksNeeded } from "../src/lead/tie";
import { outcomeOf } from "./factories";

const tie = {
  tied: ["a", "b", "c"],
  places: 2,
  rule: "SENIORITY" as const,
  chosen: [],
  seed: null,
};

test("the chair or the meeting chooses as many as there are places", () => {
  const outcome = outcomeOf({ tie, nextStep: "BODY_DECIDES" });
  expect(breakingOf(outcome)).toBe("choose");
  expect(picksNeeded(outcome)).toBe(2);
  expect(breakerOf(outcome, ["a", "c"])).toEqual({ chosen: ["a", "c"], seniority: [] });
});

test("seniority is an order of all the tied, in the order touched", () => {
  const outcome = outcomeOf({ tie, nextStep: "SENIORITY" });
  expect(picksNeeded(outcome)).toBe(3);
  expect(breakerOf(outcome, ["c", "a", "b"])).toEqual({ chosen: [], seniority: ["c", "a", "b"] });
});

test("a lot needs nothing of the chair", () => {
  const outcome = outcomeOf({ tie, nextStep: "LOT" });
  expect(breakingOf(outcome)).toBe("draw");
  expect(picksNeeded(outcome)).toBe(0);
  expect(breakerOf(outcome, [])).toEqual({ chosen: [], seniority: [] });
});

test("a second touch takes one out again", () => {
  const outcome = outcomeOf({ tie, nextStep: "BODY_DECIDES" });
  expect(pick(outcome, pick(outcome, [], "a"), "b")).toEqual(["a", "b"]);
  expect(pick(outcome, ["a", "b"], "a")).toEqual(["b"]);
});

test("for one place a touch takes the place of the last one", () => {
  const outcome = outcomeOf({ tie: { ...tie, places: 1 }, nextStep: "CHAIR_MUST_CAST" });
  expect(pick(outcome, ["a"], "b")).toEqual(["b"]);
});
