import { signal } from "@preact/signals";
import { type Client, createClient } from "graphql-ws";
import type { TypedDocumentString } from "../gql/graphql";
import { endSession, whenPersonLeaves } from "../session/session";
import { learnFromPing } from "../session/session-end";
import { tabToken } from "../session/token";
import { fateOf, NOT_ALLOWED, reconnectDelay } from "./close-codes";
import { pause } from "./pause";
import { type Problem, problemOf } from "./problem";
import { errorOf } from "./request";

const HEARTBEAT = 12_000;
const HEARTBEAT_ANSWER = 6_000;
const ACKNOWLEDGEMENT = 10_000;
const IDLE = 3_000;

/** The state of the socket, and when the server was last heard (milliseconds since 1970). */
export interface Link {
  down: boolean;
  heardAt: number | null;
}

export interface Watcher<Result> {
  push(result: Result): void;
  problem(problem: Problem): void;
}

export const link = signal<Link>({ down: false, heardAt: null });

let client: Client | null = null;

/** Keeps the watcher's picture fresh until the function returned is called. */
export function watch<Result, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  watcher: Watcher<Result>,
): () => void {
  client ??= connect();
  let left = false;
  const unsubscribe = client.subscribe<Result>(
    { query: document.toString(), variables },
    {
      next: ({ data, errors }) => {
        if (errors?.length) watcher.problem(problemOf(errorOf(errors)));
        else if (data) watcher.push(data);
      },
      error: (cause) => watcher.problem(explain(cause)),
      // Nothing here ends by itself: when the server ends it, the picture is no longer kept fresh.
      complete: () => left || watcher.problem("STOPPED"),
    },
  );
  return () => {
    left = true;
    unsubscribe();
  };
}

function connect(): Client {
  let closeCode: number | undefined;
  let overdue: ReturnType<typeof setTimeout> | undefined;

  return createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    connectionParams: () => {
      const token = tabToken();
      return token ? { token } : {};
    },
    lazyCloseTimeout: IDLE,
    keepAlive: HEARTBEAT,
    connectionAckWaitTimeout: ACKNOWLEDGEMENT,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: (cause) => fateOf(codeOf(cause)) === "reconnect",
    retryWait: (attempt) => pause(reconnectDelay(attempt, closeCode)),
    on: {
      connected: () => heard(),
      message: () => heard(),
      ping: (received, payload) => {
        if (received) learnFromPing(payload);
        else overdue = setTimeout(() => client?.terminate(), HEARTBEAT_ANSWER);
      },
      pong: () => clearTimeout(overdue),
      error: () => lost(),
      closed: (event) => {
        clearTimeout(overdue);
        closeCode = codeOf(event);
        // Where nothing is tried again nothing is promised: the watchers are told why.
        if (closeCode !== 1000 && fateOf(closeCode) === "reconnect") lost();
      },
    },
  });
}

function heard(): void {
  link.value = { down: false, heardAt: Date.now() };
}

function lost(): void {
  link.value = { ...link.value, down: true };
}

function codeOf(cause: unknown): number | undefined {
  return (cause as { code?: number } | null)?.code;
}

function explain(cause: unknown): Problem {
  if (Array.isArray(cause)) return problemOf(errorOf(cause));
  const code = codeOf(cause);
  if (fateOf(code) === "sign-in") endSession();
  return code === NOT_ALLOWED ? "NOT_ALLOWED" : "STOPPED";
}

// A phone that changes its network keeps a dead socket for minutes: do not wait for it.
addEventListener("offline", () => client?.terminate());

whenPersonLeaves(() => {
  // Rejects when there is no connection to close, which is as good.
  client?.dispose()?.then(undefined, () => {});
  client = null;
  link.value = { down: false, heardAt: null };
});
