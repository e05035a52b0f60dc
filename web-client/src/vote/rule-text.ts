import { duration, number, percent } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";
import { takesOneMark } from "./marks";
import { isElection, mostCandidates } from "./options";

export type Rule = Vote["rule"];

/** What it takes, in one sentence. */
export function thresholdText(rule: Rule): string {
  const words = messages.value.voting.rule;
  if (rule.comparison === "PLURALITY" && rule.method === "CHOOSE_UP_TO") {
    return words.electionByPlurality(number(rule.seats));
  }
  if (rule.comparison) return words.comparisons[rule.comparison];
  const share = shareText(shareOf(rule), rule);
  switch (rule.method) {
    case "FOR_AGAINST_ABSTAIN":
      return words.motion(share);
    case "ORDERED_CUMULATIVE":
      return [words.measures(share), ...heavierMeasures(rule)].join(" ");
    case "CHOOSE_UP_TO":
    case "YES_NO_PER_CANDIDATE":
      return words.election(number(rule.seats), share);
  }
}

/** The whole rule in plain words: what it takes, who can see what, and for how long. */
export function ruleSentences(rule: Rule): string[] {
  const { rule: words, secrecy } = messages.value.voting;
  const sentences = [thresholdText(rule), ...paperSentences(rule), secrecy[rule.secrecy]];
  if (rule.liveTally === "AFTER_CLOSE") sentences.push(words.hidden);
  if (rule.liveTally === "CHAIR") sentences.push(words.hiddenButChair);
  if (rule.change === "LAST_COUNTS") sentences.push(words.lastCounts);
  if (rule.duration !== null) sentences.push(words.duration(duration(rule.duration * 1000)));
  return sentences;
}

/** Who may stand, and what too many marks or none make of a ballot. */
function paperSentences(rule: Rule): string[] {
  const { rule: words } = messages.value.voting;
  const sentences = [];
  const most = mostCandidates(rule);
  if (most !== null && rule.maxSurplus) {
    const { numerator, denominator } = rule.maxSurplus;
    sentences.push(words.surplus(number(most), percent(numerator, denominator)));
  }
  if (isElection({ rule }) && !takesOneMark({ rule })) {
    sentences.push(words.marks[rule.overvote](number(rule.mostChoices)));
  }
  if (rule.empty !== "REFUSED") sentences.push(words.empty[rule.empty]);
  return sentences;
}

/** What the heavier measures need, where it is something else. */
function heavierMeasures(rule: Rule): string[] {
  const words = messages.value.voting.rule;
  return rule.measureThresholds.map((share, place) =>
    place === 0
      ? words.heaviest(shareText(share, rule))
      : words.heavier(number(place + 1), shareText(share, rule)),
  );
}

type Share = Rule["measureThresholds"][number];

/** A rule that compares votes with votes has none. */
function shareOf({ numerator, denominator, strict }: Rule): Share {
  return { numerator: numerator ?? 0, denominator: denominator ?? 1, strict: strict ?? false };
}

function shareText({ strict, numerator, denominator }: Share, { base }: Rule): string {
  const { voting, bases } = messages.value;
  return voting.rule.share(strict, `${numerator}/${denominator}`, bases[base]);
}
