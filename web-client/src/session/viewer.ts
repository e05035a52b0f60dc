import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Viewer } from "./session";

export const ViewerContext = createContext<Viewer | null>(null);

/** Who is signed in; for the screens that only they see. */
export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext);
  if (viewer === null) throw new Error("Nobody is signed in here.");
  return viewer;
}
