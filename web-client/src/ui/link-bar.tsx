import { duration } from "../language/format";
import { messages } from "../language/language";
import { link } from "../server/live";
import { useNow } from "./use-now";

/** Says calmly that the link is down, or may be, and how old the picture is. */
export function LinkBar() {
  const { down, inDoubt, heardAt } = link.value;
  if (!down && !inDoubt) return null;
  const words = messages.value.link;
  return (
    <div class="link-bar">
      <p role="status">{down ? words.down : words.inDoubt}</p>
      {heardAt !== null && <Age since={heardAt} />}
    </div>
  );
}

/** Kept out of the status above: nobody wants to hear every second. */
function Age({ since }: { since: number }) {
  const now = useNow(Date.now);
  return <p>{messages.value.link.age(duration(Math.max(now - since, 0)))}</p>;
}
