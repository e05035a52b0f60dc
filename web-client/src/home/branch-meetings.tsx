import { dateAndTime, number } from "../language/format";
import { messages } from "../language/language";
import { ClockIcon, PeopleIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { isRunning, type MeetingSummary, mainMeeting, useMeetings } from "./meetings";

/** The meetings of the viewer's branch: the one that matters now as the main action, then the others. */
export function BranchMeetings({ unitId }: { unitId: string }) {
  const { meetings, problem, more } = useMeetings(unitId);
  const { home, opening } = messages.value;
  if (meetings === null && problem === null) return <p class="opening">{opening}</p>;

  const main = mainMeeting(meetings ?? []);
  const others = meetings?.filter((meeting) => meeting !== main) ?? [];
  return (
    <>
      <ProblemNote problem={problem} />
      {main && <MainMeeting meeting={main} />}
      {meetings && !main && <p class="card stand-still">{home.none}</p>}
      {others.length > 0 && (
        <section class="card">
          <h2>{home.others}</h2>
          <ul class="rows">
            {others.map((meeting) => (
              <Row key={meeting.id} meeting={meeting} />
            ))}
          </ul>
          {more && (
            <button type="button" class="button" onClick={more}>
              {home.more}
            </button>
          )}
        </section>
      )}
    </>
  );
}

function MainMeeting({ meeting }: { meeting: MeetingSummary }) {
  const { home, meeting: words, meetingStates, modes } = messages.value;
  const running = isRunning(meeting);
  const { present, summoned } = meeting.turnout;
  return (
    <section class={running ? "card main-meeting running" : "card main-meeting"}>
      <p class="eyebrow">{running ? home.now : home.next}</p>
      <h2>{meeting.title}</h2>
      <div class="facts">
        <p class={`chip ${meeting.state.toLowerCase()}`}>{meetingStates[meeting.state]}</p>
        <p class="fact">
          <ClockIcon />
          {dateAndTime(meeting.startsAt)}
        </p>
        <p class="fact">
          <PeopleIcon />
          {running ? words.turnout(number(present), number(summoned)) : modes[meeting.mode]}
        </p>
      </div>
      <a class="button primary wide" href={`/meetings/${meeting.id}`}>
        {running ? home.enter : home.view}
      </a>
    </section>
  );
}

function Row({ meeting }: { meeting: MeetingSummary }) {
  const { meetingStates } = messages.value;
  return (
    <li>
      <a class="row" href={`/meetings/${meeting.id}`}>
        <span class="row-title">{meeting.title}</span>
        <span class="row-facts">
          {dateAndTime(meeting.startsAt)} · {meetingStates[meeting.state]}
        </span>
      </a>
    </li>
  );
}
