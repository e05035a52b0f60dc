import { expect, test } from "vitest";
import { en } from "../src/language/en";
import { number, percent } from "../src/language/format";
import { language } from "../src/language/language";
import { vi as vietnamese } from "../src/language/vi";

// The compiler sees that both catalogues have every key; this sees that no entry is empty or left untranslated.

type Entry = [path: string, text: unknown];

function entriesOf(catalogue: object, path = ""): Entry[] {
  return Object.entries(catalogue).flatMap(([key, value]) =>
    typeof value === "object" ? entriesOf(value, `${path}${key}.`) : [[path + key, value] as Entry],
  );
}

test("both catalogues have the same entries, none empty", () => {
  const paths = (catalogue: object) =>
    entriesOf(catalogue)
      .map(([path]) => path)
      .sort();
  expect(paths(en)).toEqual(paths(vietnamese));
  expect([...entriesOf(en), ...entriesOf(vietnamese)].filter(([, text]) => text === "")).toEqual(
    [],
  );
});

test("nothing was left in the other language", () => {
  const english = new Map(entriesOf(en));
  const same = entriesOf(vietnamese).filter(
    ([path, text]) => typeof text === "string" && text === english.get(path),
  );
  expect(same).toEqual([]);
});

test("numbers follow the language", () => {
  language.value = "vi";
  expect(number(88279)).toBe("88.279");
  expect(percent(12, 72)).toBe("16,7%");
  language.value = "en";
  expect(number(88279)).toBe("88,279");
  expect(percent(0, 0)).toBe("0%");
  language.value = "vi";
});

test("the page says which language it is in", async () => {
  language.value = "en";
  expect(document.documentElement.lang).toBe("en");
  language.value = "vi";
  expect(document.documentElement.lang).toBe("vi");
});
