import { messages } from "../language/language";
import { ActDialog } from "../ui/act-dialog";
import type { DialogProps } from "./annul-vote";
import { confirmAnnulment } from "./vote-acts";

/** The second officer reads what the first one has written before agreeing. */
export function ConfirmAnnulment({ live, vote, onLeave }: DialogProps) {
  const { lead: words, result } = messages.value.voting;
  if (vote.annulmentProposed === null) return null;
  const { by, reason } = vote.annulmentProposed;
  return (
    <ActDialog
      title={words.confirmAnnulment}
      action={words.confirmAnnulment}
      onAct={() => confirmAnnulment(live, vote.id)}
      onLeave={onLeave}
    >
      <p>
        <strong>{vote.question}</strong>
      </p>
      <p>{result.proposed(by.name)}</p>
      <p>{result.reason(reason)}</p>
      <p>{words.annulHiddenHint}</p>
    </ActDialog>
  );
}
