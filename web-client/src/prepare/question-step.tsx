import { number } from "../language/format";
import { messages } from "../language/language";
import type { Meeting } from "../meeting/newest";
import { linesOf } from "../vote/options";
import { AnswerLines } from "./answer-lines";
import { type Draft, hasAnswers, hasSeats, type MatterRule } from "./draft";
import { Recused } from "./recused";

interface QuestionStepProps {
  meeting: Meeting;
  chosen: MatterRule;
  draft: Draft;
  onWrite(draft: Draft): void;
}

const MINUTES = ["1", "2", "3", "5", "10", "15", "30"];

/** The question, and what else the method asks for. */
export function QuestionStep({ meeting, chosen, draft, onWrite }: QuestionStepProps) {
  const { rule } = chosen;
  const { prepare: words, lead } = messages.value.voting;
  return (
    <>
      <label class="field">
        {words.question}
        <textarea
          rows={3}
          maxLength={1000}
          value={draft.question}
          onInput={(event) => onWrite({ ...draft, question: event.currentTarget.value })}
        />
      </label>
      {hasSeats(rule) && (
        <label class="field">
          {words.seats}
          <input
            type="number"
            inputMode="numeric"
            min={1}
            value={draft.seats}
            onInput={(event) => onWrite({ ...draft, seats: event.currentTarget.value })}
          />
        </label>
      )}
      {hasAnswers(rule) && (
        <AnswerLines
          kind={linesOf(chosen)}
          answers={draft.answers}
          onWrite={(answers) => onWrite({ ...draft, answers })}
        />
      )}
      <label class="field">
        {words.time}
        <select
          value={draft.minutes}
          onChange={(event) => onWrite({ ...draft, minutes: event.currentTarget.value })}
        >
          <option value="">{rule.duration === null ? words.untilClosed : words.asRuleSays}</option>
          {MINUTES.map((minutes) => (
            <option key={minutes} value={minutes}>
              {lead.limitTo(number(Number(minutes)))}
            </option>
          ))}
        </select>
      </label>
      <Recused
        meetingId={meeting.id}
        recused={draft.recused}
        onWrite={(recused) => onWrite({ ...draft, recused })}
      />
    </>
  );
}
