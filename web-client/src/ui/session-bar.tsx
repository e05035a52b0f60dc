import { useState } from "preact/hooks";
import { clock } from "../language/format";
import { messages } from "../language/language";
import { serverNow } from "../server/clock";
import { session } from "../session/session";
import { refreshSession, sessionEnd } from "../session/session-end";
import { ProblemNote } from "./problem-note";
import { useAct } from "./use-act";
import { useNow } from "./use-now";

const NOTICE = 120_000;

/** Tells two minutes ahead that the session ends, while there is time to stay. */
export function SessionBar() {
  const end = sessionEnd.value;
  if (session.value.state !== "signed-in" || end === null) return null;
  return <EndingSoon end={end} />;
}

function EndingSoon({ end }: { end: number }) {
  const left = end - useNow(serverNow);
  const { busy, problem, act } = useAct();
  const [asked, setAsked] = useState(false);
  const words = messages.value.session;
  if (left <= 0 || left > NOTICE) return null;
  const stay = async () => {
    await refreshSession();
    setAsked(true);
  };
  // It was asked for and did not help: no session lasts longer than the server allows.
  const isLast = asked && problem === null;
  return (
    <section class="session-bar" data-testid="session-bar">
      <p role="status">{isLast ? words.last : words.endsSoon}</p>
      <p class="session-left" role="timer">
        {words.left(clock(left))}
      </p>
      <ProblemNote problem={problem} />
      {!isLast && (
        <button type="button" class="button" aria-disabled={busy} onClick={() => act(stay)}>
          {words.stay}
        </button>
      )}
    </section>
  );
}
