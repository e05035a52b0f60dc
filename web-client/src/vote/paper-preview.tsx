import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { candidatesOf, labelOf, linesOf } from "./options";

/** Who stands or what can be chosen, before the vote opens. The answers to a motion are known. */
export function PaperPreview({ vote }: { vote: Vote }) {
  const words = messages.value.voting.paper;
  if (vote.rule.method === "FOR_AGAINST_ABSTAIN") return null;
  const lines =
    vote.rule.method === "YES_NO_PER_CANDIDATE"
      ? candidatesOf(vote).map(({ name }) => name)
      : vote.options.map(labelOf);
  const title = words[linesOf(vote)];
  return (
    <section class="preview" aria-label={title}>
      <h4>{title}</h4>
      {lines.length === 0 && <p class="hint">{words.noCandidates}</p>}
      <ol>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ol>
    </section>
  );
}
