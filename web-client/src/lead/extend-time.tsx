import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { serverNow } from "../server/clock";
import { ActDialog } from "../ui/act-dialog";
import { isHidden } from "../vote/options";
import type { DialogProps } from "./annul-vote";
import { extendVote } from "./vote-acts";

const MINUTES = [1, 2, 5, 10];

export function ExtendTime({ live, vote, onLeave }: DialogProps) {
  const [minutes, setMinutes] = useState(2);
  const words = messages.value.voting.lead;
  // The end of a hidden vote is announced anew; that of an open one only moves away.
  const before = isHidden(vote) ? null : vote.closesAt;
  const title = before ? words.extend : words.limit;
  return (
    <ActDialog
      title={title}
      action={title}
      onAct={() => extendVote(live, vote.id, endAfter(before, minutes))}
      onLeave={onLeave}
    >
      <fieldset class="picks">
        <legend class="visually-hidden">{title}</legend>
        {MINUTES.map((choice) => (
          <label key={choice} class="pick">
            <input
              type="radio"
              name="minutes"
              checked={choice === minutes}
              onChange={() => setMinutes(choice)}
            />
            {before ? words.extendBy(number(choice)) : words.limitTo(number(choice))}
          </label>
        ))}
      </fieldset>
    </ActDialog>
  );
}

/** So many minutes after it would have closed, or from now where that is over or was not set. */
export function endAfter(closesAt: string | null, minutes: number): string {
  const from = Math.max(serverNow(), closesAt ? Date.parse(closesAt) : 0);
  return new Date(from + minutes * 60_000).toISOString();
}
