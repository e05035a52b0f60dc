import { mayRepeat } from "../lead/tools";
import { type AgendaItem, currentItem, nextItem, votesOf } from "./agenda";
import type { Meeting, Vote } from "./newest";

/** The one thing a chair does next. */
export type NextStep =
  | { act: "start" }
  | { act: "resume" }
  | { act: "move"; item: AgendaItem }
  | { act: "open"; vote: Vote }
  | { act: "close"; vote: Vote }
  | { act: "break-tie"; vote: Vote }
  | { act: "publish"; vote: Vote }
  | { act: "repeat"; vote: Vote }
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
      return waitingResult(meeting);
  }
}

/** Whether the vote is what the next step is about. */
export function isNextStep(meeting: Meeting, vote: Vote): boolean {
  const step = nextStep(meeting);
  return step !== null && "vote" in step && step.vote.id === vote.id;
}

function nextStepInSession(meeting: Meeting): NextStep {
  const votes = votesOf(meeting, currentItem(meeting));
  const open = votes.find((vote) => vote.state === "OPEN");
  if (open) return { act: "close", vote: open };
  const waiting = waitingResult(meeting);
  if (waiting) return waiting;
  const prepared = votes.find((vote) => vote.state === "PREPARED");
  if (prepared) return { act: "open", vote: prepared };
  const undecided = votes.find((vote) => isUndecided(vote) && mayRepeat(meeting, vote));
  if (undecided) return { act: "repeat", vote: undecided };
  const item = nextItem(meeting);
  return item ? { act: "move", item } : { act: "end" };
}

/** A result that the chair alone sees comes before anything new, whichever item it belongs to. */
function waitingResult({ votes }: Meeting): NextStep | null {
  const tied = votes.find(({ viewerMay }) => viewerMay.includes("BREAK_TIE"));
  if (tied) return { act: "break-tie", vote: tied };
  const unpublished = votes.find(({ viewerMay }) => viewerMay.includes("PUBLISH_VOTE"));
  return unpublished ? { act: "publish", vote: unpublished } : null;
}

function isUndecided({ state, outcome }: Vote): boolean {
  return state === "CLOSED" && Boolean(outcome?.nextStep);
}
