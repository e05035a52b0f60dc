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
  /** Present, and entitled to vote. */
  presentEntitled: Person[];
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
  const attendance = meeting?.attendance ?? [];
  const present = attendance.filter(({ status }) => status === "PRESENT");
  return {
    notOnRoll: attendance.map(({ member }) => member).filter(({ id }) => !roll.has(id)),
    presentEntitled: present.map(({ member }) => member).filter(({ id }) => roll.get(id)),
  };
}
