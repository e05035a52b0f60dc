import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { useSummoned } from "../meeting/use-summoned";
import { ProblemNote } from "../ui/problem-note";

interface RecusedProps {
  meetingId: string;
  recused: string[];
  onWrite(recused: string[]): void;
}

/** Seldom needed, so the names are asked for when they are. */
export function Recused({ meetingId, recused, onWrite }: RecusedProps) {
  const [open, setOpen] = useState(false);
  const words = messages.value.voting.prepare;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {words.recused}
        {recused.length > 0 && `: ${words.recusedCount(number(recused.length))}`}
      </summary>
      {open && <Names meetingId={meetingId} recused={recused} onWrite={onWrite} />}
    </details>
  );
}

function Names({ meetingId, recused, onWrite }: RecusedProps) {
  const { members, problem } = useSummoned(meetingId);
  const toggle = (id: string) =>
    onWrite(recused.includes(id) ? recused.filter((other) => other !== id) : [...recused, id]);
  if (problem) return <ProblemNote problem={problem} />;
  return (
    <fieldset class="picks long">
      <legend class="visually-hidden">{messages.value.voting.prepare.recused}</legend>
      {members.map(({ id, name }) => (
        <label key={id} class="pick">
          <input type="checkbox" checked={recused.includes(id)} onChange={() => toggle(id)} />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
