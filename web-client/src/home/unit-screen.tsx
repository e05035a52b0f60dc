import { messages } from "../language/language";
import { useTitle } from "../ui/use-title";
import { Annulments } from "./annulments";
import { UnitFigures } from "./unit-figures";

export function UnitScreen({ id }: { id: string }) {
  const { units } = messages.value;
  useTitle(units.title);
  return (
    <>
      <h1>{units.title}</h1>
      <Annulments />
      <UnitFigures key={id} unitId={id} />
    </>
  );
}
