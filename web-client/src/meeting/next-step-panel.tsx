import { useEffect, useState } from "preact/hooks";
import { messages } from "../language/language";
import { BreakTie } from "../lead/break-tie";
import { CloseVoteConfirm } from "../lead/close-vote-confirm";
import { OpenVoteConfirm, useWarnings } from "../lead/open-vote-confirm";
import { closeVote, openVote, publishVote, repeatVote } from "../lead/vote-acts";
import { Confirm } from "../ui/confirm";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { closeMeeting, moveAgenda, pauseMeeting, startMeeting } from "./acts";
import type { LiveMeeting } from "./live-meeting";
import type { Meeting } from "./newest";
import { type NextStep, nextStep } from "./next-step";
import { wordsFor } from "./next-step-words";

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
  const warnings = useWarnings(step?.act === "open" ? step.vote : null);
  if (step === null) return null;

  const { chair } = messages.value;
  const { label, hint } = wordsFor(step, meeting);
  const perform = () => {
    setConfirming(null);
    void act(() => take(step, live, meeting));
  };
  const press =
    asksFirst(step) || warnings.length > 0 ? () => setConfirming(nameOf(step)) : perform;
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
      {step.act === "open" && <OpenVoteConfirm warnings={warnings} {...question} />}
      {step.act === "break-tie" && question.open && (
        <BreakTie live={live} meeting={meeting} vote={step.vote} onLeave={question.onCancel} />
      )}
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
    case "break-tie":
      return Promise.resolve();
    case "publish":
      return publishVote(live, step.vote.id);
    case "repeat":
      return repeatVote(live, step.vote.id);
    case "end":
      return closeMeeting(live, meeting.id);
  }
}

/** What is asked about before it is done, or needs more than a touch. */
function asksFirst(step: NextStep): boolean {
  return step.act === "close" || step.act === "end" || step.act === "break-tie";
}

/** Tells one step from the next, so that what was meant for one never happens to another. */
function nameOf(step: NextStep): string {
  switch (step.act) {
    case "move":
      return `${step.act} ${step.item.id}`;
    case "open":
    case "close":
    case "break-tie":
    case "publish":
    case "repeat":
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
