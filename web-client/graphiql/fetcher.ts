import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { createClient } from "graphql-ws";

type HeaderFields = Record<string, string>;

const OWN_HEADER = { "X-Requested-By": "branch-meetings" };

/** Requests over HTTP and subscriptions over a socket, both as whoever the headers name. */
export const fetcher: Fetcher = (parameters, options) => {
  const send = createGraphiQLFetcher({
    url: "/graphql",
    headers: OWN_HEADER,
    enableIncrementalDelivery: false,
    // Lazy, so only a subscription opens it; and one each, because a socket stays one person's.
    wsClient: createClient({
      url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
      connectionParams: connectionParams(options?.headers),
    }),
  });
  return send(parameters, options);
};

/** A browser's socket has no headers: the token goes into its first message instead. */
export function connectionParams(headers: HeaderFields = {}): { token?: string } {
  const name = Object.keys(headers).find((header) => header.toLowerCase() === "authorization");
  const token = /^Bearer\s+(\S+)$/i.exec((name && headers[name]) || "")?.[1];
  return token ? { token } : {};
}
