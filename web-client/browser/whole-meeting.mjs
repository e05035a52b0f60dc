import assert from "node:assert/strict";
import { confirm, nextStep } from "./chair.mjs";
import { reads } from "./stage.mjs";

const DESK = { width: 1280, height: 900 };

/** From the roll call over two votes. */
export async function twoVotes(stage) {
  const { chair, members, everyone, picture } = await gather(stage);

  await checkIn(everyone, members);
  await picture("1-checked-in");

  await castOnOpenVote(everyone, chair, members);
  await picture("2-tally");
  await closeVote(everyone, chair);
  await picture("3-result");

  await nextStep(chair, "Mở biểu quyết");
  await Promise.all(everyone.map((page) => page.getByTestId("vote-OPEN").waitFor()));
  await members[0]
    .getByTestId("announcer")
    .filter({ hasText: /^Đã mở biểu quyết: / })
    .waitFor({ state: "attached" });
  await picture("4-second-vote");
  const expected = await castOf(chair, everyone.length);
  await Promise.all(everyone.map((page) => cast(page, "Tán thành")));
  await reads(chair.getByTestId("vote-OPEN"), "tally-cast", expected);
  await closeVote(everyone, chair);
  await picture("5-second-result");
}

/** Through the rest of the agenda to the end. */
export async function theEnd(stage) {
  const { chair, everyone, picture } = await gather(stage);
  await walkToTheEnd(everyone, chair);
  await picture("6-last-item");
  await nextStep(chair, "Kết thúc cuộc họp");
  await confirm(chair, "Kết thúc cuộc họp");
  await Promise.all(everyone.map((page) => page.getByTestId("meeting-CLOSED").waitFor()));
  await Promise.all(
    everyone.map((page) =>
      page.getByText("Cuộc họp đã kết thúc. Cảm ơn bạn đã tham dự.").waitFor(),
    ),
  );
  await picture("7-closed");
}

async function gather(stage) {
  const chair = await stage.enterMeeting(stage.people("chair")[0], { viewport: DESK });
  const members = await Promise.all(
    stage.people("member").map((person) => stage.enterMeeting(person)),
  );
  const picture = async (name) => {
    await stage.screenshot(chair, `${name}-chair`);
    await stage.screenshot(members[0], `${name}-member`);
  };
  return { chair, members, everyone: [chair, ...members], picture };
}

async function checkIn(everyone, members) {
  const [, present, summoned] = /(\d+)\/(\d+)/.exec(
    await everyone[0].getByTestId("turnout").innerText(),
  );
  for (const member of members) {
    await member.getByRole("button", { name: "Điểm danh có mặt" }).click();
    await member.getByText("Bạn đã điểm danh có mặt").waitFor();
  }
  const expected = `Có mặt ${Number(present) + members.length}/${summoned}`;
  await Promise.all(everyone.map((page) => reads(page, "turnout", expected)));
}

/** The third member casts while the network is away: the ballot waits, and counts once. */
async function castOnOpenVote(everyone, chair, members) {
  const expected = await castOf(chair, everyone.length);
  const [first, second, third] = members;
  const forBefore = Number(
    await chair.getByTestId("vote-OPEN").getByTestId("count-FOR").innerText(),
  );

  await cast(first, "Tán thành");
  await cast(second, "Không tán thành");
  await third.context().setOffline(true);
  await send(third, "Không có ý kiến");
  await third.getByText(/^Chưa có xác nhận/).waitFor();
  await third.context().setOffline(false);
  await recorded(third);
  await cast(chair, "Tán thành");

  await Promise.all(
    everyone.map((page) => reads(page.getByTestId("vote-OPEN"), "tally-cast", expected)),
  );
  await reads(second.getByTestId("vote-OPEN"), "count-FOR", String(forBefore + 2));
}

async function send(page, choice) {
  const vote = page.getByTestId("vote-OPEN");
  await vote.getByRole("radio", { name: choice, exact: true }).check();
  await vote.getByRole("button", { name: "Gửi phiếu" }).click();
}

async function recorded(page) {
  await page.getByTestId("vote-OPEN").getByText("Phiếu của bạn đã được ghi nhận").waitFor();
}

async function cast(page, choice) {
  await send(page, choice);
  await recorded(page);
}

/** The tally's line as it will read after so many more ballots. */
async function castOf(page, more) {
  const line = await page.getByTestId("vote-OPEN").getByTestId("tally-cast").innerText();
  return line.replace(/(\d+)\//, (_, count) => `${Number(count) + more}/`);
}

/** Everybody reads the same sentence. */
async function closeVote(everyone, chair) {
  await nextStep(chair, "Kết thúc biểu quyết");
  await confirm(chair, "Kết thúc biểu quyết");
  const sentences = await Promise.all(everyone.map(latestSentence));
  assert.match(sentences[0], /^(Được|Không được) thông qua: \d+\/\d+ /);
  assert.deepEqual(new Set(sentences).size, 1);
}

async function latestSentence(page) {
  await page.getByTestId("vote-OPEN").waitFor({ state: "detached" });
  const current = page.getByRole("region", { name: "Nội dung hiện tại" });
  return current.getByTestId("outcome").last().innerText();
}

async function walkToTheEnd(everyone, chair) {
  const items =
    (await chair
      .getByRole("listitem")
      .filter({ has: chair.getByRole("button", { name: /^Chuyển đến: / }) })
      .count()) + 1;
  for (;;) {
    const step = chair
      .getByTestId("next-step")
      .filter({ hasText: /Chuyển nội dung tiếp theo|Kết thúc cuộc họp/ });
    if ((await step.innerText()) === "Kết thúc cuộc họp") break;
    const title = (await chair.getByText(/^Tiếp theo: /).innerText()).replace("Tiếp theo: ", "");
    await step.click();
    await Promise.all(everyone.map((page) => reads(page, "current-item", title)));
  }
  await everyone[1].getByText(`Nội dung ${items}/${items}`).waitFor();
}
