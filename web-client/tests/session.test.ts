import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetPerson, session } from "../src/session/session";
import { followSignInLink, openSession, signInWithCode, signOut } from "../src/session/sign-in";
import { tabToken } from "../src/session/token";
import { answerInTurn } from "./server";

const member = { id: "lan", name: "Lan", standing: "FULL", unit: null, appointments: [] };
const signedIn = { data: { viewer: { member, sessionExpiresAt: "2026-11-03T13:00:00Z" } } };
const nobody = { data: { viewer: null } };

beforeEach(() => {
  forgetPerson();
  session.value = { state: "opening" };
});

afterEach(() => vi.unstubAllGlobals());

test("a token in a link signs this tab in, and only this tab", async () => {
  const asked = answerInTurn(signedIn);
  await followSignInLink({ token: "secret" });
  expect(session.value.state).toBe("signed-in");
  expect(tabToken()).toBe("secret");
  expect(asked[0]?.headers.Authorization).toBe("Bearer secret");
});

test("a code in a link waits for whoever is not signed in", async () => {
  answerInTurn(nobody);
  await followSignInLink({ code: "7K9Q2M" });
  expect(session.value).toEqual({ state: "signed-out", ended: false, code: "7K9Q2M" });
});

test("a code in a link makes nobody another person", async () => {
  const asked = answerInTurn(signedIn);
  await followSignInLink({ code: "7K9Q2M" });
  expect(session.value).toEqual({ state: "signed-in", viewer: member });
  expect(asked).toHaveLength(1);
});

test("a code is exchanged for the cookie, and the token is forgotten", async () => {
  const asked = answerInTurn({ data: { signIn: { token: "fresh" } } }, 204, signedIn);
  await signInWithCode("7K9Q2M");
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /graphql",
    "POST /session",
    "POST /graphql",
  ]);
  expect(asked[1]?.headers.Authorization).toBe("Bearer fresh");
  expect(asked[2]?.headers.Authorization).toBeUndefined();
  expect(JSON.stringify({ ...sessionStorage })).not.toContain("fresh");
  expect(session.value.state).toBe("signed-in");
});

test("where too many sign in at once it comes again when the server says so", async () => {
  vi.useFakeTimers();
  const busy = { reason: "TRY_AGAIN_LATER", details: { seconds: 3 } };
  const token = { data: { signIn: { token: "fresh" } } };
  const asked = answerInTurn({ data: { signIn: busy } }, token, 204, signedIn);
  const signingIn = signInWithCode("7K9Q2M");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(3_000);
  await signingIn;
  expect(session.value.state).toBe("signed-in");
  vi.useRealTimers();
});

test("it does not come again for ever", async () => {
  vi.useFakeTimers();
  const busy = { data: { signIn: { reason: "TRY_AGAIN_LATER", details: { seconds: 3 } } } };
  const asked = answerInTurn(busy, busy, busy, busy, busy, busy);
  const refused = expect(signInWithCode("7K9Q2M")).rejects.toThrow("TRY_AGAIN_LATER");
  await vi.advanceTimersByTimeAsync(60_000);
  await refused;
  expect(asked).toHaveLength(5);
  vi.useRealTimers();
});

test("every request carries the header that foreign pages cannot send", async () => {
  const asked = answerInTurn(nobody, 204);
  await openSession();
  await signOut();
  expect(asked.map(({ headers }) => headers["X-Requested-By"])).toEqual([
    "branch-meetings",
    "branch-meetings",
  ]);
});

test("a visitor who never signed in sees no talk of an ended session", async () => {
  answerInTurn(nobody);
  await openSession();
  expect(session.value).toEqual({ state: "signed-out", ended: false });
});

test("a session that the server ended leads to the sign-in screen with an explanation", async () => {
  answerInTurn(401);
  await followSignInLink({ token: "old" });
  expect(session.value).toEqual({ state: "signed-out", ended: true });
  expect(tabToken()).toBeNull();
});

test("signing out leaves nothing of the person in storage", async () => {
  answerInTurn(signedIn, 204);
  await followSignInLink({ token: "secret" });
  expect(session.value.state).toBe("signed-in");
  sessionStorage.setItem("ballot:vote", "{}");
  await signOut();
  expect(session.value).toEqual({ state: "signed-out", ended: false });
  expect(Object.keys(sessionStorage).filter((key) => !key.startsWith("setting:"))).toEqual([]);
});

test("who cannot be signed out is told, and stays", async () => {
  answerInTurn(signedIn, "no answer");
  await followSignInLink({ token: "secret" });
  expect(session.value.state).toBe("signed-in");
  await expect(signOut()).rejects.toThrow("No answer.");
  expect(session.value.state).toBe("signed-in");
});
