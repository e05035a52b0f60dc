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
import { openRollCall } from "./roll-call.mjs";
import { reads } from "./stage.mjs";

const HANDS_QUESTION = "Giơ tay: đồng ý họp ngoài trời?";
const ELECTION_QUESTION = "Bầu hai đại biểu dự đại hội";

/** Every step of preparing, in both languages, on the narrowest phone. */
export async function votingScreensAreAccessible(stage) {
  for (const language of ["vi", "en"]) {
    const chair = await stage.enterMeeting(stage.people("chair")[0], { viewport: NARROW });
    if (language === "en") await chair.getByRole("button", { name: "English" }).click();
    await chair.locator("button.prepare").click();
    const dialog = chair.getByRole("dialog");
    const next = dialog.locator("button.primary");
    await dialog.getByRole("radio", { name: /^(Bầu cử|Election)/ }).check();
    await inspectInOneLanguage(stage, `prepare-1-${language}`, chair);
    await next.click();
    await dialog.locator("textarea").fill("Bầu đại biểu");
    await dialog.locator(".line input").fill("Nguyễn Thị Hòa");
    await dialog.locator("summary").click();
    await dialog.locator(".long .pick").first().waitFor();
    await inspectInOneLanguage(stage, `prepare-2-${language}`, chair);
    await next.click();
    await inspectInOneLanguage(stage, `prepare-3-${language}`, chair);
    await chair.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await chair.locator("button.prepare").click();
    await dialog.getByText("Nguyễn Thị Hòa").waitFor();
  }
}

/** One who voted on a phone is not counted again; the hands of the others are. */
export async function handsAreRecorded(stage) {
  const chair = await openRollCall(stage, stage.people("chair")[0], { viewport: NARROW });
  const [voter, wronged, ...raising] = stage.people("member");
  const member = await stage.enterMeeting(voter);
  for (const person of [voter, wronged, ...raising]) await seeInTheRoom(chair, person);
  await prepareVote(chair, { matter: "Việc thông thường", question: HANDS_QUESTION });
  await openVote(chair, HANDS_QUESTION);
  const vote = member.getByTestId("vote-OPEN");
  await vote.getByRole("radio", { name: "Không tán thành" }).check();
  await vote.getByRole("button", { name: "Gửi phiếu" }).click();
  await vote.getByText("Phiếu của bạn đã được ghi nhận").waitFor();
  await vote.getByText(/^Mã phiếu: [0-9A-F]{12}/).waitFor();
  await stage.screenshot(member, "hands-receipt");

  await pickTool(chair.getByTestId("vote-OPEN"), "Ghi số giơ tay");
  const dialog = chair.getByRole("dialog");
  for (const person of [voter, ...raising]) {
    await dialog.getByRole("checkbox", { name: person.name }).first().check();
  }
  await dialog.getByRole("radio", { name: /^Không tán thành/ }).check();
  await dialog.getByRole("checkbox", { name: wronged.name }).first().check();
  await confirm(chair, `Ghi ${raising.length + 2} giơ tay`);
  await dialog.getByText(`Không tính những người này: ${voter.name}.`).waitFor();
  await inspectInOneLanguage(stage, "hands-dialog", chair);
  await confirm(chair, `Ghi ${raising.length + 1} giơ tay`);
  await dialog.waitFor({ state: "detached" });
  await vote.getByText(`Trong đó ${raising.length + 1} giơ tay tại chỗ`).waitFor();
  await reads(vote, "count-FOR", String(raising.length));
  await vote.getByText("Danh sách và kiểm chứng").click();
  await vote.getByTestId("hands").getByText(wronged.name).waitFor();
  await stage.screenshot(member, "hands-tally");
  await contestHand(stage, wronged);

  await pickTool(chair.getByTestId("vote-OPEN"), "Rút lại giơ tay đã ghi");
  await dialog.getByRole("checkbox", { name: raising[0].name }).first().check();
  await inspectInOneLanguage(stage, "hands-back", chair);
  await confirm(chair, "Rút lại 1 giơ tay");
  await dialog.waitFor({ state: "detached" });
  await reads(vote, "count-FOR", String(raising.length));

  await pickTool(chair.getByTestId("vote-OPEN"), "Đặt thời gian kết thúc");
  await confirm(chair, "Đặt thời gian kết thúc");
  await vote
    .getByTestId("countdown")
    .filter({ hasText: /1:\d\d/ })
    .waitFor();
  await closeVote(chair);
}

async function seeInTheRoom(chair, { name }) {
  const row = chair.locator(".person").filter({ hasText: name }).first();
  if (await row.getByText(/^Đã thấy trong phòng lúc/).count()) return;
  await row.getByRole("checkbox").click();
  await row.getByText(/^Đã thấy trong phòng lúc/).waitFor();
}

/** Their page tells them what their hand was counted for; they vote themselves instead. */
async function contestHand(stage, person) {
  const page = await stage.enterMeeting(person, { viewport: NARROW });
  const vote = page.getByTestId("vote-OPEN");
  await vote.getByTestId("counted-hand").getByText("Lựa chọn được ghi: Không tán thành").waitFor();
  await inspectInOneLanguage(stage, "counted-hand", page);
  await vote.getByRole("button", { name: "Không đúng, tôi tự biểu quyết" }).click();
  await vote.getByRole("radio", { name: "Tán thành", exact: true }).check();
  await vote.getByRole("button", { name: "Gửi phiếu" }).click();
  await vote.getByText("Phiếu của bạn đã được ghi nhận").waitFor();
  await page.context().close();
}

/** The annulled vote stays on the page with its reason, and leads to the one that repeats it. */
export async function annulledVoteIsRepeated(stage) {
  const chair = await stage.enterMeeting(stage.people("chair")[0], { viewport: NARROW });
  const member = await stage.enterMeeting(stage.people("member")[0]);
  const closed = chair.getByTestId("vote-CLOSED").filter({ hasText: HANDS_QUESTION });
  await pickTool(closed, "Hủy kết quả");
  await chair.getByRole("dialog").getByLabel("Lý do").fill("Đếm nhầm số giơ tay.");
  await inspectInOneLanguage(stage, "annul", chair);
  await confirm(chair, "Hủy kết quả");
  const annulled = chair.getByTestId("vote-ANNULLED");
  await annulled.getByText("Lý do: Đếm nhầm số giơ tay.").waitFor();
  await pickTool(annulled, "Chuẩn bị biểu quyết lại");
  await openVote(chair, HANDS_QUESTION);
  await member.getByText("Xem biểu quyết làm lại").waitFor();
  await stage.screenshot(member, "annulled-and-repeated");
  await closeVote(chair);
}

/** Nobody sees a figure before the chair publishes, not even the chair. */
export async function electionWithHiddenFigures(stage) {
  const chair = await stage.enterMeeting(stage.people("chair")[0]);
  const member = await stage.enterMeeting(stage.people("member")[0]);
  await prepareVote(chair, {
    matter: "Bầu cử",
    question: ELECTION_QUESTION,
    fill: async (dialog) => {
      await dialog.getByLabel("Số người được bầu").fill("2");
      await dialog.getByLabel("Dòng 1").fill("Nguyễn Thị Hòa");
    },
  });
  await chair.getByRole("textbox", { name: "Họ và tên" }).fill("Trần Văn Bình");
  await chair.getByRole("button", { name: "Đề cử", exact: true }).click();
  await member.getByTestId("vote-PREPARED").getByText("Trần Văn Bình").waitFor();
  await stage.screenshot(chair, "election-prepared");

  await openVote(chair, ELECTION_QUESTION);
  const vote = member.getByTestId("vote-OPEN");
  const boxes = (name) => vote.getByRole("group", { name });
  await boxes("Nguyễn Thị Hòa").getByRole("checkbox", { name: "Tán thành", exact: true }).check();
  await boxes("Trần Văn Bình").getByRole("checkbox", { name: "Không tán thành" }).check();
  await vote.getByText("Đã tán thành 1, nhiều nhất 2").waitFor();
  await stage.screenshot(member, "election-ballot");
  await axeAtNarrow(stage, "election-ballot");
  await vote.getByRole("button", { name: "Gửi phiếu" }).click();
  await vote.getByText("Phiếu của bạn đã được ghi nhận").waitFor();
  await stage.screenshot(member, "election-receipt");
  for (const page of [chair, member]) {
    const open = page.getByTestId("vote-OPEN");
    await open.getByText(/sẽ hiện sau khi công bố kết quả/).waitFor();
    assert.equal(await open.getByTestId("count-FOR").count(), 0);
  }

  await nextStep(chair, "Kết thúc biểu quyết");
  await confirm(chair, "Kết thúc biểu quyết");
  await chair.getByText(/^Còn người có mặt chưa biểu quyết/).waitFor();
  await stage.screenshot(chair, "election-still-voting");
  await finishHiddenVote(stage, chair, ELECTION_QUESTION, "Nguyễn Thị Hòa");
  const closed = (page) => page.getByTestId("vote-CLOSED").filter({ hasText: ELECTION_QUESTION });
  await closed(member)
    .getByText(/^Chủ trì sẽ công bố kết quả/)
    .waitFor();
  for (const page of [chair, member]) {
    assert.equal(await closed(page).getByTestId("outcome").count(), 0);
  }
  await stage.screenshot(chair, "election-unpublished-chair");
  await stage.screenshot(member, "election-unpublished-member");

  await nextStep(chair, "Công bố kết quả");
  await closed(member).getByTestId("outcome").waitFor();
  await closed(member).getByText("Danh sách và kiểm chứng").click();
  await closed(member)
    .getByTestId("audit-head")
    .filter({ hasText: /^[0-9a-f]{12}$/ })
    .waitFor();
  await stage.screenshot(member, "election-result");
  await stage.screenshot(chair, "election-result-chair");
  await axeAtNarrow(stage, "election-result");
  await leaveTheItem(chair);
}

/** As another member sees it, on the narrowest phone. */
async function axeAtNarrow(stage, name) {
  const other = await stage.enterMeeting(stage.people("member")[1], { viewport: NARROW });
  await inspect(stage, name, other);
  await other.context().close();
}

/** A further round is what the result asks for; the meeting may decide against it. */
async function leaveTheItem(chair) {
  await chair.getByTestId("next-step").filter({ hasText: "Chuẩn bị biểu quyết lại" }).waitFor();
  const ahead = chair.locator(".agenda-item.current + .agenda-item");
  await ahead.getByRole("button", { name: /^Chuyển đến/ }).click();
  await ahead.waitFor();
}
