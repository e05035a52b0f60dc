export type SignInLink = { token: string } | { code: string };

/** Reads `#token=…` or `#code=…`. */
export function readSignInLink(fragment: string): SignInLink | null {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = fields.get("token");
  const code = fields.get("code");
  if (token) return { token };
  return code ? { code } : null;
}

/** Takes the secret out of the address bar at once, so that it stays in no history and no screenshot. */
export function takeSignInLink(): SignInLink | null {
  if (location.pathname !== "/sign-in") return null;
  const found = readSignInLink(location.hash);
  if (found) history.replaceState(history.state, "", location.pathname + location.search);
  return found;
}
