import { useCallback, useState } from "preact/hooks";
import {
  AnnulmentsDocument,
  type AnnulmentsQuery,
  ConfirmAnnulmentBelowDocument,
} from "../gql/graphql";
import { messages } from "../language/language";
import { accepted } from "../server/problem";
import { request } from "../server/request";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { useRefresh } from "../ui/use-refresh";

const EVERY = 20_000;

type Annulment = NonNullable<AnnulmentsQuery["annulments"]>[number];

/** What a branch below would annul and has no second officer for; without a figure of it. */
export function Annulments() {
  const { annulments, load } = useAnnulments();
  const { busy, problem, act } = useAct();
  const { lead: words, result } = messages.value.voting;
  if (annulments.length === 0) return null;
  const confirm = (voteId: string) =>
    act(async () => {
      accepted((await request(ConfirmAnnulmentBelowDocument, { voteId })).confirmAnnulment);
      await load();
    });
  return (
    <section class="card" data-testid="annulments">
      <h2>{words.annulments}</h2>
      <ProblemNote problem={problem} />
      {annulments.map(({ voteId, unit, question, why, proposedBy }) => (
        <article key={voteId}>
          <h3>
            {unit}: {question}
          </h3>
          <p>{result.proposed(proposedBy)}</p>
          <p>{result.reason(why)}</p>
          <button
            type="button"
            class="button"
            aria-disabled={busy}
            aria-label={`${words.confirmAnnulment}: ${question}`}
            onClick={() => confirm(voteId)}
          >
            {words.confirmAnnulment}
          </button>
        </article>
      ))}
    </section>
  );
}

function useAnnulments() {
  const [annulments, setAnnulments] = useState<Annulment[]>([]);
  const load = useCallback(async () => {
    const { annulments } = await request(AnnulmentsDocument, {});
    setAnnulments(annulments ?? []);
  }, []);
  useRefresh(
    // The figures beside it say what is wrong with the connection.
    useCallback(() => void load().catch(() => {}), [load]),
    EVERY,
  );
  return { annulments, load };
}
