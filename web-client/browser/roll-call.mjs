import assert from "node:assert/strict";
import { reads } from "./stage.mjs";

/** Every chair's roll call follows; the check-in stays the member's own. */
export async function chairConfirmsWhoIsInTheRoom(stage) {
  const [person] = stage.people("chair");
  const [member] = stage.people("member");
  const [chair, other] = await Promise.all([
    openRollCall(stage, person),
    openRollCall(stage, person),
  ]);
  const seen = Number((await chair.getByTestId("confirmed").textContent()).match(/\d+/)[0]);
  const confirmed = (count) => `Chủ trì đã thấy trong phòng: ${count}`;
  assert.ok(seen > 0);
  await reads(chair, "connected", /^Đang kết nối: \d+$/);
  const row = (page) => page.locator(".person").filter({ hasText: member.name }).first();
  await row(chair).getByRole("checkbox").click();
  for (const page of [chair, other]) {
    await row(page)
      .getByText(/^Đã thấy trong phòng lúc/)
      .waitFor();
    await row(page).getByText("Chưa điểm danh").waitFor();
    await reads(page, "confirmed", confirmed(seen + 1));
  }
  await row(chair).scrollIntoViewIfNeeded();
  await stage.screenshot(chair, "roll-call");
  await row(other).getByRole("checkbox").click();
  for (const page of [chair, other]) await reads(page, "confirmed", confirmed(seen));
}

export async function openRollCall(stage, person, options) {
  const page = await stage.enterMeeting(person, options);
  await page.locator("summary", { hasText: "Có mặt" }).click();
  await page.getByText(person.name).waitFor();
  return page;
}
