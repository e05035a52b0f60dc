import { effect, type Signal, signal } from "@preact/signals";
import { deviceStore } from "../device/storage";

// How the screen speaks and looks on this device. Settings tell nothing about a person, so they
// outlive the tab and a sign-out.

const PREFIX = "setting:";

/** One of `choices`: the one chosen on this device, else the one asked for, else the first. */
export function setting<Choice extends string>(
  name: string,
  choices: readonly [Choice, ...Choice[]],
  unlessChosen: Choice | undefined = choices[0],
): Signal<Choice> {
  const kept = deviceStore.get(PREFIX + name);
  const chosen = signal(choices.find((choice) => choice === kept) ?? unlessChosen ?? choices[0]);
  let isFirst = true;
  effect(() => {
    const value = chosen.value;
    // What nobody chose is not kept: the browser may speak another language next time.
    if (!isFirst) deviceStore.set(PREFIX + name, value);
    isFirst = false;
  });
  return chosen;
}
