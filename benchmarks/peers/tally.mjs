// The types, the state and the resolvers that both Node servers share.

import { randomUUID } from "node:crypto";

export const TYPES = `
  type Query { vote(id: ID!): Vote! }
  type Mutation { castBallot(voteId: ID!): Vote! }
  type Subscription { vote(id: ID!): Vote! }
  type Vote { id: ID!, version: Int!, tally: Tally! }
  type Tally { cast: Int!, eligible: Int!, options: [OptionCount!]! }
  type OptionCount { optionId: ID!, count: Int }
`;

const vote = {
  id: randomUUID(),
  version: 1,
  tally: {
    cast: 0,
    eligible: 1000,
    options: [0, 0, 0].map((count) => ({ optionId: randomUUID(), count })),
  },
};

const waiting = new Set();

export function castBallot() {
  vote.version += 1;
  vote.tally.cast += 1;
  vote.tally.options[0].count += 1;
  for (const wake of waiting) wake();
  return vote;
}

export const currentVote = () => vote;

/** The state at once, and again after each change. */
export async function* watchVote() {
  let changed = false;
  let resume = () => {};
  const wake = () => {
    changed = true;
    resume();
  };
  waiting.add(wake);
  try {
    for (;;) {
      changed = false;
      yield { vote };
      if (!changed) await new Promise((resolve) => (resume = resolve));
    }
  } finally {
    waiting.delete(wake);
  }
}
