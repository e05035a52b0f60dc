import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test, vi } from "vitest";
import type { NextStep } from "../src/gql/graphql";
import { BreakTie } from "../src/lead/break-tie";
import { liveMeeting } from "../src/meeting/live-meeting";
import { electionOf, meetingOf, outcomeOf } from "./factories";
import { answerInTurn } from "./server";

const tiedVote = (nextStep: NextStep) =>
  electionOf(["Lan", "Minh"], 1, {
    state: "CLOSED",
    outcome: outcomeOf({
      verdict: "UNDECIDED",
      nextStep,
      tie: { tied: ["Lan+", "Minh+"], places: 1, rule: "BODY_DECIDES", chosen: [], seed: null },
    }),
  });

function show(nextStep: NextStep) {
  const vote = tiedVote(nextStep);
  const asked = answerInTurn({ data: { breakTie: { ...vote, version: 2 } } });
  const onLeave = vi.fn();
  const live = liveMeeting("meeting");
  render(<BreakTie live={live} meeting={meetingOf()} vote={vote} onLeave={onLeave} />);
  return { asked, onLeave };
}

const touch = (role: "checkbox" | "radio", name: string) =>
  fireEvent.click(screen.getByRole(role, { name }));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("a choice among the tied is sent once as many are chosen as there are places", async () => {
  const { asked, onLeave } = show("BODY_DECIDES");
  fireEvent.click(screen.getByRole("button", { name: "Xác nhận" }));
  expect(asked).toHaveLength(0);
  expect(screen.getByText("Hãy chọn đúng 1.")).toBeTruthy();
  touch("radio", "Minh");
  fireEvent.click(screen.getByRole("button", { name: "Xác nhận" }));
  await vi.waitFor(() => expect(onLeave).toHaveBeenCalled());
  expect(asked[0]?.variables).toEqual({ voteId: "vote", chosen: ["Minh+"], seniority: [] });
});

test("seniority shows the order in which the tied were touched", () => {
  show("SENIORITY");
  touch("checkbox", "Minh");
  touch("checkbox", "Lan");
  expect(screen.getByRole("checkbox", { name: "1. Minh" })).toBeTruthy();
  expect(screen.getByRole("checkbox", { name: "2. Lan" })).toBeTruthy();
});

test("a lot is drawn with one touch", async () => {
  const { asked, onLeave } = show("LOT");
  fireEvent.click(screen.getByRole("button", { name: "Bốc thăm" }));
  await vi.waitFor(() => expect(onLeave).toHaveBeenCalled());
  expect(asked[0]?.variables).toEqual({ voteId: "vote", chosen: [], seniority: [] });
});
