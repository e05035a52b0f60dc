// Browser storage may be missing, blocked, full or private, and may become so at any moment. Whatever
// cannot be kept there is kept in memory, for as long as the page lives, so that nobody else has to care.

/** Text by key. Never throws; what was written last is what is read. */
export interface KeyValueStore {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

/** Ends with its tab. */
export const tabStore = withFallback(() => sessionStorage);

/** Outlives the tab: only for what tells nothing about a person. */
export const deviceStore = withFallback(() => localStorage);

/** A store on top of the browser's, which is asked for anew at each touch. */
export function withFallback(browser: () => Storage): KeyValueStore {
  /** What the browser would not keep, or let go of: null is a removal that it may not have made. */
  const memory = new Map<string, string | null>();
  return {
    get: (key) => memory.get(key) ?? (memory.has(key) ? null : read(browser, key)),
    set(key, value) {
      if (attempt(() => browser().setItem(key, value))) memory.delete(key);
      else {
        memory.set(key, value);
        // An older value must not come back with the next page.
        attempt(() => browser().removeItem(key));
      }
    },
    remove(key) {
      if (attempt(() => browser().removeItem(key))) memory.delete(key);
      else memory.set(key, null);
    },
    keys() {
      const kept = new Set(listed(browser));
      for (const [key, value] of memory) {
        if (value === null) kept.delete(key);
        else kept.add(key);
      }
      return [...kept];
    },
  };
}

function attempt(touch: () => void): boolean {
  try {
    touch();
    return true;
  } catch {
    return false;
  }
}

function read(browser: () => Storage, key: string): string | null {
  try {
    return browser().getItem(key);
  } catch {
    return null;
  }
}

function listed(browser: () => Storage): string[] {
  try {
    const storage = browser();
    return Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  } catch {
    return [];
  }
}
