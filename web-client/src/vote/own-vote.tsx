import type { Standing } from "../gql/graphql";
import { time } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import type { Problem } from "../server/problem";
import { CheckIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { type Ballot, ballotFor, type Receipt } from "./ballot";
import { BallotForm } from "./ballot-form";

/** The viewer's part in a vote: the ballot to fill, the receipt, or why there is neither. */
export function OwnVote({ vote, standing }: { vote: Vote; standing: Standing | null }) {
  const ballot = ballotFor(vote.id).value;
  const receipt = vote.myReceipt ?? (ballot.step === "recorded" ? ballot.receipt : null);
  if (receipt) return <Recorded vote={vote} receipt={receipt} />;
  if (ballot.step === "sending") return <BallotForm vote={vote} />;
  if (vote.state !== "OPEN") return <ProblemNote problem={problemIn(ballot)} />;
  if (vote.viewerMay.includes("CAST_BALLOT")) return <BallotForm vote={vote} />;
  const words = messages.value.vote;
  return (
    <p class="note">{standing === "PROBATIONARY" ? words.noBallotProbationary : words.noBallot}</p>
  );
}

/** Whoever sent a ballot too late is told so, also after the form has gone. */
function problemIn(ballot: Ballot): Problem | null {
  return ballot.step === "choosing" ? ballot.problem : null;
}

function Recorded({ vote, receipt }: { vote: Vote; receipt: Receipt }) {
  const { vote: words, options } = messages.value;
  const choices = vote.options
    .filter((option) => receipt.choices.includes(option.id))
    .map((option) => options[option.kind]);
  return (
    <p class="note recorded" role="status">
      <CheckIcon />
      <span>
        <strong>{words.recorded}</strong>
        <br />
        {words.recordedChoice(choices.join(", "), time(receipt.castAt))}
      </span>
    </p>
  );
}
