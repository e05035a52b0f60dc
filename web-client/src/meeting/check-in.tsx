import { messages } from "../language/language";
import { CheckIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { checkIn } from "./acts";
import type { MeetingProps } from "./meeting-page";
import type { Meeting } from "./newest";

const STATES: readonly Meeting["state"][] = ["SUMMONED", "IN_SESSION", "PAUSED"];

export function CheckIn({ live, meeting, viewer }: MeetingProps) {
  const { busy, problem, act } = useAct();
  const words = messages.value.meeting;
  if (!meeting.viewerMay.includes("CHECK_IN") || !STATES.includes(meeting.state)) return null;
  if (isPresent(meeting, viewer.id)) {
    return (
      <p class="checked-in">
        <CheckIcon />
        {words.checkedIn}
      </p>
    );
  }
  return (
    <section class="card check-in">
      <p>{words.checkInHint}</p>
      <ProblemNote problem={problem} />
      <button
        type="button"
        class="button primary wide"
        aria-disabled={busy}
        onClick={() => act(() => checkIn(live, meeting.id))}
      >
        {words.checkIn}
      </button>
    </section>
  );
}

function isPresent(meeting: Meeting, memberId: string): boolean {
  return meeting.attendance.some(
    ({ member, status }) => member.id === memberId && status === "PRESENT",
  );
}
