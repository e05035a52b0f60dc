import { useEffect, useId, useState } from "preact/hooks";
import {
  type UnitTurnoutFragment,
  WatchUnitDocument,
  type WatchUnitSubscription,
} from "../gql/graphql";
import { number } from "../language/format";
import { messages } from "../language/language";
import { watch } from "../server/live";
import type { Problem } from "../server/problem";
import { ProblemNote } from "../ui/problem-note";

type UnitLive = WatchUnitSubscription["unitLive"];

/** What happens in the meetings of a unit and of all below it, as it happens. */
export function UnitLivePanel({ unitId }: { unitId: string }) {
  const { live, problem } = useUnitLive(unitId);
  const words = messages.value.units;
  const heading = useId();
  if (live === null) return <ProblemNote problem={problem} />;
  const running = live.children.filter(isRunning);
  const isAnyHidden = [live, ...running].some((unit) => isRunning(unit) && hasHidden(unit));
  return (
    <section class="units" aria-labelledby={heading}>
      <h3 id={heading}>{words.live}</h3>
      <ProblemNote problem={problem} />
      {isRunning(live) ? <Totals unit={live} /> : <p class="hint">{words.quiet}</p>}
      <OtherMeetings unit={live} />
      {running.length > 0 && (
        <ul class="rows">
          {running.map((unit) => (
            <li key={unit.unit.id}>
              <Child unit={unit} />
            </li>
          ))}
        </ul>
      )}
      {isAnyHidden && <p class="hint">{words.fewHint}</p>}
    </section>
  );
}

function useUnitLive(unitId: string) {
  const [live, setLive] = useState<UnitLive | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(
    () =>
      watch(
        WatchUnitDocument,
        { id: unitId },
        {
          push: ({ unitLive }) => {
            setLive(unitLive);
            setProblem(null);
          },
          problem: setProblem,
        },
      ),
    [unitId],
  );
  return { live, problem };
}

function isRunning({ meetings }: UnitTurnoutFragment): boolean {
  return meetings.inSession + meetings.paused > 0;
}

function hasHidden({ summoned, present, connected }: UnitTurnoutFragment): boolean {
  return summoned === null || present === null || connected === null;
}

function Totals({ unit }: { unit: UnitTurnoutFragment }) {
  const words = messages.value.units;
  const { meetings, openVotes, summoned, present, connected } = unit;
  return (
    <dl class="totals">
      <Total name={words.inSessionTotal} value={number(meetings.inSession)} />
      <Total name={words.openVotesTotal} value={number(openVotes)} />
      <Total name={words.presentTotal} value={ofSummoned(present, summoned)} />
      <Total name={words.connectedTotal} value={shown(connected)} />
    </dl>
  );
}

function Total({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function OtherMeetings({ unit }: { unit: UnitTurnoutFragment }) {
  const words = messages.value.units;
  const { scheduled, paused, closed } = unit.meetings;
  return (
    <p class="row-facts">
      {scheduled > 0 && <span>{words.scheduled(number(scheduled), scheduled === 1)}</span>}
      {paused > 0 && <span>{words.paused(number(paused))}</span>}
      {closed > 0 && <span>{words.closed(number(closed))}</span>}
    </p>
  );
}

function Child({ unit }: { unit: UnitTurnoutFragment }) {
  const words = messages.value.units;
  const { meetings, openVotes, summoned, present } = unit;
  return (
    <div class="row">
      <span class="row-title">{unit.unit.name}</span>
      <span class="row-facts">
        {meetings.inSession > 0 && (
          <span class="live">
            {words.inSession(number(meetings.inSession), meetings.inSession === 1)}
          </span>
        )}
        {meetings.paused > 0 && <span>{words.paused(number(meetings.paused))}</span>}
        {openVotes > 0 && <span>{words.openVotes(number(openVotes), openVotes === 1)}</span>}
        {present !== null && summoned !== null && (
          <span>{words.present(number(present), number(summoned))}</span>
        )}
      </span>
    </div>
  );
}

function shown(figure: number | null): string {
  return figure === null ? messages.value.units.few : number(figure);
}

function ofSummoned(present: number | null, summoned: number | null): string {
  if (present === null || summoned === null) return shown(present);
  return `${number(present)}/${number(summoned)}`;
}
