import { number, time } from "../language/format";
import { messages } from "../language/language";
import type { Meeting } from "./newest";

type Attendance = Meeting["attendance"][number];

export function RollCall({ meeting }: { meeting: Meeting }) {
  const { chair, meeting: words } = messages.value;
  const { present, summoned } = meeting.turnout;
  return (
    <section class="card">
      <h2>{chair.rollCall}</h2>
      <details class="roll-call">
        <summary>{words.turnout(number(present), number(summoned))}</summary>
        <ul>
          {meeting.attendance.map((attendance) => (
            <Person
              key={attendance.member.id}
              attendance={attendance}
              isOver={meeting.closedAt !== null}
            />
          ))}
        </ul>
      </details>
    </section>
  );
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
