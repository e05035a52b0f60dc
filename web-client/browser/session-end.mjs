import assert from "node:assert/strict";
import { inspect, NARROW } from "./accessibility.mjs";

/** The page lets go of the meeting at once, not only when somebody reloads it. */
export async function suspensionThrowsOut(stage) {
  const [chair] = stage.people("chair");
  const [person] = stage.people("probationary");
  const page = await stage.enter(person, { viewport: NARROW });
  await page.goto(new URL(`/meetings/${stage.demo.meeting.id}`, stage.demo.http).href);
  await page.getByTestId(/^meeting-/).waitFor();
  const { viewer } = await ask(stage, person, "{ viewer { member { id } } }");
  const about = `memberId: "${viewer.member.id}"`;
  await ask(stage, chair, `mutation { suspendMember(${about}, reason: "Thử") { __typename } }`);
  await page.getByRole("heading", { name: "Không mở được cuộc họp" }).waitFor();
  await page.getByText(/^Hiện bạn không được xem cuộc họp này/).waitFor();
  assert.equal(await page.getByText("Đang tự kết nối lại").count(), 0);
  assert.equal(await page.getByTestId(/^meeting-/).count(), 0);
  await inspect(stage, "suspended", page);

  await ask(stage, chair, `mutation { reinstateMember(${about}) { __typename } }`);
  await page.reload();
  await page.getByTestId(/^meeting-/).waitFor();
}

/** The server tells on the socket; the session then ends by itself, and the page says so. */
export async function sessionEndsWithNotice(stage) {
  const [person] = stage.people("probationary");
  const page = await stage.enter(person, { viewport: NARROW });
  await page.goto(new URL(`/meetings/${stage.demo.meeting.id}`, stage.demo.http).href);
  await page.getByTestId(/^meeting-/).waitFor();
  const bar = page.getByTestId("session-bar");
  assert.equal(await bar.count(), 0);

  stage.administer("end-session", person.token, "115");
  await bar.getByText(/^Còn 1:\d\d$/).waitFor();
  await inspect(stage, "session-bar", page);
  await page.getByRole("button", { name: "Tiếng Việt" }).click();
  await bar.getByRole("button", { name: "Tiếp tục đăng nhập" }).click();
  await bar.waitFor({ state: "detached" });

  stage.administer("end-session", person.token, "1");
  await page.getByText(/^Phiên đăng nhập đã kết thúc/).waitFor();
}

async function ask({ demo }, person, query) {
  const response = await fetch(demo.http, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${person.token}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data;
}
