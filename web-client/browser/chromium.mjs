// Finds a Chromium and starts it: CHROMIUM_PATH, else one on the PATH, else the one npm installed.
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];

export async function startChromium() {
  useOwnTemporaryFolder();
  const executablePath = process.env.CHROMIUM_PATH || chromiumOnPath() || (await unpacked());
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

/** The npm package unpacks itself into TMPDIR and trusts whatever it finds there. */
function useOwnTemporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "branch-meetings-chromium-"));
  process.env.TMPDIR = folder;
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
}

function chromiumOnPath() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = ["chromium", "google-chrome"].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  return candidates.find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function unpacked() {
  const { default: packed } = await import("@sparticuz/chromium");
  return packed.executablePath();
}
