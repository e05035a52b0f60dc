import type { Vote } from "../meeting/newest";
import { OptionIcon } from "../ui/icons";
import { choose } from "./ballot";
import { takesOneMark } from "./marks";
import { candidatesOf, labelOf, type Option } from "./options";

interface PaperProps {
  vote: Vote;
  choices: string[];
}

/** The boxes of a ballot, as on paper. */
export function BallotPaper({ vote, choices }: PaperProps) {
  if (vote.rule.method === "YES_NO_PER_CANDIDATE") {
    return <CandidateBoxes vote={vote} choices={choices} />;
  }
  return (
    <>
      {vote.options.map((option) => (
        <Box key={option.id} vote={vote} option={option} choices={choices} />
      ))}
    </>
  );
}

function CandidateBoxes({ vote, choices }: PaperProps) {
  return (
    <>
      {candidatesOf(vote).map(({ id, name, boxes }) => (
        <fieldset key={id} class="candidate-boxes">
          <legend>{name}</legend>
          {boxes.map((option) => (
            <Box key={option.id} vote={vote} option={option} choices={choices} />
          ))}
        </fieldset>
      ))}
    </>
  );
}

function Box({ vote, option, choices }: PaperProps & { option: Option }) {
  const { id, kind } = option;
  const isChosen = choices.includes(id);
  const isPlain = kind === "CHOICE" || kind === "MEASURE";
  return (
    <label class={`choice ${kind.toLowerCase()}${isChosen ? " chosen" : ""}`}>
      <input
        type={takesOneMark(vote) ? "radio" : "checkbox"}
        name={`ballot-${vote.id}`}
        value={id}
        checked={isChosen}
        onChange={(event) => {
          // The browser marks the box at once, also where the mark was not taken.
          event.currentTarget.checked = choose(vote, id);
        }}
      />
      {!isPlain && <OptionIcon kind={kind} />}
      <span>{labelOf(option)}</span>
    </label>
  );
}
