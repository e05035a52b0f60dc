import { useEffect, useState } from "preact/hooks";
import { RecusedFromDocument } from "../gql/graphql";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { request } from "../server/request";

/** Who takes no part, told to the whole branch before the vote opens. */
export function RecusedFrom({ vote: { id } }: { vote: Vote }) {
  const [names, setNames] = useState<string[]>([]);
  useEffect(() => {
    let left = false;
    request(RecusedFromDocument, { voteId: id }).then(
      ({ vote }) => left || setNames(vote?.recused.map(({ name }) => name) ?? []),
      // The names stand in the roll as well, once the vote is open.
      () => {},
    );
    return () => {
      left = true;
    };
  }, [id]);
  if (names.length === 0) return null;
  return (
    <p class="note" data-testid="recused">
      {messages.value.voting.leftOut.RECUSED}: {names.join(", ")}
    </p>
  );
}
