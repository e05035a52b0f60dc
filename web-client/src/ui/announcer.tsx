import { signal } from "@preact/signals";

const announcement = signal("");

/** Says something to those who listen to the screen instead of looking at it. */
export function announce(text: string): void {
  announcement.value = text;
}

export function Announcer() {
  return (
    <p class="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
      {announcement}
    </p>
  );
}
