import { act, cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { learnServerTime, serverNow } from "../src/server/clock";
import { forgetPerson, session, type Viewer } from "../src/session/session";
import { learnFromPing, sessionEnd } from "../src/session/session-end";
import { SessionBar } from "../src/ui/session-bar";
import { answerInTurn } from "./server";

const lan: Viewer = { id: "lan", name: "Lan", standing: "FULL", unit: null, appointments: [] };
const inMinutes = (minutes: number) => new Date(serverNow() + minutes * 60_000).toISOString();
const refreshed = (sessionExpiresAt: string) => ({
  data: { refreshSession: { sessionExpiresAt } },
});
const stay = () => screen.queryByRole("button", { name: "Tiếp tục đăng nhập" });

async function pass(milliseconds: number) {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(milliseconds);
  });
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-03T12:00:00Z") });
  learnServerTime("Tue, 03 Nov 2026 12:00:00 GMT");
  session.value = { state: "signed-in", viewer: lan };
});

afterEach(() => {
  cleanup();
  forgetPerson();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("two minutes before the session ends it says so, and not before", async () => {
  learnFromPing({ sessionEndsIn: 180 });
  render(<SessionBar />);
  expect(stay()).toBeNull();
  await pass(60_000);
  expect(stay()).toBeTruthy();
  expect(screen.getByRole("timer").textContent).toBe("Còn 2:00");
  await pass(120_000);
  expect(screen.queryByTestId("session-bar")).toBeNull();
});

test("one touch makes the session longer, and the notice goes", async () => {
  learnFromPing({ sessionEndsIn: 100 });
  const asked = answerInTurn(refreshed(inMinutes(30)));
  render(<SessionBar />);
  fireEvent.click(screen.getByRole("button", { name: "Tiếp tục đăng nhập" }));
  await pass(0);
  expect(asked).toHaveLength(1);
  expect(sessionEnd.value).toBe(serverNow() + 30 * 60_000);
  expect(screen.queryByTestId("session-bar")).toBeNull();
});

test("a session that cannot be longer says so instead of asking again", async () => {
  learnFromPing({ sessionEndsIn: 100 });
  answerInTurn(refreshed(inMinutes(1)));
  render(<SessionBar />);
  fireEvent.click(screen.getByRole("button", { name: "Tiếp tục đăng nhập" }));
  await pass(0);
  expect(screen.getByText(/không kéo dài thêm được/)).toBeTruthy();
  expect(stay()).toBeNull();
});

test("without an answer the notice stays, with the reason", async () => {
  learnFromPing({ sessionEndsIn: 100 });
  answerInTurn("no answer");
  render(<SessionBar />);
  fireEvent.click(screen.getByRole("button", { name: "Tiếp tục đăng nhập" }));
  await pass(0);
  expect(screen.getByRole("alert").textContent).toContain("Chưa kết nối được máy chủ");
  expect(stay()).toBeTruthy();
});

test("pings that tell nothing of the session change nothing", () => {
  for (const payload of [undefined, null, {}, { sessionEndsIn: "soon" }]) learnFromPing(payload);
  expect(sessionEnd.value).toBeNull();
});
