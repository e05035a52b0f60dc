import { hundredths, number } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { CheckIcon } from "../ui/icons";
import type { Outcome } from "./result";

/** Those who stood, by rank, with what each got and who is elected. */
export function CandidateRanking({ vote, outcome }: { vote: Vote; outcome: Outcome }) {
  const words = messages.value.voting.result;
  if (outcome.candidates.length === 0) return null;
  return (
    <ol class="ranking" aria-label={words.ranking}>
      {outcome.candidates.map((candidate) => (
        <Ranked key={candidate.optionId} vote={vote} candidate={candidate} base={outcome.base} />
      ))}
    </ol>
  );
}

interface RankedProps {
  vote: Vote;
  candidate: Outcome["candidates"][number];
  base: number;
}

function Ranked({ vote, candidate, base }: RankedProps) {
  const { result: words } = messages.value.voting;
  const { optionId, votes, against, needed, percent, isElected, rank } = candidate;
  const name = vote.options.find(({ id }) => id === optionId)?.label;
  const figures =
    vote.rule.method === "YES_NO_PER_CANDIDATE"
      ? words.votesAndAgainst(number(votes), number(against))
      : words.votes(number(votes));
  return (
    <li class={isElected ? "ranked elected" : "ranked"}>
      <span class="rank" aria-hidden="true">
        {number(rank)}
      </span>
      <span class="ranked-name">
        <span class="visually-hidden">{words.rank(number(rank))}: </span>
        {name}
        {isElected && (
          <span class="mark">
            <CheckIcon />
            {words.elected}
          </span>
        )}
      </span>
      <span class="ranked-figures">
        {figures}
        <span class="ranked-share">
          {hundredths(percent)} · {words.needs(number(needed))}
        </span>
      </span>
      <progress value={votes} max={Math.max(base, 1)} aria-hidden="true" />
    </li>
  );
}
