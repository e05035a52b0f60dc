// A whole meeting with the npm client `graphql-ws`: a chair and three members, who subscribe,
// check in, vote twice, and end the meeting. Everything goes over their sockets.
//
//   node --experimental-websocket graphql_ws_client.mjs demo.json
//
// demo.json is what `branch-meetings demo tokens --json` prints. Prints one JSON object: what was
// answered, and for each subscription every version, the last state, and a fresh query's.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";

const require = createRequire(new URL("../../web-client/package.json", import.meta.url));
const { createClient } = require("graphql-ws");

const WITHIN = 30_000; // milliseconds, for pushes that are still under way at the end

const VOTE = `vote(id: $id) {
  id version state question openedAt closedAt
  tally { cast eligible options { optionId count } }
  outcome { carried needed base sentence(language: VI) }
  myReceipt { id choices castAt } viewerMay
}`;
const MEETING = `meeting(id: $id) {
  id version state closedAt viewerMay
  currentItem { id } agenda { id position state }
  votes { id version state tally { cast } }
  turnout { summoned present } attendance { status member { name } }
}`;
const REFUSED = "__typename ... on Refused { reason message }";

const demo = JSON.parse(readFileSync(process.argv[2], "utf8"));
const people = demo.people
  .filter(({ part }) => part === "chair" || part === "member")
  .map((person, place) => ({ ...person, name: `${person.part} ${place}`, ...connect(person) }));
const [chair, ...members] = people;
const answers = {};

function connect({ token }) {
  const closed = [];
  const client = createClient({
    url: demo.ws,
    connectionParams: { token },
    retryAttempts: 0,
    on: { closed: ({ code }) => closed.push(code) },
  });
  return { client, closed };
}

/** The data of a query's or a mutation's only result. */
async function ask({ client }, query, variables) {
  const results = [];
  for await (const result of client.iterate({ query, variables })) results.push(result);
  if (results.length !== 1 || results[0].errors) throw new Error(JSON.stringify(results));
  return results[0].data;
}

/** Does it and keeps what became of it: the type, or the reason of a refusal. */
async function act(person, what, mutation, variables) {
  const [result] = Object.values(await ask(person, mutation, variables));
  answers[`${person.name}: ${what}`] = result.reason ?? result.__typename;
}

function follow(person, subject, selection, id) {
  const watched = { who: person.name, subject, versions: [], last: null, failed: null };
  const query = `subscription ($id: ID!) { ${selection} }`;
  person.client.subscribe(
    { query, variables: { id } },
    {
      next: ({ data, errors }) => {
        if (errors) watched.failed = errors;
        watched.last = Object.values(data)[0];
        watched.versions.push(watched.last.version);
      },
      error: (cause) => {
        watched.failed = cause;
      },
      complete: () => {},
    },
  );
  const fresh = async () =>
    Object.values(await ask(person, `query ($id: ID!) { ${selection} }`, { id }))[0];
  return { watched, fresh };
}

const castIn = (person, what, vote, kind) =>
  act(
    person,
    `cast in ${what}`,
    `mutation ($vote: ID!, $choice: ID!, $key: ID!) {
       castBallot(voteId: $vote, choices: [$choice], key: $key) { ${REFUSED} } }`,
    { vote, choice: options[vote][kind], key: what.replaceAll(" ", "-") },
  );
const lead = (what, field, argument, id) =>
  act(chair, what, `mutation ($id: ID!) { ${field}(${argument}: $id) { ${REFUSED} } }`, { id });

const options = {};
for (const vote of [demo.votes.open, demo.votes.prepared]) {
  const data = await ask(chair, "query ($id: ID!) { vote(id: $id) { options { id kind } } }", {
    id: vote,
  });
  options[vote] = Object.fromEntries(data.vote.options.map(({ id, kind }) => [kind, id]));
}

const followed = people.flatMap((person) => [
  follow(person, "meeting", MEETING, demo.meeting.id),
  follow(person, "open vote", VOTE, demo.votes.open),
  follow(person, "prepared vote", VOTE, demo.votes.prepared),
]);

const CHECK_IN = `mutation ($id: ID!) { checkIn(meetingId: $id) { ${REFUSED} } }`;
const id = demo.meeting.id;
await Promise.all(members.map((member) => act(member, "check in", CHECK_IN, { id })));
await Promise.all(members.map((member) => castIn(member, "open", demo.votes.open, "FOR")));
await lead("close open", "closeVote", "voteId", demo.votes.open);
await lead("open next", "openVote", "voteId", demo.votes.prepared);
const kinds = ["FOR", "AGAINST", "ABSTAIN", "FOR"];
await Promise.all(
  people.map((person, place) => castIn(person, "next", demo.votes.prepared, kinds[place])),
);
await lead("close next", "closeVote", "voteId", demo.votes.prepared);
const AGENDA = "query ($id: ID!) { meeting(id: $id) { agenda { id } } }";
const { meeting } = await ask(chair, AGENDA, { id });
await act(
  chair,
  "move to the last item",
  `mutation ($id: ID!, $item: ID!) { moveAgenda(meetingId: $id, itemId: $item) { ${REFUSED} } }`,
  { id, item: meeting.agenda.at(-1).id },
);
await lead("close the meeting", "closeMeeting", "meetingId", id);
await castIn(members[0], "a closed vote", demo.votes.open, "FOR");

const deadline = Date.now() + WITHIN;
for (const { watched, fresh } of followed) {
  watched.fresh = await fresh();
  while ((watched.last?.version ?? 0) < watched.fresh.version && Date.now() < deadline) {
    await pause(20);
  }
}
await Promise.all(people.map(({ client }) => client.dispose()));
while (people.some((person) => person.closed.length === 0) && Date.now() < deadline) {
  await pause(20);
}
const closed = people.flatMap((person) => person.closed);
console.log(JSON.stringify({ answers, closed, followed: followed.map(({ watched }) => watched) }));
