// Phones' clocks are wrong by minutes; what ends at a moment ends by the server's clock.

let offset = 0;

/** Learns from the `Date` of an answer, which is right to a second or two. */
export function learnServerTime(date: string | null): void {
  const told = Date.parse(date ?? "");
  if (!Number.isNaN(told)) offset = told - Date.now();
}

/** Now, by the server's clock, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + offset;
}
