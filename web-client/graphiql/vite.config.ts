import { defineConfig } from "vite";

// A page and a build of its own, so that nothing of it weighs on the page for members.
// The server shows it at /graphql, in development.
export default defineConfig({
  base: "/graphiql/",
  logLevel: "warn",
  build: {
    outDir: "../dist/graphiql",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2_000,
    rolldownOptions: {
      // "use client" in GraphiQL's packages means nothing in a browser.
      checks: { moduleLevelDirective: false },
    },
  },
});
