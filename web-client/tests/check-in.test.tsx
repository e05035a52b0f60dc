import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { CheckIn } from "../src/meeting/check-in";
import { liveMeeting } from "../src/meeting/live-meeting";
import type { Viewer } from "../src/session/session";
import { meetingOf } from "./factories";
import { answerInTurn } from "./server";

const lan: Viewer = { id: "lan", name: "Lan", standing: "FULL", unit: null, appointments: [] };
const attendance = (status: string) => ({
  data: { meeting: { attendance: [{ status, member: { id: "lan" } }] } },
});

function show(changes = {}) {
  render(<CheckIn live={liveMeeting("meeting")} meeting={meetingOf(changes)} viewer={lan} />);
}

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("who is present already is told so, and asked nothing", async () => {
  answerInTurn(attendance("PRESENT"));
  show();
  await screen.findByText("Bạn đã điểm danh có mặt");
  expect(screen.queryByRole("button")).toBeNull();
});

test("who is not here yet checks in with one touch", async () => {
  const asked = answerInTurn(attendance("ABSENT"), { data: { checkIn: meetingOf() } });
  show();
  fireEvent.click(await screen.findByRole("button", { name: "Điểm danh có mặt" }));
  await screen.findByText("Bạn đã điểm danh có mặt");
  expect(asked[1]?.variables).toEqual({ meetingId: "meeting" });
});

test("a refused check-in gives its reason and stays offered", async () => {
  const refused = { __typename: "Refused", reason: "WRONG_STATE" };
  answerInTurn(attendance("ABSENT"), { data: { checkIn: refused } });
  show();
  fireEvent.click(await screen.findByRole("button", { name: "Điểm danh có mặt" }));
  await screen.findByText("Việc này không còn phù hợp với tình hình cuộc họp lúc này.");
  expect(screen.getByRole("button", { name: "Điểm danh có mặt" })).toBeTruthy();
});

test("nobody checks in to a closed meeting", async () => {
  answerInTurn(attendance("ABSENT"));
  show({ state: "CLOSED" });
  expect(screen.queryByRole("button")).toBeNull();
});
