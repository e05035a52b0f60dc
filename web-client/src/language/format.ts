import { language } from "./language";

const LOCALES = { vi: "vi-VN", en: "en-GB" } as const;

const locale = () => LOCALES[language.value];

export function number(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** A share of a whole as a percentage; a share of nothing is 0. */
export function percent(part: number, whole: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(
    whole === 0 ? 0 : part / whole,
  );
}

/** A percentage as the server computed it: 60.25 is 60.25 %. */
export function hundredths(value: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 2 }).format(
    value / 100,
  );
}

/** Minutes and seconds on a clock: 4:05. */
export function clock(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function time(instant: string): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "short" }).format(new Date(instant));
}

export function dateAndTime(instant: string): string {
  const date = new Intl.DateTimeFormat(locale(), { dateStyle: "full" }).format(new Date(instant));
  return `${time(instant)} · ${date}`;
}

export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? unit(seconds, "second") : unit(Math.floor(seconds / 60), "minute");
}

function unit(value: number, name: "second" | "minute"): string {
  return new Intl.NumberFormat(locale(), { style: "unit", unit: name, unitDisplay: "long" }).format(
    value,
  );
}
