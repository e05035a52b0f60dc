import {
  CheckInDocument,
  CloseMeetingDocument,
  ConfirmAttendanceDocument,
  GiveProxyDocument,
  MoveAgendaDocument,
  PauseMeetingDocument,
  StartMeetingDocument,
} from "../gql/graphql";
import { accepted } from "../server/problem";
import { request } from "../server/request";
import type { LiveMeeting } from "./live-meeting";

// What people do to a meeting. Each asks the server and shows the state it answers with;
// each throws what `request` throws, and `Declined` when the rules say no.

export async function checkIn(live: LiveMeeting, meetingId: string): Promise<void> {
  const { checkIn } = await request(CheckInDocument, { meetingId });
  live.receiveMeeting(accepted(checkIn));
}

export async function startMeeting(live: LiveMeeting, meetingId: string): Promise<void> {
  const { startMeeting } = await request(StartMeetingDocument, { meetingId });
  live.receiveMeeting(accepted(startMeeting));
}

export async function pauseMeeting(live: LiveMeeting, meetingId: string): Promise<void> {
  const { pauseMeeting } = await request(PauseMeetingDocument, { meetingId });
  live.receiveMeeting(accepted(pauseMeeting));
}

export async function closeMeeting(live: LiveMeeting, meetingId: string): Promise<void> {
  const { closeMeeting } = await request(CloseMeetingDocument, { meetingId });
  live.receiveMeeting(accepted(closeMeeting));
}

export async function moveAgenda(
  live: LiveMeeting,
  meetingId: string,
  itemId: string,
): Promise<void> {
  const { moveAgenda } = await request(MoveAgendaDocument, { meetingId, itemId });
  live.receiveMeeting(accepted(moveAgenda));
}

/** Lets another member vote for the viewer, instead of whom they named before. */
export async function giveProxy(
  live: LiveMeeting,
  meetingId: string,
  holderId: string,
): Promise<void> {
  const { giveProxy } = await request(GiveProxyDocument, { meetingId, holderId });
  live.receiveMeeting(accepted(giveProxy));
}

/** The roll call that shows it is pushed. */
export async function confirmAttendance(
  meetingId: string,
  memberId: string,
  isPresent: boolean,
): Promise<void> {
  const variables = { meetingId, memberId, isPresent };
  const { confirmAttendance } = await request(ConfirmAttendanceDocument, variables);
  accepted(confirmAttendance);
}
