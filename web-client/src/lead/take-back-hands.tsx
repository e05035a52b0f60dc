import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { ActDialog } from "../ui/act-dialog";
import { ProblemNote } from "../ui/problem-note";
import { labelsOf } from "../vote/options";
import type { DialogProps } from "./annul-vote";
import { usePeople } from "./people";
import { takeBackHands } from "./vote-acts";

/** What was recorded by mistake: the members may be counted again, or vote themselves. */
export function TakeBackHands(props: DialogProps) {
  const { live, vote, onLeave } = props;
  const { people, problem } = usePeople(props);
  const [chosen, setChosen] = useState<string[]>([]);
  const words = messages.value.voting.lead;
  const toggle = (id: string) =>
    setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id]);
  return (
    <ActDialog
      title={words.handsBack}
      action={words.handsBackAction(number(chosen.length))}
      missing={chosen.length === 0 ? words.handsNobody : null}
      onAct={() => takeBackHands(live, vote.id, chosen)}
      onLeave={onLeave}
    >
      <p>{words.handsBackHint}</p>
      <ProblemNote problem={problem} />
      <fieldset class="picks long">
        <legend>{words.handsBackWho}</legend>
        {people?.counted.map(({ id, name, optionId }) => (
          <label key={id} class="pick">
            <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
            <span>
              {name}
              <strong>{labelsOf(vote, [optionId])}</strong>
            </span>
          </label>
        ))}
      </fieldset>
    </ActDialog>
  );
}
