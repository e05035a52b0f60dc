import { useState } from "preact/hooks";
import { messages } from "../language/language";
import { ActDialog } from "../ui/act-dialog";
import { ProblemNote } from "../ui/problem-note";
import type { DialogProps } from "./annul-vote";
import { usePeople } from "./people";
import { amendRoll } from "./vote-acts";

export function LateComer(props: DialogProps) {
  const { live, vote, onLeave } = props;
  const { people, problem } = usePeople(props);
  const [memberId, setMemberId] = useState<string | null>(null);
  const words = messages.value.voting.lead;
  return (
    <ActDialog
      title={words.lateComer}
      action={words.lateComerAction}
      missing={memberId === null ? missing(people?.notOnRoll.length) : null}
      onAct={async () => {
        if (memberId !== null) await amendRoll(live, vote.id, memberId);
      }}
      onLeave={onLeave}
    >
      <p>{words.lateComerHint}</p>
      <ProblemNote problem={problem} />
      <fieldset class="picks long">
        <legend class="visually-hidden">{words.lateComer}</legend>
        {people?.notOnRoll.map(({ id, name }) => (
          <label key={id} class="pick">
            <input
              type="radio"
              name="late-comer"
              checked={id === memberId}
              onChange={() => setMemberId(id)}
            />
            {name}
          </label>
        ))}
      </fieldset>
    </ActDialog>
  );
}

function missing(candidates: number | undefined): string {
  const { opening, voting } = messages.value;
  if (candidates === undefined) return opening;
  return candidates === 0 ? voting.lead.everyoneOnRoll : voting.lead.pickOne;
}
