import { messages } from "../language/language";
import { FinishedVote } from "../vote/vote-card";
import type { Vote } from "./newest";

export function ClosedVotes({ votes }: { votes: Vote[] }) {
  if (votes.length === 0) return null;
  return (
    <section class="card results">
      <h2>{messages.value.meeting.results}</h2>
      {votes.map((vote) => (
        <FinishedVote key={vote.id} vote={vote} />
      ))}
    </section>
  );
}
