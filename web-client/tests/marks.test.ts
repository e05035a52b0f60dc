import { expect, test } from "vitest";
import { limitedMarks, touch } from "../src/vote/marks";
import { choiceOf, electionOf, voteOf } from "./factories";

test("a motion has one mark, and another takes its place", () => {
  expect(touch(voteOf(), ["for"], "against")).toEqual({ choices: ["against"], isOver: false });
});

test("of several answers so many may be marked, and each mark taken away", () => {
  const vote = choiceOf(["a", "b", "c"], 2);
  expect(touch(vote, ["a"], "b")).toEqual({ choices: ["a", "b"], isOver: false });
  expect(touch(vote, ["a", "b"], "a")).toEqual({ choices: ["b"], isOver: false });
});

test("one mark too many changes nothing, and is said to be", () => {
  const vote = choiceOf(["a", "b", "c"], 2);
  expect(touch(vote, ["a", "b"], "c")).toEqual({ choices: ["a", "b"], isOver: true });
});

test("a single answer is changed by choosing another", () => {
  expect(touch(choiceOf(["a", "b"], 1), ["a"], "b")).toEqual({ choices: ["b"], isOver: false });
});

test("nobody is for and against the same candidate", () => {
  const vote = electionOf(["Lan", "Minh"], 1);
  expect(touch(vote, ["Lan+", "Minh-"], "Lan-").choices).toEqual(["Minh-", "Lan-"]);
});

test("only votes for candidates are limited: everybody may be voted against", () => {
  const vote = electionOf(["Lan", "Minh", "Hoa"], 1);
  expect(touch(vote, ["Lan+"], "Minh+")).toEqual({ choices: ["Lan+"], isOver: true });
  expect(touch(vote, ["Lan+", "Minh-"], "Hoa-").choices).toEqual(["Lan+", "Minh-", "Hoa-"]);
  expect(limitedMarks(vote, ["Lan+", "Minh-", "Hoa-"])).toBe(1);
});
