import { messages } from "../language/language";
import { itemsAhead } from "../meeting/agenda";
import type { Meeting } from "../meeting/newest";
import { ruleSentences } from "../vote/rule-text";
import type { Draft, MatterRule } from "./draft";

interface MatterStepProps {
  meeting: Meeting;
  rules: MatterRule[] | null;
  draft: Draft;
  onWrite(draft: Draft): void;
}

/** The matter decides the rule, so each is offered with its rule in plain words. */
export function MatterStep({ meeting, rules, draft, onWrite }: MatterStepProps) {
  const { opening, voting } = messages.value;
  const words = voting.prepare;
  return (
    <>
      <label class="field">
        {words.item}
        <select
          value={draft.itemId}
          onChange={(event) => onWrite({ ...draft, itemId: event.currentTarget.value })}
        >
          {itemsAhead(meeting).map(({ id, position, title }) => (
            <option key={id} value={id}>
              {position}. {title}
            </option>
          ))}
        </select>
      </label>
      {rules === null && <p class="hint">{opening}</p>}
      {rules?.length === 0 && <p class="note">{words.noRules}</p>}
      <fieldset class="picks">
        <legend>{words.matter}</legend>
        {rules?.map(({ matter, rule }) => (
          <label key={matter} class="pick tall">
            <input
              type="radio"
              name="matter"
              checked={draft.matter === matter}
              onChange={() => onWrite({ ...draft, matter, seats: String(rule.seats) })}
            />
            <span>
              <strong>{voting.matters[matter]}</strong>
              <span class="pick-rule">{voting.methods[rule.method]}</span>
              {draft.matter === matter &&
                ruleSentences(rule).map((sentence) => (
                  <span key={sentence} class="pick-rule">
                    {sentence}
                  </span>
                ))}
            </span>
          </label>
        ))}
      </fieldset>
    </>
  );
}
