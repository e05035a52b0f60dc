// What a chair does in more than one scene, in Vietnamese.

export async function nextStep(chair, name) {
  await chair.getByTestId("next-step").filter({ hasText: name }).click();
}

export async function confirm(chair, name) {
  await chair.getByRole("dialog").getByRole("button", { name, exact: true }).click();
}

/** Opens what else the chair can do to a vote, and does it. */
export async function pickTool(vote, name) {
  const tools = vote.locator("details.tools");
  if (!(await tools.evaluate((details) => details.open))) await tools.locator("summary").click();
  await tools.getByRole("button", { name: new RegExp(`^${name}: `) }).click();
}

/** Three steps; `fill` writes what the second one asks for besides the question. */
export async function prepareVote(chair, { matter, question, fill = async () => {} }) {
  await chair.getByRole("button", { name: "Chuẩn bị biểu quyết" }).click();
  const dialog = chair.getByRole("dialog");
  await dialog.getByRole("radio", { name: new RegExp(`^${matter}`) }).check();
  await confirm(chair, "Tiếp tục");
  await dialog.getByLabel("Câu hỏi biểu quyết").fill(question);
  await fill(dialog);
  await confirm(chair, "Tiếp tục");
  await dialog.getByRole("heading", { name: "Kiểm tra và lưu" }).waitFor();
  await confirm(chair, "Lưu biểu quyết");
  await dialog.waitFor({ state: "detached" });
}

export async function openVote(chair, question) {
  await chair.getByTestId("vote-PREPARED").filter({ hasText: question }).waitFor();
  await nextStep(chair, "Mở biểu quyết");
  await chair.getByTestId("vote-OPEN").filter({ hasText: question }).waitFor();
}

/** Five more cast for the option in a hidden vote, whose time is over then: it closes by itself. */
export async function finishHiddenVote(stage, chair, question, label) {
  stage.administer("finish", question, label);
  await chair.getByTestId("vote-OPEN").waitFor({ state: "detached" });
}

export async function closeVote(chair) {
  await nextStep(chair, "Kết thúc biểu quyết");
  await confirm(chair, "Kết thúc biểu quyết");
  await chair.getByTestId("vote-OPEN").waitFor({ state: "detached" });
}
