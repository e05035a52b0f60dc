import type { Reason, RefusalFragment } from "../gql/graphql";

/** Why something did not happen, in words the catalogues translate. */
export type Problem = Reason | "UNREACHABLE" | "FAULT" | "STOPPED";

/** No answer came. What was asked for may or may not have been done. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/** The server does not know who is asking; the session is over by the time this is thrown. */
export class SignedOut extends Error {
  override name = "SignedOut";
}

/** The rules said no. */
export class Declined extends Error {
  override name = "Declined";

  constructor(
    readonly reason: Reason,
    /** Figures that belong to the reason. */
    readonly details: unknown = null,
  ) {
    super(reason);
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Declined) return error.reason;
  if (error instanceof Unreachable) return "UNREACHABLE";
  if (error instanceof SignedOut) return "NOT_SIGNED_IN";
  // Nobody expected this one: it must not vanish behind a polite sentence.
  console.error(error);
  return "FAULT";
}

/** What a mutation gave, or `Declined` when it gave a refusal. */
export function accepted<Answer extends object>(answer: Answer): Exclude<Answer, RefusalFragment> {
  if ("reason" in answer) {
    const { reason, details } = answer as unknown as RefusalFragment;
    throw new Declined(reason, details);
  }
  return answer as Exclude<Answer, RefusalFragment>;
}
