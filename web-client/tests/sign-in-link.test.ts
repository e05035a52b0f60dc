import { beforeEach, expect, test } from "vitest";
import { readSignInLink, takeSignInLink } from "../src/session/link";

beforeEach(() => history.replaceState(null, "", "/"));

test("a link carries a token or a code", () => {
  expect(readSignInLink("#token=abc-_123")).toEqual({ token: "abc-_123" });
  expect(readSignInLink("#code=7K9Q-2M")).toEqual({ code: "7K9Q-2M" });
  expect(readSignInLink("#main")).toBeNull();
  expect(readSignInLink("")).toBeNull();
});

test("the secret leaves the address bar at once, and no trace in the history", () => {
  history.replaceState(null, "", "/sign-in#token=secret");
  const before = history.length;
  expect(takeSignInLink()).toEqual({ token: "secret" });
  expect(location.href).not.toContain("secret");
  expect(history.length).toBe(before);
});

test("a fragment elsewhere is none of our business", () => {
  history.replaceState(null, "", "/#token=secret");
  expect(takeSignInLink()).toBeNull();
});
