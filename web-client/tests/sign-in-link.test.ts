import { beforeEach, expect, test, vi } from "vitest";
import { readSignInLink, takeSignInLink } from "../src/session/link";

beforeEach(() => {
  vi.stubEnv("DEV", false);
  history.replaceState(null, "", "/");
  document.head.innerHTML = "";
});

test("a link carries a code, and in the demo a token", () => {
  expect(readSignInLink("#token=abc-_123", true)).toEqual({ token: "abc-_123" });
  expect(readSignInLink("#code=7K9Q-2M", true)).toEqual({ code: "7K9Q-2M" });
  expect(readSignInLink("#code=7K9Q-2M", false)).toEqual({ code: "7K9Q-2M" });
  expect(readSignInLink("#main", true)).toBeNull();
  expect(readSignInLink("", true)).toBeNull();
});

test("a token in a link is taken only where the server offers a demo", () => {
  history.replaceState(null, "", "/sign-in#token=secret");
  expect(takeSignInLink()).toBeNull();
  expect(location.href).not.toContain("secret");

  document.head.innerHTML = '<meta name="demo-links" content="taken">';
  history.replaceState(null, "", "/sign-in#token=secret");
  expect(takeSignInLink()).toEqual({ token: "secret" });
});

test("the secret leaves the address bar at once, and no trace in the history", () => {
  history.replaceState(null, "", "/sign-in#code=secret");
  const before = history.length;
  expect(takeSignInLink()).toEqual({ code: "secret" });
  expect(location.href).not.toContain("secret");
  expect(history.length).toBe(before);
});

test("a fragment elsewhere is none of our business", () => {
  history.replaceState(null, "", "/#token=secret");
  expect(takeSignInLink()).toBeNull();
});
