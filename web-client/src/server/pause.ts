import { whenWoken } from "./wake";

/** Resolves after the time given, in milliseconds, or as soon as the page wakes up. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    const stop = whenWoken(wake);
  });
}
