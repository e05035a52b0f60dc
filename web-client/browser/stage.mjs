import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { startChromium } from "./chromium.mjs";

const PATIENCE = 20_000;
const PHONE = { width: 390, height: 844 };

/** The browser, the demo's people, and pages that fail the test when they throw or break the policy. */
export async function openStage(demo, output) {
  const browser = await startChromium();
  const faults = [];

  /**
   * Opens the site as somebody, in a context of their own. `person` null is a visitor; `onPage` is
   * called before the page asks for anything.
   */
  async function enter(person, { viewport = PHONE, onPage, ...options } = {}) {
    const context = await browser.newContext({
      viewport,
      locale: "vi-VN",
      reducedMotion: "reduce",
      ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    await onPage?.(page);
    const who = person?.name ?? "visitor";
    page.on("pageerror", (error) => faults.push(`${who}: ${error.stack}`));
    page.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) faults.push(`${who}: ${message.text()}`);
    });
    await page.goto(person ? person.link : siteOf(demo));
    await page.getByRole("heading", { level: 1 }).waitFor();
    return page;
  }

  return {
    demo,
    people: (part) => demo.people.filter((person) => person.part === part),
    enter,
    /** The same, and on to the meeting, by the home page's main action. */
    async enterMeeting(person, options) {
      const page = await enter(person, options);
      await page.getByRole("link", { name: "Vào cuộc họp" }).click();
      await page.getByTestId("current-item").waitFor();
      return page;
    },
    /** What an operator does to the database while people use the site. */
    administer(...act) {
      const [program, ...rest] = demo.administer;
      execFileSync(program, [...rest, ...act]);
    },
    /** The whole page, or what is seen of it around a dialog. */
    async screenshot(page, name) {
      const fullPage = (await page.locator("dialog[open]").count()) === 0;
      await page.screenshot({ path: join(output, `${name}.png`), fullPage });
    },
    /** Ends a test: everybody leaves, and nothing may have gone wrong unseen. */
    async clear() {
      await Promise.all(browser.contexts().map((context) => context.close()));
      assert.deepEqual(faults.splice(0), []);
    },
    close: () => browser.close(),
  };
}

function siteOf(demo) {
  return new URL("/", demo.http).href;
}

/** Waits until the element that `testId` names reads exactly `text`, or as the expression says. */
export async function reads(page, testId, text) {
  await page
    .getByTestId(testId)
    .filter({ hasText: text instanceof RegExp ? text : exactly(text) })
    .first()
    .waitFor();
}

function exactly(text) {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
}
