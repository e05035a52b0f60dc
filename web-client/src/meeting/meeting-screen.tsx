import { messages } from "../language/language";
import { useViewer } from "../session/viewer";
import { LinkBar } from "../ui/link-bar";
import { ProblemNote } from "../ui/problem-note";
import { useTitle } from "../ui/use-title";
import { type LiveMeeting, useLiveMeeting } from "./live-meeting";
import { MeetingPage } from "./meeting-page";

export function MeetingScreen({ id }: { id: string }) {
  const viewer = useViewer();
  const live = useLiveMeeting(id);
  const meeting = live.meeting.value;
  useTitle(meeting?.title ?? messages.value.meeting.opening);

  return (
    <>
      <LinkBar />
      {live.problem.value && <Interrupted live={live} />}
      {meeting && !isBarred(live) && <MeetingPage live={live} meeting={meeting} viewer={viewer} />}
      {!meeting && !live.problem.value && <p class="opening">{messages.value.meeting.opening}</p>}
    </>
  );
}

/**
 * What the page holds stays on the screen, only no longer kept fresh; unless the viewer may not see
 * it any more.
 */
function Interrupted({ live }: { live: LiveMeeting }) {
  const { meeting, reload } = messages.value;
  return (
    <section class="card interrupted">
      {(live.meeting.value === null || isBarred(live)) && <h1>{meeting.unavailable}</h1>}
      {isBarred(live) ? (
        <p class="note problem" role="alert">
          {meeting.barred}
        </p>
      ) : (
        <ProblemNote problem={live.problem.value} />
      )}
      <button type="button" class="button" onClick={() => location.reload()}>
        {reload}
      </button>
    </section>
  );
}

/** Who may not see a meeting any more is told that there is none. */
function isBarred({ meeting, problem }: LiveMeeting): boolean {
  const isGone = problem.value === "NOT_FOUND" && meeting.value !== null;
  return isGone || problem.value === "NOT_ALLOWED";
}
