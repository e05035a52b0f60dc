import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { Declined } from "../server/problem";
import { ActDialog } from "../ui/act-dialog";
import { ProblemNote } from "../ui/problem-note";
import { labelOf } from "../vote/options";
import type { DialogProps } from "./annul-vote";
import {
  addUp,
  type Hands,
  handsInput,
  membersIn,
  NO_HANDS,
  sumOf,
  toggleMember,
  withCount,
} from "./hands";
import { type Person, usePeople } from "./people";
import { recordHands } from "./vote-acts";

/** Hands are counted with the names of those who raised them; never for someone who has voted. */
export function RecordHands(props: DialogProps) {
  const { live, vote, onLeave } = props;
  const { people, problem } = usePeople(props);
  const [hands, setHands] = useState<Hands>(NO_HANDS);
  const [voted, setVoted] = useState<string[]>([]);
  const words = messages.value.voting.lead;
  const record = async () => {
    try {
      await recordHands(live, vote.id, hands.members, handsInput(hands));
    } catch (error) {
      if (error instanceof Declined && error.reason === "ALREADY_VOTED") {
        const named = membersIn(error.details);
        setVoted([...voted, ...named]);
        setHands({ ...hands, members: hands.members.filter((id) => !named.includes(id)) });
      }
      throw error;
    }
  };
  const able = people?.presentEntitled.filter(({ id }) => !voted.includes(id));
  return (
    <ActDialog
      title={words.hands}
      action={words.handsAction}
      missing={missing(hands, able)}
      explained="ALREADY_VOTED"
      onAct={record}
      onLeave={onLeave}
    >
      <p>{words.handsHint}</p>
      <ProblemNote problem={problem} />
      <fieldset class="picks long">
        <legend>{words.handsWho}</legend>
        {able?.map(({ id, name }) => (
          <label key={id} class="pick">
            <input
              type="checkbox"
              checked={hands.members.includes(id)}
              onChange={() => setHands(toggleMember(hands, id))}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <fieldset class="counts">
        <legend>{words.handsCounts}</legend>
        {vote.options.map((option) => (
          <label key={option.id} class="field">
            {labelOf(option)}
            <input
              type="number"
              inputMode="numeric"
              min={0}
              value={hands.counts[option.id] ?? 0}
              onInput={(event) => setHands(withCount(hands, option.id, event.currentTarget.value))}
            />
          </label>
        ))}
      </fieldset>
      {voted.length > 0 && (
        <p class="note waiting" role="alert">
          {words.handsVoted(namesOf(people?.presentEntitled, voted))}
        </p>
      )}
    </ActDialog>
  );
}

function missing(hands: Hands, able: Person[] | undefined): string | null {
  const { opening, voting } = messages.value;
  if (able === undefined) return opening;
  if (able.length === 0) return voting.lead.nobodyPresent;
  if (hands.members.length === 0) return voting.lead.handsNobody;
  if (addUp(hands)) return null;
  return voting.lead.handsSum(number(sumOf(hands)), number(hands.members.length));
}

function namesOf(people: Person[] | undefined, ids: string[]): string {
  return (people ?? [])
    .filter(({ id }) => ids.includes(id))
    .map(({ name }) => name)
    .join(", ");
}
