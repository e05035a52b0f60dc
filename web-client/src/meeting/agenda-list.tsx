import { number } from "../language/format";
import { messages } from "../language/language";
import { CheckIcon } from "../ui/icons";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { moveAgenda } from "./acts";
import { type AgendaItem, currentItem, votesOf } from "./agenda";
import type { LiveMeeting } from "./live-meeting";
import type { Meeting } from "./newest";

export function AgendaList({ live, meeting }: { live: LiveMeeting; meeting: Meeting }) {
  const { busy, problem, act } = useAct();
  const current = currentItem(meeting);
  const move = mayMove(meeting)
    ? (item: AgendaItem) => act(() => moveAgenda(live, meeting.id, item.id))
    : null;
  return (
    <section class="card">
      <h2>{messages.value.meeting.agenda}</h2>
      <ProblemNote problem={problem} />
      <ol class="agenda">
        {meeting.agenda.map((item) => (
          <Item
            key={item.id}
            item={item}
            place={placeOf(meeting, item, current)}
            prepared={preparedFor(meeting, item)}
            busy={busy}
            move={move}
          />
        ))}
      </ol>
    </section>
  );
}

type Place = "done" | "current" | "ahead";

interface ItemProps {
  item: AgendaItem;
  place: Place;
  /** Votes prepared for it. */
  prepared: number;
  busy: boolean;
  move: ((item: AgendaItem) => void) | null;
}

function Item({ item, place, prepared, busy, move }: ItemProps) {
  const { meeting: words, chair, voting } = messages.value;
  return (
    <li class={`agenda-item ${place}`} aria-current={place === "current" ? "step" : undefined}>
      <span class="agenda-mark" aria-hidden="true">
        {place === "done" ? <CheckIcon /> : item.position}
      </span>
      <span class="agenda-title">
        {item.title}
        {place === "done" && <span class="visually-hidden"> ({words.done})</span>}
        {place === "current" && <span class="agenda-place">{words.here}</span>}
        {prepared > 0 && (
          <span class="agenda-prepared">
            {voting.prepare.prepared(number(prepared), prepared === 1)}
          </span>
        )}
      </span>
      {move && place !== "current" && (
        <button
          type="button"
          class="button quiet"
          aria-disabled={busy}
          aria-label={`${chair.moveTo}: ${item.title}`}
          onClick={() => move(item)}
        >
          {chair.moveTo}
        </button>
      )}
    </li>
  );
}

/** Items before the current one are done; all are once the meeting is over. */
function placeOf(meeting: Meeting, item: AgendaItem, current: AgendaItem | null): Place {
  if (meeting.closedAt !== null) return "done";
  if (current === null || item.position > current.position) return "ahead";
  return item.id === current.id ? "current" : "done";
}

function preparedFor(meeting: Meeting, item: AgendaItem): number {
  return votesOf(meeting, item).filter(({ state }) => state === "PREPARED").length;
}

function mayMove(meeting: Meeting): boolean {
  return meeting.state === "IN_SESSION" && meeting.viewerMay.includes("MOVE_AGENDA");
}
