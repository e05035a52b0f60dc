import assert from "node:assert/strict";
import axe from "axe-core";

export const NARROW = { width: 320, height: 640 };
const SEVERE = ["serious", "critical"];

export async function screensAreAccessible(stage) {
  const [chairPerson] = stage.people("chair");
  await inspect(stage, "sign-in", await stage.enter(null, { viewport: NARROW }));
  await inspect(stage, "home", await stage.enter(stage.people("member")[0], { viewport: NARROW }));
  await inspect(
    stage,
    "officer",
    await stage.enter(stage.people("officer")[0], { viewport: NARROW }),
  );
  await inspect(
    stage,
    "meeting-member",
    await stage.enterMeeting(stage.people("member")[0], { viewport: NARROW }),
  );

  const chair = await stage.enterMeeting(chairPerson, { viewport: NARROW });
  await chair.locator("summary", { hasText: "Có mặt" }).click();
  await chair.getByText(chairPerson.name).waitFor();
  await inspect(stage, "meeting-chair", chair);

  const asking = await stage.enterMeeting(chairPerson, { viewport: NARROW });
  await asking.getByTestId("next-step").click();
  await asking.getByRole("dialog").waitFor();
  await inspectInOneLanguage(stage, "confirm-vi", asking);

  const lost = await stage.enter(chairPerson, { viewport: NARROW });
  await lost.goto(new URL("/nowhere", stage.demo.http).href);
  await lost.getByRole("heading", { level: 1 }).waitFor();
  await inspect(stage, "not-found", lost);
}

export async function screensAreAccessibleAfterwards(stage) {
  for (const part of ["chair", "member"]) {
    const page = await stage.enter(stage.people(part)[0], { viewport: NARROW });
    await page.goto(new URL(`/meetings/${stage.demo.meeting.id}`, stage.demo.http).href);
    await page.getByTestId("meeting-CLOSED").waitFor();
    await inspect(stage, `closed-${part}`, page);
  }
}

/** Vietnamese and English, by day and by night, with letters of every size. */
export async function inspect(stage, screen, page) {
  await inspectInOneLanguage(stage, `${screen}-vi`, page);
  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("button", { name: "Tiếng Việt" }).waitFor();
  await inspectInOneLanguage(stage, `${screen}-en`, page);
  await fitsWithLargeLetters(page, screen);
}

export async function inspectInOneLanguage(stage, name, page) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await fits(page, name);
    await stage.screenshot(page, `320-${name}-${colorScheme}`);
    assert.deepEqual(await severeViolations(page), [], `${name}, ${colorScheme}`);
  }
}

async function fitsWithLargeLetters(page, screen) {
  for (const size of ["large", "very large"]) {
    await page.getByRole("button", { name: /^Text size/ }).click();
    await page.getByRole("button", { name: `Text size: ${size}` }).waitFor();
    await fits(page, `${screen}, ${size}`);
  }
}

/** Nobody scrolls sideways. */
async function fits(page, name) {
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= NARROW.width, `${name} is ${width} px wide`);
}

async function severeViolations(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter(({ impact }) => SEVERE.includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}
