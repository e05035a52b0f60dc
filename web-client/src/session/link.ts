export type SignInLink = { token: string } | { code: string };

/**
 * Reads `#code=…`, and `#token=…` where the page takes tokens from links: whoever could send such a
 * link to somebody would choose whom their tab acts for.
 */
export function readSignInLink(fragment: string, takesTokens: boolean): SignInLink | null {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = fields.get("token");
  const code = fields.get("code");
  if (token) return takesTokens ? { token } : null;
  return code ? { code } : null;
}

/** Takes the secret out of the address bar at once, so that it stays in no history and no screenshot. */
export function takeSignInLink(): SignInLink | null {
  if (location.pathname !== "/sign-in") return null;
  const found = readSignInLink(location.hash, offersDemo());
  if (/^#(token|code)=/.test(location.hash)) {
    history.replaceState(history.state, "", location.pathname + location.search);
  }
  return found;
}

/** Said by a server in development only. */
function offersDemo(): boolean {
  return import.meta.env.DEV || document.querySelector('meta[name="demo-links"]') !== null;
}
