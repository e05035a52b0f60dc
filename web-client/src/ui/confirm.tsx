import type { ComponentChildren } from "preact";
import { messages } from "../language/language";
import { Dialog } from "./dialog";

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
  if (!open) return null;
  return (
    <Dialog title={title} onLeave={onCancel}>
      {children}
      <div class="choices">
        <button type="button" class="button primary" onClick={onConfirm}>
          {action}
        </button>
        <button type="button" class="button" onClick={onCancel} autofocus>
          {messages.value.cancel}
        </button>
      </div>
    </Dialog>
  );
}
