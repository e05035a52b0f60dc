import { useState } from "preact/hooks";
import { type Problem, problemOf } from "../server/problem";

/**
 * Runs one act at a time and keeps why the last one failed.
 *
 * Buttons show `busy` as `aria-disabled`: `disabled` would take the focus away from whoever uses a keyboard.
 */
export function useAct() {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const act = async (work: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, act };
}
