import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { ActDialog } from "../ui/act-dialog";
import { labelsOf } from "../vote/options";
import type { DialogProps } from "./annul-vote";
import { breakerOf, breakingOf, pick, picksNeeded, takesOne } from "./tie";
import { breakTie } from "./vote-acts";

/** Asks for what the rule says: a choice among the tied, their seniority, or a lot. */
export function BreakTie({ live, vote, onLeave }: DialogProps) {
  const [picked, setPicked] = useState<string[]>([]);
  const { lead: words, nextSteps } = messages.value.voting;
  const { outcome } = vote;
  if (!outcome?.tie || !outcome.nextStep) return null;
  const breaking = breakingOf(outcome);
  const needed = picksNeeded(outcome);
  const place = (id: string) => picked.indexOf(id) + 1;
  return (
    <ActDialog
      title={words.breakTie}
      action={breaking === "draw" ? words.lotAction : words.breakAction}
      missing={picked.length === needed ? null : words.choosePlaces(number(needed))}
      onAct={() => breakTie(live, vote.id, breakerOf(outcome, picked))}
      onLeave={onLeave}
    >
      <p>{nextSteps[outcome.nextStep]}</p>
      {breaking === "order" && <p>{words.seniorityHint}</p>}
      {breaking === "draw" ? (
        <p>{words.lotHint}</p>
      ) : (
        <fieldset class="picks">
          <legend class="visually-hidden">{words.breakTie}</legend>
          {outcome.tie.tied.map((id) => (
            <label key={id} class="pick">
              <input
                type={takesOne(outcome) ? "radio" : "checkbox"}
                name="tied"
                checked={picked.includes(id)}
                onChange={() => setPicked(pick(outcome, picked, id))}
              />
              {breaking === "order" && place(id) > 0 && `${number(place(id))}. `}
              {labelsOf(vote, [id])}
            </label>
          ))}
        </fieldset>
      )}
    </ActDialog>
  );
}
