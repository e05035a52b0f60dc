import { useEffect, useState } from "preact/hooks";
import { WatchRollCallDocument, type WatchRollCallSubscription } from "../gql/graphql";
import { number, time } from "../language/format";
import { messages } from "../language/language";
import { watch } from "../server/live";
import type { Problem } from "../server/problem";
import { ProblemNote } from "../ui/problem-note";
import type { Meeting } from "./newest";

type Attendance = WatchRollCallSubscription["meeting"]["attendance"][number];

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
        {open && <Names meetingId={meeting.id} isOver={meeting.closedAt !== null} />}
      </details>
    </section>
  );
}

function Names({ meetingId, isOver }: { meetingId: string; isOver: boolean }) {
  const { attendance, problem } = useRollCall(meetingId);
  if (problem) return <ProblemNote problem={problem} />;
  if (attendance === null) return <p class="hint">{messages.value.opening}</p>;
  return (
    <ul>
      {attendance.map((entry) => (
        <Person key={entry.member.id} attendance={entry} isOver={isOver} />
      ))}
    </ul>
  );
}

function useRollCall(meetingId: string) {
  const [attendance, setAttendance] = useState<Attendance[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(
    () =>
      watch(
        WatchRollCallDocument,
        { id: meetingId },
        {
          push: ({ meeting }) => setAttendance(meeting.attendance),
          problem: setProblem,
        },
      ),
    [meetingId],
  );
  return { attendance, problem };
}

function Person({ attendance, isOver }: { attendance: Attendance; isOver: boolean }) {
  const { attendance: statuses, chair } = messages.value;
  const { member, status, checkedInAt } = attendance;
  return (
    <li class={`person ${status.toLowerCase()}`}>
      <span class="person-name">{member.name}</span>
      <span class="person-status">
        {isOver && status === "ABSENT" ? chair.absentAtEnd : statuses[status]}
        {checkedInAt && ` · ${time(checkedInAt)}`}
      </span>
    </li>
  );
}
