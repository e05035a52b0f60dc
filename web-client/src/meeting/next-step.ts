import { type AgendaItem, currentItem, nextItem, votesOf } from "./agenda";
import type { Meeting, Vote } from "./newest";

/** The one thing a chair does next. */
export type NextStep =
  | { act: "start" }
  | { act: "resume" }
  | { act: "move"; item: AgendaItem }
  | { act: "open"; vote: Vote }
  | { act: "close"; vote: Vote }
  | { act: "end" };

/** Null when there is nothing left to lead: the meeting is not summoned yet, or over. */
export function nextStep(meeting: Meeting): NextStep | null {
  switch (meeting.state) {
    case "SUMMONED":
      return { act: "start" };
    case "PAUSED":
      return { act: "resume" };
    case "IN_SESSION":
      return nextStepInSession(meeting);
    default:
      return null;
  }
}

function nextStepInSession(meeting: Meeting): NextStep {
  const votes = votesOf(meeting, currentItem(meeting));
  const open = votes.find((vote) => vote.state === "OPEN");
  if (open) return { act: "close", vote: open };
  const prepared = votes.find((vote) => vote.state === "PREPARED");
  if (prepared) return { act: "open", vote: prepared };
  const item = nextItem(meeting);
  return item ? { act: "move", item } : { act: "end" };
}
