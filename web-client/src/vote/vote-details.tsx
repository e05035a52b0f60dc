import { useEffect, useState } from "preact/hooks";
import { VoteDetailsDocument, type VoteDetailsQuery } from "../gql/graphql";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { type Problem, problemOf } from "../server/problem";
import { request } from "../server/request";
import { ProblemNote } from "../ui/problem-note";
import { fullLabelOf } from "./options";

type Details = NonNullable<VoteDetailsQuery["vote"]>;

const HEAD_SHOWN = 12;

/** Names, and what anybody can check; asked of the server when somebody opens them. */
export function VoteDetails({ vote }: { vote: Vote }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="details" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{messages.value.voting.result.details}</summary>
      {open && <Loaded vote={vote} />}
    </details>
  );
}

function Loaded({ vote }: { vote: Vote }) {
  const { details, problem } = useDetails(vote);
  if (problem) return <ProblemNote problem={problem} />;
  if (details === null) return <p class="hint">{messages.value.opening}</p>;
  return (
    <div class="details-parts">
      <NotInBase details={details} />
      <NoBallot details={details} />
      <Proxies details={details} />
      <Hands vote={vote} details={details} />
      <Record vote={vote} details={details} />
      <AuditHead head={details.auditHead} />
    </div>
  );
}

/**
 * Asked again when the vote has moved on, for example because its result was published. Every
 * ballot raises the version of an open vote, and tells nothing that is shown here.
 */
function useDetails({ id, version, revision, state }: Vote) {
  const moved = state === "OPEN" ? revision : version;
  const [details, setDetails] = useState<Details | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let left = false;
    request(VoteDetailsDocument, { id }).then(
      ({ vote }) => left || setDetails(vote),
      (error) => left || setProblem(problemOf(error)),
    );
    return () => {
      left = true;
    };
  }, [id, moved]);
  return { details, problem };
}

function NotInBase({ details: { outcome } }: { details: Details }) {
  const { result: words, notInBase } = messages.value.voting;
  if (outcome === null) return null;
  // Why is told to the officers of the branch only; everybody else is told how many.
  const count = outcome.leftOutOfBaseCount;
  const groups = groupedBy(outcome.leftOutOfBase, ({ why }) => notInBase[why]);
  return (
    <section>
      <h4>{words.notInBase}</h4>
      {groups.length > 0 ? <Groups groups={groups} /> : <p>{words.outOfBase(count)}</p>}
    </section>
  );
}

function NoBallot({ details: { roll } }: { details: Details }) {
  const { result: words, leftOut } = messages.value.voting;
  const groups = groupedBy(roll, (line) =>
    line.leftOut ? leftOut[line.leftOut] : line.isEntitled ? null : words.notEntitled,
  );
  const late = groupedBy(roll, (line) => (line.amendedAt ? words.lateComers : null));
  const suspended = groupedBy(roll, (line) => (line.suspendedAt ? words.suspendedMeanwhile : null));
  const all = [...groups, ...suspended, ...late];
  if (all.length === 0) return null;
  return (
    <section>
      <h4>{words.noBallot}</h4>
      <Groups groups={all} />
    </section>
  );
}

/** Holders carry the votes of those who are away. */
function Proxies({ details: { roll } }: { details: Details }) {
  const { result: words } = messages.value.voting;
  const holders = groupedBy(roll, (line) => line.representedBy?.name ?? null);
  if (holders.length === 0) return null;
  return (
    <section>
      <h4>{words.proxies}</h4>
      <ul>
        {holders.map(([holder, givers]) => (
          <li key={holder}>{words.proxy(holder, givers.join(", "))}</li>
        ))}
      </ul>
    </section>
  );
}

function Hands({ vote, details: { hands } }: { vote: Vote; details: Details }) {
  const { result: words } = messages.value.voting;
  if (hands.length === 0) return null;
  const groups = vote.options.map((option): Group => {
    const raised = hands.filter(({ optionId }) => optionId === option.id);
    return [fullLabelOf(option), raised.map(({ member }) => member.name)];
  });
  return (
    <section data-testid="hands">
      <h4>{words.hands}</h4>
      <Groups groups={groups.filter(([, names]) => names.length > 0)} />
    </section>
  );
}

function Record({ vote, details: { record } }: { vote: Vote; details: Details }) {
  const { result: words, validities } = messages.value.voting;
  if (record === null) return null;
  return (
    <section>
      <h4>{words.record}</h4>
      <ul class="record">
        {record.map(({ tracker, validity, choices, member }) => (
          <li key={tracker}>
            <span class="person-name">{member.name}</span>
            <span>
              {validity === "VALID"
                ? vote.options
                    .filter(({ id }) => choices.includes(id))
                    .map(fullLabelOf)
                    .join(", ")
                : validities[validity]}
            </span>
            <code>{tracker}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}

function AuditHead({ head }: { head: string | null }) {
  const { result: words } = messages.value.voting;
  if (head === null) return null;
  return (
    <p>
      {words.head} <code data-testid="audit-head">{head.slice(0, HEAD_SHOWN)}</code>
      <br />
      <span class="hint">{words.headHint}</span>
    </p>
  );
}

type Group = [why: string, names: string[]];

function Groups({ groups }: { groups: Group[] }) {
  return (
    <dl class="groups">
      {groups.map(([why, names]) => (
        <div key={why}>
          <dt>{why}</dt>
          <dd>{names.join(", ")}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Names under what `why` says of each; whoever it says nothing of is in no group. */
function groupedBy<Line extends { member: { name: string } }>(
  lines: Line[],
  why: (line: Line) => string | null,
): Group[] {
  const groups = new Map<string, string[]>();
  for (const line of lines) {
    const reason = why(line);
    if (reason !== null) groups.set(reason, [...(groups.get(reason) ?? []), line.member.name]);
  }
  return [...groups];
}
