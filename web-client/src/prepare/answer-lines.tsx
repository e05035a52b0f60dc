import { number } from "../language/format";
import { messages } from "../language/language";
import type { linesOf } from "../vote/options";

interface AnswerLinesProps {
  kind: ReturnType<typeof linesOf>;
  answers: string[];
  onWrite(answers: string[]): void;
}

/** One line each; empty lines do not count. */
export function AnswerLines({ kind, answers, onWrite }: AnswerLinesProps) {
  const words = messages.value.voting.prepare;
  const write = (place: number, text: string) =>
    onWrite(answers.map((answer, other) => (other === place ? text : answer)));
  const remove = (place: number) => onWrite(answers.filter((_, other) => other !== place));
  return (
    <fieldset class="lines">
      <legend>{words[kind]}</legend>
      {kind === "candidates" && <p class="hint">{words.candidatesHint}</p>}
      {answers.map((answer, place) => (
        <div key={place} class="line">
          <input
            aria-label={words.answer(number(place + 1))}
            maxLength={200}
            value={answer}
            onInput={(event) => write(place, event.currentTarget.value)}
          />
          {answers.length > 1 && (
            <button
              type="button"
              class="button quiet"
              aria-label={words.remove(answer || words.answer(number(place + 1)))}
              onClick={() => remove(place)}
            >
              ×
            </button>
          )}
        </div>
      ))}
      <button type="button" class="button" onClick={() => onWrite([...answers, ""])}>
        {words.add}
      </button>
    </fieldset>
  );
}
