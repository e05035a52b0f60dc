// A phone that was in a pocket, a laptop that was shut, a network that is back.

/** Calls `woken` when the page may have slept; returns what stops that. */
export function whenWoken(woken: () => void): () => void {
  const seen = () => document.hidden || woken();
  const events = ["pageshow", "online", "focus"] as const;
  for (const event of events) addEventListener(event, woken);
  document.addEventListener("visibilitychange", seen);
  return () => {
    for (const event of events) removeEventListener(event, woken);
    document.removeEventListener("visibilitychange", seen);
  };
}
