import { useCallback, useState } from "preact/hooks";
import { SubtreeDocument, type SubtreeQuery, type UnitFiguresFragment } from "../gql/graphql";
import { number } from "../language/format";
import { messages } from "../language/language";
import { type Problem, problemOf } from "../server/problem";
import { request } from "../server/request";
import { ProblemNote } from "../ui/problem-note";
import { useRefresh } from "../ui/use-refresh";
import { UnitLivePanel } from "./unit-live";

const EVERY = 20_000;

type Subtree = NonNullable<SubtreeQuery["unit"]>;

/** A unit of an upper committee and the units below it, in figures. */
export function UnitFigures({ unitId }: { unitId: string }) {
  const { unit, problem } = useSubtree(unitId);
  const { opening } = messages.value;
  if (unit === null)
    return problem ? <ProblemNote problem={problem} /> : <p class="opening">{opening}</p>;
  return (
    <section class="card units">
      <h2>{unit.name}</h2>
      <Totals unit={unit} />
      <ProblemNote problem={problem} />
      {unit.children && <UnitLivePanel unitId={unitId} />}
      {unit.children && <Children units={unit.children} />}
    </section>
  );
}

function useSubtree(unitId: string) {
  const [unit, setUnit] = useState<Subtree | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const load = useCallback(async () => {
    try {
      const { unit } = await request(SubtreeDocument, { unitId });
      setUnit(unit);
      setProblem(unit ? null : "NOT_FOUND");
    } catch (error) {
      setProblem(problemOf(error));
    }
  }, [unitId]);
  useRefresh(
    useCallback(() => void load(), [load]),
    EVERY,
  );
  return { unit, problem };
}

function Children({ units }: { units: UnitFiguresFragment[] }) {
  const words = messages.value.units;
  return (
    <>
      <h3>{words.below}</h3>
      {units.length === 0 && <p class="hint">{words.childless}</p>}
      <ul class="rows">
        {units.map((unit) => (
          <li key={unit.id}>
            <Child unit={unit} />
          </li>
        ))}
      </ul>
    </>
  );
}

/** A branch has nothing below it to look at; what happens in its meetings is its own. */
function Child({ unit }: { unit: UnitFiguresFragment }) {
  const content = (
    <>
      <span class="row-title">{unit.name}</span>
      <Figures unit={unit} />
    </>
  );
  if (unit.kind === "BRANCH") return <div class="row">{content}</div>;
  return (
    <a class="row" href={`/units/${unit.id}`}>
      {content}
    </a>
  );
}

function Totals({ unit }: { unit: UnitFiguresFragment }) {
  const words = messages.value.units;
  const { memberCount, meetingsInSession } = unit;
  if (memberCount === null || meetingsInSession === null) return null;
  return (
    <dl class="totals">
      <div>
        <dt>{words.membersTotal}</dt>
        <dd>{number(memberCount)}</dd>
      </div>
      <div class={meetingsInSession > 0 ? "live" : ""}>
        <dt>{words.inSessionTotal}</dt>
        <dd>{number(meetingsInSession)}</dd>
      </div>
    </dl>
  );
}

/** The server keeps figures from those who may not see the subtree. */
function Figures({ unit }: { unit: UnitFiguresFragment }) {
  const words = messages.value.units;
  const { memberCount: members, meetingsInSession: running } = unit;
  if (members === null || running === null) return null;
  return (
    <span class="row-facts">
      <span>{words.members(number(members), members === 1)}</span>
      {running > 0 && <span class="live">{words.inSession(number(running), running === 1)}</span>}
    </span>
  );
}
