import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { CheckIn } from "../src/meeting/check-in";
import { liveMeeting } from "../src/meeting/live-meeting";
import type { Viewer } from "../src/session/session";
import { meetingOf } from "./factories";
import { answerInTurn } from "./server";

const lan: Viewer = { id: "lan", name: "Lan", standing: "FULL", unit: null, appointments: [] };
const attendance = (status: string, changes = {}) => ({
  data: {
    meeting: { attendance: [{ status, member: { id: "lan" } }] },
    rules: [{ matter: "BYLAWS", rule: { proxies: 2 } }],
    proxies: { holder: null, givers: [] },
    ...changes,
  },
});
const minh = { id: "minh", name: "Minh" };
const names = {
  data: { meeting: { attendance: [{ member: lan }, { member: minh }] } },
};
const MAY_GIVE = { viewerMay: ["CHECK_IN" as const, "GIVE_PROXY" as const] };

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
  const asked = answerInTurn(
    attendance("ABSENT"),
    { data: { checkIn: meetingOf() } },
    attendance("PRESENT"),
  );
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

test("who will be absent names another member, and may name yet another", async () => {
  const asked = answerInTurn(
    attendance("ABSENT"),
    names,
    { data: { giveProxy: meetingOf() } },
    attendance("ABSENT", { proxies: { holder: minh, givers: [] } }),
  );
  show(MAY_GIVE);
  fireEvent.click(await screen.findByRole("button", { name: /^Tôi sẽ vắng/ }));
  expect(screen.getByText(/^Sửa đổi điều lệ: .* nhiều nhất 2 người$/)).toBeTruthy();
  fireEvent.click(await screen.findByRole("radio", { name: "Minh" }));
  expect(screen.queryByRole("radio", { name: "Lan" })).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Nhờ người này" }));
  await screen.findByText("Khi bạn vắng, Minh biểu quyết thay bạn.");
  expect(asked[2]?.variables).toEqual({ meetingId: "meeting", holderId: "minh" });
  expect(screen.getByRole("button", { name: "Nhờ người khác biểu quyết thay" })).toBeTruthy();
});

test("where no rule knows proxies, none is offered", async () => {
  answerInTurn(attendance("ABSENT", { rules: [{ matter: "BYLAWS", rule: { proxies: null } }] }));
  show(MAY_GIVE);
  await screen.findByRole("button", { name: "Điểm danh có mặt" });
  expect(screen.queryByRole("button", { name: /^Tôi sẽ vắng/ })).toBeNull();
});

test("who votes for others is told for whom", async () => {
  answerInTurn(attendance("PRESENT", { proxies: { holder: null, givers: [minh] } }));
  show(MAY_GIVE);
  await screen.findByText(/^Đã nhờ bạn biểu quyết thay khi vắng: Minh\./);
});
