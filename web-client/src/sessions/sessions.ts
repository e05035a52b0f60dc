import {
  EndOtherSessionsDocument,
  EndSessionDocument,
  SessionsDocument,
  type SessionsQuery,
} from "../gql/graphql";
import { accepted } from "../server/problem";
import { request } from "../server/request";
import { signOut } from "../session/sign-in";

export type OwnSession = NonNullable<SessionsQuery["viewer"]>["sessions"][number];

/** Where the person is signed in, the newest first; throws what `request` throws, as all below. */
export async function listSessions(): Promise<OwnSession[]> {
  const { viewer } = await request(SessionsDocument, {});
  return viewer?.sessions ?? [];
}

/** Ends one that is gone already as well: what matters is that it is over. */
export async function endSession(sessionId: string): Promise<void> {
  const { endSession } = await request(EndSessionDocument, { sessionId });
  if ("reason" in endSession && endSession.reason === "NOT_FOUND") return;
  accepted(endSession);
}

export async function endOtherSessions(): Promise<void> {
  accepted((await request(EndOtherSessionsDocument, {})).endOtherSessions);
}

/** Here as well, which drops the cookie. */
export async function endAllSessions(): Promise<void> {
  await endOtherSessions();
  await signOut();
}
