// mercurius with its just-in-time compiler: `node mercurius.mjs PORT`.

import Fastify from "fastify";
import mercurius from "mercurius";
import { castBallot, currentVote, TYPES, watchVote } from "./tally.mjs";

const app = Fastify();
app.register(mercurius, {
  schema: TYPES,
  resolvers: {
    Query: { vote: currentVote },
    Mutation: { castBallot },
    Subscription: { vote: { subscribe: () => watchVote() } },
  },
  jit: 1,
  subscription: true,
});
await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
