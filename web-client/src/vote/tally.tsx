import { hundredths, number, percent } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { OptionIcon } from "../ui/icons";
import { fullLabelOf, type Option } from "./options";

/**
 * The turnout, and the count as bars with every figure in text beside them where the server gives it.
 *
 * While the vote is open percentages are of the roll. Afterwards there is the outcome's own, for
 * those in favour: its base may leave out some of those on the roll.
 */
export function Tally({ vote }: { vote: Vote }) {
  const { vote: words, voting } = messages.value;
  const { cast, eligible, byHand } = vote.tally;
  return (
    <section class="tally" aria-label={words.tally}>
      <div>
        <p class="tally-cast" data-testid="tally-cast">
          {words.castOf(number(cast), number(eligible))}
        </p>
        {byHand > 0 && <p class="hint">{voting.live.byHand(number(byHand))}</p>}
      </div>
      {areHidden(vote) ? <Hidden vote={vote} /> : <Bars vote={vote} />}
    </section>
  );
}

/** Whether the server keeps the figures back from this viewer. */
function areHidden({ tally }: Vote): boolean {
  return tally.options.some(({ count }) => count === null);
}

function Hidden({ vote }: { vote: Vote }) {
  const { cast, eligible } = vote.tally;
  const { live } = messages.value.voting;
  return (
    <>
      <progress value={cast} max={Math.max(eligible, 1)} aria-hidden="true" />
      <p class="hint">{isNever(vote) ? live.never : live.hidden}</p>
    </>
  );
}

/** Of too few ballots, and of a vote that was annulled before it was published. */
function isNever({ state, outcome }: Vote): boolean {
  return state === "ANNULLED" || outcome?.verdict === "TOO_FEW_BALLOTS";
}

function Bars({ vote }: { vote: Vote }) {
  const { eligible, blanks, invalid } = vote.tally;
  const { vote: words, voting } = messages.value;
  const isOpen = vote.state === "OPEN";
  return (
    <>
      <ul class="bars">
        {vote.options.map((option) => (
          <Bar
            key={option.id}
            option={option}
            count={countOf(vote, option.id)}
            whole={eligible}
            share={shareOf(vote, option)}
          />
        ))}
      </ul>
      {!!blanks && <p>{voting.live.blanks(number(blanks))}</p>}
      {!!invalid && <p>{voting.live.invalid(number(invalid))}</p>}
      {isOpen && <p class="hint">{words.shareOf(number(eligible))}</p>}
    </>
  );
}

interface BarProps {
  option: Option;
  count: number;
  whole: number;
  share: string | null;
}

function Bar({ option, count, whole, share }: BarProps) {
  const { kind } = option;
  const isPlain = kind === "CHOICE" || kind === "MEASURE";
  return (
    <li class={`bar ${kind.toLowerCase()}`}>
      <span class="bar-label">
        {!isPlain && <OptionIcon kind={kind} />}
        {fullLabelOf(option)}
      </span>
      <span class="bar-figures">
        <strong data-testid={`count-${kind}`}>{number(count)}</strong>
        {share && <span>{share}</span>}
      </span>
      <progress value={count} max={Math.max(whole, 1)} aria-hidden="true" />
    </li>
  );
}

function shareOf(vote: Vote, { id, kind }: Option): string | null {
  if (vote.state === "OPEN") return percent(countOf(vote, id), vote.tally.eligible);
  const isMotion = vote.rule.method === "FOR_AGAINST_ABSTAIN";
  return vote.outcome && isMotion && kind === "FOR" ? hundredths(vote.outcome.percent) : null;
}

function countOf(vote: Vote, optionId: string): number {
  return vote.tally.options.find((option) => option.optionId === optionId)?.count ?? 0;
}
