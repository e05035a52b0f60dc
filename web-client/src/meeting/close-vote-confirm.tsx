import { number } from "../language/format";
import { messages } from "../language/language";
import { Confirm } from "../ui/confirm";
import type { Vote } from "./newest";

interface CloseVoteConfirmProps {
  vote: Vote;
  open: boolean;
  onConfirm(): void;
  onCancel(): void;
}

/** Shows how many have voted, also while the question is being asked. */
export function CloseVoteConfirm({ vote, ...question }: CloseVoteConfirmProps) {
  const { closeVote, confirmVote: words } = messages.value.chair;
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
      <p>{words.final}</p>
    </Confirm>
  );
}
