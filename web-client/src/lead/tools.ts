import type { Act } from "../gql/graphql";
import { mayPrepareFor } from "../meeting/agenda";
import type { Meeting, Vote } from "../meeting/newest";
import { isElection } from "../vote/options";

export type Tool =
  | "open"
  | "close"
  | "extend"
  | "late-comer"
  | "hands"
  | "hands-back"
  | "break-tie"
  | "publish"
  | "repeat"
  | "annul"
  | "confirm-annulment"
  | "withdraw-annulment";

const ACTS: readonly [Act, Tool][] = [
  ["OPEN_VOTE", "open"],
  ["RECORD_HANDS", "hands"],
  ["TAKE_BACK_HANDS", "hands-back"],
  ["AMEND_ROLL", "late-comer"],
  ["EXTEND_VOTE", "extend"],
  ["CLOSE_VOTE", "close"],
  ["BREAK_TIE", "break-tie"],
  ["PUBLISH_VOTE", "publish"],
  ["REPEAT_VOTE", "repeat"],
  ["ANNUL_VOTE", "annul"],
  ["CONFIRM_ANNULMENT", "confirm-annulment"],
  ["WITHDRAW_ANNULMENT", "withdraw-annulment"],
];

const STEPS: readonly Tool[] = ["open", "close", "break-tie", "publish"];

/** What the vote allows as it stands, without what the main button does anyway. */
export function toolsFor(meeting: Meeting, vote: Vote, isNextStep: boolean): Tool[] {
  return ACTS.filter(([act, tool]) => {
    if (!vote.viewerMay.includes(act) || (isNextStep && STEPS.includes(tool))) return false;
    if (tool === "hands") return !isElection(vote) && meeting.mode !== "ONLINE";
    if (tool === "hands-back") return vote.tally.byHand > 0;
    if (tool === "repeat") return mayRepeat(meeting, vote) && !isNextStep;
    return true;
  }).map(([, tool]) => tool);
}

/** Once, for an item that the meeting has not left behind. */
export function mayRepeat(meeting: Meeting, vote: Vote): boolean {
  return (
    vote.viewerMay.includes("REPEAT_VOTE") &&
    vote.repeatedBy === null &&
    mayPrepareFor(meeting, vote.itemId)
  );
}
