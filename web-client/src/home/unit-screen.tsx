import { messages } from "../language/language";
import { useTitle } from "../ui/use-title";
import { UnitFigures } from "./unit-figures";

export function UnitScreen({ id }: { id: string }) {
  const { units } = messages.value;
  useTitle(units.title);
  return (
    <>
      <h1>{units.title}</h1>
      <UnitFigures key={id} unitId={id} />
    </>
  );
}
