// Phones' clocks are wrong by minutes, and somebody may set them while a page is open; what ends at
// a moment ends by the server's clock. Between two answers of the server's a clock that nobody can
// set goes on, `performance.now()`. Where it and the wall clock part, somebody set the latter, or
// the device slept, for which some stop the former: then what was learnt is no longer believed.

const APART = 1_500; // milliseconds

let learnt = { server: Date.now(), steady: performance.now(), wall: Date.now() };

/** Learns what time it is for the server now, in milliseconds since 1970. */
export function learnServerNow(server: number): void {
  learnt = { server, steady: performance.now(), wall: Date.now() };
}

/** Learns from the `Date` of an answer, which is right to a second or two. */
export function learnServerTime(date: string | null): void {
  const told = Date.parse(date ?? "");
  if (!Number.isNaN(told)) learnServerNow(told);
}

/** Now, by the server's clock, in milliseconds since 1970. */
export function serverNow(): number {
  return learnt.server + performance.now() - learnt.steady;
}

/** Whether the device's clocks have parted since the server told the time. */
export function isInDoubt(): boolean {
  const steady = performance.now() - learnt.steady;
  return Math.abs(Date.now() - learnt.wall - steady) > APART;
}
