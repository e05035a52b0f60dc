import { computed, effect } from "@preact/signals";
import { setting } from "../ui/settings";
import { en } from "./en";
import { type Messages, vi } from "./vi";

export type Language = "vi" | "en";

const CATALOGUES: Record<Language, Messages> = { vi, en };

export const language = setting<Language>("language", ["vi", "en"], spoken(navigator.languages));

/** What the screen says, in the language chosen. */
export const messages = computed(() => CATALOGUES[language.value]);

/** The first of the browser's languages that we have. */
function spoken(tags: readonly string[] = []): Language | undefined {
  const languages = tags.map((tag) => tag.toLowerCase().split("-")[0]);
  return languages.find((tag): tag is Language => tag === "vi" || tag === "en");
}

effect(() => {
  document.documentElement.lang = language.value;
});
