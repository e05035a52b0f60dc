import { NominateDocument, PrepareVoteDocument, type VoteDraft } from "../gql/graphql";
import type { LiveMeeting } from "../meeting/live-meeting";
import { accepted } from "../server/problem";
import { request } from "../server/request";

export async function prepareVote(live: LiveMeeting, draft: VoteDraft): Promise<void> {
  const { prepareVote } = await request(PrepareVoteDocument, { draft });
  live.receiveVote(accepted(prepareVote));
}

export async function nominate(live: LiveMeeting, voteId: string, name: string): Promise<void> {
  const { nominate } = await request(NominateDocument, { voteId, name });
  live.receiveVote(accepted(nominate));
}
