import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { session, type Viewer } from "../src/session/session";
import { SessionsScreen } from "../src/sessions/sessions-screen";
import { answerInTurn } from "./server";

const lan: Viewer = { id: "lan", name: "Lan", standing: "FULL", unit: null, appointments: [] };
const here = {
  id: "1",
  createdAt: "2026-11-03T12:00:00Z",
  device: "Chrome, Android",
  isCurrent: true,
};
const lost = { ...here, id: "2", device: null, isCurrent: false };
const are = (...sessions: object[]) => ({ data: { viewer: { sessions } } });

beforeEach(() => {
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  session.value = { state: "signed-in", viewer: lan };
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** Asks for it, and says yes. */
async function end(name: RegExp | string) {
  fireEvent.click(await screen.findByRole("button", { name }));
  const yes = await vi.waitFor(() => {
    const found = document.querySelector<HTMLButtonElement>("dialog[open] .primary");
    expect(found).not.toBeNull();
    return found as HTMLButtonElement;
  });
  fireEvent.click(yes);
}

test("this device is told from the others, and has no button of its own", async () => {
  answerInTurn(are(here, lost));
  render(<SessionsScreen />);
  expect(await screen.findByText("Thiết bị này")).toBeTruthy();
  expect(screen.getByText("Thiết bị không rõ tên")).toBeTruthy();
  expect(screen.getAllByRole("button", { name: /^Đăng xuất .*, đăng nhập lúc/ })).toHaveLength(1);
});

test("one is ended by its id, after a question, and the list is read anew", async () => {
  const asked = answerInTurn(are(here, lost), { data: { endSession: { ids: ["2"] } } }, are(here));
  render(<SessionsScreen />);
  await end(/^Đăng xuất Thiết bị không rõ tên/);
  await vi.waitFor(() => expect(screen.queryByText("Thiết bị không rõ tên")).toBeNull());
  expect(asked[1]?.variables).toEqual({ sessionId: "2" });
});

test("one that has ended meanwhile is as good as ended", async () => {
  const gone = { reason: "NOT_FOUND", details: {} };
  answerInTurn(are(here, lost), { data: { endSession: gone } }, are(here));
  render(<SessionsScreen />);
  await end(/^Đăng xuất Thiết bị không rõ tên/);
  await vi.waitFor(() => expect(screen.queryByText("Thiết bị không rõ tên")).toBeNull());
  expect(screen.queryByRole("alert")).toBeNull();
});

test("everywhere means here, too", async () => {
  const asked = answerInTurn(are(here, lost), { data: { endOtherSessions: { ids: ["2"] } } }, 204);
  render(<SessionsScreen />);
  await end("Đăng xuất mọi thiết bị");
  await vi.waitFor(() => expect(session.value).toEqual({ state: "signed-out", ended: false }));
  expect(asked.map(({ method }) => method)).toEqual(["POST", "POST", "DELETE"]);
});
