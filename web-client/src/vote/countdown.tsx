import { useEffect } from "preact/hooks";
import { clock } from "../language/format";
import { messages } from "../language/language";
import { askTimeIfInDoubt } from "../server/ask-time";
import { serverNow } from "../server/clock";
import { ClockIcon } from "../ui/icons";
import { useNow } from "../ui/use-now";

/** Ticks to the server's clock; it is the server that closes. */
export function Countdown({ closesAt }: { closesAt: string }) {
  const words = messages.value.voting.live;
  const now = useNow(serverNow);
  const left = Date.parse(closesAt) - now;
  // Somebody may set the device's clock while it is looked at.
  useEffect(() => void askTimeIfInDoubt(), [now]);
  return (
    <p class="countdown" role="timer" data-testid="countdown">
      <ClockIcon />
      {left > 0 ? words.remaining(clock(left)) : words.timeOver}
    </p>
  );
}
