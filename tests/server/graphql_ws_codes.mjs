// What the npm client `graphql-ws` does when a server closes with each code.
//
//   node --experimental-websocket graphql_ws_codes.mjs ws://127.0.0.1:1234 4400 4401 …
//
// Subscribes at `…/<code>`. Prints one JSON object: by code, whether the client connected again, or
// the subscription failed with the code.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web-client/package.json", import.meta.url));
const { createClient } = require("graphql-ws");

const [site, ...codes] = process.argv.slice(2);

function subscribe(code) {
  return new Promise((resolve) => {
    let connections = 0;
    const end = (what) => resolve([code, what]);
    const client = createClient({
      url: `${site}/${code}`,
      connectionParams: { token: "anybody's" },
      retryWait: () => Promise.resolve(),
      on: {
        connected: () => {
          connections += 1;
          if (connections === 2) {
            client.terminate();
            end("connects again");
          }
        },
      },
    });
    client.subscribe(
      { query: "subscription { a }" },
      {
        next: () => {},
        error: (cause) => end(cause.code === Number(code) ? "fails" : String(cause)),
        complete: () => end("completes"),
      },
    );
  });
}

console.log(JSON.stringify(Object.fromEntries(await Promise.all(codes.map(subscribe)))));
process.exit(0);
