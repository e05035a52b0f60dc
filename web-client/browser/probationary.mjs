import assert from "node:assert/strict";

export async function probationaryMemberHasNoBallot({ people, enterMeeting, screenshot }) {
  const page = await enterMeeting(people("probationary")[0]);
  const vote = page.getByTestId("vote-OPEN");
  await vote.getByTestId("tally-cast").waitFor();
  await vote.getByText("Thành viên dự bị dự họp và thảo luận nhưng không biểu quyết.").waitFor();
  assert.equal(await vote.getByRole("radio").count(), 0);
  assert.equal(await vote.getByRole("button", { name: "Gửi phiếu" }).count(), 0);
  await screenshot(page, "probationary");
}
