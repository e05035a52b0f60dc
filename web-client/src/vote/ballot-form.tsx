import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { Confirm } from "../ui/confirm";
import { ProblemNote } from "../ui/problem-note";
import { ballotFor, castBallot, clearMarks } from "./ballot";
import { BallotPaper } from "./ballot-paper";
import { limitedMarks, takesOneMark } from "./marks";

/** Choose, then send: two touches, so that a slip of the thumb casts nothing. */
export function BallotForm({ vote }: { vote: Vote }) {
  const ballot = ballotFor(vote.id).value;
  const [asked, setAsked] = useState<"to choose" | "to send a blank" | null>(null);
  const { vote: words, voting } = messages.value;
  if (ballot.step === "recorded") return null;

  const sending = ballot.step === "sending";
  const { choices } = ballot;
  const isBlank = choices.length === 0;
  const { empty } = vote.rule;
  const submit = (event: Event) => {
    event.preventDefault();
    if (isBlank) return setAsked(empty === "REFUSED" ? "to choose" : "to send a blank");
    setAsked(null);
    void castBallot(vote.id);
  };
  const sendBlank = () => {
    setAsked(null);
    void castBallot(vote.id);
  };

  return (
    <form class="ballot" onSubmit={submit}>
      <p class="hint">{voting.secrecy[vote.rule.secrecy]}</p>
      <fieldset disabled={sending}>
        <legend>{words.ballot}</legend>
        <BallotPaper vote={vote} choices={choices} />
      </fieldset>
      <Limit vote={vote} choices={choices} isOver={ballot.step === "choosing" && ballot.isOver} />
      {asked === "to choose" && isBlank && (
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
      {empty !== "REFUSED" && !isBlank && !sending && (
        <button type="button" class="button quiet" onClick={() => clearMarks(vote.id)}>
          {voting.paper.clear}
        </button>
      )}
      <Confirm
        title={voting.paper.blankTitles[empty]}
        action={voting.paper.blankActions[empty]}
        open={asked === "to send a blank"}
        onConfirm={sendBlank}
        onCancel={() => setAsked(null)}
      >
        <p>{voting.paper.blankTexts[empty]}</p>
      </Confirm>
    </form>
  );
}

/** How many are marked of how many may be, and why one more was not taken. */
function Limit({ vote, choices, isOver }: { vote: Vote; choices: string[]; isOver: boolean }) {
  const words = messages.value.voting.paper;
  if (takesOneMark(vote)) return null;
  const most = number(vote.rule.mostChoices);
  const marked = number(limitedMarks(vote, choices));
  const isYesNo = vote.rule.method === "YES_NO_PER_CANDIDATE";
  return (
    <>
      <p class="marked" role="status" data-testid="marked">
        {isYesNo ? words.votedFor(marked, most) : words.chosen(marked, most)}
      </p>
      {isOver && (
        <p class="note waiting" role="alert">
          {words.over[vote.rule.overvote](most)}
        </p>
      )}
    </>
  );
}
