import { tabStore } from "../device/storage";

// The demo's sign-in links give a token to one tab, so that every tab can be another person.

const KEY = "token";

export function tabToken(): string | null {
  return tabStore.get(KEY);
}

export function keepTabToken(token: string): void {
  tabStore.set(KEY, token);
}
