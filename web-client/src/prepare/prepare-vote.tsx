import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { currentItem, itemsAhead } from "../meeting/agenda";
import type { LiveMeeting } from "../meeting/live-meeting";
import type { Meeting } from "../meeting/newest";
import { Dialog } from "../ui/dialog";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { CheckStep } from "./check-step";
import { type Draft, draftInput, type MatterRule, missingIn, newDraft, STEPS } from "./draft";
import { MatterStep } from "./matter-step";
import { prepareVote } from "./prepare-acts";
import { QuestionStep } from "./question-step";
import { useRules } from "./use-rules";

interface PrepareVoteProps {
  live: LiveMeeting;
  meeting: Meeting;
}

/** The button, and three steps behind it. Leaving them half done keeps what was written. */
export function PrepareVote({ live, meeting }: PrepareVoteProps) {
  const [open, setOpen] = useState(false);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [step, setStep] = useState(1);
  const items = itemsAhead(meeting);
  const first = currentItem(meeting) ?? items[0];
  if (!meeting.viewerMay.includes("PREPARE_VOTE") || items.length === 0 || !first) return null;

  const save = () => {
    setOpen(false);
    setDraft(null);
    setStep(1);
  };
  return (
    <>
      <button type="button" class="button prepare" onClick={() => setOpen(true)}>
        {messages.value.voting.prepare.open}
      </button>
      {open && (
        <Steps
          live={live}
          meeting={meeting}
          draft={draft ?? newDraft(first.id)}
          step={step}
          onWrite={setDraft}
          onStep={setStep}
          onSaved={save}
          onLeave={() => setOpen(false)}
        />
      )}
    </>
  );
}

interface StepsProps extends PrepareVoteProps {
  draft: Draft;
  step: number;
  onWrite(draft: Draft): void;
  onStep(step: number): void;
  onSaved(): void;
  onLeave(): void;
}

function Steps(props: StepsProps) {
  const { live, meeting, draft, step, onWrite, onStep, onSaved, onLeave } = props;
  const { rules, problem: rulesProblem } = useRules(meeting.unit.id);
  const { busy, problem, act } = useAct();
  const [asked, setAsked] = useState(false);
  const { chair, voting } = messages.value;
  const words = voting.prepare;
  const chosen = rules?.find(({ matter }) => matter === draft.matter) ?? null;
  const missing = missingIn(step, draft, chosen?.rule ?? null);

  const goTo = (next: number) => {
    setAsked(false);
    onStep(next);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    setAsked(true);
    if (missing !== null || chosen === null) return;
    if (step < STEPS) return goTo(step + 1);
    void act(async () => {
      await prepareVote(live, draftInput(draft, chosen.matter, chosen.rule));
      onSaved();
    });
  };
  return (
    <Dialog title={words.titles[step - 1] ?? ""} onLeave={onLeave}>
      <form class="act-form" onSubmit={submit} noValidate>
        <p class="eyebrow">{words.step(number(step), number(STEPS))}</p>
        <ProblemNote problem={rulesProblem} />
        <StepFields
          step={step}
          meeting={meeting}
          rules={rules}
          chosen={chosen}
          draft={draft}
          onWrite={onWrite}
        />
        {asked && missing && (
          <p class="note problem" role="alert">
            {words.missing[missing]}
          </p>
        )}
        <ProblemNote problem={problem} />
        <div class="choices">
          <button type="submit" class="button primary" aria-disabled={busy}>
            {busy ? chair.working : step < STEPS ? words.next : words.save}
          </button>
          {step > 1 && (
            <button type="button" class="button" onClick={() => goTo(step - 1)}>
              {words.back}
            </button>
          )}
        </div>
        <button type="button" class="button quiet" onClick={onLeave}>
          {words.leave}
        </button>
      </form>
    </Dialog>
  );
}

interface StepFieldsProps {
  step: number;
  meeting: Meeting;
  rules: MatterRule[] | null;
  chosen: MatterRule | null;
  draft: Draft;
  onWrite(draft: Draft): void;
}

function StepFields({ step, meeting, rules, chosen, draft, onWrite }: StepFieldsProps) {
  if (step === 1 || chosen === null) {
    return <MatterStep meeting={meeting} rules={rules} draft={draft} onWrite={onWrite} />;
  }
  if (step === 2) {
    return <QuestionStep meeting={meeting} chosen={chosen} draft={draft} onWrite={onWrite} />;
  }
  return <CheckStep meeting={meeting} chosen={chosen} draft={draft} />;
}
