import assert from "node:assert/strict";
import { inspect, inspectInOneLanguage, NARROW } from "./accessibility.mjs";
import {
  closeVote,
  confirm,
  finishHiddenVote,
  nextStep,
  openVote,
  pickTool,
  prepareVote,
} from "./chair.mjs";
import { reads } from "./stage.mjs";

const CHANGED_QUESTION = "Sửa quy chế sinh hoạt?";
const LOT_QUESTION = "Chọn hai việc làm trước";
const SENIORITY_QUESTION = "Cử một người viết biên bản";
const MEASURES_QUESTION = "Hình thức kỷ luật";
const SMALL_GROUP_QUESTION = "Giải thể tổ văn nghệ?";

/** One for, and one against who was for at first: the chair decides. */
export async function ballotsChangeAndTheChairBreaksTheTie(stage) {
  const { chair, members } = await gather(stage, 2);
  const [first] = members;
  await prepareVote(chair, { matter: "Sửa đổi điều lệ", question: CHANGED_QUESTION });
  await openVote(chair, CHANGED_QUESTION);

  const vote = first.getByTestId("vote-OPEN");
  await castOne(first, "Tán thành");
  await reads(vote, "count-FOR", "1");
  await vote.getByText("Bạn có thể đổi phiếu cho đến khi biểu quyết kết thúc.").waitFor();
  await stage.screenshot(first, "change-receipt");
  await vote.getByRole("button", { name: "Đổi phiếu" }).click();
  const before = vote.getByRole("radio", { name: "Tán thành", exact: true });
  assert.equal(await before.isChecked(), true, "the ballot that counts is where a change begins");
  await vote.getByRole("button", { name: "Giữ phiếu đã gửi" }).click();
  await vote.getByText(/^Tán thành, lúc/).waitFor();
  await vote.getByRole("button", { name: "Đổi phiếu" }).click();
  await stage.screenshot(first, "change-ballot");
  await castOne(first, "Không tán thành");
  await vote.getByText(/^Không tán thành, lúc/).waitFor();
  await reads(vote, "count-FOR", "0");
  await reads(vote, "count-AGAINST", "1");
  await vote.getByText(/^Đã biểu quyết: 1\//).waitFor();

  await giveMoreTime(stage, chair, vote);
  await putLateComerOnTheRoll(stage, chair);
  await reads(vote, "count-FOR", "1");

  await nextStep(chair, "Kết thúc biểu quyết");
  await inspectInOneLanguage(stage, "close-confirm", chair);
  await confirm(chair, "Kết thúc biểu quyết");
  const closed = ended(first, CHANGED_QUESTION);
  await closed.getByText(/^Chủ trì sẽ công bố kết quả/).waitFor();
  await nextStep(chair, "Giải quyết ngang phiếu");
  const dialog = chair.getByRole("dialog");
  await dialog.getByText("Hãy chọn đúng 1.").waitFor();
  await dialog.getByRole("radio", { name: "Tán thành", exact: true }).check();
  await inspectInOneLanguage(stage, "break-tie-choose", chair);
  await confirm(chair, "Xác nhận");
  await dialog.waitFor({ state: "detached" });
  await publish(chair, closed);
  await reads(closed, "outcome", /^Được thông qua: 1\/2 .*do người chủ trì bỏ phiếu quyết định\.$/);
  await closed.getByText("Đã giải quyết (chủ trì quyết định): Tán thành.").waitFor();
  await closed.getByText("Danh sách và kiểm chứng").click();
  await closed.getByText("Được thêm vào danh sách trong lúc biểu quyết").waitFor();
  await stage.screenshot(first, "tie-broken-by-chair");
}

async function giveMoreTime(stage, chair, vote) {
  const countdown = vote.getByTestId("countdown");
  await countdown.filter({ hasText: /(60|59):\d\d/ }).waitFor();
  await pickTool(chair.getByTestId("vote-OPEN"), "Thêm thời gian");
  const dialog = chair.getByRole("dialog");
  await dialog.getByRole("radio", { name: "Thêm 10 phút" }).check();
  await inspectInOneLanguage(stage, "extend", chair);
  await confirm(chair, "Thêm thời gian");
  await dialog.waitFor({ state: "detached" });
  await countdown.filter({ hasText: /(70|6\d):\d\d/ }).waitFor();
}

/** The officer moves to the branch while the vote is open. */
async function putLateComerOnTheRoll(stage, chair) {
  const [person] = stage.people("officer");
  stage.administer("move", stage.demo.officer, stage.demo.unit.id);
  const late = await stage.enterMeeting(person);
  const vote = late.getByTestId("vote-OPEN");
  await late.getByRole("button", { name: "Điểm danh có mặt" }).click();
  await vote.getByText("Bạn không có phiếu trong lần biểu quyết này.").waitFor();
  await stage.screenshot(late, "late-comer-before");

  await pickTool(chair.getByTestId("vote-OPEN"), "Thêm người đến muộn");
  const dialog = chair.getByRole("dialog");
  await dialog.getByRole("radio", { name: person.name }).check();
  await inspectInOneLanguage(stage, "late-comer", chair);
  await confirm(chair, "Thêm vào danh sách");
  await dialog.waitFor({ state: "detached" });
  await castOne(late, "Tán thành");
  await stage.screenshot(late, "late-comer-after");
  await late.context().close();
}

/** One of three stands out; the other two are equal, and a lot decides. */
export async function answersAreChosenAndALotIsDrawn(stage) {
  const { chair, members } = await gather(stage, 2);
  const [first, second] = members;
  await prepareVote(chair, {
    matter: "Thay đổi mục đích",
    question: LOT_QUESTION,
    fill: async (dialog) => {
      await dialog.getByLabel("Số người được bầu").fill("2");
      await writeLines(dialog, ["Sửa nhà văn hóa", "Trồng cây", "Thăm hỏi hội viên"]);
    },
  });
  await openVote(chair, LOT_QUESTION);
  const vote = first.getByTestId("vote-OPEN");
  const box = (name) => vote.getByRole("checkbox", { name });
  await box("Sửa nhà văn hóa").check();
  await box("Trồng cây").check();
  await box("Thăm hỏi hội viên").click();
  await vote
    .getByText(/^Chỉ được chọn nhiều nhất 2; chọn thêm thì phiếu không được nhận/)
    .waitFor();
  assert.equal(await box("Thăm hỏi hội viên").isChecked(), false);
  await stage.screenshot(first, "choice-ballot");
  await send(first);
  await vote.getByText(/^Sửa nhà văn hóa, Trồng cây, lúc/).waitFor();
  await castMarks(second, ["Sửa nhà văn hóa", "Thăm hỏi hội viên"]);
  await inspectAsAnother(stage, "choice-ballot");

  await closeVote(chair);
  await nextStep(chair, "Giải quyết ngang phiếu");
  const dialog = chair.getByRole("dialog");
  await inspectInOneLanguage(stage, "break-tie-lot", chair);
  await confirm(chair, "Bốc thăm");
  await dialog.waitFor({ state: "detached" });
  const closed = ended(first, LOT_QUESTION);
  await publish(chair, closed);
  const marks = closed.locator(".ranked.elected");
  await marks.first().getByText("Trúng cử").waitFor();
  assert.equal(await marks.count(), 2);
  assert.match(await marks.first().innerText(), /Sửa nhà văn hóa/);
  await closed.getByText(/^Ngang phiếu: Trồng cây, Thăm hỏi hội viên, cho 1 chỗ\.$/).waitFor();
  await closed.getByText(/^Mã bốc thăm .* [0-9a-f]{64}$/).waitFor();
  await stage.screenshot(first, "lot-drawn");
  await inspectAsAnother(stage, "lot-drawn");
}

/** Two are equal and a ballot without a mark is invalid; the more senior one is taken. */
export async function seniorityBreaksTheTie(stage) {
  const { chair, members } = await gather(stage, 3);
  const [first, second, third] = members;
  await prepareVote(chair, {
    matter: "Kết nạp",
    question: SENIORITY_QUESTION,
    fill: (dialog) => writeLines(dialog, ["Bà Lan", "Ông Minh"]),
  });
  await openVote(chair, SENIORITY_QUESTION);
  await castOne(first, "Bà Lan");
  await castOne(second, "Ông Minh");
  await send(third);
  const asked = third.getByRole("dialog");
  await asked.getByText(/nhưng phiếu không hợp lệ/).waitFor();
  await stage.screenshot(third, "blank-is-invalid");
  await asked.getByRole("button", { name: "Gửi phiếu không hợp lệ" }).click();
  await third.getByText(/^Phiếu không chọn gì, không hợp lệ, lúc/).waitFor();
  await first.getByTestId("vote-OPEN").getByText("Phiếu không hợp lệ: 1").waitFor();

  await closeVote(chair);
  await nextStep(chair, "Giải quyết ngang phiếu");
  const dialog = chair.getByRole("dialog");
  await dialog.getByRole("checkbox", { name: "Ông Minh" }).check();
  await dialog.getByText("Hãy chọn đúng 2.").waitFor();
  await dialog.getByRole("checkbox", { name: "Bà Lan" }).check();
  await inspectInOneLanguage(stage, "break-tie-seniority", chair);
  await confirm(chair, "Xác nhận");
  await dialog.waitFor({ state: "detached" });
  const closed = ended(first, SENIORITY_QUESTION);
  await publish(chair, closed);
  await closed.getByText("Đã giải quyết (theo thâm niên): Ông Minh.").waitFor();
  assert.match(await closed.locator(".ranked.elected").innerText(), /Ông Minh/);
  await stage.screenshot(first, "tie-broken-by-seniority");
}

/** The paper has measures from the heaviest; votes for a heavier one count for the lighter. */
export async function measuresAreCumulated(stage) {
  const { chair, members } = await gather(stage, 2);
  const [first, second] = members;
  await prepareVote(chair, {
    matter: "Kỷ luật",
    question: MEASURES_QUESTION,
    fill: (dialog) => writeLines(dialog, ["Cảnh cáo", "Khiển trách", "Nhắc nhở"]),
  });
  await chair.getByTestId("vote-PREPARED").getByText("Cảnh cáo").waitFor();
  await openVote(chair, MEASURES_QUESTION);
  const vote = first.getByTestId("vote-OPEN");
  await vote.getByText(/Riêng hình thức nặng nhất cần ít nhất 2\/3/).waitFor();
  await castOne(first, "Cảnh cáo");
  await castOne(second, "Nhắc nhở");
  await stage.screenshot(first, "measures-receipt");
  await inspectAsAnother(stage, "measures-ballot");
  await finishHiddenVote(stage, chair, MEASURES_QUESTION, "Nhắc nhở");
  const closed = ended(first, MEASURES_QUESTION);
  await publish(chair, closed);
  await closed.getByText("6 phiếu, cộng dồn 7, cần", { exact: false }).waitFor();
  await stage.screenshot(first, "measures-result");
  await inspectAsAnother(stage, "measures-result");
}

/** The chair is warned before opening, and the vote does not open. */
export async function smallGroupDoesNotOpen(stage) {
  const { chair } = await gather(stage, 0);
  await prepareVote(chair, { matter: "Giải thể", question: SMALL_GROUP_QUESTION });
  const prepared = chair.getByTestId("vote-PREPARED").filter({ hasText: SMALL_GROUP_QUESTION });
  await prepared.waitFor();
  await nextStep(chair, "Mở biểu quyết");
  const dialog = chair.getByRole("dialog");
  await dialog.getByText(/^Có quá ít người được biểu quyết/).waitFor();
  await inspectInOneLanguage(stage, "open-confirm", chair);
  await confirm(chair, "Mở biểu quyết");
  await chair.getByRole("alert").first().waitFor();
  await prepared.waitFor();
  await stage.screenshot(chair, "too-few-to-open");
  await moveOn(chair);
}

/** A vote that does not open is left behind. */
async function moveOn(chair) {
  const ahead = chair.locator(".agenda-item.current + .agenda-item");
  await ahead.getByRole("button", { name: /^Chuyển đến/ }).click();
  await ahead.waitFor();
}

/** A chair on the narrowest phone, and so many members, at an item with nothing to close. */
async function gather(stage, count) {
  const chair = await stage.enterMeeting(stage.people("chair")[0], { viewport: NARROW });
  const people = stage.people("member").slice(0, count);
  const members = await Promise.all(people.map((person) => stage.enterMeeting(person)));
  return { chair, members };
}

async function writeLines(dialog, lines) {
  for (const [place, line] of lines.entries()) {
    if (place > 0) await dialog.getByRole("button", { name: "Thêm một dòng" }).click();
    await dialog.getByLabel(`Dòng ${place + 1}`, { exact: true }).fill(line);
  }
}

async function send(page) {
  await page.getByTestId("vote-OPEN").getByRole("button", { name: "Gửi phiếu" }).click();
}

async function castOne(page, name) {
  const vote = page.getByTestId("vote-OPEN");
  await vote.getByRole("radio", { name, exact: true }).check();
  await send(page);
  await vote.getByText("Phiếu của bạn đã được ghi nhận").waitFor();
}

async function castMarks(page, names) {
  const vote = page.getByTestId("vote-OPEN");
  for (const name of names) await vote.getByRole("checkbox", { name }).check();
  await send(page);
  await vote.getByText("Phiếu của bạn đã được ghi nhận").waitFor();
}

function ended(page, question) {
  return page.getByTestId("vote-CLOSED").filter({ hasText: question });
}

async function publish(chair, closed) {
  await nextStep(chair, "Công bố kết quả");
  await closed.getByTestId("outcome").waitFor();
}

/** As somebody else sees it, on the narrowest phone. */
async function inspectAsAnother(stage, name) {
  const other = await stage.enterMeeting(stage.people("member")[2], { viewport: NARROW });
  await inspect(stage, name, other);
  await other.context().close();
}
