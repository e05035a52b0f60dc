import { number } from "../language/format";
import { messages } from "../language/language";
import { VoteCard } from "../vote/vote-card";
import { currentItem, votesOf } from "./agenda";
import { LeadVote } from "./lead-vote";
import type { MeetingProps } from "./meeting-page";
import type { Vote } from "./newest";

const ORDER: readonly Vote["state"][] = ["OPEN", "PREPARED", "CLOSED"];

/** What the meeting is about now, large, with its votes: the open one first. */
export function CurrentItem({ live, meeting, viewer }: MeetingProps) {
  const item = currentItem(meeting);
  if (item === null) return null;
  const words = messages.value.meeting;
  const position = number(meeting.agenda.indexOf(item) + 1);
  const votes = votesOf(meeting, item).sort(
    (one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state),
  );
  return (
    <section class="current-item" aria-label={words.current}>
      <p class="eyebrow">{words.currentOf(position, number(meeting.agenda.length))}</p>
      <h2 data-testid="current-item">{item.title}</h2>
      {votes.map((vote) => (
        <VoteCard key={vote.id} vote={vote} standing={viewer.standing}>
          <LeadVote live={live} meeting={meeting} vote={vote} />
        </VoteCard>
      ))}
    </section>
  );
}
