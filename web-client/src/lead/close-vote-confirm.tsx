import { number } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { Confirm } from "../ui/confirm";

interface CloseVoteConfirmProps {
  vote: Vote;
  open: boolean;
  onConfirm(): void;
  onCancel(): void;
}

/** Shows how many have voted, also while the question is being asked. */
export function CloseVoteConfirm({ vote, ...question }: CloseVoteConfirmProps) {
  const { chair, voting } = messages.value;
  const { closeVote, confirmVote: words } = chair;
  const { cast, eligible } = vote.tally;
  return (
    <Confirm title={words.title} action={closeVote} {...question}>
      <p>
        <strong>
          {cast < eligible
            ? words.missing(number(cast), number(eligible))
            : words.everyone(number(eligible))}
        </strong>
      </p>
      <p>{vote.rule.liveTally === "ALWAYS" ? words.final : voting.lead.resultWaits}</p>
    </Confirm>
  );
}
