import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

interface DialogProps {
  title: string;
  onLeave(): void;
  children: ComponentChildren;
}

/** Open for as long as it is on the page; the focus then returns to where it came from. */
export function Dialog({ title, onLeave, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  // Another title is another screen, read from its beginning.
  useLayoutEffect(() => {
    if (dialog.current) dialog.current.scrollTop = 0;
  }, [title]);
  const leave = (event: Event) => {
    event.preventDefault();
    onLeave();
  };
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby={titleId} onCancel={leave}>
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}
