// Writes which documents this client sends, for a server that takes no others from strangers:
// the SHA-256 of each, by the name of its operation.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "vite";

const FILE = new URL("../dist/documents.json", import.meta.url);

const vite = await createServer({ server: { middlewareMode: true, ws: false }, logLevel: "warn" });
const generated = await vite.ssrLoadModule("/src/gql/graphql.ts");
await vite.close();

const hashes = Object.entries(generated)
  .filter(([name]) => name.endsWith("Document"))
  .map(([name, document]) => [name.replace(/Document$/, ""), hashOf(document.toString())]);

writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(hashes), null, 2)}\n`);

function hashOf(text) {
  return createHash("sha256").update(text).digest("hex");
}
