// graphql-http's audit of a server: node audit_http.mjs URL [TOKEN]. Prints what did not hold, and counts.
import { auditServer } from "graphql-http";

const [url, token] = process.argv.slice(2);

function fetchSignedIn(input, init = {}) {
  const headers = new Headers(init.headers);
  if (token) headers.set("authorization", `Bearer ${token}`);
  return fetch(input, { ...init, headers });
}

const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const result of await auditServer({ url, fetchFn: fetchSignedIn })) {
  counts[result.status] += 1;
  if (result.status !== "ok") console.log(`${result.status}: ${result.name}: ${result.reason}`);
}
console.log(JSON.stringify(counts));
