import assert from "node:assert/strict";

/**
 * What everybody sees and what is the viewer's own come in pushes of their own, so either may be
 * late: neither breaks the page, and nobody reads meanwhile that they have no ballot.
 */
export async function eitherPartMayBeLate(stage) {
  const [person] = stage.people("member");
  const link = await holdPushes();
  link.hold("WatchOwnVotes");
  const page = await stage.enter(person, { onPage: link.route });
  await openMeeting(page);
  const vote = page.getByTestId("vote-OPEN");
  await vote.getByTestId("tally-cast").waitFor();
  await vote.getByText("Đang mở…").waitFor();
  assert.equal(await vote.getByText(/không có phiếu/).count(), 0);
  assert.equal(await vote.getByRole("radio").count(), 0);
  await stage.screenshot(page, "own-part-late");
  link.release();
  await vote.getByRole("radio", { name: "Tán thành", exact: true }).waitFor();
  await vote.getByText("Đang mở…").waitFor({ state: "detached" });

  link.hold("WatchMeeting");
  await page.reload();
  await page.getByText("Đang mở cuộc họp…").waitFor();
  link.release();
  await vote.getByRole("radio", { name: "Tán thành", exact: true }).waitFor();
}

/** Stands between a page and the server, and keeps one operation's pushes back. */
export async function holdPushes() {
  const operations = new Map();
  let held = null;
  let waiting = [];
  const route = (page) =>
    page.routeWebSocket(/\/graphql$/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((text) => {
        const { id, type, payload } = JSON.parse(text);
        if (type === "subscribe") operations.set(id, payload.query);
        server.send(text);
      });
      server.onMessage((text) => {
        const { id, type } = JSON.parse(text);
        const isHeld = held && operations.get(id)?.includes(`subscription ${held}(`);
        if (type === "next" && isHeld) waiting.push(() => socket.send(text));
        else socket.send(text);
      });
    });
  return {
    route,
    hold: (operation) => {
      held = operation;
    },
    release: () => {
      held = null;
      for (const send of waiting) send();
      waiting = [];
    },
  };
}

async function openMeeting(page) {
  await page.getByRole("link", { name: "Vào cuộc họp" }).click();
  await page.getByTestId("current-item").waitFor();
}
