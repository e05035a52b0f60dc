import assert from "node:assert/strict";

/** Two tabs of one session: what the second asks for after the first signed out is refused, calmly. */
export async function signingOutEndsTheSessionEverywhere({ demo, people, enter, screenshot }) {
  const [person] = people("member");
  const first = await enter(person);
  const second = await enter(person);
  await second.goto(new URL(`/meetings/${demo.meeting.id}`, demo.http).href);
  await second.getByTestId("meeting-CLOSED").waitFor();

  await first.getByRole("button", { name: "Đăng xuất" }).click();
  await first.getByRole("heading", { name: "Đăng nhập" }).waitFor();
  await second.getByRole("link", { name: "Họp chi bộ" }).click();
  await second.getByText(/^Phiên đăng nhập đã kết thúc/).waitFor();
  await screenshot(second, "session-ended");
  for (const page of [first, second]) assert.deepEqual(await personalKeys(page), []);
}

function personalKeys(page) {
  return page.evaluate(() =>
    Object.keys({ ...sessionStorage, ...localStorage }).filter(
      (key) => !key.startsWith("setting:"),
    ),
  );
}
