import { useEffect, useState } from "preact/hooks";
import { RollAndAttendanceDocument, type RollAndAttendanceQuery } from "../gql/graphql";
import { type Problem, problemOf } from "../server/problem";
import { request } from "../server/request";
import type { LeadProps } from "./lead-vote";

export interface Person {
  id: string;
  name: string;
}

export interface People {
  /** In the roll call, and not on the electoral roll. */
  notOnRoll: Person[];
  /** Entitled to vote, checked in and seen in the room, and not counted by hand yet. */
  inRoom: Person[];
  /** Whose hand is counted, and for what. */
  counted: (Person & { optionId: string })[];
}

/** Asked once, when the chair opens a dialog that needs them. */
export function usePeople({ vote, meeting }: LeadProps) {
  const [people, setPeople] = useState<People | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const voteId = vote.id;
  const meetingId = meeting.id;
  useEffect(() => {
    let left = false;
    request(RollAndAttendanceDocument, { voteId, meetingId }).then(
      (answer) => left || setPeople(peopleOf(answer)),
      (error) => left || setProblem(problemOf(error)),
    );
    return () => {
      left = true;
    };
  }, [voteId, meetingId]);
  return { people, problem };
}

export function peopleOf({ vote, meeting }: RollAndAttendanceQuery): People {
  const roll = new Map(vote?.roll.map(({ member, isEntitled }) => [member.id, isEntitled]));
  const hands = vote?.hands ?? [];
  const raised = new Set(hands.map(({ member }) => member.id));
  const attendance = meeting?.attendance ?? [];
  const seen = attendance.filter(({ status, confirmedAt }) => status === "PRESENT" && confirmedAt);
  return {
    notOnRoll: attendance.map(({ member }) => member).filter(({ id }) => !roll.has(id)),
    inRoom: seen.map(({ member }) => member).filter(({ id }) => roll.get(id) && !raised.has(id)),
    counted: hands.flatMap(({ member, optionId }) => (optionId ? [{ ...member, optionId }] : [])),
  };
}
