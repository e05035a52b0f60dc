import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { messages } from "../language/language";

interface ConfirmProps {
  title: string;
  action: string;
  open: boolean;
  onConfirm(): void;
  onCancel(): void;
  children: ComponentChildren;
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, action, open, onConfirm, onCancel, children }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);

  return (
    <dialog ref={dialog} class="confirm" aria-labelledby={titleId} onClose={onCancel}>
      <h2 id={titleId}>{title}</h2>
      {children}
      <div class="choices">
        <button type="button" class="button primary" onClick={onConfirm}>
          {action}
        </button>
        <button type="button" class="button" onClick={onCancel} autofocus>
          {messages.value.cancel}
        </button>
      </div>
    </dialog>
  );
}
