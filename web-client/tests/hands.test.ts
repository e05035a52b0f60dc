import { expect, test } from "vitest";
import { countFor, handsInput, membersIn, NO_HANDS, toggleHand, without } from "../src/lead/hands";
import { peopleOf } from "../src/lead/people";

const two = toggleHand(toggleHand(NO_HANDS, "lan", "for"), "minh", "against");

test("a member touched twice is not counted", () => {
  expect(toggleHand(two, "lan", "for")).toEqual({ minh: "against" });
});

test("a member touched for another answer is moved there", () => {
  const moved = toggleHand(two, "lan", "against");
  expect(countFor(moved, "for")).toBe(0);
  expect(countFor(moved, "against")).toBe(2);
});

test("each answer is sent with those who raised a hand for it", () => {
  expect(handsInput(two)).toEqual([
    { optionId: "for", count: 1, memberIds: ["lan"] },
    { optionId: "against", count: 1, memberIds: ["minh"] },
  ]);
  expect(handsInput(NO_HANDS)).toEqual([]);
});

test("whoever a refusal names is left away", () => {
  expect(without(two, ["lan"])).toEqual({ minh: "against" });
});

test("a refusal names who has voted", () => {
  expect(membersIn({ members: ["lan"] })).toEqual(["lan"]);
  expect(membersIn(null)).toEqual([]);
});

test("hands are counted of those seen in the room who may vote and are not counted yet", () => {
  const member = (id: string) => ({ id, name: id });
  const seen = { status: "PRESENT", confirmedAt: "2026-11-03T12:05:00Z" } as const;
  const people = peopleOf({
    vote: {
      roll: [
        { isEntitled: true, member: { id: "lan" } },
        { isEntitled: false, member: { id: "minh" } },
        { isEntitled: true, member: { id: "hoa" } },
        { isEntitled: true, member: { id: "at home" } },
        { isEntitled: true, member: { id: "counted" } },
      ],
      hands: [{ optionId: "for", member: member("counted") }],
    },
    meeting: {
      attendance: [
        { ...seen, member: member("lan") },
        { ...seen, member: member("minh") },
        { ...seen, status: "ABSENT", member: member("hoa") },
        { ...seen, confirmedAt: null, member: member("at home") },
        { ...seen, member: member("counted") },
        { ...seen, member: member("late") },
      ],
    },
  });
  expect(people.inRoom.map(({ id }) => id)).toEqual(["lan"]);
  expect(people.notOnRoll.map(({ id }) => id)).toEqual(["late"]);
  expect(people.counted).toEqual([{ ...member("counted"), optionId: "for" }]);
});
