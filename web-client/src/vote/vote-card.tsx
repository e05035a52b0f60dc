import type { ComponentChildren } from "preact";
import type { Standing } from "../gql/graphql";
import { language, messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { OwnVote } from "./own-vote";
import { Tally } from "./tally";

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
    <article class={`card vote ${vote.state.toLowerCase()}`} data-testid={`vote-${vote.state}`}>
      <p class={`chip ${vote.state.toLowerCase()}`}>{voteStates[vote.state]}</p>
      <h3>{vote.question}</h3>
      <p class="hint">{ruleText(vote)}</p>
      {vote.outcome && <OutcomeText outcome={vote.outcome} />}
      {vote.state === "PREPARED" && !vote.viewerMay.includes("OPEN_VOTE") && (
        <p class="note">{words.notOpenYet}</p>
      )}
      <OwnVote vote={vote} standing={standing} />
      {vote.state !== "PREPARED" && <Tally vote={vote} />}
      {children}
    </article>
  );
}

/** A finished vote in short: the sentence first, the figures for whoever wants them. */
export function FinishedVote({ vote }: { vote: Vote }) {
  return (
    <article class="finished" data-testid="vote-CLOSED">
      <h3>{vote.question}</h3>
      {vote.outcome && <OutcomeText outcome={vote.outcome} />}
      <details>
        <summary>{messages.value.vote.details}</summary>
        <p class="hint">{ruleText(vote)}</p>
        <Tally vote={vote} />
      </details>
    </article>
  );
}

function OutcomeText({ outcome }: { outcome: NonNullable<Vote["outcome"]> }) {
  return (
    <p class={`outcome ${outcome.carried ? "carried" : "not-carried"}`} data-testid="outcome">
      {outcome[language.value]}
    </p>
  );
}

function ruleText({ rule }: Vote): string {
  const { vote: words, bases } = messages.value;
  return words.rule(rule.strict, `${rule.numerator}/${rule.denominator}`, bases[rule.base]);
}
