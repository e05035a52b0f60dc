// Fails the build when what a phone downloads to show the first screen has grown too heavy.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 60 * 1024;
const dist = new URL("../dist/", import.meta.url);

const weigh = (file) => gzipSync(readFileSync(new URL(file, dist))).length;

const html = readFileSync(new URL("index.html", dist), "utf8");
const linked = [...html.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((match) => match[1]);
const files = ["index.html", ...linked].map((file) => ({ file, bytes: weigh(file) }));
const total = files.reduce((sum, { bytes }) => sum + bytes, 0);

for (const { file, bytes } of files) console.log(`${String(bytes).padStart(7)}  ${file}`);
console.log(`${String(total).padStart(7)}  bytes gzipped of ${LIMIT}`);

if (total > LIMIT) {
  console.error("The first load is too heavy.");
  process.exit(1);
}
