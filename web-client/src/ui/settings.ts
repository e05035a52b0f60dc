import { effect, type Signal, signal } from "@preact/signals";

// How the screen speaks and looks in this tab. Settings tell nothing about a person, so they outlive a sign-out.

const PREFIX = "setting:";

export function isSetting(key: string): boolean {
  return key.startsWith(PREFIX);
}

/** One of `choices`, the first unless chosen otherwise, kept for as long as the tab lives. */
export function setting<Choice extends string>(
  name: string,
  choices: readonly [Choice, ...Choice[]],
): Signal<Choice> {
  const kept = sessionStorage.getItem(PREFIX + name);
  const chosen = signal(choices.find((choice) => choice === kept) ?? choices[0]);
  effect(() => sessionStorage.setItem(PREFIX + name, chosen.value));
  return chosen;
}
