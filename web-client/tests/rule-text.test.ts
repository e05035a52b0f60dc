import { expect, test } from "vitest";
import { forSeats } from "../src/prepare/draft";
import { ruleSentences, thresholdText } from "../src/vote/rule-text";
import { ruleOf } from "./factories";

const ELECTION = ruleOf({
  method: "CHOOSE_UP_TO",
  seats: 5,
  mostChoices: 5,
  maxSurplus: { numerator: 30, denominator: 100 },
  empty: "BLANK",
});

test("the heavier measures say what each of them takes", () => {
  const rule = ruleOf({
    method: "ORDERED_CUMULATIVE",
    measureThresholds: [
      { numerator: 3, denominator: 4, strict: false },
      { numerator: 2, denominator: 3, strict: false },
    ],
  });
  const told = thresholdText(rule);
  expect(told).toContain("cộng lại đạt quá 1/2");
  expect(told).toContain("Riêng hình thức nặng nhất cần ít nhất 3/4");
  expect(told).toContain("Hình thức thứ 2 từ nặng nhất cần ít nhất 2/3");
});

test("an election says how many may stand, its surplus rounded down", () => {
  expect(ruleSentences(ELECTION)).toContain(
    "Số ứng cử viên nhiều nhất là 6: số dư không quá 30% số cần bầu.",
  );
  expect(ruleSentences(ruleOf())).not.toContainEqual(expect.stringContaining("ứng cử viên"));
});

test("too many marks are invalid or refused, as the rule says", () => {
  expect(ruleSentences(ELECTION)).toContain(
    "Chọn được nhiều nhất 5; chọn nhiều hơn thì phiếu không hợp lệ.",
  );
  expect(ruleSentences({ ...ELECTION, overvote: "REFUSED" })).toContain(
    "Chọn được nhiều nhất 5; chọn nhiều hơn thì phiếu không được nhận.",
  );
});

test("a ballot without a mark is blank or invalid, as the rule says", () => {
  expect(ruleSentences(ELECTION)).toContain("Phiếu không đánh dấu gì là phiếu trắng.");
  expect(ruleSentences({ ...ELECTION, empty: "INVALID" })).toContain(
    "Phiếu không đánh dấu gì là phiếu không hợp lệ.",
  );
  expect(ruleSentences(ruleOf())).not.toContainEqual(expect.stringContaining("không đánh dấu"));
});

test("other seats allow as many marks, unless the rule names a number", () => {
  expect(forSeats(ELECTION, 2).mostChoices).toBe(2);
  expect(forSeats({ ...ELECTION, maxChoices: 3 }, 2).mostChoices).toBe(3);
  expect(forSeats(ruleOf(), 2).seats).toBe(1);
});
