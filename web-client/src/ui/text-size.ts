import { effect } from "@preact/signals";
import { setting } from "./settings";

const SIZES = ["normal", "large", "larger"] as const;

export type TextSize = (typeof SIZES)[number];

export const textSize = setting<TextSize>("text-size", SIZES);

export function changeTextSize(): void {
  const next = (SIZES.indexOf(textSize.value) + 1) % SIZES.length;
  textSize.value = SIZES[next] ?? SIZES[0];
}

effect(() => {
  document.documentElement.dataset.textSize = textSize.value;
});
