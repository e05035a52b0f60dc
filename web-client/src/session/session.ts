import { signal } from "@preact/signals";
import { tabStore } from "../device/storage";
import type { ViewerQuery } from "../gql/graphql";

export type Viewer = NonNullable<ViewerQuery["viewer"]>["member"];

export type Session =
  | { state: "opening" }
  | { state: "unreachable" }
  | { state: "signed-out"; ended: boolean; code?: string }
  | { state: "signed-in"; viewer: Viewer };

export const session = signal<Session>({ state: "opening" });

const partings: (() => void)[] = [];

/** Registers what must be dropped when the person at this tab leaves or changes. */
export function whenPersonLeaves(part: () => void): void {
  partings.push(part);
}

/** Leaves nothing of the person in this tab, neither stored nor in memory. */
export function forgetPerson(): void {
  for (const key of tabStore.keys()) tabStore.remove(key);
  for (const part of partings) part();
}

/** The server refused what we signed in with: back to the sign-in screen, with an explanation. */
export function endSession(): void {
  forgetPerson();
  session.value = { state: "signed-out", ended: true };
}
