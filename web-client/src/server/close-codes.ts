// What to do when the socket closes. The codes and their meaning: docs/realtime.md.

export type Fate = "sign-in" | "stop" | "reconnect";

const NOT_SIGNED_IN = 4401;
/** Access was taken away: trying again would not help. */
export const NOT_ALLOWED = 4403;
const RESTART = 1012;
const TOO_MANY: readonly (number | undefined)[] = [4508, 4510]; // messages, sockets of one member

const FINAL: readonly number[] = [
  1009, // message too big
  4400, // bad message
  NOT_ALLOWED,
  4408, // not initialised in time
  4409, // subscription id in use
  4429, // initialised twice
];

export function fateOf(code: number | undefined): Fate {
  if (code === NOT_SIGNED_IN) return "sign-in";
  return code !== undefined && FINAL.includes(code) ? "stop" : "reconnect";
}

/**
 * Milliseconds to wait before the next attempt; `attempt` counts from 0.
 *
 * A restart closes every socket of the server at the same instant, so those come back
 * spread over five seconds. The others wait twice as long each time, up to half a minute.
 */
export function reconnectDelay(
  attempt: number,
  code: number | undefined,
  random: () => number = Math.random,
): number {
  if (code === RESTART && attempt === 0) return random() * 5_000;
  const first = TOO_MANY.includes(code) ? 8_000 : 1_000;
  const longest = Math.min(first * 2 ** attempt, 30_000);
  return longest * (0.5 + random() / 2);
}
