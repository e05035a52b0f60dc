import { number } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { Confirm } from "../ui/confirm";
import { isHidden } from "../vote/options";

interface CloseVoteConfirmProps {
  vote: Vote;
  open: boolean;
  onConfirm(): void;
  onCancel(): void;
}

/** Shows how many have voted, also while the question is being asked. */
export function CloseVoteConfirm({ vote, ...question }: CloseVoteConfirmProps) {
  const { chair } = messages.value;
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
      <p>{afterwards(vote)}</p>
    </Confirm>
  );
}

function afterwards(vote: Vote): string {
  const { chair, voting } = messages.value;
  if (isHidden(vote)) return voting.lead.closesWhenAllVoted;
  return vote.rule.liveTally === "ALWAYS" ? chair.confirmVote.final : voting.lead.resultWaits;
}
