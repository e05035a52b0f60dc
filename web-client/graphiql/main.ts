import { GraphiQL } from "graphiql";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { readSignInLink } from "../src/session/link";
import { forgetPerson } from "../src/session/session";
import { keepTabToken, tabToken } from "../src/session/token";
import { examples } from "./examples";
import { fetcher } from "./fetcher";
import { storage } from "./storage";
import "graphiql/style.css";
import "./page.css";

takeToken();
addEventListener("hashchange", () => takeToken() && location.reload());
void show();

async function show(): Promise<void> {
  const tabs = await examples();
  const token = tabToken(); // gone if the server refused it
  const headers = token ? JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2) : "";
  createRoot(document.getElementById("graphiql") as HTMLElement).render(
    createElement(GraphiQL, {
      fetcher,
      storage,
      defaultTabs: tabs.map((tab) => ({ ...tab, headers })),
      // For tabs that come back after a reload without their headers, which are not stored.
      headers,
      defaultHeaders: headers,
      showPersistHeadersSettings: false,
    }),
  );
}

/** Makes this tab the person whom `#token=…` is for, as the sign-in page does with its links. */
function takeToken(): boolean {
  const link = readSignInLink(location.hash, true);
  if (!link || !("token" in link)) return false;
  history.replaceState(history.state, "", location.pathname + location.search);
  forgetPerson();
  keepTabToken(link.token);
  return true;
}
