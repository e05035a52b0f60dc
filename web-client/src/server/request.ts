import type { Reason, TypedDocumentString } from "../gql/graphql";
import { endSession } from "../session/session";
import { tabToken } from "../session/token";
import { learnServerTime } from "./clock";
import { Declined, SignedOut, Unreachable } from "./problem";

const TIMEOUT = 15_000;

interface GraphQLError {
  message: string;
  extensions?: { reason?: Reason };
}

interface GraphQLAnswer<Result> {
  data?: Result | null;
  errors?: GraphQLError[];
}

/** Runs a query or a mutation; throws what `problem.ts` names. */
export async function request<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await send(
    "POST",
    "/graphql",
    JSON.stringify({ query: document.toString(), variables }),
  );
  const { data, errors } = await readAnswer<Result>(response);
  if (errors?.length) throw errorOf(errors);
  if (!data) throw new Error("An answer without data and without errors.");
  return data;
}

/** Sends with the tab's token where there is one, else with the cookie. */
export async function send(
  method: "GET" | "POST" | "DELETE",
  path: string,
  body: string | null = null,
  token = tabToken(),
): Promise<Response> {
  const response = await fetchInTime(path, { method, body, headers: headersOf(token, body) });
  learnServerTime(response.headers.get("Date"));
  if (response.status === 401) throw sessionOver();
  if (response.status === 429 || response.status >= 500) {
    throw new Unreachable(`The server answered ${response.status}.`);
  }
  return response;
}

export function errorOf(errors: readonly GraphQLError[]): Error {
  const reason = errors.find((error) => error.extensions?.reason)?.extensions?.reason;
  if (reason === "NOT_SIGNED_IN") return sessionOver();
  return reason ? new Declined(reason) : new Error(errors.map((error) => error.message).join("; "));
}

function sessionOver(): SignedOut {
  endSession();
  return new SignedOut();
}

function headersOf(token: string | null, body: string | null): Record<string, string> {
  return {
    // Browsers send this to another origin only when that origin allows it: it keeps forged requests out.
    "X-Requested-By": "branch-meetings",
    Accept: "application/json",
    ...(body === null ? {} : { "Content-Type": "application/json" }),
    ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
  };
}

async function fetchInTime(path: string, options: RequestInit): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), TIMEOUT);
  try {
    return await fetch(path, { ...options, signal: late.signal });
  } catch (error) {
    throw new Unreachable("No answer.", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function readAnswer<Result>(response: Response): Promise<GraphQLAnswer<Result>> {
  try {
    return await response.json();
  } catch (error) {
    throw new Unreachable("The answer broke off.", { cause: error });
  }
}
