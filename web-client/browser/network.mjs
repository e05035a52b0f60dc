import assert from "node:assert/strict";
import { reads } from "./stage.mjs";

/** What happens while the member is away shows when they are back, and their half-filled ballot is still there. */
export async function memberLosesTheNetwork({ people, enterMeeting, screenshot }) {
  const chair = await enterMeeting(people("chair")[0]);
  const member = await enterMeeting(people("member")[0]);
  const choice = member.getByRole("radio", { name: "Tán thành", exact: true });
  await choice.check();

  await member.context().setOffline(true);
  await member.getByText("Mất kết nối. Đang tự kết nối lại…").waitFor();
  await member.getByText(/Màn hình đang hiện tình hình cách đây \d+ (giây|phút)\./).waitFor();
  await screenshot(member, "network-lost");

  await chair.getByRole("button", { name: "Tạm nghỉ" }).click();
  await chair.getByTestId("meeting-PAUSED").waitFor();
  await member.getByTestId("meeting-IN_SESSION").waitFor();

  await member.context().setOffline(false);
  await member.getByTestId("meeting-PAUSED").waitFor();
  await member.getByText("Mất kết nối").waitFor({ state: "detached" });

  await chair.getByRole("button", { name: "Họp tiếp" }).click();
  await member.getByTestId("meeting-IN_SESSION").waitFor();
  await choice.waitFor();
  assert.equal(await choice.isChecked(), true);
  await reads(member, "meeting-IN_SESSION", "Đang họp");
  await screenshot(member, "network-back");
}
