import { useState } from "preact/hooks";
import { messages } from "../language/language";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { closeVote, openVote } from "./acts";
import { CloseVoteConfirm } from "./close-vote-confirm";
import type { LiveMeeting } from "./live-meeting";
import type { Meeting, Vote } from "./newest";
import { nextStep } from "./next-step";

interface LeadVoteProps {
  live: LiveMeeting;
  meeting: Meeting;
  vote: Vote;
}

/** Opens or closes a vote out of turn; the one whose turn it is has the main button. */
export function LeadVote({ live, meeting, vote }: LeadVoteProps) {
  const { busy, problem, act } = useAct();
  const [confirming, setConfirming] = useState(false);
  if (isNextStep(meeting, vote)) return null;

  const { chair } = messages.value;
  const close = () => {
    setConfirming(false);
    void act(() => closeVote(live, vote.id));
  };
  return (
    <>
      <ProblemNote problem={problem} />
      {vote.state === "PREPARED" && vote.viewerMay.includes("OPEN_VOTE") && (
        <button
          type="button"
          class="button"
          aria-disabled={busy}
          aria-label={`${chair.openVote}: ${vote.question}`}
          onClick={() => act(() => openVote(live, vote.id))}
        >
          {chair.openVote}
        </button>
      )}
      {vote.state === "OPEN" && vote.viewerMay.includes("CLOSE_VOTE") && (
        <>
          <button
            type="button"
            class="button"
            aria-disabled={busy}
            aria-label={`${chair.closeVote}: ${vote.question}`}
            onClick={() => setConfirming(true)}
          >
            {chair.closeVote}
          </button>
          <CloseVoteConfirm
            vote={vote}
            open={confirming}
            onConfirm={close}
            onCancel={() => setConfirming(false)}
          />
        </>
      )}
    </>
  );
}

function isNextStep(meeting: Meeting, vote: Vote): boolean {
  const step = nextStep(meeting);
  return (step?.act === "open" || step?.act === "close") && step.vote.id === vote.id;
}
