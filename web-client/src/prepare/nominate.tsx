import { useState } from "preact/hooks";
import { messages } from "../language/language";
import type { LeadProps } from "../lead/lead-vote";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { isElection } from "../vote/options";
import { nominate } from "./prepare-acts";

/** One name at a time, as they are called in the room. */
export function Nominate({ live, vote }: LeadProps) {
  const [name, setName] = useState("");
  const { busy, problem, act } = useAct();
  const words = messages.value.voting.prepare;
  if (!isElection(vote)) return null;
  const submit = (event: Event) => {
    event.preventDefault();
    if (name.trim() === "") return;
    void act(async () => {
      await nominate(live, vote.id, name.trim());
      setName("");
    });
  };
  return (
    <form class="nominate" onSubmit={submit}>
      <h4>{words.nominate}</h4>
      <div class="line">
        <input
          aria-label={words.nominee}
          placeholder={words.nominee}
          maxLength={200}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit" class="button" aria-disabled={busy}>
          {words.nominateAction}
        </button>
      </div>
      <ProblemNote problem={problem} />
    </form>
  );
}
