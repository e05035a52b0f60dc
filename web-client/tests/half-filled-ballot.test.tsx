import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { forgetPerson } from "../src/session/session";
import { VoteCard } from "../src/vote/vote-card";
import { tallyOf, voteOf } from "./factories";

afterEach(() => {
  cleanup();
  forgetPerson();
});

const chosen = () => screen.getByRole<HTMLInputElement>("radio", { name: "Tán thành" }).checked;

test("a half-filled ballot survives a push", () => {
  const { rerender } = render(<VoteCard vote={voteOf()} standing="FULL" />);
  fireEvent.click(screen.getByRole("radio", { name: "Tán thành" }));
  const pushed = voteOf({ version: 2, tally: tallyOf({ cast: 2 }) });
  rerender(<VoteCard vote={pushed} standing="FULL" />);
  expect(screen.getByTestId("tally-cast").textContent).toBe("Đã biểu quyết: 2/3");
  expect(chosen()).toBe(true);
});

test("a half-filled ballot survives leaving the page and coming back", () => {
  const { unmount } = render(<VoteCard vote={voteOf()} standing="FULL" />);
  fireEvent.click(screen.getByRole("radio", { name: "Tán thành" }));
  unmount();
  render(<VoteCard vote={voteOf()} standing="FULL" />);
  expect(chosen()).toBe(true);
});

test("an empty ballot is not sent, and says why", () => {
  render(<VoteCard vote={voteOf()} standing="FULL" />);
  fireEvent.click(screen.getByRole("button", { name: "Gửi phiếu" }));
  expect(screen.getByRole("alert").textContent).toBe("Hãy chọn một ý kiến trước khi gửi.");
});

test("a receipt in a push takes the place of the ballot", () => {
  const myReceipt = {
    id: "receipt",
    choices: ["against"],
    castAt: "2026-11-03T12:30:00Z",
    tracker: "0123456789AB",
  };
  render(<VoteCard vote={voteOf({ viewerMay: [], myReceipt })} standing="FULL" />);
  expect(screen.queryByRole("radio")).toBeNull();
  expect(screen.getByText("Phiếu của bạn đã được ghi nhận")).toBeTruthy();
});

test("a probationary member sees the vote, and why there is no ballot", () => {
  render(<VoteCard vote={voteOf({ viewerMay: [] })} standing="PROBATIONARY" />);
  expect(screen.queryByRole("radio")).toBeNull();
  expect(screen.getByText(/Thành viên dự bị/)).toBeTruthy();
  expect(screen.getByTestId("tally-cast")).toBeTruthy();
});

test("nobody reads that they have no ballot before the server has said so", () => {
  const unknown = voteOf({ viewerMay: [], isOwnKnown: false });
  const { rerender } = render(<VoteCard vote={unknown} standing="FULL" />);
  expect(screen.getByText("Đang mở…")).toBeTruthy();
  expect(screen.queryByText(/không có phiếu/)).toBeNull();
  rerender(<VoteCard vote={voteOf({ viewerMay: [] })} standing="FULL" />);
  expect(screen.getByText(/không có phiếu/)).toBeTruthy();
});
