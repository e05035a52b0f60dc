import { number } from "../language/format";
import { messages } from "../language/language";
import { LeadVote } from "../lead/lead-vote";
import { VoteCard } from "../vote/vote-card";
import { currentItem, votesOnStage } from "./agenda";
import type { MeetingProps } from "./meeting-page";

/** What the meeting is about now, large, with its votes. */
export function CurrentItem({ live, meeting, viewer }: MeetingProps) {
  const item = currentItem(meeting);
  if (item === null) return null;
  const words = messages.value.meeting;
  const position = number(meeting.agenda.indexOf(item) + 1);
  return (
    <section class="current-item" aria-label={words.current}>
      <p class="eyebrow">{words.currentOf(position, number(meeting.agenda.length))}</p>
      <h2 data-testid="current-item">{item.title}</h2>
      {votesOnStage(meeting).map((vote) => (
        <VoteCard key={vote.id} vote={vote} standing={viewer.standing}>
          <LeadVote live={live} meeting={meeting} vote={vote} />
        </VoteCard>
      ))}
    </section>
  );
}
