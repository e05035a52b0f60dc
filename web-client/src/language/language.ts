import { computed, effect } from "@preact/signals";
import { setting } from "../ui/settings";
import { en } from "./en";
import { type Messages, vi } from "./vi";

export type Language = "vi" | "en";

const CATALOGUES: Record<Language, Messages> = { vi, en };

export const language = setting<Language>("language", ["vi", "en"]);

/** What the screen says, in the language chosen. */
export const messages = computed(() => CATALOGUES[language.value]);

effect(() => {
  document.documentElement.lang = language.value;
});
