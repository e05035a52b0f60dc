import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { endAfter } from "../src/lead/extend-time";
import { isInDoubt, learnServerTime, serverNow } from "../src/server/clock";
import { Countdown } from "../src/vote/countdown";

beforeEach(() => {
  vi.useFakeTimers();
  // This device is ten minutes ahead of the server.
  vi.setSystemTime("2026-11-03T12:10:00Z");
  learnServerTime("Tue, 03 Nov 2026 12:00:00 GMT");
});

afterEach(() => {
  cleanup();
  learnServerTime(new Date().toUTCString());
  vi.useRealTimers();
});

const shown = () => screen.getByTestId("countdown").textContent;

test("the countdown goes by the server's clock, whatever the device's says", () => {
  render(<Countdown closesAt="2026-11-03T12:01:30Z" />);
  expect(shown()).toBe("Còn 1:30");
});

test("nobody gains or loses time who sets the device's clock", () => {
  render(<Countdown closesAt="2026-11-03T12:01:30Z" />);
  vi.setSystemTime("2026-11-03T13:10:00Z");
  expect(serverNow()).toBe(Date.parse("2026-11-03T12:00:00Z"));
  expect(isInDoubt()).toBe(true);
  vi.advanceTimersByTime(30_000);
  expect(serverNow()).toBe(Date.parse("2026-11-03T12:00:30Z"));
  learnServerTime("Tue, 03 Nov 2026 12:00:40 GMT");
  expect([serverNow(), isInDoubt()]).toEqual([Date.parse("2026-11-03T12:00:40Z"), false]);
});

test("when time is over the countdown waits for the server to close", () => {
  render(<Countdown closesAt="2026-11-03T11:59:59Z" />);
  expect(shown()).toBe("Hết giờ. Đang kiểm phiếu…");
});

test("more time is added to the end that was set, or to now", () => {
  expect(endAfter("2026-11-03T12:05:00Z", 2)).toBe("2026-11-03T12:07:00.000Z");
  expect(endAfter("2026-11-03T11:00:00Z", 2)).toBe("2026-11-03T12:02:00.000Z");
  expect(endAfter(null, 5)).toBe("2026-11-03T12:05:00.000Z");
});
