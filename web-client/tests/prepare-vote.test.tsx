import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import { liveMeeting } from "../src/meeting/live-meeting";
import { PrepareVote } from "../src/prepare/prepare-vote";
import { electionOf, itemOf, meetingOf, ruleOf } from "./factories";
import { answerInTurn } from "./server";

const rules = [
  { matter: "ORDINARY", rule: ruleOf() },
  { matter: "ELECTION", rule: ruleOf({ method: "YES_NO_PER_CANDIDATE", seats: 1 }) },
];
const meeting = meetingOf({
  viewerMay: ["PREPARE_VOTE"],
  agenda: [
    { ...itemOf(1, "Đã qua"), state: "DONE" },
    { ...itemOf(2, "Bầu cử"), state: "CURRENT" },
  ],
  currentItem: { id: "item-2" },
});

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));
const write = (label: string, value: string) =>
  fireEvent.input(screen.getByLabelText(label), { target: { value } });
const open = async () => {
  press("Chuẩn bị biểu quyết");
  return screen.findByRole("radio", { name: /^Bầu cử/ });
};

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("three steps lead to a prepared vote, and each says what is missing", async () => {
  const prepared = electionOf(["Lan", "Minh"], 1, { id: "new", state: "PREPARED" });
  const asked = answerInTurn({ data: { rules } }, { data: { prepareVote: prepared } });
  const live = liveMeeting("meeting");
  live.receiveMeeting(meeting);
  render(<PrepareVote live={live} meeting={meeting} />);

  const election = await open();
  press("Tiếp tục");
  expect(screen.getByRole("alert").textContent).toBe("Hãy chọn loại việc.");
  fireEvent.click(election);
  expect(screen.getByText(/Người trúng cử cần được quá 1\/2/)).toBeTruthy();
  press("Tiếp tục");

  press("Tiếp tục");
  expect(screen.getByRole("alert").textContent).toBe("Hãy viết câu hỏi.");
  write("Câu hỏi biểu quyết", "Bầu đại biểu");
  write("Dòng 1", "Lan");
  press("Thêm một dòng");
  write("Dòng 2", "Minh");
  press("Tiếp tục");

  expect(screen.getByRole("heading", { name: "Kiểm tra và lưu" })).toBeTruthy();
  expect(screen.getByText("Lan, Minh")).toBeTruthy();
  press("Lưu biểu quyết");
  await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(asked[1]?.variables.draft).toEqual({
    itemId: "item-2",
    matter: "ELECTION",
    question: "Bầu đại biểu",
    answers: ["Lan", "Minh"],
    seats: 1,
    seconds: null,
    recused: [],
  });
  expect(live.meeting.value?.votes.map(({ id }) => id)).toEqual(["new"]);
});

test("leaving half way keeps the draft", async () => {
  answerInTurn({ data: { rules } }, { data: { rules } });
  render(<PrepareVote live={liveMeeting("meeting")} meeting={meeting} />);
  fireEvent.click(await open());
  press("Tiếp tục");
  write("Câu hỏi biểu quyết", "Bầu đại biểu");
  press("Đóng, giữ bản nháp");
  expect(screen.queryByRole("dialog")).toBeNull();
  press("Chuẩn bị biểu quyết");
  const question = await screen.findByLabelText<HTMLTextAreaElement>("Câu hỏi biểu quyết");
  expect(question.value).toBe("Bầu đại biểu");
});

test("only items still to come are offered, and only to who may prepare votes", async () => {
  answerInTurn({ data: { rules } });
  const live = liveMeeting("meeting");
  const { rerender } = render(<PrepareVote live={live} meeting={meeting} />);
  await open();
  const items = screen.getAllByRole("option").map(({ textContent }) => textContent);
  expect(items).toEqual(["2. Bầu cử"]);
  rerender(<PrepareVote live={live} meeting={{ ...meeting, viewerMay: [] }} />);
  expect(screen.queryByRole("button", { name: "Chuẩn bị biểu quyết" })).toBeNull();
});
