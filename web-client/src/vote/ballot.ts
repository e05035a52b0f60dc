import { type Signal, signal } from "@preact/signals";
import { tabStore } from "../device/storage";
import { CastBallotDocument, type ReceiptFieldsFragment } from "../gql/graphql";
import type { Vote } from "../meeting/newest";
import { reconnectDelay } from "../server/close-codes";
import { pause } from "../server/pause";
import {
  accepted,
  Declined,
  type Problem,
  problemOf,
  SignedOut,
  Unreachable,
} from "../server/problem";
import { request } from "../server/request";
import { whenPersonLeaves } from "../session/session";
import { newKey } from "./key";
import { touch } from "./marks";

// A ballot belongs to this tab until the server has it, so it lives here, out of the reach of pushes.
//
// The key makes sending safe to repeat: the server records one ballot per key and answers a
// repeated one with the first receipt. It is stored with the choices before anything is sent, so
// that even a reload in mid-air repeats the same ballot. A ballot that was recorded drops its key:
// where the last one counts, changing it is a new ballot with a key of its own.

export type Receipt = ReceiptFieldsFragment;

export type Ballot =
  | {
      step: "choosing";
      choices: string[];
      isChange: boolean;
      isOver: boolean;
      problem: Problem | null;
    }
  | { step: "sending"; choices: string[]; isChange: boolean; waiting: boolean }
  | { step: "recorded"; receipt: Receipt };

interface StoredBallot {
  choices: string[];
  isChange: boolean;
  /** Null until it is sent for the first time. */
  key: string | null;
  sent: boolean;
}

const UNTOUCHED: StoredBallot = { choices: [], isChange: false, key: null, sent: false };

const ballots = new Map<string, Signal<Ballot>>();

whenPersonLeaves(() => ballots.clear());

/** The ballot of this tab for a vote. One that was on its way when the page was left goes on. */
export function ballotFor(voteId: string): Signal<Ballot> {
  const known = ballots.get(voteId);
  if (known) return known;
  const stored = storedBallot(voteId);
  const ballot = signal<Ballot>(choosing(stored));
  ballots.set(voteId, ballot);
  if (stored.sent) void castBallot(voteId);
  return ballot;
}

/**
 * One touch of a box; says whether it is marked now. A half-filled ballot is kept for as long as
 * the tab lives.
 */
export function choose(vote: Vote, optionId: string): boolean {
  const ballot = ballotFor(vote.id).value;
  if (ballot.step === "recorded") return false;
  if (ballot.step === "sending") return ballot.choices.includes(optionId);
  const { choices, isOver } = touch(vote, ballot.choices, optionId);
  write(vote.id, choices, isOver);
  return choices.includes(optionId);
}

/** Takes every mark away. */
export function clearMarks(voteId: string): void {
  if (ballotFor(voteId).value.step === "choosing") write(voteId, [], false);
}

/** Takes a recorded ballot up again, where the last one counts. */
export function changeBallot(voteId: string, { choices }: Receipt): void {
  const fresh = { ...UNTOUCHED, choices: choices ?? [], isChange: true };
  store(voteId, fresh);
  ballotFor(voteId).value = choosing(fresh);
}

/** Leaves the recorded ballot as it is. */
export function keepBallot(voteId: string, receipt: Receipt): void {
  forget(voteId);
  ballotFor(voteId).value = { step: "recorded", receipt };
}

/** Sends until the server answers. Only its receipt makes the ballot recorded. */
export async function castBallot(voteId: string): Promise<void> {
  const ballot = ballotFor(voteId);
  if (ballot.value.step !== "choosing") return;
  const { choices, isChange } = ballot.value;
  ballot.value = { step: "sending", choices, isChange, waiting: false };
  const key = storedBallot(voteId).key ?? newKey();
  store(voteId, { choices, isChange, key, sent: true });
  try {
    const receipt = await sendUntilAnswered(voteId, choices, key, ballot);
    ballot.value = { step: "recorded", receipt };
    forget(voteId);
  } catch (error) {
    if (error instanceof SignedOut) return;
    const stored = { choices, isChange, key, sent: false };
    ballot.value = choosing(stored, { problem: problemOf(error) });
    store(voteId, stored);
  }
}

async function sendUntilAnswered(
  voteId: string,
  choices: string[],
  key: string,
  ballot: Signal<Ballot>,
): Promise<Receipt> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { castBallot } = await request(CastBallotDocument, { voteId, choices, key });
      return accepted(castBallot);
    } catch (error) {
      if (!isToBeTriedAgain(error)) throw error;
    }
    if (ballot.value.step === "sending") ballot.value = { ...ballot.value, waiting: true };
    await pause(reconnectDelay(attempt, undefined));
    // The next person at this tab must not cast the last one's ballot.
    if (ballots.get(voteId) !== ballot) throw new SignedOut();
  }
}

/** Whether the server has not looked at the ballot, or nobody knows: the key makes it safe. */
function isToBeTriedAgain(error: unknown): boolean {
  if (error instanceof Declined) return error.reason === "TOO_MANY_REQUESTS";
  return error instanceof Unreachable;
}

function choosing(
  { choices, isChange }: StoredBallot,
  { problem = null, isOver = false }: { problem?: Problem | null; isOver?: boolean } = {},
): Ballot {
  return { step: "choosing", choices, isChange, isOver, problem };
}

function write(voteId: string, choices: string[], isOver: boolean): void {
  const stored = { ...storedBallot(voteId), choices };
  store(voteId, stored);
  ballotFor(voteId).value = choosing(stored, { isOver });
}

function storageKey(voteId: string): string {
  return `ballot:${voteId}`;
}

function storedBallot(voteId: string): StoredBallot {
  try {
    // What somebody else left there is no ballot.
    return { ...UNTOUCHED, ...JSON.parse(tabStore.get(storageKey(voteId)) ?? "{}") };
  } catch {
    return UNTOUCHED;
  }
}

function store(voteId: string, ballot: StoredBallot): void {
  tabStore.set(storageKey(voteId), JSON.stringify(ballot));
}

function forget(voteId: string): void {
  tabStore.remove(storageKey(voteId));
}
