import { messages } from "../language/language";
import { useTitle } from "./use-title";

/** What is asked for has not come yet; it is asked for again without anybody doing anything. */
export function UnreachableScreen() {
  const { title, explanation } = messages.value.unreachable;
  useTitle(title);
  return (
    <section class="card">
      <h1>{title}</h1>
      <p role="status">{explanation}</p>
    </section>
  );
}
