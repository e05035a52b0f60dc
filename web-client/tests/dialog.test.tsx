import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Confirm } from "../src/ui/confirm";

// Browsers from before March 2022 have no dialogs; the native ones are looked at in a real browser.

let showModal: unknown;

beforeEach(() => {
  showModal = HTMLDialogElement.prototype.showModal;
  delete (HTMLDialogElement.prototype as { showModal?: unknown }).showModal;
});

afterEach(() => {
  cleanup();
  Object.assign(HTMLDialogElement.prototype, { showModal });
});

const props = { title: "Gửi phiếu trắng?", action: "Gửi", onConfirm: vi.fn(), onCancel: vi.fn() };
const ask = (open: boolean) => (
  <>
    <button type="button">Trước</button>
    <Confirm {...props} open={open}>
      <p>Không sửa được nữa.</p>
    </Confirm>
  </>
);

test("without native dialogs a question that was not asked is not on the page", () => {
  render(ask(false));
  expect(screen.queryByRole("button", { name: "Gửi" })).toBeNull();
});

test("without native dialogs the question has the focus, keeps it, and gives it back", async () => {
  const { rerender } = render(ask(false));
  const before = screen.getByRole("button", { name: "Trước" });
  before.focus();
  rerender(ask(true));
  const [yes, no] = ["Gửi", "Quay lại"].map((name) => screen.getByRole("button", { name }));
  await vi.waitFor(() => expect(document.activeElement).toBe(no));
  expect(screen.getByRole("dialog", { name: "Gửi phiếu trắng?" })).toBeTruthy();
  fireEvent.keyDown(no as HTMLElement, { key: "Tab" });
  expect(document.activeElement).toBe(yes);
  fireEvent.keyDown(yes as HTMLElement, { key: "Tab", shiftKey: true });
  expect(document.activeElement).toBe(no);
  fireEvent.keyDown(no as HTMLElement, { key: "Escape" });
  expect(props.onCancel).toHaveBeenCalledTimes(1);
  expect(props.onConfirm).not.toHaveBeenCalled();
  rerender(ask(false));
  expect(document.activeElement).toBe(before);
});
