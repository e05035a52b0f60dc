import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { messages } from "../language/language";
import { reconnectDelay } from "../server/close-codes";
import { pause } from "../server/pause";
import { UnreachableScreen } from "./unreachable-screen";

/** A screen that is loaded when somebody first looks at it: the first load is to stay small. */
export function onDemand<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | null = null;
  return function OnDemand(props: Props) {
    const [Loaded, setLoaded] = useState(() => loaded);
    const [failures, setFailures] = useState(0);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (component) => {
          loaded = component;
          setLoaded(() => component);
        },
        async () => {
          await pause(reconnectDelay(failures, undefined));
          setFailures(failures + 1);
        },
      );
    }, [failures]);
    if (Loaded) return <Loaded {...props} />;
    if (failures > 0) return <UnreachableScreen />;
    return <p class="opening">{messages.value.opening}</p>;
  };
}
