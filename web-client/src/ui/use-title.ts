import { useEffect } from "preact/hooks";
import { messages } from "../language/language";

export function useTitle(title: string): void {
  const { name } = messages.value;
  useEffect(() => {
    document.title = `${title} · ${name}`;
  }, [title, name]);
}
