// graphql-ws on ws: `node graphql_ws.mjs PORT`.

import { createServer } from "node:http";
import { buildSchema, graphql } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { castBallot, currentVote, TYPES, watchVote } from "./tally.mjs";

const schema = buildSchema(TYPES);
schema.getQueryType().getFields().vote.resolve = currentVote;
schema.getMutationType().getFields().castBallot.resolve = castBallot;
schema.getSubscriptionType().getFields().vote.subscribe = watchVote;

const server = createServer(async (request, response) => {
  let body = "";
  for await (const part of request) body += part;
  const { query, variables } = JSON.parse(body);
  const result = await graphql({ schema, source: query, variableValues: variables });
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(result));
});

useServer({ schema }, new WebSocketServer({ server, path: "/graphql" }));
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });
