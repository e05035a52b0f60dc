import { dateAndTime, number, time } from "../language/format";
import { messages } from "../language/language";
import { ClockIcon, PeopleIcon } from "../ui/icons";
import type { Meeting } from "./newest";

export function MeetingHeading({ meeting }: { meeting: Meeting }) {
  const { meeting: words, meetingStates, kinds } = messages.value;
  const { present, summoned } = meeting.turnout;
  return (
    <header class="meeting-heading">
      <p class="eyebrow">
        {kinds[meeting.kind]} · {meeting.unit.name}
      </p>
      <h1>{meeting.title}</h1>
      <div class="facts">
        <p class={`chip ${meeting.state.toLowerCase()}`} data-testid={`meeting-${meeting.state}`}>
          {meetingStates[meeting.state]}
        </p>
        <p class="fact">
          <PeopleIcon />
          <span data-testid="turnout">{words.turnout(number(present), number(summoned))}</span>
        </p>
        <p class="fact">
          <ClockIcon />
          {meeting.closedAt
            ? words.closedAt(time(meeting.closedAt))
            : dateAndTime(meeting.startsAt)}
        </p>
      </div>
    </header>
  );
}
