import assert from "node:assert/strict";

const SCREEN = { width: 1280, height: 800 };

/** GraphiQL, with a link's token: a query, a subscription and its push, and nothing from elsewhere. */
export async function graphiqlAsksAndWatches({ demo, people, enter, screenshot }) {
  const [chair] = people("chair");
  const page = await enter(null, { viewport: SCREEN });
  const faults = watchFor(page, new URL(demo.http).host);

  await page.goto(`${demo.http}#token=${chair.token}`);
  await openTab(page, "WhoAmI");
  assert.equal(new URL(page.url()).hash, "", "no token stays in the address bar");
  await run(page);
  await answered(page, `"name": "${chair.name}"`);
  await screenshot(page, "graphiql-query");

  await openTab(page, "WatchMeeting");
  await run(page);
  await answered(page, '"state": "IN_SESSION"');
  await change(demo, chair, "pauseMeeting");
  await answered(page, '"state": "PAUSED"');
  await change(demo, chair, "startMeeting");
  await answered(page, '"state": "IN_SESSION"');
  await screenshot(page, "graphiql-subscription");

  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  await page.getByText("Root Types").waitFor();
  await page.getByRole("button", { name: "Open settings dialog" }).click();
  await page.getByRole("dialog").waitFor();
  await screenshot(page, "graphiql-settings");

  // The token is the tab's, and what GraphiQL keeps is too.
  await page.reload();
  await openTab(page, "WhoAmI");
  await run(page);
  await answered(page, `"name": "${chair.name}"`);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  assert.deepEqual(faults, []);
}

function watchFor(page, host) {
  const faults = [];
  const check = (url) => {
    const { protocol, host: asked } = new URL(url);
    if (protocol !== "data:" && asked !== host) faults.push(`foreign: ${url}`);
  };
  page.on("request", (request) => check(request.url()));
  page.on("websocket", (socket) => check(socket.url()));
  page.on("response", (response) => {
    if (!response.ok()) faults.push(`${response.status()}: ${response.url()}`);
  });
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(message.text());
  });
  return faults;
}

/** GraphiQL runs what it has parsed, and that it does a moment after the tab shows it. */
async function openTab(page, name) {
  await page.getByRole("tab", { name }).click();
  const isParsed = (name) => sessionStorage.getItem("graphiql:operationName") === name;
  await page.waitForFunction(isParsed, name);
}

async function run(page) {
  await page.getByRole("button", { name: "Execute query" }).click();
}

async function answered(page, text) {
  await page.getByRole("region", { name: "Result Window" }).getByText(text).waitFor();
}

async function change(demo, person, mutation) {
  const query = `mutation { ${mutation}(meetingId: "${demo.meeting.id}") { ... on Meeting { id } } }`;
  const response = await fetch(demo.http, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${person.token}` },
    body: JSON.stringify({ query }),
  });
  assert.deepEqual(await response.json(), { data: { [mutation]: { id: demo.meeting.id } } });
}
