import { useEffect, useState } from "preact/hooks";
import { dateAndTime } from "../language/format";
import { messages } from "../language/language";
import { Confirm } from "../ui/confirm";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { useTitle } from "../ui/use-title";
import {
  endAllSessions,
  endOtherSessions,
  endSession,
  listSessions,
  type OwnSession,
} from "./sessions";
import { words } from "./words";

interface Question {
  title: string;
  consequence: string;
  act(): Promise<void>;
}

/** Where the person is signed in; any of it can be ended, after a question. */
export function SessionsScreen() {
  const { busy, problem, act } = useAct();
  const [found, setFound] = useState<OwnSession[] | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const said = words.value;
  useTitle(said.title);
  const load = async () => setFound(await listSessions());
  useEffect(() => void act(load), []);

  const end = (title: string, ending: () => Promise<void>) =>
    setQuestion({
      title,
      consequence: said.consequence,
      act: async () => {
        await ending();
        await load();
      },
    });
  const endAll = () =>
    setQuestion({
      title: said.confirmAll,
      consequence: said.consequenceOfAll,
      act: endAllSessions,
    });
  const confirm = () => {
    const asked = question;
    setQuestion(null);
    if (asked) void act(asked.act);
  };
  return (
    <section class="home" aria-busy={busy}>
      <h1>{said.title}</h1>
      <p>{said.explanation}</p>
      <ProblemNote problem={problem} />
      {found === null && problem === null && <p class="hint">{messages.value.opening}</p>}
      <div class="card">
        <ul class="rows" data-testid="sessions">
          {found?.map((one) => (
            <Row
              key={one.id}
              session={one}
              onEnd={(device) => end(said.confirmOne(device), () => endSession(one.id))}
            />
          ))}
        </ul>
      </div>
      {found !== null && (
        <div class="choices">
          {found.length > 1 && (
            <button
              type="button"
              class="button"
              onClick={() => end(said.confirmOthers, endOtherSessions)}
            >
              {said.endOthers}
            </button>
          )}
          <button type="button" class="button" onClick={endAll}>
            {said.endAll}
          </button>
        </div>
      )}
      <a href="/">{said.home}</a>
      <Confirm
        title={question?.title ?? ""}
        action={said.end}
        open={question !== null}
        onConfirm={confirm}
        onCancel={() => setQuestion(null)}
      >
        <p>{question?.consequence}</p>
      </Confirm>
    </section>
  );
}

function Row({ session, onEnd }: { session: OwnSession; onEnd(device: string): void }) {
  const said = words.value;
  const device = session.device ?? said.unknown;
  const when = dateAndTime(session.createdAt);
  return (
    <li class="row session-row">
      <span class="row-title">{device}</span>
      <span class="row-facts">
        {session.isCurrent && <span class="live">{said.current}</span>}
        <span>{said.since(when)}</span>
      </span>
      {!session.isCurrent && (
        <button
          type="button"
          class="button"
          aria-label={said.endOne(device, when)}
          onClick={() => onEnd(device)}
        >
          {said.end}
        </button>
      )}
    </li>
  );
}
