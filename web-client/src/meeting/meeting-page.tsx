import { messages } from "../language/language";
import { PrepareVote } from "../prepare/prepare-vote";
import type { Viewer } from "../session/session";
import { hasEnded, votesOnStage } from "./agenda";
import { AgendaList } from "./agenda-list";
import { CheckIn } from "./check-in";
import { ClosedVotes } from "./closed-votes";
import { CurrentItem } from "./current-item";
import type { LiveMeeting } from "./live-meeting";
import { MeetingHeading } from "./meeting-heading";
import type { Meeting } from "./newest";
import { nextStep } from "./next-step";
import { NextStepPanel } from "./next-step-panel";
import { RollCall } from "./roll-call";

export interface MeetingProps {
  live: LiveMeeting;
  meeting: Meeting;
  viewer: Viewer;
}

/** One page for everyone; the chair's panel is added for whoever may lead the meeting. */
export function MeetingPage(props: MeetingProps) {
  const { live, meeting } = props;
  const leads = mayLead(meeting);
  return (
    <div class={leads && nextStep(meeting) ? "meeting led" : "meeting"}>
      <MeetingHeading meeting={meeting} />
      {leads && <NextStepPanel live={live} meeting={meeting} />}
      <div class="stage">
        <CheckIn {...props} />
        {isRunning(meeting) ? <CurrentItem {...props} /> : <StandStill meeting={meeting} />}
        <PrepareVote live={live} meeting={meeting} />
        <ClosedVotes live={live} meeting={meeting} votes={closedElsewhere(meeting)} />
      </div>
      <aside class="aside">
        <AgendaList live={live} meeting={meeting} />
        {leads && <RollCall meeting={meeting} />}
      </aside>
    </div>
  );
}

/** What to say instead of a current item. */
function StandStill({ meeting }: { meeting: Meeting }) {
  const words = messages.value.meeting;
  const text = {
    DRAFT: words.notStarted,
    SUMMONED: words.notStarted,
    IN_SESSION: words.noItem,
    PAUSED: words.paused,
    CLOSED: words.ended,
    MINUTES_SIGNED: words.ended,
    CANCELLED: words.cancelled,
  }[meeting.state];
  return <p class="card stand-still">{text}</p>;
}

function mayLead(meeting: Meeting): boolean {
  return meeting.viewerMay.includes("OPEN_VOTE");
}

function isRunning(meeting: Meeting): boolean {
  return meeting.state === "IN_SESSION" && meeting.currentItem !== null;
}

/** Finished votes that are not shown with the current item. */
function closedElsewhere(meeting: Meeting) {
  const shown = isRunning(meeting) ? votesOnStage(meeting) : [];
  return meeting.votes.filter((vote) => hasEnded(vote) && !shown.includes(vote));
}
