import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { LocationProvider, Route, Router, useLocation } from "preact-iso";
import { HomeScreen } from "./home/home-screen";
import { UnitScreen } from "./home/unit-screen";
import { messages } from "./language/language";
import { MeetingScreen } from "./meeting/meeting-screen";
import { session, type Viewer } from "./session/session";
import { SignInScreen } from "./session/sign-in-screen";
import { ViewerContext } from "./session/viewer";
import { Announcer } from "./ui/announcer";
import { Header } from "./ui/header";
import { SessionBar } from "./ui/session-bar";
import { useTitle } from "./ui/use-title";

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
        <Route path="/sessions" component={SessionsPage} />
        <Route default component={NotFoundScreen} />
      </Router>
    </ViewerContext.Provider>
  );
}

/** Whoever reads by keyboard or by ear starts at the top of the new page. */
function moveFocusToPage(): void {
  document.getElementById("main")?.focus({ preventScroll: true });
}

/** Loaded when it is asked for: few look at it, and the first load is to stay small. */
function SessionsPage() {
  const [Loaded, setLoaded] = useState<ComponentType | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    import("./sessions/sessions-screen").then(
      ({ SessionsScreen }) => setLoaded(() => SessionsScreen),
      () => setFailed(true),
    );
  }, []);
  if (failed) return <UnreachableScreen />;
  return Loaded ? <Loaded /> : <p class="opening">{messages.value.opening}</p>;
}

function SignedInAlready() {
  const { route } = useLocation();
  useEffect(() => route("/", true), [route]);
  return null;
}

function UnreachableScreen() {
  const { title, explanation } = messages.value.unreachable;
  useTitle(title);
  return (
    <section class="card">
      <h1>{title}</h1>
      <p role="status">{explanation}</p>
    </section>
  );
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
