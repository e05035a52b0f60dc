import { number, percent } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { OptionIcon } from "../ui/icons";

/** The count so far as bars, with every figure in text beside them. */
export function Tally({ vote }: { vote: Vote }) {
  const words = messages.value.vote;
  const { cast, eligible } = vote.tally;
  return (
    <section class="tally" aria-label={words.tally}>
      <p class="tally-cast" data-testid="tally-cast">
        {words.castOf(number(cast), number(eligible))}
      </p>
      <ul class="bars">
        {vote.options.map((option) => (
          <Bar
            key={option.id}
            option={option}
            count={countOf(vote, option.id)}
            eligible={eligible}
          />
        ))}
      </ul>
      <p class="hint">{words.shareOf(number(eligible))}</p>
    </section>
  );
}

interface BarProps {
  option: Vote["options"][number];
  count: number;
  eligible: number;
}

function Bar({ option: { kind }, count, eligible }: BarProps) {
  return (
    <li class={`bar ${kind.toLowerCase()}`}>
      <span class="bar-label">
        <OptionIcon kind={kind} />
        {messages.value.options[kind]}
      </span>
      <span class="bar-figures">
        <strong data-testid={`count-${kind}`}>{number(count)}</strong>
        <span>{percent(count, eligible)}</span>
      </span>
      <progress value={count} max={Math.max(eligible, 1)} aria-hidden="true" />
    </li>
  );
}

function countOf(vote: Vote, optionId: string): number {
  return vote.tally.options.find((option) => option.optionId === optionId)?.count ?? 0;
}
