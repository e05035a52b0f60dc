import { useState } from "preact/hooks";
import { messages } from "../language/language";
import { ActDialog } from "../ui/act-dialog";
import { isHidden } from "../vote/options";
import type { LeadProps } from "./lead-vote";
import { annulVote } from "./vote-acts";

export interface DialogProps extends LeadProps {
  onLeave(): void;
}

export function AnnulVote({ live, vote, onLeave }: DialogProps) {
  const [reason, setReason] = useState("");
  const words = messages.value.voting.lead;
  const title = isHidden(vote) ? words.proposeAnnulment : words.annul;
  return (
    <ActDialog
      title={title}
      action={title}
      missing={reason.trim() === "" ? words.annulMissing : null}
      onAct={() => annulVote(live, vote.id, reason.trim())}
      onLeave={onLeave}
    >
      <p>
        <strong>{vote.question}</strong>
      </p>
      <p>{isHidden(vote) ? words.annulHiddenHint : words.annulHint}</p>
      <label class="field">
        {words.annulReason}
        <textarea
          rows={3}
          maxLength={1000}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
    </ActDialog>
  );
}
