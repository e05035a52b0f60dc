import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { Declined } from "../server/problem";
import { ActDialog } from "../ui/act-dialog";
import { ProblemNote } from "../ui/problem-note";
import { labelOf } from "../vote/options";
import type { DialogProps } from "./annul-vote";
import {
  countFor,
  type Hands,
  handsInput,
  membersIn,
  NO_HANDS,
  toggleHand,
  without,
} from "./hands";
import { type Person, usePeople } from "./people";
import { recordHands } from "./vote-acts";

/** Choose an answer, then touch the names of those who raised a hand for it. */
export function RecordHands(props: DialogProps) {
  const { live, vote, onLeave } = props;
  const { people, problem } = usePeople(props);
  const [optionId, setOptionId] = useState(vote.options[0]?.id ?? "");
  const [hands, setHands] = useState<Hands>(NO_HANDS);
  const [refused, setRefused] = useState<string[]>([]);
  const words = messages.value.voting.lead;
  const record = async () => {
    try {
      await recordHands(live, vote.id, handsInput(hands));
    } catch (error) {
      // Whoever cannot be counted is named, and the others can be recorded at once.
      const named = error instanceof Declined ? membersIn(error.details) : [];
      setRefused([...refused, ...named]);
      setHands(without(hands, named));
      throw error;
    }
  };
  const able = people?.inRoom.filter(({ id }) => !refused.includes(id));
  return (
    <ActDialog
      title={words.hands}
      action={words.handsAction(number(Object.keys(hands).length))}
      missing={missing(hands, able)}
      explained="ALREADY_VOTED"
      onAct={record}
      onLeave={onLeave}
    >
      <p>{words.handsHint}</p>
      <ProblemNote problem={problem} />
      <fieldset class="picks across">
        <legend>{words.handsFor}</legend>
        {vote.options.map((option) => (
          <label key={option.id} class="pick">
            <input
              type="radio"
              name="option"
              checked={option.id === optionId}
              onChange={() => setOptionId(option.id)}
            />
            <span>
              {labelOf(option)} ({number(countFor(hands, option.id))})
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset class="picks long">
        <legend>{words.handsWho}</legend>
        {able?.map(({ id, name }) => (
          <label key={id} class="pick">
            <input
              type="checkbox"
              checked={id in hands}
              onChange={() => setHands(toggleHand(hands, id, optionId))}
            />
            <span>
              {name}
              <Raised options={vote.options} optionId={hands[id]} />
            </span>
          </label>
        ))}
      </fieldset>
      {refused.length > 0 && (
        <p class="note waiting" role="alert">
          {words.handsRefused(namesOf(people?.inRoom, refused))}
        </p>
      )}
    </ActDialog>
  );
}

function Raised({
  options,
  optionId,
}: Pick<DialogProps["vote"], "options"> & { optionId: string | undefined }) {
  const option = options.find(({ id }) => id === optionId);
  return option ? <strong>{labelOf(option)}</strong> : null;
}

function missing(hands: Hands, able: Person[] | undefined): string | null {
  const { opening, voting } = messages.value;
  if (able === undefined) return opening;
  if (able.length === 0) return voting.lead.nobodyInRoom;
  return Object.keys(hands).length === 0 ? voting.lead.handsNobody : null;
}

function namesOf(people: Person[] | undefined, ids: string[]): string {
  return (people ?? [])
    .filter(({ id }) => ids.includes(id))
    .map(({ name }) => name)
    .join(", ");
}
