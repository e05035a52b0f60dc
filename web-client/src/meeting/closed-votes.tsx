import { messages } from "../language/language";
import { LeadVote } from "../lead/lead-vote";
import { FinishedVote } from "../vote/vote-card";
import type { LiveMeeting } from "./live-meeting";
import type { Meeting, Vote } from "./newest";

interface ClosedVotesProps {
  live: LiveMeeting;
  meeting: Meeting;
  votes: Vote[];
}

export function ClosedVotes({ live, meeting, votes }: ClosedVotesProps) {
  if (votes.length === 0) return null;
  return (
    <section class="card results">
      <h2>{messages.value.meeting.results}</h2>
      {votes.map((vote) => (
        <FinishedVote key={vote.id} vote={vote}>
          <LeadVote live={live} meeting={meeting} vote={vote} />
        </FinishedVote>
      ))}
    </section>
  );
}
