import { expect, test } from "vitest";
import { addUp, handsInput, membersIn, NO_HANDS, toggleMember, withCount } from "../src/lead/hands";
import { peopleOf } from "../src/lead/people";

const two = toggleMember(toggleMember(NO_HANDS, "lan"), "minh");

test("hands add up when there are as many as members chosen", () => {
  expect(addUp(NO_HANDS)).toBe(false);
  expect(addUp(two)).toBe(false);
  expect(addUp(withCount(two, "for", "1"))).toBe(false);
  expect(addUp(withCount(withCount(two, "for", "1"), "against", "1"))).toBe(true);
  expect(addUp(withCount(two, "for", "3"))).toBe(false);
});

test("counts are whole and from 0, whatever was typed", () => {
  expect(withCount(two, "for", "-1").counts.for).toBe(0);
  expect(withCount(two, "for", "1.9").counts.for).toBe(1);
  expect(withCount(two, "for", "x").counts.for).toBe(0);
});

test("a member touched twice is not counted", () => {
  expect(toggleMember(two, "lan").members).toEqual(["minh"]);
});

test("options without hands are not sent", () => {
  const hands = withCount(withCount(two, "for", "2"), "against", "0");
  expect(handsInput(hands)).toEqual([{ optionId: "for", count: 2 }]);
});

test("a refusal names who has voted", () => {
  expect(membersIn({ members: ["lan"] })).toEqual(["lan"]);
  expect(membersIn(null)).toEqual([]);
});

test("hands are those of members present who may vote; late-comers are not on the roll", () => {
  const member = (id: string) => ({ id, name: id });
  const people = peopleOf({
    vote: {
      roll: [
        { isEntitled: true, member: { id: "lan" } },
        { isEntitled: false, member: { id: "minh" } },
        { isEntitled: true, member: { id: "hoa" } },
      ],
    },
    meeting: {
      attendance: [
        { status: "PRESENT", member: member("lan") },
        { status: "PRESENT", member: member("minh") },
        { status: "ABSENT", member: member("hoa") },
        { status: "PRESENT", member: member("son") },
      ],
    },
  });
  expect(people.presentEntitled.map(({ id }) => id)).toEqual(["lan"]);
  expect(people.notOnRoll.map(({ id }) => id)).toEqual(["son"]);
});
