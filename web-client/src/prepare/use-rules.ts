import { useEffect, useState } from "preact/hooks";
import { RulesDocument } from "../gql/graphql";
import { type Problem, problemOf } from "../server/problem";
import { request } from "../server/request";
import type { MatterRule } from "./draft";

/** The rules that the branch votes by today; null until they are there. */
export function useRules(unitId: string) {
  const [rules, setRules] = useState<MatterRule[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let left = false;
    request(RulesDocument, { unitId }).then(
      ({ rules }) => left || setRules(rules ?? []),
      (error) => left || setProblem(problemOf(error)),
    );
    return () => {
      left = true;
    };
  }, [unitId]);
  return { rules, problem };
}
