import { number } from "../language/format";
import { messages } from "../language/language";
import { candidatesOf, isElection, isHidden, mostCandidates } from "../vote/options";
import { currentItem } from "./agenda";
import type { Meeting, Vote } from "./newest";
import type { NextStep } from "./next-step";

interface Words {
  label: string;
  hint: string;
}

/** What the main button says, and the sentence above it. */
export function wordsFor(step: NextStep, meeting: Meeting): Words {
  const { chair, voting } = messages.value;
  const { present, summoned } = meeting.turnout;
  switch (step.act) {
    case "start":
      return { label: chair.start, hint: chair.startHint(number(present), number(summoned)) };
    case "resume":
      return { label: chair.resume, hint: chair.resumeHint };
    case "move":
      return {
        label: currentItem(meeting) ? chair.nextItem : chair.firstItem,
        hint: chair.nextItemHint(step.item.title),
      };
    case "open":
      return { label: chair.openVote, hint: openHint(step.vote) };
    case "close": {
      const { cast, eligible } = step.vote.tally;
      return { label: chair.closeVote, hint: chair.closeVoteHint(number(cast), number(eligible)) };
    }
    case "break-tie":
      return { label: voting.lead.breakTie, hint: afterwards(step.vote) };
    case "publish":
      return {
        label: voting.lead.publish,
        hint: isHidden(step.vote) ? voting.lead.publishHiddenHint : voting.lead.publishHint,
      };
    case "repeat":
      return { label: voting.lead.repeat, hint: afterwards(step.vote) };
    case "end":
      return { label: chair.closeMeeting, hint: chair.closeMeetingHint };
  }
}

/** An election with too few or too many candidates says so before the server does. */
function openHint(vote: Vote): string {
  const { chair, voting } = messages.value;
  const { seats } = vote.rule;
  const candidates = candidatesOf(vote).length;
  const most = mostCandidates(vote.rule);
  if (isElection(vote) && candidates < seats) return voting.prepare.needCandidates(number(seats));
  if (most !== null && candidates > most) return voting.prepare.tooManyCandidates(number(most));
  return chair.openVoteHint(vote.question);
}

function afterwards({ outcome, question }: Vote): string {
  return outcome?.nextStep ? messages.value.voting.nextSteps[outcome.nextStep] : question;
}
