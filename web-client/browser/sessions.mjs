import assert from "node:assert/strict";
import { inspect, NARROW } from "./accessibility.mjs";

/** With the keyboard, on a narrow screen: the other device is thrown out at once. */
export async function anotherDeviceIsSignedOut(stage) {
  const [person] = stage.people("probationary");
  stage.administer("sign-in", person.token, "Firefox, Windows");
  const page = await stage.enter(person, { viewport: NARROW });
  assert.deepEqual(await chunksOf(page), [], "nothing of it comes with the first load");
  await page.getByRole("link", { name: "Nơi bạn đang đăng nhập" }).focus();
  await page.keyboard.press("Enter");
  const sessions = page.getByTestId("sessions");
  await sessions.getByText("Thiết bị này").waitFor();
  assert.equal(await sessions.getByRole("listitem").count(), 2);
  await inspect(stage, "sessions", page);
  await page.getByRole("button", { name: "Tiếng Việt" }).click();

  await sessions.getByRole("button", { name: /^Đăng xuất Firefox, Windows/ }).focus();
  await page.keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Đăng xuất Firefox, Windows?" });
  await question.waitFor();
  await stage.screenshot(page, "320-sessions-confirm");
  await question.getByRole("button", { name: "Đăng xuất" }).focus();
  await page.keyboard.press("Enter");
  await sessions.getByText("Firefox, Windows").waitFor({ state: "detached" });
  assert.equal(await sessions.getByRole("listitem").count(), 1);
  assert.equal(await page.getByRole("button", { name: "Đăng xuất các thiết bị khác" }).count(), 0);
}

/** Names of the scripts loaded after the page's own. */
function chunksOf(page) {
  return page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .map(({ name }) => name)
      .filter((name) => name.includes("sessions-screen")),
  );
}
