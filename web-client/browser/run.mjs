// The tests of the web client in a real Chromium against a real server with a fresh demo.
//
//   node browser/run.mjs --demo demo.json --output screenshots/
//
// demo.json is what `branch-meetings demo tokens --json` prints. The tests hold the demo's
// meeting from its open vote to its end, so they run in this order and once per demo.
import { mkdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { parseArgs } from "node:util";
import { screensAreAccessible, screensAreAccessibleAfterwards } from "./accessibility.mjs";
import { eitherPartMayBeLate } from "./crossing.mjs";
import { graphiqlAsksAndWatches } from "./graphiql.mjs";
import {
  answersAreChosenAndALotIsDrawn,
  ballotsChangeAndTheChairBreaksTheTie,
  measuresAreCumulated,
  seniorityBreaksTheTie,
  smallGroupDoesNotOpen,
} from "./methods.mjs";
import { memberLosesTheNetwork } from "./network.mjs";
import { probationaryMemberHasNoBallot } from "./probationary.mjs";
import { proxyIsGivenTwice } from "./proxy.mjs";
import { chairConfirmsWhoIsInTheRoom } from "./roll-call.mjs";
import { sessionEndsWithNotice, suspensionThrowsOut } from "./session-end.mjs";
import { anotherDeviceIsSignedOut } from "./sessions.mjs";
import { signingOutEndsTheSessionEverywhere } from "./sign-out.mjs";
import { openStage } from "./stage.mjs";
import { twoTabsAreTwoPeople } from "./two-people.mjs";
import {
  annulledVoteIsRepeated,
  electionWithHiddenFigures,
  handsAreRecorded,
  votingScreensAreAccessible,
} from "./voting.mjs";
import { theEnd, twoVotes } from "./whole-meeting.mjs";

const { values } = parseArgs({ options: { demo: { type: "string" }, output: { type: "string" } } });
if (!values.demo || !values.output) {
  console.error("usage: node browser/run.mjs --demo <file> --output <folder>");
  process.exit(2);
}

mkdirSync(values.output, { recursive: true });
const demo = JSON.parse(readFileSync(values.demo, "utf8"));
const stage = await openStage(demo, values.output);
after(() => stage.close());

const scenes = [
  ["two tabs of one browser are two people", twoTabsAreTwoPeople],
  ["a probationary member sees the vote but has no ballot", probationaryMemberHasNoBallot],
  ["a member loses the network mid-vote and recovers", memberLosesTheNetwork],
  ["what everybody sees and what is one's own may come apart", eitherPartMayBeLate],
  ["GraphiQL asks and watches, with nothing from elsewhere", graphiqlAsksAndWatches],
  ["a member who will be absent names another, and then yet another", proxyIsGivenTwice],
  ["every screen is accessible while the vote is open", screensAreAccessible],
  ["the chair confirms who is in the room", chairConfirmsWhoIsInTheRoom],
  ["a chair and three members hold two votes", twoVotes],
  ["the screens of preparing a vote are accessible", votingScreensAreAccessible],
  ["hands raised in the room are recorded, never for who has voted", handsAreRecorded],
  ["a vote is annulled with a reason, and repeated", annulledVoteIsRepeated],
  [
    "an election is prepared in three steps, and its figures are hidden until published",
    electionWithHiddenFigures,
  ],
  [
    "a ballot is changed, a late-comer votes, and the chair breaks the tie",
    ballotsChangeAndTheChairBreaksTheTie,
  ],
  ["answers are chosen, and a lot decides among the equal", answersAreChosenAndALotIsDrawn],
  ["seniority decides among the equal", seniorityBreaksTheTie],
  ["measures are voted on, the heavier for the lighter", measuresAreCumulated],
  ["a vote that too few may cast in does not open", smallGroupDoesNotOpen],
  ["the meeting comes to its end", theEnd],
  ["the screens of a closed meeting are accessible", screensAreAccessibleAfterwards],
  ["signing out ends the session in every tab", signingOutEndsTheSessionEverywhere],
  ["who is suspended is thrown out, and back when reinstated", suspensionThrowsOut],
  ["another device is signed out from a list of them", anotherDeviceIsSignedOut],
  ["a session that ends soon says so, and can be made longer", sessionEndsWithNotice],
];

for (const [sentence, scene] of scenes) {
  test(sentence, { timeout: 180_000 }, async () => {
    try {
      await scene(stage);
    } finally {
      await stage.clear();
    }
  });
}
