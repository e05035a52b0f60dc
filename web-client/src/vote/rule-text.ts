import { duration, number } from "../language/format";
import { messages } from "../language/language";
import type { Vote } from "../meeting/newest";

export type Rule = Vote["rule"];

/** What it takes, in one sentence. */
export function thresholdText(rule: Rule): string {
  const words = messages.value.voting.rule;
  if (rule.comparison === "PLURALITY" && rule.method === "CHOOSE_UP_TO") {
    return words.electionByPlurality(number(rule.seats));
  }
  if (rule.comparison) return words.comparisons[rule.comparison];
  const share = shareText(rule);
  switch (rule.method) {
    case "FOR_AGAINST_ABSTAIN":
      return words.motion(share);
    case "ORDERED_CUMULATIVE":
      return words.measures(share);
    case "CHOOSE_UP_TO":
    case "YES_NO_PER_CANDIDATE":
      return words.election(number(rule.seats), share);
  }
}

/** The whole rule in plain words: what it takes, who can see what, and for how long. */
export function ruleSentences(rule: Rule): string[] {
  const { rule: words, secrecy } = messages.value.voting;
  const sentences = [thresholdText(rule), secrecy[rule.secrecy]];
  if (rule.liveTally === "AFTER_CLOSE") sentences.push(words.hidden);
  if (rule.liveTally === "CHAIR") sentences.push(words.hiddenButChair);
  if (rule.change === "LAST_COUNTS") sentences.push(words.lastCounts);
  if (rule.duration !== null) sentences.push(words.duration(duration(rule.duration * 1000)));
  return sentences;
}

function shareText({ strict, numerator, denominator, base }: Rule): string {
  const { voting, bases } = messages.value;
  return voting.rule.share(strict ?? false, `${numerator}/${denominator}`, bases[base]);
}
