import { reads } from "./stage.mjs";

/** Every chair's roll call follows; the check-in stays the member's own. */
export async function chairConfirmsWhoIsInTheRoom(stage) {
  const [person] = stage.people("chair");
  const [member] = stage.people("member");
  const [chair, other] = await Promise.all([
    openRollCall(stage, person),
    openRollCall(stage, person),
  ]);
  await reads(chair, "confirmed", "Chủ trì đã thấy trong phòng: 0");
  await reads(chair, "connected", /^Đang kết nối: \d+$/);
  const row = (page) => page.locator(".person").filter({ hasText: member.name }).first();
  await row(chair).getByRole("checkbox").click();
  for (const page of [chair, other]) {
    await row(page)
      .getByText(/^Đã thấy trong phòng lúc/)
      .waitFor();
    await row(page).getByText("Chưa điểm danh").waitFor();
    await reads(page, "confirmed", "Chủ trì đã thấy trong phòng: 1");
  }
  await row(chair).scrollIntoViewIfNeeded();
  await stage.screenshot(chair, "roll-call");
  await row(other).getByRole("checkbox").click();
  for (const page of [chair, other])
    await reads(page, "confirmed", "Chủ trì đã thấy trong phòng: 0");
}

async function openRollCall(stage, person) {
  const page = await stage.enterMeeting(person);
  await page.locator("summary", { hasText: "Có mặt" }).click();
  await page.getByText(person.name).waitFor();
  return page;
}
