import { ContestHandDocument } from "../gql/graphql";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { accepted } from "../server/problem";
import { request } from "../server/request";
import { CheckIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { labelsOf } from "./options";

/** Tells a member what the chair counted their hand for; while the vote is open they can contest. */
export function CountedHand({ vote, optionId }: { vote: Vote; optionId: string | null }) {
  const { busy, problem, act } = useAct();
  const { chair, voting } = messages.value;
  const words = voting.hand;
  const mayContest = vote.viewerMay.includes("CONTEST_HAND");
  const contest = async () => {
    accepted((await request(ContestHandDocument, { voteId: vote.id })).contestHand);
  };
  return (
    <>
      <div class="note recorded" role="status" data-testid="counted-hand">
        <CheckIcon />
        <div>
          <strong>{words.counted}</strong>
          {optionId && <p>{words.choice(labelsOf(vote, [optionId]).join(", "))}</p>}
        </div>
      </div>
      <ProblemNote problem={problem} />
      {mayContest && (
        <>
          <p class="hint">{words.hint}</p>
          <button type="button" class="button" aria-disabled={busy} onClick={() => act(contest)}>
            {busy ? chair.working : words.contest}
          </button>
        </>
      )}
    </>
  );
}
