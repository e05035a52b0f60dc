import type { OptionKind } from "../gql/graphql";
import { number, percent } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { OptionIcon } from "../ui/icons";

/**
 * The count as bars, with every figure in text beside them.
 *
 * Percentages are shown only while the vote is open. Afterwards the outcome's sentence has them,
 * and its base may leave out some of those on the roll.
 */
export function Tally({ vote }: { vote: Vote }) {
  const words = messages.value.vote;
  const { cast, eligible } = vote.tally;
  const isOpen = vote.state === "OPEN";
  return (
    <section class="tally" aria-label={words.tally}>
      <p class="tally-cast" data-testid="tally-cast">
        {words.castOf(number(cast), number(eligible))}
      </p>
      <ul class="bars">
        {vote.options.map(({ id, kind }) => (
          <Bar key={id} kind={kind} count={countOf(vote, id)} whole={eligible} isOpen={isOpen} />
        ))}
      </ul>
      {isOpen && <p class="hint">{words.shareOf(number(eligible))}</p>}
    </section>
  );
}

interface BarProps {
  kind: OptionKind;
  count: number;
  whole: number;
  isOpen: boolean;
}

function Bar({ kind, count, whole, isOpen }: BarProps) {
  return (
    <li class={`bar ${kind.toLowerCase()}`}>
      <span class="bar-label">
        <OptionIcon kind={kind} />
        {messages.value.options[kind]}
      </span>
      <span class="bar-figures">
        <strong data-testid={`count-${kind}`}>{number(count)}</strong>
        {isOpen && <span>{percent(count, whole)}</span>}
      </span>
      <progress value={count} max={Math.max(whole, 1)} aria-hidden="true" />
    </li>
  );
}

function countOf(vote: Vote, optionId: string): number {
  return vote.tally.options.find((option) => option.optionId === optionId)?.count ?? 0;
}
