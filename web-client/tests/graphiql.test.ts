import { expect, test } from "vitest";
import { connectionParams } from "../graphiql/fetcher";

test("GraphiQL's socket signs in with the token of the headers", () => {
  expect(connectionParams({ Authorization: "Bearer abc" })).toEqual({ token: "abc" });
  expect(connectionParams({ authorization: "bearer abc" })).toEqual({ token: "abc" });
});

test("GraphiQL's socket leaves signing in to the cookie when the headers name nobody", () => {
  expect(connectionParams()).toEqual({});
  expect(connectionParams({ Authorization: "" })).toEqual({});
  expect(connectionParams({ Authorization: "Basic abc" })).toEqual({});
});
