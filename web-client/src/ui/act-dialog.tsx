import type { ComponentChildren } from "preact";
import type { Reason } from "../gql/graphql";
import { messages } from "../language/language";
import { Dialog } from "./dialog";
import { ProblemNote } from "./problem-note";
import { useAct } from "./use-act";

interface ActDialogProps {
  title: string;
  action: string;
  /** What is still missing, in a sentence; null when the act can be done. */
  missing?: string | null;
  /** A refusal that the form itself explains. */
  explained?: Reason;
  onAct(): Promise<void>;
  onLeave(): void;
  children?: ComponentChildren;
}

/** A small form that does one thing, and closes when it is done. */
export function ActDialog(props: ActDialogProps) {
  const { title, action, missing = null, explained, onAct, onLeave, children } = props;
  const { busy, problem, act } = useAct();
  const submit = (event: Event) => {
    event.preventDefault();
    if (missing !== null) return;
    void act(async () => {
      await onAct();
      onLeave();
    });
  };
  return (
    <Dialog title={title} onLeave={onLeave}>
      <form class="act-form" onSubmit={submit}>
        {children}
        {missing !== null && (
          <p class="hint" role="status">
            {missing}
          </p>
        )}
        <ProblemNote problem={problem === explained ? null : problem} />
        <div class="choices">
          <button type="submit" class="button primary" aria-disabled={busy || missing !== null}>
            {busy ? messages.value.chair.working : action}
          </button>
          <button type="button" class="button" onClick={onLeave}>
            {messages.value.cancel}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
