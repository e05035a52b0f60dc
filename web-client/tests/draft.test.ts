import { expect, test } from "vitest";
import { type Draft, draftInput, missingIn, newDraft } from "../src/prepare/draft";
import { ruleOf } from "./factories";

const draft = (changes: Partial<Draft> = {}): Draft => ({
  ...newDraft("item-1"),
  matter: "ORDINARY",
  question: " Thông qua? ",
  seats: "1",
  ...changes,
});
const motion = ruleOf();
const election = ruleOf({ method: "YES_NO_PER_CANDIDATE", seats: 2 });
const measures = ruleOf({ method: "ORDERED_CUMULATIVE" });

test("the first step needs a matter with a rule", () => {
  expect(missingIn(1, newDraft("item-1"), null)).toBe("matter");
  expect(missingIn(1, draft(), motion)).toBeNull();
});

test("the second step needs a question", () => {
  expect(missingIn(2, draft({ question: "  " }), motion)).toBe("question");
  expect(missingIn(2, draft(), motion)).toBeNull();
});

test("candidates may be nominated later, measures may not", () => {
  expect(missingIn(2, draft(), election)).toBeNull();
  expect(missingIn(2, draft({ answers: [" "] }), measures)).toBe("measures");
});

test("nobody stands twice, and there is a seat to fill", () => {
  expect(missingIn(2, draft({ answers: ["Lan", " Lan"] }), election)).toBe("same");
  expect(missingIn(2, draft({ seats: "0" }), election)).toBe("seats");
});

test("the server is told what was written, and left what the rule says", () => {
  expect(draftInput(draft({ answers: ["x"], seats: "3" }), "ORDINARY", motion)).toEqual({
    itemId: "item-1",
    matter: "ORDINARY",
    question: "Thông qua?",
    answers: [],
    seats: null,
    seconds: null,
    recused: [],
  });
  const written = draft({ answers: ["Lan", "", " Minh "], seats: "2", minutes: "5" });
  expect(draftInput(written, "ELECTION", election)).toMatchObject({
    answers: ["Lan", "Minh"],
    seats: 2,
    seconds: 300,
  });
});
