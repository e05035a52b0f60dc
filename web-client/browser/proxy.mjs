import assert from "node:assert/strict";
import { inspect, inspectInOneLanguage, NARROW } from "./accessibility.mjs";
import { confirm } from "./chair.mjs";

/** Both are told, also after a reload; whom it was taken from is told nothing any more. */
export async function proxyIsGivenTwice(stage) {
  const [absent, first, second] = stage.people("member");
  const page = await stage.enterMeeting(absent, { viewport: NARROW });
  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "Tôi sẽ vắng, nhờ người biểu quyết thay" }).click();
  await dialog.getByText(/^Sửa đổi điều lệ: .* nhiều nhất 2 người$/).waitFor();
  await dialog.getByRole("radio", { name: first.name }).first().check();
  await inspectInOneLanguage(stage, "proxy", page);
  await confirm(page, "Nhờ người này");
  await page.getByText(`Khi bạn vắng, ${first.name} biểu quyết thay bạn.`).waitFor();

  const holder = await stage.enterMeeting(first);
  const held = new RegExp(`^Đã nhờ bạn biểu quyết thay khi vắng: ${absent.name}`);
  await holder.getByText(held).waitFor();
  await stage.screenshot(holder, "proxy-holder");

  await page.reload();
  await page.getByRole("button", { name: "Nhờ người khác biểu quyết thay" }).click();
  assert.equal(await dialog.getByRole("radio", { name: absent.name, exact: true }).count(), 0);
  await dialog.getByRole("radio", { name: second.name }).first().check();
  await confirm(page, "Nhờ người này");
  await page.getByText(`Khi bạn vắng, ${second.name} biểu quyết thay bạn.`).waitFor();
  await inspect(stage, "proxy-given", page);
  await holder.reload();
  await holder.getByRole("button", { name: "Điểm danh có mặt" }).waitFor();
  assert.equal(await holder.getByText(held).count(), 0);
}
