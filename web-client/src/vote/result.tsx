import { number } from "../language/format";
import { language, messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { CandidateRanking } from "./candidate-ranking";
import { MeasureResults } from "./measure-results";
import { labelsOf } from "./options";

export type Outcome = NonNullable<Vote["outcome"]>;

/** What a vote decided: the sentence first, then the figures that it rests on. */
export function Result({ vote, outcome }: { vote: Vote; outcome: Outcome }) {
  const { verdict } = outcome;
  const { voting } = messages.value;
  return (
    <section class="result" aria-label={voting.verdicts[verdict]}>
      <p class={`outcome ${verdict.toLowerCase().replaceAll("_", "-")}`} data-testid="outcome">
        {outcome[language.value]}
      </p>
      <CandidateRanking vote={vote} outcome={outcome} />
      <MeasureResults vote={vote} outcome={outcome} />
      <TieText vote={vote} outcome={outcome} />
      {hasBase(vote, outcome) && <BaseText outcome={outcome} />}
    </section>
  );
}

/** Of too few ballots there is none; a motion's sentence says it already. */
function hasBase({ rule }: Vote, { verdict }: Outcome): boolean {
  return rule.method !== "FOR_AGAINST_ABSTAIN" && verdict !== "TOO_FEW_BALLOTS";
}

/** What percentages are of. */
function BaseText({ outcome: { base, baseKind, needed } }: { outcome: Outcome }) {
  const { voting, bases } = messages.value;
  return (
    <p class="hint" data-testid="base">
      {voting.result.base(number(base), bases[baseKind], number(needed))}
    </p>
  );
}

function TieText({ vote, outcome: { tie } }: { vote: Vote; outcome: Outcome }) {
  const { voting } = messages.value;
  if (tie === null) return null;
  const names = (ids: string[]) => labelsOf(vote, ids).join(", ");
  return (
    <div class="tie" data-testid="tie">
      <p>{voting.result.tied(names(tie.tied), number(tie.places))}</p>
      {tie.chosen.length > 0 && (
        <p>{voting.result.broken(voting.tieRules[tie.rule], names(tie.chosen))}</p>
      )}
      {tie.seed && (
        <p class="hint">
          {voting.result.seed} <code>{tie.seed}</code>
        </p>
      )}
    </div>
  );
}
