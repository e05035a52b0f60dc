import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";

export default defineConfig({
  build: {
    // Old phones are the ones that matter here.
    target: ["chrome87", "safari14", "firefox85"],
    // Everything is a file of its own, so that the content security policy can stay closed.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/graphql": { target: server, changeOrigin: true, ws: true, rewriteWsOrigin: true },
      "/graphiql/assets": { target: server, changeOrigin: true },
      "/session": { target: server, changeOrigin: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
  },
});
