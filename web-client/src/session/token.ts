// The demo's sign-in links give a token to one tab, so that every tab can be another person.
// sessionStorage is the only storage that ends with its tab.

const KEY = "token";

export function tabToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function keepTabToken(token: string): void {
  sessionStorage.setItem(KEY, token);
}
