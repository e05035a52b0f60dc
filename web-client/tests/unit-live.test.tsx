import { act, cleanup, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UnitLivePanel } from "../src/home/unit-live";
import { forgetPerson } from "../src/session/session";
import { FakeSocket, push } from "./socket";

const meetings = (changes: object = {}) => ({
  scheduled: 0,
  inSession: 1,
  paused: 0,
  closed: 0,
  ...changes,
});
const turnout = (name: string, changes: object = {}) => ({
  unit: { id: name, name },
  meetings: meetings(),
  openVotes: 0,
  summoned: 29,
  present: 27,
  connected: 20,
  ...changes,
});

async function settle() {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(0);
  });
}

async function receive(unitLive: object) {
  const socket = FakeSocket.opened.at(-1);
  if (!socket) throw new Error("No socket was opened.");
  push(socket, "WatchUnit", { unitLive });
  await settle();
}

const total = (name: string) => screen.getByText(name).nextElementSibling?.textContent;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.opened = [];
  render(<UnitLivePanel unitId="ward" />);
  await settle();
  await settle();
});

afterEach(async () => {
  cleanup();
  forgetPerson();
  await vi.runOnlyPendingTimersAsync();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a committee sees its meetings as they go", async () => {
  const children = [
    turnout("Chi bộ 1", { openVotes: 1 }),
    turnout("Chi bộ 2", { meetings: meetings({ inSession: 0, closed: 1 }) }),
  ];
  await receive({ ...turnout("Hoàng Liệt", { meetings: meetings({ closed: 1 }) }), children });
  expect(total("Có mặt")).toBe("27/29");
  expect(total("Biểu quyết đang mở")).toBe("0");
  expect(screen.getByText("1 cuộc họp đã kết thúc hôm nay")).toBeTruthy();
  expect(screen.getByRole("list").textContent).toContain("Chi bộ 1");
  expect(screen.getByRole("list").textContent).not.toContain("Chi bộ 2");
  await receive({ ...turnout("Hoàng Liệt", { openVotes: 2, present: 28 }), children });
  expect(total("Có mặt")).toBe("28/29");
  expect(total("Biểu quyết đang mở")).toBe("2");
});

test("what would tell of few people is said to be hidden", async () => {
  await receive({ ...turnout("Hoàng Liệt", { present: null }), children: [] });
  expect(total("Có mặt")).toBe("Không hiển thị");
  expect(screen.getByText(/dưới năm người/)).toBeTruthy();
});

test("where nobody meets there is nothing to count", async () => {
  const none = { meetings: meetings({ inSession: 0 }), summoned: 0, present: 0, connected: 0 };
  await receive({ ...turnout("Hoàng Liệt", none), children: [] });
  expect(screen.getByText("Hiện không có cuộc họp nào đang diễn ra.")).toBeTruthy();
  expect(screen.queryByRole("list")).toBeNull();
});
