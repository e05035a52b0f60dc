import { beforeEach, expect, test } from "vitest";
import { type KeyValueStore, withFallback } from "../src/device/storage";

/** Browser storage that can be made to fail in the ways that browsers fail. */
class Moody {
  kept = new Map<string, string>();
  isFull = false;
  isBlocked = false;
  readonly open = (): Storage => {
    if (this.isBlocked) throw new DOMException("no", "SecurityError");
    return this as unknown as Storage;
  };
  get length() {
    return this.kept.size;
  }
  key = (index: number) => [...this.kept.keys()][index] ?? null;
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => {
    if (this.isFull) throw new DOMException("full", "QuotaExceededError");
    this.kept.set(key, value);
  };
  removeItem = (key: string) => void this.kept.delete(key);
}

let browser: Moody;
let store: KeyValueStore;

beforeEach(() => {
  browser = new Moody();
  store = withFallback(browser.open);
});

test("what the browser keeps is kept there", () => {
  store.set("a", "1");
  expect(browser.kept.get("a")).toBe("1");
  expect([store.get("a"), store.keys()]).toEqual(["1", ["a"]]);
  store.remove("a");
  expect([store.get("a"), browser.kept.size]).toEqual([null, 0]);
});

test.each<[string, (browser: Moody) => void]>([
  ["blocked", (browser) => Object.assign(browser, { isBlocked: true })],
  ["full", (browser) => Object.assign(browser, { isFull: true })],
  ["null", (browser) => Object.assign(browser, { open: () => null })],
])("where it is %s, memory keeps it", (_, spoil) => {
  spoil(browser);
  store = withFallback(browser.open);
  store.set("a", "1");
  expect([store.get("a"), store.keys(), store.get("b")]).toEqual(["1", ["a"], null]);
  store.remove("a");
  expect([store.get("a"), store.keys()]).toEqual([null, []]);
});

test("where it becomes full, the newer value is read, and the older does not come back", () => {
  store.set("a", "older");
  browser.isFull = true;
  store.set("a", "newer");
  expect(store.get("a")).toBe("newer");
  expect(withFallback(browser.open).get("a")).toBeNull();
});

test("where it becomes blocked, what was removed stays removed", () => {
  store.set("a", "1");
  browser.isBlocked = true;
  store.remove("a");
  expect([store.get("a"), store.keys()]).toEqual([null, []]);
  browser.isBlocked = false;
  expect(store.get("a")).toBeNull();
});

test("where it works again, it keeps what is written from then on", () => {
  browser.isFull = true;
  store.set("a", "1");
  browser.isFull = false;
  store.set("a", "2");
  expect([store.get("a"), browser.kept.get("a")]).toEqual(["2", "2"]);
});
