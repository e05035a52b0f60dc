import { SignInDocument, ViewerDocument } from "../gql/graphql";
import { reconnectDelay } from "../server/close-codes";
import { pause } from "../server/pause";
import { accepted, problemOf, SignedOut } from "../server/problem";
import { request, send } from "../server/request";
import type { SignInLink } from "./link";
import { forgetPerson, session } from "./session";
import { learnSessionEnd } from "./session-end";
import { keepTabToken } from "./token";

/** Milliseconds without an answer; the asking goes on. */
const SAYS_SO_AFTER = 10_000;

const ATTEMPTS = 5;

/** Asks the server who we are, for as long as it takes to get an answer. */
export async function openSession(): Promise<void> {
  const late = setTimeout(() => {
    if (session.value.state === "opening") session.value = { state: "unreachable" };
  }, SAYS_SO_AFTER);
  try {
    await askWhoWeAre();
  } finally {
    clearTimeout(late);
  }
}

async function askWhoWeAre(): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { viewer } = await request(ViewerDocument, {});
      if (viewer) learnSessionEnd(viewer.sessionExpiresAt);
      session.value = viewer
        ? { state: "signed-in", viewer: viewer.member }
        : { state: "signed-out", ended: false };
      return;
    } catch (error) {
      if (error instanceof SignedOut) return;
      session.value = { state: "unreachable" };
      await pause(reconnectDelay(attempt, undefined));
    }
  }
}

/**
 * Makes this tab the person whom the demo's link is for. A card's code is for whoever is not signed
 * in: no link makes somebody another person unnoticed.
 */
export async function followSignInLink(link: SignInLink): Promise<void> {
  if ("token" in link) {
    forgetPerson();
    keepTabToken(link.token);
    session.value = { state: "opening" };
  }
  await openSession();
  if ("code" in link && session.value.state === "signed-out") {
    session.value = { ...session.value, code: link.code };
  }
}

/** Exchanges an activation code for the cookie; throws what `request` throws. */
export async function signInWithCode(code: string): Promise<void> {
  const token = await useCode(code);
  await send("POST", "/session", null, token);
  forgetPerson();
  await openSession();
}

/** In a full hall there may be no room at once: come again when the server says so. */
async function useCode(code: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { signIn } = await request(SignInDocument, { code });
    const isBusy = "reason" in signIn && signIn.reason === "TRY_AGAIN_LATER";
    if (!isBusy || attempt === ATTEMPTS) return accepted(signIn).token;
    const { seconds = 1 } = signIn.details as { seconds?: number };
    await pause(seconds * 1_000 * (0.5 + Math.random() / 2));
  }
}

/** Throws `Unreachable` when the server could not be told: the session would live on. */
export async function signOut(): Promise<void> {
  try {
    await send("DELETE", "/session");
  } catch (error) {
    if (problemOf(error) === "UNREACHABLE") throw error;
  }
  forgetPerson();
  session.value = { state: "signed-out", ended: false };
}
