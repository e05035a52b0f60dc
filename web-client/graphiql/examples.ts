import { MeetingsDocument, ViewerDocument } from "../src/gql/graphql";
import { request } from "../src/server/request";

const WHO_AM_I = `# Who is signed in? Ctrl-Enter runs the query.
# Headers, below: {"Authorization": "Bearer …"}
query WhoAmI {
  viewer {
    member {
      name
      unit {
        id
        name
      }
      appointments {
        role
      }
    }
  }
}`;

const WATCH_MEETING = `# Pushed again whenever the answer has changed:
# run it, and cast a ballot in another window.
# Variables, below, name the meeting.
subscription WatchMeeting($id: ID!) {
  meeting(id: $id) {
    version
    title
    state
    turnout {
      summoned
      present
    }
    votes {
      question
      state
      tally {
        cast
        eligible
      }
    }
  }
}`;

/** Tabs to start with. The subscription is of the newest meeting in the branch of who is signed in. */
export async function examples(): Promise<{ query: string; variables?: string }[]> {
  const variables = JSON.stringify({ id: await newestMeeting() }, null, 2);
  return [{ query: WHO_AM_I }, { query: WATCH_MEETING, variables }];
}

async function newestMeeting(): Promise<string> {
  try {
    const { viewer } = await request(ViewerDocument, {});
    const unitId = viewer?.member.unit?.id;
    if (!unitId) return "";
    const { meetings } = await request(MeetingsDocument, { unitId });
    return meetings?.edges[0]?.node.id ?? "";
  } catch {
    return "";
  }
}
