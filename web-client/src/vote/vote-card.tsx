import type { ComponentChildren } from "preact";
import type { Standing } from "../gql/graphql";
import { number } from "../language/format";
import { messages } from "../language/language";
import { hasEnded } from "../meeting/agenda";
import type { Vote } from "../meeting/newest";
import { Countdown } from "./countdown";
import { OwnVote } from "./own-vote";
import { PaperPreview } from "./paper-preview";
import { RecusedFrom } from "./recused-from";
import { Result } from "./result";
import { thresholdText } from "./rule-text";
import { Tally } from "./tally";
import { VoteDetails } from "./vote-details";

interface VoteCardProps {
  vote: Vote;
  standing: Standing | null;
  /** What a chair may do to it. */
  children?: ComponentChildren;
}

/** A vote of the current item, from before it opens to its result. */
export function VoteCard({ vote, standing, children }: VoteCardProps) {
  const { vote: words, voteStates } = messages.value;
  return (
    <article
      id={anchorOf(vote.id)}
      class={`card vote ${vote.state.toLowerCase()}`}
      data-testid={`vote-${vote.state}`}
    >
      <div class="facts">
        <p class={`chip ${vote.state.toLowerCase()}`}>{voteStates[vote.state]}</p>
        {vote.state === "OPEN" && vote.closesAt && <Countdown closesAt={vote.closesAt} />}
      </div>
      <h3>{vote.question}</h3>
      <p class="hint">{thresholdText(vote.rule)}</p>
      <Annulment vote={vote} />
      <Proposal vote={vote} />
      <ResultOrWait vote={vote} />
      {vote.state === "PREPARED" && <PaperPreview vote={vote} />}
      {vote.state === "PREPARED" && <RecusedFrom vote={vote} />}
      {waitsForChair(vote) && <p class="note">{words.notOpenYet}</p>}
      <OwnVote vote={vote} standing={standing} />
      {showsTally(vote) && <Tally vote={vote} />}
      <Links vote={vote} />
      {vote.state !== "PREPARED" && <VoteDetails vote={vote} />}
      {children}
    </article>
  );
}

/** A chair waits for nobody. */
function waitsForChair({ state, isOwnKnown, viewerMay }: Vote): boolean {
  return state === "PREPARED" && isOwnKnown && !viewerMay.includes("OPEN_VOTE");
}

interface FinishedVoteProps {
  vote: Vote;
  children?: ComponentChildren;
}

/** A finished vote in short: the sentence first, the figures for whoever wants them. */
export function FinishedVote({ vote, children }: FinishedVoteProps) {
  return (
    <article id={anchorOf(vote.id)} class="finished" data-testid={`vote-${vote.state}`}>
      <h3>{vote.question}</h3>
      <Annulment vote={vote} />
      <Proposal vote={vote} />
      <ResultOrWait vote={vote} />
      <details>
        <summary>{messages.value.vote.details}</summary>
        <p class="hint">{thresholdText(vote.rule)}</p>
        <Tally vote={vote} />
        <OwnVote vote={vote} standing={null} />
      </details>
      <Links vote={vote} />
      <VoteDetails vote={vote} />
      {children}
    </article>
  );
}

/** An election's ranking has all the figures of a tally, and more. */
function showsTally({ state, outcome }: Vote): boolean {
  return state !== "PREPARED" && !outcome?.candidates.length;
}

function ResultOrWait({ vote }: { vote: Vote }) {
  const { result: words } = messages.value.voting;
  if (!hasEnded(vote)) return null;
  if (vote.outcome === null) {
    return <p class="note">{vote.state === "CLOSED" ? words.waitForChair : words.never}</p>;
  }
  return (
    <>
      {vote.publishedAt === null && vote.state === "CLOSED" && (
        <p class="note waiting">{words.onlyYou}</p>
      )}
      <Result vote={vote} outcome={vote.outcome} />
    </>
  );
}

function Annulment({ vote: { annulment } }: { vote: Vote }) {
  const { result: words } = messages.value.voting;
  if (annulment === null) return null;
  return (
    <div class="note problem" data-testid="annulment">
      <p>{words.annulled}</p>
      <p>{words.reason(annulment)}</p>
    </div>
  );
}

/** That one officer would annul it, which everybody may know. */
function Proposal({ vote: { annulmentProposed } }: { vote: Vote }) {
  const { result: words } = messages.value.voting;
  if (annulmentProposed === null) return null;
  return (
    <div class="note waiting" data-testid="annulment-proposed">
      <p>{words.proposed(annulmentProposed.by.name)}</p>
      <p>{words.reason(annulmentProposed.reason)}</p>
    </div>
  );
}

/** Votes that repeat one another are all on the meeting's page. */
function Links({ vote: { repeatOf, repeatedBy, annulledRounds } }: { vote: Vote }) {
  const { result: words } = messages.value.voting;
  return (
    <>
      {repeatOf && (
        <p>
          {words.repeats} {annulledRounds > 0 && `${words.rounds(number(annulledRounds))} `}
          <a href={`#${anchorOf(repeatOf)}`}>{words.toEarlier}</a>
        </p>
      )}
      {repeatedBy && (
        <p>
          {words.repeated} <a href={`#${anchorOf(repeatedBy)}`}>{words.toLater}</a>
        </p>
      )}
    </>
  );
}

function anchorOf(voteId: string): string {
  return `vote-${voteId}`;
}
