import { useCallback, useEffect, useState } from "preact/hooks";
import {
  type MeetingSummaryFragment,
  MeetingsDocument,
  type MeetingsQuery,
  WatchMeetingSummaryDocument,
} from "../gql/graphql";
import { watch } from "../server/live";
import { type Problem, problemOf } from "../server/problem";
import { request } from "../server/request";
import { useRefresh } from "../ui/use-refresh";

export type MeetingSummary = MeetingSummaryFragment;

type Page = NonNullable<MeetingsQuery["meetings"]>;

const MINUTE = 60_000;

/** The meetings of a unit, newest first. Null until they are known. */
export function useMeetings(unitId: string) {
  const [meetings, setMeetings] = useState<MeetingSummary[] | null>(null);
  const [pageInfo, setPageInfo] = useState<Page["pageInfo"] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  const load = useCallback(
    async (after: string | null) => {
      try {
        const page = (await request(MeetingsDocument, { unitId, after })).meetings;
        const loaded = page?.edges.map((edge) => edge.node) ?? [];
        setMeetings((held) => (after === null ? loaded : [...(held ?? []), ...loaded]));
        setPageInfo(page?.pageInfo ?? null);
        setProblem(null);
      } catch (error) {
        setProblem(problemOf(error));
      }
    },
    [unitId],
  );
  useRefresh(
    useCallback(() => void load(null), [load]),
    MINUTE,
  );
  useLiveSummary(
    mainMeeting(meetings ?? [])?.id,
    useCallback((arriving: MeetingSummary) => {
      setMeetings((held) => held?.map((known) => newestSummary(known, arriving)) ?? null);
    }, []),
  );

  const more = pageInfo?.hasNextPage ? () => load(pageInfo.endCursor) : null;
  return { meetings, problem, more };
}

/** The one in session, else the next one summoned. */
export function mainMeeting(meetings: readonly MeetingSummary[]): MeetingSummary | null {
  const running = meetings.find(isRunning);
  return running ?? [...meetings].reverse().find(({ state }) => state === "SUMMONED") ?? null;
}

export function isRunning({ state }: MeetingSummary): boolean {
  return state === "IN_SESSION" || state === "PAUSED";
}

function newestSummary(known: MeetingSummary, arriving: MeetingSummary): MeetingSummary {
  const replaces = arriving.id === known.id && arriving.version >= known.version;
  return replaces ? arriving : known;
}

function useLiveSummary(id: string | undefined, receive: (arriving: MeetingSummary) => void): void {
  useEffect(() => {
    if (id === undefined) return;
    return watch(
      WatchMeetingSummaryDocument,
      { id },
      {
        push: (result) => receive(result.meeting),
        // The list is fetched again every minute anyway.
        problem: () => {},
      },
    );
  }, [id, receive]);
}
