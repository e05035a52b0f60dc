import { signal } from "@preact/signals";
import { RefreshSessionDocument } from "../gql/graphql";
import { serverNow } from "../server/clock";
import { request } from "../server/request";
import { whenPersonLeaves } from "./session";

/** When the session ends, by the server's clock (milliseconds since 1970); null while unknown. */
export const sessionEnd = signal<number | null>(null);

whenPersonLeaves(() => {
  sessionEnd.value = null;
});

/** Told with the viewer, as an instant. */
export function learnSessionEnd(instant: string): void {
  sessionEnd.value = Date.parse(instant);
}

/** Told on the socket, as `{"sessionEndsIn": seconds}` with a ping. */
export function learnFromPing(payload: unknown): void {
  const { sessionEndsIn } = (payload ?? {}) as { sessionEndsIn?: unknown };
  if (typeof sessionEndsIn === "number") sessionEnd.value = serverNow() + sessionEndsIn * 1_000;
}

/** Asks for more time; throws what `request` throws. */
export async function refreshSession(): Promise<void> {
  const { refreshSession } = await request(RefreshSessionDocument, {});
  learnSessionEnd(refreshSession.sessionExpiresAt);
}
