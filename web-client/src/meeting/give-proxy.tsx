import { useState } from "preact/hooks";
import { number } from "../language/format";
import { messages } from "../language/language";
import { ActDialog } from "../ui/act-dialog";
import { ProblemNote } from "../ui/problem-note";
import { giveProxy } from "./acts";
import type { MeetingProps } from "./meeting-page";
import type { OwnAttendance, ProxyMatter } from "./own-attendance";
import { useSummoned } from "./use-summoned";

interface GiveProxyProps extends MeetingProps {
  own: OwnAttendance;
  onGiven(): Promise<void>;
}

/** For whoever will be absent, where a rule in force knows proxies. Undone by naming another. */
export function GiveProxy(props: GiveProxyProps) {
  const [open, setOpen] = useState(false);
  const { meeting, viewer, own } = props;
  const words = messages.value.proxy;
  const { holder } = own.proxies;
  const isOffered = own.proxyMatters.length > 0 && meeting.viewerMay.includes("GIVE_PROXY");
  if (!isOffered || viewer.standing === "PROBATIONARY") return null;
  return (
    <>
      {holder && <p class="note">{words.given(holder.name)}</p>}
      <button type="button" class="button quiet wide" onClick={() => setOpen(true)}>
        {holder ? words.another : words.open}
      </button>
      {open && <ChooseHolder {...props} onLeave={() => setOpen(false)} />}
    </>
  );
}

/** Tells a member that their ballot may be worth more than one. */
export function ProxiesHeld({ own }: { own: OwnAttendance }) {
  const { givers } = own.proxies;
  if (givers.length === 0 || own.proxyMatters.length === 0) return null;
  const names = givers.map(({ name }) => name).join(", ");
  return <p class="note">{messages.value.proxy.held(names)}</p>;
}

function ChooseHolder(props: GiveProxyProps & { onLeave(): void }) {
  const { live, meeting, viewer, own, onGiven, onLeave } = props;
  const { members, problem } = useSummoned(meeting.id);
  const [chosen, setChosen] = useState<string | null>(null);
  const words = messages.value.proxy;
  const { holder } = own.proxies;
  const others = members.filter(({ id }) => id !== viewer.id && id !== holder?.id);
  return (
    <ActDialog
      title={holder ? words.another : words.title}
      action={words.action}
      missing={chosen === null ? messages.value.voting.lead.pickOne : null}
      onAct={async () => {
        if (chosen === null) return;
        await giveProxy(live, meeting.id, chosen);
        await onGiven();
      }}
      onLeave={onLeave}
    >
      <Explanation matters={own.proxyMatters} />
      {holder && <p class="note">{words.given(holder.name)}</p>}
      <ProblemNote problem={problem} />
      <fieldset class="picks long">
        <legend>{words.who}</legend>
        {others.map(({ id, name }) => (
          <label key={id} class="pick">
            <input
              type="radio"
              name="holder"
              checked={id === chosen}
              onChange={() => setChosen(id)}
            />
            {name}
          </label>
        ))}
      </fieldset>
    </ActDialog>
  );
}

function Explanation({ matters }: { matters: ProxyMatter[] }) {
  const { proxy: words, voting } = messages.value;
  return (
    <>
      <p>{words.meaning}</p>
      <ul>
        {matters.map(({ matter, most }) => (
          <li key={matter}>{words.most(voting.matters[matter], number(most))}</li>
        ))}
      </ul>
      <p>{words.limits}</p>
    </>
  );
}
