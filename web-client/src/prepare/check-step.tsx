import { number } from "../language/format";
import { messages } from "../language/language";
import type { Meeting } from "../meeting/newest";
import { linesOf } from "../vote/options";
import { ruleSentences } from "../vote/rule-text";
import {
  type Draft,
  forSeats,
  hasAnswers,
  hasSeats,
  type MatterRule,
  writtenAnswers,
} from "./draft";

interface CheckStepProps {
  meeting: Meeting;
  chosen: MatterRule;
  draft: Draft;
}

/** Everything as it will be, to read once more. */
export function CheckStep({ meeting, chosen: { matter, rule }, draft }: CheckStepProps) {
  const { prepare: words, matters, paper, lead } = messages.value.voting;
  const item = meeting.agenda.find(({ id }) => id === draft.itemId);
  const seats = Math.floor(Number(draft.seats));
  const minutes = draft.minutes === "" ? rule.duration && rule.duration / 60 : draft.minutes;
  const answers = writtenAnswers(draft, rule);
  return (
    <>
      <dl class="check">
        <Line name={words.item} value={item?.title ?? ""} />
        <Line name={words.matter} value={matters[matter]} />
        <Line name={words.question} value={draft.question.trim()} />
        {hasSeats(rule) && <Line name={words.seats} value={number(seats)} />}
        {hasAnswers(rule) && (
          <Line
            name={words[linesOf({ matter, rule })]}
            value={answers.join(", ") || paper.noCandidates}
          />
        )}
        <Line
          name={words.time}
          value={minutes ? lead.limitTo(number(Number(minutes))) : words.untilClosed}
        />
        <Line
          name={words.recused}
          value={draft.recused.length > 0 ? number(draft.recused.length) : words.nobodyRecused}
        />
      </dl>
      <div class="note">
        {ruleSentences({ ...forSeats(rule, seats), duration: null }).map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </div>
      <p class="hint">{words.afterwards}</p>
    </>
  );
}

function Line({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
