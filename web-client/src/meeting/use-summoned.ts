import { useEffect, useState } from "preact/hooks";
import { SummonedDocument } from "../gql/graphql";
import { type Problem, problemOf } from "../server/problem";
import { request } from "../server/request";

/** The names of those in the roll call, asked for when somebody opens a list of them. */
export function useSummoned(meetingId: string) {
  const [members, setMembers] = useState<{ id: string; name: string }[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let left = false;
    request(SummonedDocument, { meetingId }).then(
      ({ meeting }) => left || setMembers(meeting?.attendance.map(({ member }) => member) ?? []),
      (error) => left || setProblem(problemOf(error)),
    );
    return () => {
      left = true;
    };
  }, [meetingId]);
  return { members, problem };
}
