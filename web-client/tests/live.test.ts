import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WatchMeetingDocument } from "../src/gql/graphql";
import { learnServerNow, serverNow } from "../src/server/clock";
import { link, watch } from "../src/server/live";
import { forgetPerson, session } from "../src/session/session";
import { sessionEnd } from "../src/session/session-end";
import { keepTabToken } from "../src/session/token";
import { meetingOf } from "./factories";
import { FakeSocket } from "./socket";

const watcher = { push: vi.fn(), problem: vi.fn() };
let leave: () => void = () => {};

const sockets = () => FakeSocket.opened;
const subscribed = (socket: FakeSocket | undefined) =>
  socket?.sent.find(({ type }) => type === "subscribe");

async function watchMeeting(): Promise<FakeSocket> {
  leave = watch(WatchMeetingDocument, { id: "meeting" }, watcher);
  await vi.advanceTimersByTimeAsync(0);
  const socket = sockets().at(-1);
  if (!socket) throw new Error("No socket was opened.");
  return socket;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.opened = [];
  learnServerNow(Date.now());
});

afterEach(async () => {
  leave();
  forgetPerson();
  await vi.runOnlyPendingTimersAsync();
  vi.clearAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the socket speaks graphql-transport-ws and carries the tab's token", async () => {
  keepTabToken("secret");
  const socket = await watchMeeting();
  expect(socket.url).toBe(`ws://${location.host}/graphql`);
  expect(socket.protocol).toBe("graphql-transport-ws");
  expect(socket.sent[0]).toEqual({ type: "connection_init", payload: { token: "secret" } });
});

test("without a tab token the cookie speaks for itself", async () => {
  const socket = await watchMeeting();
  expect(socket.sent[0]).toEqual({ type: "connection_init", payload: {} });
});

test("pushes reach the watcher", async () => {
  const socket = await watchMeeting();
  const data = { meeting: meetingOf() };
  socket.says({ type: "next", id: subscribed(socket)?.id, payload: { data } });
  await vi.advanceTimersByTimeAsync(0);
  expect(watcher.push).toHaveBeenCalledWith(data);
});

test("a lost connection shows as down, and is up again after it came back", async () => {
  const socket = await watchMeeting();
  expect(link.value.down).toBe(false);
  socket.close(1006);
  expect(link.value.down).toBe(true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sockets()).toHaveLength(2);
  expect(link.value.down).toBe(false);
  expect(subscribed(sockets()[1])).toBeTruthy();
});

test("a server that is away for long is tried for ever", async () => {
  await watchMeeting();
  for (let attempt = 1; attempt <= 12; attempt++) {
    sockets()
      .at(-1)
      ?.close(attempt % 2 ? 1006 : 4509);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(sockets()).toHaveLength(attempt + 1);
  }
  expect(watcher.problem).not.toHaveBeenCalled();
});

test("a socket that answers no ping is given up", async () => {
  const socket = await watchMeeting();
  socket.isDeaf = true;
  await vi.advanceTimersByTimeAsync(12_000 + 6_000);
  expect(socket.readyState).toBe(FakeSocket.CLOSED);
  expect(sockets()).toHaveLength(2);
});

const wakings: [string, EventTarget, string][] = [
  ["seen again", document, "visibilitychange"],
  ["shown again", window, "pageshow"],
  ["online again", window, "online"],
  ["looked at again", window, "focus"],
];

test.each(wakings)("a page that is %s asks whether its socket lives", async (_, target, event) => {
  const socket = await watchMeeting();
  target.dispatchEvent(new Event(event));
  expect(socket.sent.at(-1)).toEqual({ type: "ping" });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(link.value).toMatchObject({ down: false, inDoubt: false });
  expect(sockets()).toHaveLength(1);
});

test("a dead socket is replaced two seconds after waking, and meanwhile nothing is promised", async () => {
  const socket = await watchMeeting();
  socket.isDeaf = true;
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.advanceTimersByTimeAsync(400);
  expect(link.value).toMatchObject({ down: false, inDoubt: true });
  await vi.advanceTimersByTimeAsync(1_600);
  expect(sockets()).toHaveLength(2);
  expect(subscribed(sockets()[1])).toBeTruthy();
  expect(link.value).toMatchObject({ down: false, inDoubt: false });
});

test.each(wakings)("a page that is %s does not wait to connect again", async (_, target, event) => {
  const socket = await watchMeeting();
  vi.spyOn(Math, "random").mockReturnValue(1);
  socket.close(4508);
  await vi.advanceTimersByTimeAsync(100);
  expect(sockets()).toHaveLength(1);
  target.dispatchEvent(new Event(event));
  await vi.advanceTimersByTimeAsync(0);
  expect(sockets()).toHaveLength(2);
  vi.restoreAllMocks();
});

test("when the device's clocks part, the server is asked for the time", async () => {
  const now = new Date(Date.now() + 3_600_000).toUTCString();
  const asked = vi.fn(async () => new Response("ok", { headers: { Date: now } }));
  vi.stubGlobal("fetch", asked);
  await watchMeeting();
  vi.setSystemTime(Date.now() + 3_600_000);
  dispatchEvent(new Event("focus"));
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toHaveBeenCalledTimes(1);
  expect(serverNow()).toBe(Date.parse(now));
});

test("a server that never takes the first connection is told of after ten seconds", async () => {
  FakeSocket.answers = false;
  await watchMeeting();
  await vi.advanceTimersByTimeAsync(9_900);
  expect(link.value.down).toBe(false);
  await vi.advanceTimersByTimeAsync(100);
  expect(link.value.down).toBe(true);
  FakeSocket.answers = true;
});

test("a device that goes offline does not wait for the dead socket", async () => {
  await watchMeeting();
  dispatchEvent(new Event("offline"));
  expect(link.value.down).toBe(true);
});

test("close code 4401 ends the session and is not tried again", async () => {
  keepTabToken("secret");
  const socket = await watchMeeting();
  socket.close(4401, "revoked");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(session.value).toEqual({ state: "signed-out", ended: true });
  expect(sockets()).toHaveLength(1);
});

test("close code 4403 is not tried again, and says that it is not allowed", async () => {
  const socket = await watchMeeting();
  socket.close(4403, "suspended");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watcher.problem).toHaveBeenCalledWith("NOT_ALLOWED");
  expect(sockets()).toHaveLength(1);
  expect(link.value.down, "nothing promises to reconnect").toBe(false);
});

test.each([
  ["1012, a restart, comes back after up to five seconds", 1012, 1, 5_000],
  ["1012, a restart, may come back at once", 1012, 0, 0],
  ["4508, too many messages, backs off", 4508, 1, 8_000],
  ["4509, too slow a reader, comes back soon", 4509, 1, 1_000],
])("close code %s", async (_, code, random, delay) => {
  vi.spyOn(Math, "random").mockReturnValue(random);
  const socket = await watchMeeting();
  socket.close(code, "later");
  await vi.advanceTimersByTimeAsync(Math.max(delay - 1, 0));
  if (delay > 0) expect(sockets()).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(sockets()).toHaveLength(2);
  expect(subscribed(sockets()[1])).toBeTruthy();
  expect(watcher.problem).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

test("a ping may tell when the session ends, and is answered", async () => {
  const socket = await watchMeeting();
  socket.says({ type: "ping", payload: { sessionEndsIn: 90 } });
  await vi.advanceTimersByTimeAsync(0);
  expect(sessionEnd.value).toBe(serverNow() + 90_000);
  expect(socket.sent.at(-1)).toMatchObject({ type: "pong" });
  socket.says({ type: "ping" });
  await vi.advanceTimersByTimeAsync(0);
  expect(sessionEnd.value).toBe(serverNow() + 90_000);
});

test.each([4400, 4408, 4409, 4429, 1009])("close code %i is not tried again", async (code) => {
  const socket = await watchMeeting();
  socket.close(code, "no");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watcher.problem).toHaveBeenCalledWith("STOPPED");
  expect(sockets()).toHaveLength(1);
});

test("a refused subscription gives its reason", async () => {
  const socket = await watchMeeting();
  const errors = [{ message: "No.", extensions: { reason: "NOT_ALLOWED" } }];
  socket.says({ type: "error", id: subscribed(socket)?.id, payload: errors });
  await vi.advanceTimersByTimeAsync(0);
  expect(watcher.problem).toHaveBeenCalledWith("NOT_ALLOWED");
});
