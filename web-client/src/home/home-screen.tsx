import { messages } from "../language/language";
import type { Viewer } from "../session/session";
import { signOut } from "../session/sign-in";
import { useViewer } from "../session/viewer";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { useTitle } from "../ui/use-title";
import { BranchMeetings } from "./branch-meetings";
import { UnitFigures } from "./unit-figures";

export function HomeScreen() {
  const viewer = useViewer();
  const { home, roles } = messages.value;
  useTitle(home.title);
  const { unit, appointments } = viewer;
  return (
    <div class="home">
      <header class="home-heading">
        <h1>{home.greeting(viewer.name)}</h1>
        {appointments.map(({ role, unit }) => (
          <p key={`${role} ${unit.id}`} class="hint">
            {home.roleIn(roles[role], unit.name)}
          </p>
        ))}
        {unit && appointments.length === 0 && <p class="hint">{unit.name}</p>}
      </header>
      {unitsLedAbove(viewer).map((unitId) => (
        <UnitFigures key={unitId} unitId={unitId} />
      ))}
      {unit?.kind === "BRANCH" && <BranchMeetings unitId={unit.id} />}
      <SignOut />
    </div>
  );
}

/** Units that are not branches: their officers see figures, not meetings. */
function unitsLedAbove({ appointments }: Viewer): string[] {
  const ids = appointments.filter(({ unit }) => unit.kind !== "BRANCH").map(({ unit }) => unit.id);
  return [...new Set(ids)];
}

function SignOut() {
  const { busy, problem, act } = useAct();
  return (
    <footer class="sign-out">
      <ProblemNote problem={problem} />
      <a href="/sessions">{messages.value.home.sessions}</a>
      <button type="button" class="button" aria-disabled={busy} onClick={() => act(signOut)}>
        {messages.value.home.signOut}
      </button>
    </footer>
  );
}
