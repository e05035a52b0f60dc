import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { forgetPerson } from "../src/session/session";
import { VoteCard } from "../src/vote/vote-card";
import { choiceOf, electionOf, outcomeOf, ruleOf, tallyOf, voteOf } from "./factories";
import { answerInTurn } from "./server";

afterEach(() => {
  cleanup();
  forgetPerson();
  vi.unstubAllGlobals();
});

const show = (vote: Parameters<typeof VoteCard>[0]["vote"]) =>
  render(<VoteCard vote={vote} standing="FULL" />);
const box = (name: string) => screen.getByRole<HTMLInputElement>("checkbox", { name });

test("one mark too many is not taken, and the ballot says why", () => {
  show(choiceOf(["Lan", "Minh", "Hoa"], 2));
  fireEvent.click(box("Lan"));
  fireEvent.click(box("Minh"));
  fireEvent.click(box("Hoa"));
  expect(box("Hoa").checked).toBe(false);
  expect(screen.getByTestId("marked").textContent).toBe("Đã chọn 2, nhiều nhất 2");
  expect(screen.getByRole("alert").textContent).toContain("Chỉ được chọn nhiều nhất 2");
});

test("a blank ballot is sent only after a question, where the rule takes one", async () => {
  const asked = answerInTurn();
  show(choiceOf(["Lan", "Minh"], 1));
  fireEvent.click(screen.getByRole("button", { name: "Gửi phiếu" }));
  expect(asked).toHaveLength(0);
  fireEvent.click(await screen.findByRole("button", { name: "Gửi phiếu trắng" }));
  expect(asked[0]?.variables.choices).toEqual([]);
});

test("where a blank ballot is an invalid one, the question before sending says so", async () => {
  const asked = answerInTurn();
  const vote = choiceOf(["Lan", "Minh"], 1);
  show({ ...vote, rule: { ...vote.rule, empty: "INVALID" } });
  fireEvent.click(screen.getByRole("button", { name: "Gửi phiếu" }));
  expect(screen.getByText(/nhưng phiếu không hợp lệ/)).toBeTruthy();
  fireEvent.click(await screen.findByRole("button", { name: "Gửi phiếu không hợp lệ" }));
  expect(asked[0]?.variables.choices).toEqual([]);
});

test("each candidate has a box for and a box against", () => {
  show(electionOf(["Lan", "Minh"], 1));
  expect(screen.getByRole("group", { name: "Lan" })).toBeTruthy();
  expect(screen.getAllByRole("checkbox", { name: "Tán thành" })).toHaveLength(2);
});

test("a vote that hides who chose what says before casting who could find out", () => {
  show(electionOf(["Lan"], 1));
  expect(screen.getByText(/người vận hành cơ sở dữ liệu có thể tìm ra/)).toBeTruthy();
});

test("hidden figures show as the turnout alone", () => {
  const tally = tallyOf({ cast: 2, options: [{ optionId: "for", count: null }] });
  show(voteOf({ viewerMay: [], tally }));
  expect(screen.getByTestId("tally-cast").textContent).toBe("Đã biểu quyết: 2/3");
  expect(screen.getByText(/sẽ hiện sau khi công bố kết quả/)).toBeTruthy();
  expect(screen.queryByTestId("count-FOR")).toBeNull();
});

test("hands counted in the room show as such", () => {
  show(voteOf({ viewerMay: [], tally: tallyOf({ cast: 3, byHand: 2 }) }));
  expect(screen.getByText("Trong đó 2 giơ tay tại chỗ")).toBeTruthy();
});

test("a receipt without choices shows none", () => {
  const myReceipt = { id: "r", choices: null, castAt: "2026-11-03T12:30:00Z", tracker: null };
  show(electionOf(["Lan"], 1, { viewerMay: [], myReceipt }));
  expect(screen.getByText("Phiếu của bạn đã được ghi nhận")).toBeTruthy();
  expect(screen.queryByText(/Mã phiếu/)).toBeNull();
});

test("where the last ballot counts, a recorded one can be changed until the vote closes", () => {
  const myReceipt = { id: "r", choices: ["for"], castAt: "2026-11-03T12:30:00Z", tracker: "AB" };
  const vote = voteOf({ rule: ruleOf({ change: "LAST_COUNTS" }), myReceipt });
  const { rerender } = show(vote);
  expect(screen.getByText("Mã phiếu: AB")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Đổi phiếu" }));
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "Tán thành" }).checked).toBe(true);
  rerender(<VoteCard vote={{ ...vote, state: "CLOSED", viewerMay: [] }} standing="FULL" />);
  expect(screen.queryByRole("radio")).toBeNull();
  expect(screen.getByText("Phiếu của bạn đã được ghi nhận")).toBeTruthy();
});

test("members wait for a result that only the chair sees", () => {
  show(voteOf({ state: "CLOSED", viewerMay: [] }));
  expect(screen.getByText(/Chủ trì sẽ công bố kết quả/)).toBeTruthy();
});

test("candidates are ranked, and those elected are marked", () => {
  const result = { against: 0, needed: 2, percent: 100, votes: 3, isElected: true, rank: 1 };
  const candidates = [
    { ...result, optionId: "Minh+" },
    { ...result, optionId: "Lan+", votes: 1, percent: 33.33, isElected: false, rank: 2 },
  ];
  show(
    electionOf(["Lan", "Minh"], 1, {
      state: "CLOSED",
      publishedAt: "2026-11-03T12:40:00Z",
      outcome: outcomeOf({ candidates }),
    }),
  );
  const [first, second] = screen.getAllByRole("listitem");
  expect(first?.textContent).toContain("Minh");
  expect(first?.textContent).toContain("Trúng cử");
  expect(second?.textContent).toContain("33,33%");
  expect(second?.textContent).not.toContain("Trúng cử");
});

test("a tie shows who was tied, how it was broken, and the seed of the lot", () => {
  const tie = {
    tied: ["Lan+", "Minh+"],
    places: 1,
    rule: "LOT" as const,
    chosen: ["Minh+"],
    seed: "c0ffee",
  };
  show(
    electionOf(["Lan", "Minh"], 1, { state: "CLOSED", outcome: outcomeOf({ tie }), viewerMay: [] }),
  );
  const told = screen.getByTestId("tie").textContent;
  expect(told).toContain("Ngang phiếu: Lan, Minh, cho 1 chỗ.");
  expect(told).toContain("Đã giải quyết (bốc thăm): Minh.");
  expect(told).toContain("c0ffee");
});

test("an annulled vote shows its reason and leads to the one that repeats it", () => {
  show(voteOf({ state: "ANNULLED", annulment: "Nhầm câu hỏi.", repeatedBy: "again" }));
  expect(screen.getByTestId("annulment").textContent).toContain("Lý do: Nhầm câu hỏi.");
  expect(screen.getByRole("link", { name: "Xem biểu quyết làm lại" }).getAttribute("href")).toBe(
    "#vote-again",
  );
});
