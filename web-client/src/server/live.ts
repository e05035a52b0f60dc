import { signal } from "@preact/signals";
import { type Client, createClient } from "graphql-ws";
import type { TypedDocumentString } from "../gql/graphql";
import { endSession, whenPersonLeaves } from "../session/session";
import { learnFromPing } from "../session/session-end";
import { tabToken } from "../session/token";
import { askTimeIfInDoubt } from "./ask-time";
import { fateOf, NOT_ALLOWED, reconnectDelay } from "./close-codes";
import { pause } from "./pause";
import { type Problem, problemOf } from "./problem";
import { errorOf } from "./request";
import { whenWoken } from "./wake";

const HEARTBEAT = 12_000;
const HEARTBEAT_ANSWER = 6_000;
const ACKNOWLEDGEMENT = 10_000;
const IDLE = 3_000;
/** What a woken page waits for an answer; and how long before it says that it waits. */
const WAKING_ANSWER = 2_000;
const WAKING_QUIET = 300;
/** Close code of graphql-ws where we end the socket ourselves. */
const TERMINATED = 4499;

/** The state of the socket, and when the server was last heard (milliseconds since 1970). */
export interface Link {
  down: boolean;
  /** The page has woken up, and the server has not answered yet. */
  inDoubt: boolean;
  heardAt: number | null;
}

export interface Watcher<Result> {
  push(result: Result): void;
  problem(problem: Problem): void;
}

const UNKNOWN: Link = { down: false, inDoubt: false, heardAt: null };

export const link = signal<Link>(UNKNOWN);

let client: Client | null = null;
let open: WebSocket | null = null;

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
  // A server that takes the connection and says nothing is told of by graphql-ws; one that does not
  // even take it is not.
  let unanswered: ReturnType<typeof setTimeout> | undefined;

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
    retryWait: async (attempt) => {
      // We ended it, because it was dead: nobody else does at this instant.
      const isOurs = attempt === 0 && closeCode === TERMINATED;
      if (!isOurs) await pause(reconnectDelay(attempt, closeCode));
    },
    on: {
      connecting: () => {
        clearTimeout(unanswered);
        unanswered = setTimeout(lost, ACKNOWLEDGEMENT);
      },
      connected: (socket) => {
        clearTimeout(unanswered);
        open = socket as WebSocket;
        heard();
      },
      message: () => heard(),
      ping: (received, payload) => {
        if (received) learnFromPing(payload);
        else if (overdue === undefined)
          overdue = setTimeout(() => client?.terminate(), HEARTBEAT_ANSWER);
      },
      pong: () => {
        clearTimeout(overdue);
        overdue = undefined;
      },
      error: () => lost(),
      closed: (event) => {
        clearTimeout(overdue);
        clearTimeout(unanswered);
        overdue = undefined;
        open = null;
        closeCode = codeOf(event);
        // Where nothing is tried again nothing is promised: the watchers are told why.
        if (closeCode !== 1000 && fateOf(closeCode) === "reconnect") lost();
      },
    },
  });
}

function heard(): void {
  clearTimeout(doubting);
  clearTimeout(givingUp);
  link.value = { down: false, inDoubt: false, heardAt: Date.now() };
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

let doubting: ReturnType<typeof setTimeout> | undefined;
let givingUp: ReturnType<typeof setTimeout> | undefined;

/** The socket may be dead without anybody knowing: it answers soon, or another one is opened. */
function probe(): void {
  void askTimeIfInDoubt();
  if (open?.readyState !== WebSocket.OPEN) return;
  clearTimeout(doubting);
  clearTimeout(givingUp);
  doubting = setTimeout(() => {
    link.value = { ...link.value, inDoubt: true };
  }, WAKING_QUIET);
  givingUp = setTimeout(() => client?.terminate(), WAKING_ANSWER);
  open.send(JSON.stringify({ type: "ping" }));
}

whenWoken(probe);

// A phone that changes its network keeps a dead socket for minutes: do not wait for it.
addEventListener("offline", () => client?.terminate());

whenPersonLeaves(() => {
  // Rejects when there is no connection to close, which is as good.
  client?.dispose()?.then(undefined, () => {});
  client = null;
  link.value = UNKNOWN;
});
