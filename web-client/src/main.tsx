import { render } from "preact";
import { App } from "./app";
import { takeSignInLink } from "./session/link";
import { followSignInLink, openSession } from "./session/sign-in";
import "./styles/index.css";

const link = takeSignInLink();
if (link) void followSignInLink(link);
else void openSession();

// A link opened in a tab that already shows the sign-in page only changes the fragment.
addEventListener("hashchange", () => {
  const link = takeSignInLink();
  if (link) void followSignInLink(link);
});

render(<App />, document.getElementById("app") as HTMLElement);
