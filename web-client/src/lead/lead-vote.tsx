import { useState } from "preact/hooks";
import { messages } from "../language/language";
import type { LiveMeeting } from "../meeting/live-meeting";
import type { Meeting, Vote } from "../meeting/newest";
import { isNextStep } from "../meeting/next-step";
import { Nominate } from "../prepare/nominate";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { isHidden } from "../vote/options";
import { AnnulVote } from "./annul-vote";
import { BreakTie } from "./break-tie";
import { CloseVoteConfirm } from "./close-vote-confirm";
import { ConfirmAnnulment } from "./confirm-annulment";
import { ExtendTime } from "./extend-time";
import { LateComer } from "./late-comer";
import { OpenVoteConfirm, useWarnings } from "./open-vote-confirm";
import { RecordHands } from "./record-hands";
import { TakeBackHands } from "./take-back-hands";
import { type Tool, toolsFor } from "./tools";
import { closeVote, openVote, publishVote, repeatVote, withdrawAnnulment } from "./vote-acts";

export interface LeadProps {
  live: LiveMeeting;
  meeting: Meeting;
  vote: Vote;
}

/** What a chair can do to a vote besides the next step, which has the main button. */
export function LeadVote(props: LeadProps) {
  const { meeting, vote } = props;
  const tools = toolsFor(meeting, vote, isNextStep(meeting, vote));
  return (
    <>
      {vote.state === "PREPARED" && vote.viewerMay.includes("PREPARE_VOTE") && (
        <Nominate {...props} />
      )}
      {tools.length > 0 && (
        <details class="tools">
          <summary>{messages.value.voting.lead.tools}</summary>
          <Tools {...props} tools={tools} />
        </details>
      )}
    </>
  );
}

function Tools({ live, meeting, vote, tools }: LeadProps & { tools: Tool[] }) {
  const { busy, problem, act } = useAct();
  const [chosen, setChosen] = useState<Tool | null>(null);
  const warnings = useWarnings(vote);
  const at = { live, meeting, vote, onLeave: () => setChosen(null) };
  const perform = (work: () => Promise<void>) => {
    setChosen(null);
    void act(work);
  };
  const press = (tool: Tool) => {
    if (tool === "repeat") return perform(() => repeatVote(live, vote.id));
    if (tool === "withdraw-annulment") return perform(() => withdrawAnnulment(live, vote.id));
    if (tool === "publish") return perform(() => publishVote(live, vote.id));
    if (tool === "open" && warnings.length === 0) return perform(() => openVote(live, vote.id));
    setChosen(tool);
  };
  return (
    <>
      <ProblemNote problem={problem} />
      <div class="choices">
        {tools.map((tool) => (
          <button
            key={tool}
            type="button"
            class="button"
            aria-disabled={busy}
            aria-label={`${labelFor(tool, vote)}: ${vote.question}`}
            onClick={() => press(tool)}
          >
            {labelFor(tool, vote)}
          </button>
        ))}
      </div>
      <CloseVoteConfirm
        vote={vote}
        open={chosen === "close"}
        onConfirm={() => perform(() => closeVote(live, vote.id))}
        onCancel={() => setChosen(null)}
      />
      <OpenVoteConfirm
        warnings={warnings}
        open={chosen === "open"}
        onConfirm={() => perform(() => openVote(live, vote.id))}
        onCancel={() => setChosen(null)}
      />
      {chosen === "extend" && <ExtendTime {...at} />}
      {chosen === "late-comer" && <LateComer {...at} />}
      {chosen === "hands" && <RecordHands {...at} />}
      {chosen === "hands-back" && <TakeBackHands {...at} />}
      {chosen === "break-tie" && <BreakTie {...at} />}
      {chosen === "annul" && <AnnulVote {...at} />}
      {chosen === "confirm-annulment" && <ConfirmAnnulment {...at} />}
    </>
  );
}

function labelFor(tool: Tool, vote: Vote): string {
  const { chair, voting } = messages.value;
  const words = voting.lead;
  switch (tool) {
    case "open":
      return chair.openVote;
    case "close":
      return chair.closeVote;
    case "extend":
      return vote.closesAt && !isHidden(vote) ? words.extend : words.limit;
    case "late-comer":
      return words.lateComer;
    case "hands":
      return words.hands;
    case "hands-back":
      return words.handsBack;
    case "break-tie":
      return words.breakTie;
    case "publish":
      return words.publish;
    case "repeat":
      return words.repeat;
    case "annul":
      return isHidden(vote) ? words.proposeAnnulment : words.annul;
    case "confirm-annulment":
      return words.confirmAnnulment;
    case "withdraw-annulment":
      return words.withdrawAnnulment;
  }
}
