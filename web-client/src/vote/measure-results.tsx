import { hundredths, number } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { CheckIcon } from "../ui/icons";
import { labelsOf } from "./options";
import type { Outcome } from "./result";

/** From the heaviest; votes for a heavier measure also count for the lighter ones below it. */
export function MeasureResults({ vote, outcome }: { vote: Vote; outcome: Outcome }) {
  const words = messages.value.voting.result;
  if (outcome.measures.length === 0) return null;
  return (
    <ol class="ranking" aria-label={words.measures}>
      {outcome.measures.map(({ optionId, votes, cumulative, needed, percent }, place) => {
        const isChosen = optionId === outcome.measure;
        return (
          <li key={optionId} class={isChosen ? "ranked elected" : "ranked"}>
            <span class="rank" aria-hidden="true">
              {number(place + 1)}
            </span>
            <span class="ranked-name">
              {labelsOf(vote, [optionId])}
              {isChosen && (
                <span class="mark">
                  <CheckIcon />
                  {words.measureChosen}
                </span>
              )}
            </span>
            <span class="ranked-figures">
              {words.cumulative(number(votes), number(cumulative), number(needed))}
              <span class="ranked-share">{hundredths(percent)}</span>
            </span>
            <progress value={cumulative} max={Math.max(outcome.base, 1)} aria-hidden="true" />
          </li>
        );
      })}
    </ol>
  );
}
