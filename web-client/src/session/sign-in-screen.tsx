import { useEffect, useState } from "preact/hooks";
import { messages } from "../language/language";
import { ProblemNote } from "../ui/problem-note";
import { useAct } from "../ui/use-act";
import { useTitle } from "../ui/use-title";
import { signInWithCode } from "./sign-in";

interface SignInScreenProps {
  /** A session was lost, which deserves a calm explanation. */
  ended: boolean;
  /** From the QR code of the card: used at once, and kept in the field should it be refused. */
  givenCode: string;
}

export function SignInScreen({ ended, givenCode }: SignInScreenProps) {
  const { busy, problem, act } = useAct();
  const [code, setCode] = useState(givenCode);
  const [asked, setAsked] = useState(false);
  const words = messages.value.signIn;
  useTitle(words.title);
  useEffect(() => {
    if (givenCode !== "") void act(() => signInWithCode(givenCode));
  }, [givenCode]);

  const submit = (event: Event) => {
    event.preventDefault();
    const typed = code.trim();
    setAsked(typed === "");
    if (typed !== "") void act(() => signInWithCode(typed));
  };
  return (
    <form class="card sign-in" onSubmit={submit} noValidate>
      <h1>{words.title}</h1>
      {ended && (
        <p class="note" role="status">
          {words.ended}
        </p>
      )}
      <p>{words.explanation}</p>
      <label class="field">
        <span>{words.code}</span>
        <input
          value={code}
          onInput={(event) => setCode(event.currentTarget.value)}
          autocomplete="one-time-code"
          autocapitalize="characters"
          spellcheck={false}
          required
        />
      </label>
      {asked && (
        <p class="note problem" role="alert">
          {words.missing}
        </p>
      )}
      <ProblemNote problem={problem} />
      <button type="submit" class="button primary wide" aria-disabled={busy}>
        {busy ? words.submitting : words.submit}
      </button>
      <p class="hint">{words.help}</p>
    </form>
  );
}
