import { useEffect, useState } from "preact/hooks";
import { WatchRollCallDocument, type WatchRollCallSubscription } from "../gql/graphql";
import { number, time } from "../language/format";
import { messages } from "../language/language";
import { watch } from "../server/live";
import type { Problem } from "../server/problem";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { confirmAttendance } from "./acts";
import type { Meeting } from "./newest";

type Roll = WatchRollCallSubscription["meeting"];
type Attendance = Roll["attendance"][number];

const STATES: readonly Meeting["state"][] = ["SUMMONED", "IN_SESSION", "PAUSED"];

/** The count for a glance; the names for a chair who opens it, live for as long as it is open. */
export function RollCall({ meeting }: { meeting: Meeting }) {
  const [open, setOpen] = useState(false);
  const { chair, meeting: words } = messages.value;
  const { present, summoned } = meeting.turnout;
  return (
    <section class="card">
      <h2>{chair.rollCall}</h2>
      <details class="roll-call" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{words.turnout(number(present), number(summoned))}</summary>
        {open && <Names meeting={meeting} />}
      </details>
    </section>
  );
}

function Names({ meeting }: { meeting: Meeting }) {
  const { roll, problem } = useRollCall(meeting.id);
  const { opening, chair: words } = messages.value;
  if (problem) return <ProblemNote problem={problem} />;
  if (roll === null) return <p class="hint">{opening}</p>;
  const mayConfirm =
    meeting.viewerMay.includes("CONFIRM_ATTENDANCE") && STATES.includes(meeting.state);
  return (
    <>
      <p data-testid="confirmed">{words.seen(number(roll.turnout.confirmed))}</p>
      {meeting.closedAt === null && (
        <p data-testid="connected">{words.connected(number(roll.turnout.connected))}</p>
      )}
      {mayConfirm && <p class="hint">{words.seeHint}</p>}
      <ul>
        {roll.attendance.map((entry) => (
          <Person
            key={entry.member.id}
            meeting={meeting}
            attendance={entry}
            mayConfirm={mayConfirm}
          />
        ))}
      </ul>
    </>
  );
}

function useRollCall(meetingId: string) {
  const [roll, setRoll] = useState<Roll | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(
    () =>
      watch(
        WatchRollCallDocument,
        { id: meetingId },
        {
          push: ({ meeting }) => setRoll(meeting),
          problem: setProblem,
        },
      ),
    [meetingId],
  );
  return { roll, problem };
}

interface PersonProps {
  meeting: Meeting;
  attendance: Attendance;
  mayConfirm: boolean;
}

function Person({ meeting, attendance, mayConfirm }: PersonProps) {
  const { attendance: statuses, chair } = messages.value;
  const { member, status, checkedInAt, confirmedAt } = attendance;
  const isOver = meeting.closedAt !== null;
  return (
    <li class={`person ${status.toLowerCase()}`}>
      {mayConfirm ? (
        <Confirmation meeting={meeting} attendance={attendance} />
      ) : (
        <span class="person-name">{member.name}</span>
      )}
      <span class="person-status">
        {isOver && status === "ABSENT" ? chair.absentAtEnd : statuses[status]}
        {checkedInAt && ` · ${time(checkedInAt)}`}
      </span>
      {confirmedAt && <span class="person-seen">{chair.seenAt(time(confirmedAt))}</span>}
    </li>
  );
}

/** One touch confirms, another takes it back; the mark follows the server. */
function Confirmation({ meeting, attendance }: { meeting: Meeting; attendance: Attendance }) {
  const { busy, problem, act } = useAct();
  const { chair } = messages.value;
  const { member, confirmedAt } = attendance;
  const isConfirmed = confirmedAt !== null;
  return (
    <>
      <label class="person-check">
        <input
          type="checkbox"
          checked={isConfirmed}
          aria-label={`${chair.see}: ${member.name}`}
          aria-disabled={busy}
          onChange={(event) => {
            event.currentTarget.checked = isConfirmed;
            void act(() => confirmAttendance(meeting.id, member.id, !isConfirmed));
          }}
        />
        {member.name}
      </label>
      <ProblemNote problem={problem} />
    </>
  );
}
