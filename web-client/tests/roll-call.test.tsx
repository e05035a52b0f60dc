import { act, cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Meeting } from "../src/meeting/newest";
import { RollCall } from "../src/meeting/roll-call";
import { forgetPerson } from "../src/session/session";
import { meetingOf } from "./factories";
import { answerInTurn } from "./server";
import { FakeSocket, push } from "./socket";

const CHAIR: Partial<Meeting> = { viewerMay: ["CONFIRM_ATTENDANCE"] };

const line = (id: string, confirmedAt: string | null) => ({
  status: "PRESENT",
  checkedInAt: "2026-11-03T12:05:00Z",
  confirmedAt,
  member: { id, name: id },
});
const roll = (confirmedAt: string | null) => ({
  meeting: {
    turnout: { confirmed: confirmedAt ? 1 : 0, connected: 2 },
    attendance: [line("Lan", confirmedAt), line("Minh", null)],
  },
});
const box = (name: string) =>
  screen.getByRole<HTMLInputElement>("checkbox", { name: `Thấy trong phòng: ${name}` });
const lan = () => box("Lan");

async function settle() {
  await act(async () => {
    await vi.advanceTimersByTimeAsync(0);
  });
}

async function show(changes: Partial<Meeting>, confirmedAt: string | null = null) {
  render(<RollCall meeting={meetingOf(changes)} />);
  const details = screen.getByRole<HTMLDetailsElement>("group");
  details.open = true;
  fireEvent(details, new Event("toggle"));
  await settle();
  await settle();
  await receive(confirmedAt);
}

async function receive(confirmedAt: string | null) {
  const socket = FakeSocket.opened.at(-1);
  if (!socket) throw new Error("No socket was opened.");
  push(socket, "WatchRollCall", roll(confirmedAt));
  await settle();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.opened = [];
});

afterEach(async () => {
  cleanup();
  forgetPerson();
  await vi.runOnlyPendingTimersAsync();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the chair confirms who is in the room, and takes it back", async () => {
  const asked = answerInTurn(
    { data: { confirmAttendance: { id: "meeting" } } },
    { data: { confirmAttendance: { id: "meeting" } } },
  );
  await show(CHAIR);
  fireEvent.click(lan());
  expect(lan().checked, "the mark waits for the server").toBe(false);
  await settle();
  await receive("2026-11-03T12:10:00Z");
  expect(lan().checked).toBe(true);
  expect(screen.getByTestId("confirmed").textContent).toBe("Chủ trì đã thấy trong phòng: 1");
  expect(screen.getByText(/^Đã thấy trong phòng lúc/)).toBeTruthy();
  fireEvent.click(lan());
  await settle();
  expect(asked.map(({ variables }) => variables)).toEqual([
    { meetingId: "meeting", memberId: "Lan", isPresent: true },
    { meetingId: "meeting", memberId: "Lan", isPresent: false },
  ]);
});

test("a refused confirmation says why beside the name", async () => {
  const refused = { __typename: "Refused", reason: "WRONG_STATE", details: null };
  answerInTurn({ data: { confirmAttendance: refused } });
  await show(CHAIR);
  fireEvent.click(box("Minh"));
  await settle();
  expect(screen.getByRole("alert").textContent).toContain("không còn phù hợp");
});

test("how many are connected is shown until the meeting is over, and nobody is confirmed then", async () => {
  await show(CHAIR);
  expect(screen.getByTestId("connected").textContent).toBe("Đang kết nối: 2");
  cleanup();
  await show({ ...CHAIR, state: "CLOSED", closedAt: "2026-11-03T14:00:00Z" });
  expect(screen.queryByTestId("connected")).toBeNull();
  expect(screen.queryByRole("checkbox")).toBeNull();
});
