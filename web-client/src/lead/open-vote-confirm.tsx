import { useEffect, useState } from "preact/hooks";
import { type VoteWarning, WarningsDocument } from "../gql/graphql";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { request } from "../server/request";
import { Confirm } from "../ui/confirm";

/** What the chair should know before opening; only votes that hide who chose what have any. */
export function useWarnings(vote: Vote | null): VoteWarning[] {
  const [warnings, setWarnings] = useState<VoteWarning[]>([]);
  const asked = vote?.state === "PREPARED" && vote.rule.secrecy !== "OPEN" ? vote.id : null;
  useEffect(() => {
    let left = false;
    setWarnings([]);
    if (asked !== null) {
      request(WarningsDocument, { voteId: asked }).then(
        ({ vote }) => left || setWarnings(vote?.warnings ?? []),
        // Without an answer there is no warning to give; opening itself says what is wrong.
        () => {},
      );
    }
    return () => {
      left = true;
    };
  }, [asked]);
  return warnings;
}

interface OpenVoteConfirmProps {
  warnings: VoteWarning[];
  open: boolean;
  onConfirm(): void;
  onCancel(): void;
}

export function OpenVoteConfirm({ warnings, ...question }: OpenVoteConfirmProps) {
  const { chair, voting } = messages.value;
  return (
    <Confirm title={voting.lead.openAnyway} action={chair.openVote} {...question}>
      {warnings.map((warning) => (
        <p key={warning} class="note waiting">
          {voting.warnings[warning]}
        </p>
      ))}
    </Confirm>
  );
}
