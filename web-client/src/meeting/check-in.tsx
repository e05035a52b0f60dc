import { messages } from "../language/language";
import { CheckIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { checkIn } from "./acts";
import { GiveProxy, ProxiesHeld } from "./give-proxy";
import type { MeetingProps } from "./meeting-page";
import type { Meeting } from "./newest";
import { useOwnAttendance } from "./own-attendance";

const STATES: readonly Meeting["state"][] = ["SUMMONED", "IN_SESSION", "PAUSED"];

/** Offered to whoever is summoned and not checked in yet, from the summons to the end. */
export function CheckIn({ live, meeting, viewer }: MeetingProps) {
  const { busy, problem, act } = useAct();
  const { own, ask } = useOwnAttendance(meeting.id, meeting.unit.id, viewer.id);
  const words = messages.value.meeting;
  if (!meeting.viewerMay.includes("CHECK_IN") || !STATES.includes(meeting.state)) return null;
  if (own === null) return null;
  if (own.isPresent) {
    return (
      <>
        <p class="checked-in">
          <CheckIcon />
          {words.checkedIn}
        </p>
        <ProxiesHeld own={own} />
      </>
    );
  }
  const submit = async () => {
    await checkIn(live, meeting.id);
    await ask();
  };
  return (
    <section class="card check-in">
      <p>{words.checkInHint}</p>
      <ProblemNote problem={problem} />
      <button
        type="button"
        class="button primary wide"
        aria-disabled={busy}
        onClick={() => act(submit)}
      >
        {words.checkIn}
      </button>
      <ProxiesHeld own={own} />
      <GiveProxy live={live} meeting={meeting} viewer={viewer} own={own} onGiven={ask} />
    </section>
  );
}
