import { useEffect, useState } from "preact/hooks";
import { WhoIsPresentDocument } from "../gql/graphql";
import { messages } from "../language/language";
import { request } from "../server/request";
import { CheckIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { checkIn } from "./acts";
import type { MeetingProps } from "./meeting-page";
import type { Meeting } from "./newest";

const STATES: readonly Meeting["state"][] = ["SUMMONED", "IN_SESSION", "PAUSED"];

/** Offered to whoever is summoned and not checked in yet, from the summons to the end. */
export function CheckIn({ live, meeting, viewer }: MeetingProps) {
  const { busy, problem, act } = useAct();
  const [presence, setPresence] = usePresence(meeting.id, viewer.id);
  const words = messages.value.meeting;
  if (!meeting.viewerMay.includes("CHECK_IN") || !STATES.includes(meeting.state)) return null;
  if (presence === "asking") return null;
  if (presence === "present") {
    return (
      <p class="checked-in">
        <CheckIcon />
        {words.checkedIn}
      </p>
    );
  }
  const submit = async () => {
    await checkIn(live, meeting.id);
    setPresence("present");
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
    </section>
  );
}

type Presence = "asking" | "present" | "not yet";

/** Asked once: only members check themselves in. */
function usePresence(meetingId: string, memberId: string) {
  const [presence, setPresence] = useState<Presence>("asking");
  useEffect(() => {
    isPresent(meetingId, memberId).then(
      (present) => setPresence(present ? "present" : "not yet"),
      // Checking in twice does no harm, so in doubt it is offered.
      () => setPresence("not yet"),
    );
  }, [meetingId, memberId]);
  return [presence, setPresence] as const;
}

async function isPresent(meetingId: string, memberId: string): Promise<boolean> {
  const { meeting } = await request(WhoIsPresentDocument, { id: meetingId });
  const own = meeting?.attendance.find(({ member }) => member.id === memberId);
  return own?.status === "PRESENT";
}
