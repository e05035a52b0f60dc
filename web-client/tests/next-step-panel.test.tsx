import { act, cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { liveMeeting } from "../src/meeting/live-meeting";
import { NextStepPanel } from "../src/meeting/next-step-panel";
import { itemOf, meetingOf, tallyOf, voteOf } from "./factories";
import { answerInTurn } from "./server";

const agenda = [itemOf(1, "Thứ nhất"), itemOf(2, "Thứ hai"), itemOf(3, "Thứ ba")];
const atItem = (id: string, version: number) =>
  meetingOf({ version, agenda, currentItem: { id }, viewerMay: ["OPEN_VOTE", "MOVE_AGENDA"] });

const live = liveMeeting("meeting");
const Panel = () =>
  live.meeting.value && <NextStepPanel live={live} meeting={live.meeting.value} />;
const pass = (milliseconds: number) =>
  act(async () => {
    await vi.advanceTimersByTimeAsync(milliseconds);
  });
const mainButton = () => screen.getByTestId("next-step");

beforeEach(() => vi.useFakeTimers());

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a double touch takes one step, not two", async () => {
  const asked = answerInTurn(
    { data: { moveAgenda: atItem("item-2", 2) } },
    { data: { moveAgenda: atItem("item-3", 3) } },
  );
  live.receiveMeeting(atItem("item-1", 1));
  render(<Panel />);

  fireEvent.click(mainButton());
  await pass(100);
  fireEvent.click(mainButton());
  await pass(1_000);
  expect(asked.map(({ variables }) => variables.itemId)).toEqual(["item-2"]);

  fireEvent.click(mainButton());
  await pass(100);
  expect(asked.map(({ variables }) => variables.itemId)).toEqual(["item-2", "item-3"]);
});

test("closing a vote asks first, and says how many have voted", async () => {
  const asked = answerInTurn({ data: { closeVote: voteOf({ version: 2, state: "CLOSED" }) } });
  const vote = voteOf({ tally: tallyOf({ cast: 2 }) });
  live.receiveMeeting(meetingOf({ version: 4, votes: [vote] }));
  render(<Panel />);
  await pass(1_000);

  fireEvent.click(mainButton());
  expect(asked).toHaveLength(0);
  const dialog = screen.getByRole("dialog");
  expect(dialog.textContent).toContain("Mới có 2/3 người biểu quyết.");
  fireEvent.click(screen.getByRole("button", { name: "Quay lại" }));
  expect(asked).toHaveLength(0);
});
