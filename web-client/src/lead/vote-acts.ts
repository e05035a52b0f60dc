import {
  AmendRollDocument,
  AnnulVoteDocument,
  BreakTieDocument,
  CloseVoteDocument,
  ConfirmAnnulmentDocument,
  ExtendVoteDocument,
  type HandsInput,
  OpenVoteDocument,
  PublishVoteDocument,
  RecordHandsDocument,
  RepeatVoteDocument,
  TakeBackHandsDocument,
  WithdrawAnnulmentDocument,
} from "../gql/graphql";
import type { LiveMeeting } from "../meeting/live-meeting";
import { accepted } from "../server/problem";
import { request } from "../server/request";

// What a chair does to a vote, as in `meeting/acts.ts`.

export async function openVote(live: LiveMeeting, voteId: string): Promise<void> {
  const { openVote } = await request(OpenVoteDocument, { voteId });
  live.receiveVote(accepted(openVote));
}

export async function closeVote(live: LiveMeeting, voteId: string): Promise<void> {
  const { closeVote } = await request(CloseVoteDocument, { voteId });
  live.receiveVote(accepted(closeVote));
}

export async function extendVote(
  live: LiveMeeting,
  voteId: string,
  closesAt: string,
): Promise<void> {
  const { extendVote } = await request(ExtendVoteDocument, { voteId, closesAt });
  live.receiveVote(accepted(extendVote));
}

export async function amendRoll(
  live: LiveMeeting,
  voteId: string,
  memberId: string,
): Promise<void> {
  const { amendRoll } = await request(AmendRollDocument, { voteId, memberId });
  live.receiveVote(accepted(amendRoll));
}

export async function recordHands(
  live: LiveMeeting,
  voteId: string,
  hands: HandsInput[],
): Promise<void> {
  const { recordHands } = await request(RecordHandsDocument, { voteId, hands });
  live.receiveVote(accepted(recordHands));
}

export async function takeBackHands(
  live: LiveMeeting,
  voteId: string,
  memberIds: string[],
): Promise<void> {
  const { takeBackHands } = await request(TakeBackHandsDocument, { voteId, memberIds });
  live.receiveVote(accepted(takeBackHands));
}

/** Either what was chosen or the order of seniority; a lot needs neither. */
export async function breakTie(
  live: LiveMeeting,
  voteId: string,
  breaker: { chosen: string[]; seniority: string[] },
): Promise<void> {
  const { breakTie } = await request(BreakTieDocument, { voteId, ...breaker });
  live.receiveVote(accepted(breakTie));
}

export async function publishVote(live: LiveMeeting, voteId: string): Promise<void> {
  const { publishVote } = await request(PublishVoteDocument, { voteId });
  live.receiveVote(accepted(publishVote));
}

export async function annulVote(live: LiveMeeting, voteId: string, reason: string): Promise<void> {
  const { annulVote } = await request(AnnulVoteDocument, { voteId, reason });
  live.receiveVote(accepted(annulVote));
}

export async function confirmAnnulment(live: LiveMeeting, voteId: string): Promise<void> {
  const { confirmAnnulment } = await request(ConfirmAnnulmentDocument, { voteId });
  const { vote } = accepted(confirmAnnulment);
  if (vote) live.receiveVote(vote);
}

export async function withdrawAnnulment(live: LiveMeeting, voteId: string): Promise<void> {
  const { withdrawAnnulment } = await request(WithdrawAnnulmentDocument, { voteId });
  const { vote } = accepted(withdrawAnnulment);
  if (vote) live.receiveVote(vote);
}

export async function repeatVote(live: LiveMeeting, voteId: string): Promise<void> {
  const { repeatVote } = await request(RepeatVoteDocument, { voteId });
  live.receiveVote(accepted(repeatVote));
}
