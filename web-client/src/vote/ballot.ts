import { type Signal, signal } from "@preact/signals";
import { CastBallotDocument, type ReceiptFieldsFragment } from "../gql/graphql";
import { reconnectDelay } from "../server/close-codes";
import { pause } from "../server/pause";
import { accepted, type Problem, problemOf, SignedOut, Unreachable } from "../server/problem";
import { request } from "../server/request";
import { whenPersonLeaves } from "../session/session";
import { newKey } from "./key";

// A ballot belongs to this tab until the server has it, so it lives here, out of the reach of pushes.
//
// The key makes sending safe to repeat: the server records one ballot per key and answers a
// repeated one with the first receipt. There is one key per vote. It is stored with the choice
// before anything is sent, so that even a reload in mid-air repeats the same ballot.

export type Receipt = ReceiptFieldsFragment;

export type Ballot =
  | { step: "choosing"; choice: string | null; problem: Problem | null }
  | { step: "sending"; choice: string; waiting: boolean }
  | { step: "recorded"; receipt: Receipt };

interface StoredBallot {
  key: string;
  choice: string;
  sent: boolean;
}

const ballots = new Map<string, Signal<Ballot>>();

whenPersonLeaves(() => ballots.clear());

/** The ballot of this tab for a vote. One that was on its way when the page was left goes on. */
export function ballotFor(voteId: string): Signal<Ballot> {
  const known = ballots.get(voteId);
  if (known) return known;
  const stored = storedBallot(voteId);
  const ballot = signal<Ballot>({
    step: "choosing",
    choice: stored?.choice ?? null,
    problem: null,
  });
  ballots.set(voteId, ballot);
  if (stored?.sent) void castBallot(voteId, stored.choice);
  return ballot;
}

export function choose(voteId: string, choice: string): void {
  const ballot = ballotFor(voteId);
  if (ballot.value.step === "choosing") ballot.value = { step: "choosing", choice, problem: null };
}

/** Sends until the server answers. Only its receipt makes the ballot recorded. */
export async function castBallot(voteId: string, choice: string): Promise<void> {
  const ballot = ballotFor(voteId);
  if (ballot.value.step !== "choosing") return;
  ballot.value = { step: "sending", choice, waiting: false };
  const key = storedBallot(voteId)?.key ?? newKey();
  store(voteId, { key, choice, sent: true });
  try {
    const receipt = await sendUntilAnswered(voteId, choice, key, ballot);
    ballot.value = { step: "recorded", receipt };
    forget(voteId);
  } catch (error) {
    if (error instanceof SignedOut) return;
    ballot.value = { step: "choosing", choice, problem: problemOf(error) };
    store(voteId, { key, choice, sent: false });
  }
}

async function sendUntilAnswered(
  voteId: string,
  choice: string,
  key: string,
  ballot: Signal<Ballot>,
): Promise<Receipt> {
  for (let attempt = 0; ; attempt++) {
    try {
      const { castBallot } = await request(CastBallotDocument, { voteId, choices: [choice], key });
      return accepted(castBallot);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
    ballot.value = { step: "sending", choice, waiting: true };
    await pause(reconnectDelay(attempt, undefined));
    // The next person at this tab must not cast the last one's ballot.
    if (ballots.get(voteId) !== ballot) throw new SignedOut();
  }
}

function storageKey(voteId: string): string {
  return `ballot:${voteId}`;
}

function storedBallot(voteId: string): StoredBallot | null {
  const text = sessionStorage.getItem(storageKey(voteId));
  return text === null ? null : JSON.parse(text);
}

function store(voteId: string, ballot: StoredBallot): void {
  sessionStorage.setItem(storageKey(voteId), JSON.stringify(ballot));
}

function forget(voteId: string): void {
  sessionStorage.removeItem(storageKey(voteId));
}
