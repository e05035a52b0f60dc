import { useState } from "preact/hooks";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { OptionIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { ballotFor, castBallot, choose } from "./ballot";

/** Choose, then send: two touches, so that a slip of the thumb casts nothing. */
export function BallotForm({ vote }: { vote: Vote }) {
  const ballot = ballotFor(vote.id).value;
  const [asked, setAsked] = useState(false);
  const words = messages.value.vote;
  if (ballot.step === "recorded") return null;

  const sending = ballot.step === "sending";
  const submit = (event: Event) => {
    event.preventDefault();
    setAsked(ballot.choice === null);
    if (ballot.choice !== null) void castBallot(vote.id, ballot.choice);
  };

  return (
    <form class="ballot" onSubmit={submit}>
      <fieldset disabled={sending}>
        <legend>{words.ballot}</legend>
        {vote.options.map((option) => (
          <Choice
            key={option.id}
            vote={vote}
            option={option}
            chosen={ballot.choice === option.id}
          />
        ))}
      </fieldset>
      {asked && ballot.choice === null && (
        <p class="note problem" role="alert">
          {words.choose}
        </p>
      )}
      {ballot.step === "choosing" && <ProblemNote problem={ballot.problem} />}
      {sending && ballot.waiting && (
        <p class="note waiting" role="status">
          {words.waiting}
        </p>
      )}
      <button type="submit" class="button primary wide" aria-disabled={sending}>
        {sending ? words.sending : words.cast}
      </button>
    </form>
  );
}

interface ChoiceProps {
  vote: Vote;
  option: Vote["options"][number];
  chosen: boolean;
}

function Choice({ vote, option: { id, kind }, chosen }: ChoiceProps) {
  return (
    <label class={`choice ${kind.toLowerCase()}${chosen ? " chosen" : ""}`}>
      <input
        type="radio"
        name={`ballot-${vote.id}`}
        value={id}
        checked={chosen}
        onChange={() => choose(vote.id, id)}
      />
      <OptionIcon kind={kind} />
      <span>{messages.value.options[kind]}</span>
    </label>
  );
}
