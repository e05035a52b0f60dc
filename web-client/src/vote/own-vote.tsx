import type { Standing } from "../gql/graphql";
import { time } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import type { Problem } from "../server/problem";
import { CheckIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { type Ballot, ballotFor, changeBallot, keepBallot, type Receipt } from "./ballot";
import { BallotForm } from "./ballot-form";
import { CountedHand } from "./counted-hand";
import { fullLabelOf } from "./options";

/** The viewer's part in a vote: the ballot to fill, the receipt, or why there is neither. */
export function OwnVote({ vote, standing }: { vote: Vote; standing: Standing | null }) {
  const ballot = ballotFor(vote.id).value;
  const receipt = newestReceipt(vote, ballot);
  const mayCast = vote.state === "OPEN" && vote.viewerMay.includes("CAST_BALLOT");
  if (receipt && !isChanging(ballot, mayCast)) {
    return <Recorded vote={vote} receipt={receipt} mayCast={mayCast} ballot={ballot} />;
  }
  if (vote.myHand) return <CountedHand vote={vote} optionId={vote.myHand.optionId} />;
  if (ballot.step === "sending") return <BallotForm vote={vote} />;
  if (vote.state !== "OPEN") return <ProblemNote problem={problemIn(ballot)} />;
  // Nobody is told that they have no ballot before the server has said so.
  if (!vote.isOwnKnown) return <p class="hint">{messages.value.opening}</p>;
  if (mayCast) return <OwnBallot vote={vote} receipt={receipt} />;
  const words = messages.value.vote;
  return (
    <p class="note">{standing === "PROBATIONARY" ? words.noBallotProbationary : words.noBallot}</p>
  );
}

function OwnBallot({ vote, receipt }: { vote: Vote; receipt: Receipt | null }) {
  return (
    <>
      <BallotForm vote={vote} />
      {receipt && (
        <button type="button" class="button quiet" onClick={() => keepBallot(vote.id, receipt)}>
          {messages.value.voting.paper.keep}
        </button>
      )}
    </>
  );
}

/** A change goes on for as long as the box takes it; one on its way is waited for. */
function isChanging(ballot: Ballot, mayCast: boolean): boolean {
  if (ballot.step === "sending") return ballot.isChange;
  return ballot.step === "choosing" && ballot.isChange && mayCast;
}

/** The answer to this tab's own ballot may be ahead of the push, or behind that of another device. */
function newestReceipt({ myReceipt }: Vote, ballot: Ballot): Receipt | null {
  const own = ballot.step === "recorded" ? ballot.receipt : null;
  if (own === null || myReceipt === null) return own ?? myReceipt;
  return Date.parse(myReceipt.castAt) > Date.parse(own.castAt) ? myReceipt : own;
}

/** Whoever sent a ballot too late is told so, also after the form has gone. */
function problemIn(ballot: Ballot): Problem | null {
  return ballot.step === "choosing" ? ballot.problem : null;
}

interface RecordedProps {
  vote: Vote;
  receipt: Receipt;
  mayCast: boolean;
  ballot: Ballot;
}

function Recorded({ vote, receipt, mayCast, ballot }: RecordedProps) {
  const { vote: words, voting } = messages.value;
  const mayChange = mayCast && vote.rule.change === "LAST_COUNTS";
  const problem = problemIn(ballot);
  return (
    <>
      <div class="note recorded" role="status">
        <CheckIcon />
        <div>
          <strong>{words.recorded}</strong>
          <Choice vote={vote} receipt={receipt} />
        </div>
      </div>
      {problem && (
        <>
          <ProblemNote problem={problem} />
          <p class="note">{voting.paper.changeFailed}</p>
        </>
      )}
      {mayChange && (
        <>
          <p class="hint">{voting.paper.lastCounts}</p>
          <button type="button" class="button" onClick={() => changeBallot(vote.id, receipt)}>
            {voting.paper.change}
          </button>
        </>
      )}
    </>
  );
}

/** What an OPEN vote's receipt says; the other kind knows no choice. */
function Choice({ vote, receipt }: { vote: Vote; receipt: Receipt }) {
  const { vote: words, voting } = messages.value;
  const { choices, castAt, tracker } = receipt;
  if (choices === null) {
    return (
      <>
        <p>{voting.paper.recordedAt(time(castAt))}</p>
        <p>{voting.paper.untraced}</p>
      </>
    );
  }
  const marked = vote.options.filter(({ id }) => choices.includes(id)).map(fullLabelOf);
  return (
    <>
      <p>
        {words.recordedChoice(
          marked.join(", ") || voting.paper.blanks[vote.rule.empty],
          time(castAt),
        )}
      </p>
      {tracker && (
        <p class="tracker">
          {voting.paper.tracker(tracker)}
          <span class="tracker-hint">{voting.paper.trackerHint}</span>
        </p>
      )}
    </>
  );
}
