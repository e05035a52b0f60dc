import { messages } from "../language/language";
import type { Messages } from "../language/vi";
import type { Problem } from "../server/problem";

export function ProblemNote({ problem }: { problem: Problem | null }) {
  if (problem === null) return null;
  return (
    <p class="note problem" role="alert">
      {problemText(problem, messages.value)}
    </p>
  );
}

function problemText(problem: Problem, { reasons, otherProblems }: Messages): string {
  return { ...reasons, ...otherProblems }[problem];
}
