import { useEffect } from "preact/hooks";
import { LocationProvider, Route, Router, useLocation } from "preact-iso";
import { HomeScreen } from "./home/home-screen";
import { messages } from "./language/language";
import { MeetingScreen } from "./meeting/meeting-screen";
import { session, type Viewer } from "./session/session";
import { SignInScreen } from "./session/sign-in-screen";
import { ViewerContext } from "./session/viewer";
import { Announcer } from "./ui/announcer";
import { Header } from "./ui/header";
import { onDemand } from "./ui/on-demand";
import { SessionBar } from "./ui/session-bar";
import { UnreachableScreen } from "./ui/unreachable-screen";
import { useTitle } from "./ui/use-title";

const UnitScreen = onDemand(async () => (await import("./home/unit-screen")).UnitScreen);
const SessionsScreen = onDemand(
  async () => (await import("./sessions/sessions-screen")).SessionsScreen,
);

export function App() {
  return (
    <LocationProvider>
      <Header />
      <main id="main" tabIndex={-1}>
        <SessionBar />
        <Screen />
      </main>
      <Announcer />
    </LocationProvider>
  );
}

/** Whoever is not signed in signs in first, wherever they are, and then sees the page they asked for. */
function Screen() {
  const now = session.value;
  switch (now.state) {
    case "opening":
      return <p class="opening">{messages.value.opening}</p>;
    case "unreachable":
      return <UnreachableScreen />;
    case "signed-out":
      return <SignInScreen ended={now.ended} givenCode={now.code ?? ""} />;
    case "signed-in":
      return <Pages viewer={now.viewer} />;
  }
}

function Pages({ viewer }: { viewer: Viewer }) {
  return (
    <ViewerContext.Provider value={viewer}>
      <Router onRouteChange={moveFocusToPage}>
        <Route path="/" component={HomeScreen} />
        <Route path="/sign-in" component={SignedInAlready} />
        <Route path="/meetings/:id" component={MeetingScreen} />
        <Route path="/units/:id" component={UnitScreen} />
        <Route path="/sessions" component={SessionsScreen} />
        <Route default component={NotFoundScreen} />
      </Router>
    </ViewerContext.Provider>
  );
}

/** Whoever reads by keyboard or by ear starts at the top of the new page. */
function moveFocusToPage(): void {
  document.getElementById("main")?.focus({ preventScroll: true });
}

function SignedInAlready() {
  const { route } = useLocation();
  useEffect(() => route("/", true), [route]);
  return null;
}

function NotFoundScreen() {
  const { title, home } = messages.value.notFound;
  useTitle(title);
  return (
    <section class="card">
      <h1>{title}</h1>
      <a class="button primary" href="/">
        {home}
      </a>
    </section>
  );
}
