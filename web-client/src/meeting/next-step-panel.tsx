import { useEffect, useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import type { Messages } from "../language/vi";
import { Confirm } from "../ui/confirm";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { closeMeeting, closeVote, moveAgenda, openVote, pauseMeeting, startMeeting } from "./acts";
import { currentItem } from "./agenda";
import { CloseVoteConfirm } from "./close-vote-confirm";
import type { LiveMeeting } from "./live-meeting";
import type { Meeting } from "./newest";
import { type NextStep, nextStep } from "./next-step";

const DOUBLE_TOUCH = 600;

interface LeadProps {
  live: LiveMeeting;
  meeting: Meeting;
}

/** The chair's one main button: always the next thing to do. */
export function NextStepPanel({ live, meeting }: LeadProps) {
  const { busy, problem, act } = useAct();
  const [confirming, setConfirming] = useState<string | null>(null);
  const step = nextStep(meeting);
  const settled = useSettled(step && nameOf(step));
  if (step === null) return null;

  const { chair } = messages.value;
  const { label, hint } = wordsFor(step, meeting, chair);
  const perform = () => {
    setConfirming(null);
    void act(() => take(step, live, meeting));
  };
  const press = isFinal(step) ? () => setConfirming(nameOf(step)) : perform;
  const question = {
    open: confirming === nameOf(step),
    onConfirm: perform,
    onCancel: () => setConfirming(null),
  };
  return (
    <section class="next-step" aria-label={chair.panel}>
      <div class="next-step-text">
        <p class="eyebrow">{chair.nextStep}</p>
        <p class="next-step-hint">{hint}</p>
        <ProblemNote problem={problem} />
      </div>
      <div class="next-step-buttons">
        <button
          type="button"
          class="button primary wide"
          data-testid="next-step"
          aria-disabled={busy || !settled}
          onClick={() => settled && press()}
        >
          {busy ? chair.working : label}
        </button>
        {meeting.state === "IN_SESSION" && (
          <button
            type="button"
            class="button"
            aria-disabled={busy}
            onClick={() => act(() => pauseMeeting(live, meeting.id))}
          >
            {chair.pause}
          </button>
        )}
      </div>
      {step.act === "close" && <CloseVoteConfirm vote={step.vote} {...question} />}
      {step.act === "end" && (
        <Confirm title={chair.confirmMeeting.title} action={chair.closeMeeting} {...question}>
          <p>{chair.confirmMeeting.final}</p>
        </Confirm>
      )}
    </section>
  );
}

function take(step: NextStep, live: LiveMeeting, meeting: Meeting): Promise<void> {
  switch (step.act) {
    case "start":
    case "resume":
      return startMeeting(live, meeting.id);
    case "move":
      return moveAgenda(live, meeting.id, step.item.id);
    case "open":
      return openVote(live, step.vote.id);
    case "close":
      return closeVote(live, step.vote.id);
    case "end":
      return closeMeeting(live, meeting.id);
  }
}

function isFinal(step: NextStep): boolean {
  return step.act === "close" || step.act === "end";
}

/** Tells one step from the next, so that what was meant for one never happens to another. */
function nameOf(step: NextStep): string {
  switch (step.act) {
    case "move":
      return `${step.act} ${step.item.id}`;
    case "open":
    case "close":
      return `${step.act} ${step.vote.id}`;
    default:
      return step.act;
  }
}

/** False for a moment after the step changed: the second touch of a double touch belongs to the last step. */
function useSettled(name: string | null): boolean {
  const [settled, setSettled] = useState(name);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(name), DOUBLE_TOUCH);
    return () => clearTimeout(timer);
  }, [name]);
  return settled === name;
}

function wordsFor(
  step: NextStep,
  meeting: Meeting,
  chair: Messages["chair"],
): { label: string; hint: string } {
  const { present, summoned } = meeting.turnout;
  switch (step.act) {
    case "start":
      return { label: chair.start, hint: chair.startHint(number(present), number(summoned)) };
    case "resume":
      return { label: chair.resume, hint: chair.resumeHint };
    case "move":
      return {
        label: currentItem(meeting) ? chair.nextItem : chair.firstItem,
        hint: chair.nextItemHint(step.item.title),
      };
    case "open":
      return { label: chair.openVote, hint: chair.openVoteHint(step.vote.question) };
    case "close": {
      const { cast, eligible } = step.vote.tally;
      return { label: chair.closeVote, hint: chair.closeVoteHint(number(cast), number(eligible)) };
    }
    case "end":
      return { label: chair.closeMeeting, hint: chair.closeMeetingHint };
  }
}
