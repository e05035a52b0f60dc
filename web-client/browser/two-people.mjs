/** The demo's links sign in one tab each, so that one browser can hold a whole meeting. */
export async function twoTabsAreTwoPeople({ people, enter }) {
  const [chair] = people("chair");
  const [member] = people("member");
  const first = await enter(chair);
  const second = await first.context().newPage();
  await second.goto(member.link);
  await second.getByRole("heading", { name: member.name }).waitFor();
  await first.reload();
  await first.getByRole("heading", { name: chair.name }).waitFor();
}
