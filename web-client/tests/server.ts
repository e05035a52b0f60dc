import { vi } from "vitest";

export interface Asked {
  path: string;
  method: string;
  headers: Record<string, string>;
  variables: Record<string, unknown>;
}

type Answer = object | number | "no answer";

/** Stands in for the server: answers the requests in turn, and keeps what was asked. */
export function answerInTurn(...answers: Answer[]): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (path: string, options: RequestInit) => {
    asked.push({
      path,
      method: options.method ?? "GET",
      headers: options.headers as Record<string, string>,
      variables: options.body ? JSON.parse(String(options.body)).variables : {},
    });
    return responseOf(answers.shift() ?? "no answer");
  });
  return asked;
}

function responseOf(answer: Answer): Response {
  if (answer === "no answer") throw new TypeError("Failed to fetch");
  if (typeof answer === "number") return new Response(null, { status: answer });
  return new Response(JSON.stringify(answer));
}
