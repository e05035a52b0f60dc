import { expect, test } from "vitest";
import { fateOf, reconnectDelay } from "../src/server/close-codes";

test.each([4400, 4403, 4408, 4409, 4429, 1009])("close code %i stops", (code) => {
  expect(fateOf(code)).toBe("stop");
});

test.each([1012, 4508, 4509, 4510, 1006, undefined])("close code %s reconnects", (code) => {
  expect(fateOf(code)).toBe("reconnect");
});

test("close code 4401 leads to signing in", () => {
  expect(fateOf(4401)).toBe("sign-in");
});

test("after a restart everybody comes back spread over five seconds", () => {
  expect(reconnectDelay(0, 1012, () => 0)).toBe(0);
  expect(reconnectDelay(0, 1012, () => 0.5)).toBe(2_500);
  expect(reconnectDelay(0, 1012, () => 1)).toBe(5_000);
});

test("the delay grows with every attempt, never over half a minute", () => {
  const delays = [0, 1, 2, 3, 10, 1000].map((attempt) => reconnectDelay(attempt, 1006, () => 1));
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 30_000, 30_000]);
});

test("two devices do not wait the same time", () => {
  expect(reconnectDelay(2, 1006, () => 0)).toBe(2_000);
  expect(reconnectDelay(2, 1006, () => 1)).toBe(4_000);
});

test("who sent too many messages waits longer", () => {
  expect(reconnectDelay(0, 4508, () => 1)).toBe(8_000);
  expect(reconnectDelay(0, 4510, () => 1)).toBe(8_000);
});
