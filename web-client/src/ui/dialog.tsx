import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";

interface DialogProps {
  title: string;
  onLeave(): void;
  children: ComponentChildren;
}

/** Open for as long as it is on the page; the focus then returns to where it came from. */
export function Dialog(props: DialogProps) {
  return hasDialogs() ? <NativeDialog {...props} /> : <PlainDialog {...props} />;
}

/** Older browsers would show its content as a part of the page, and never ask anything. */
function hasDialogs(): boolean {
  return typeof HTMLDialogElement === "function" && "showModal" in HTMLDialogElement.prototype;
}

function NativeDialog({ title, onLeave, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  useTopOf(dialog, title);
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

/** The same by hand: over everything else, and the focus stays within. */
function PlainDialog({ title, onLeave, children }: DialogProps) {
  const dialog = useRef<HTMLDivElement>(null);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    const shown = dialog.current;
    const first = shown?.querySelector<HTMLElement>("[autofocus]") ?? focusable(shown)[0];
    (first ?? shown)?.focus();
    return () => (before as HTMLElement | null)?.focus?.();
  }, []);
  useTopOf(dialog, title);
  const keep = (event: KeyboardEvent) => {
    if (event.key === "Escape") onLeave();
    if (event.key === "Tab") wrapFocus(event, focusable(dialog.current));
  };
  return (
    <div class="dialog-cover">
      <div
        ref={dialog}
        class="confirm"
        role="dialog"
        aria-modal="true"
        aria-labelledby={titleId}
        tabIndex={-1}
        onKeyDown={keep}
      >
        <h2 id={titleId}>{title}</h2>
        {children}
      </div>
    </div>
  );
}

/** Another title is another screen, read from its beginning. */
function useTopOf(dialog: { current: HTMLElement | null }, title: string): void {
  useLayoutEffect(() => {
    if (dialog.current) dialog.current.scrollTop = 0;
  }, [dialog, title]);
}

function focusable(within: HTMLElement | null): HTMLElement[] {
  const found = within?.querySelectorAll<HTMLElement>("a[href], button, input, select, textarea");
  return [...(found ?? [])].filter((one) => !one.hasAttribute("disabled"));
}

function wrapFocus(event: KeyboardEvent, within: HTMLElement[]): void {
  const [from, to] = event.shiftKey
    ? [within[0], within[within.length - 1]]
    : [within[within.length - 1], within[0]];
  if (document.activeElement !== from) return;
  event.preventDefault();
  to?.focus();
}
