import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { WatchMeetingDocument } from "../gql/graphql";
import { language, messages } from "../language/language";
import { watch } from "../server/live";
import type { Problem } from "../server/problem";
import { announce } from "../ui/announcer";
import { announcementsOf } from "./announcements";
import { type Meeting, newestMeeting, type Vote, withVote } from "./newest";

/** A meeting as this page knows it, fed by pushes and by the answers to the page's own mutations. */
export interface LiveMeeting {
  meeting: ReadonlySignal<Meeting | null>;
  problem: ReadonlySignal<Problem | null>;
  receiveMeeting(arriving: Meeting): void;
  receiveVote(arriving: Vote): void;
  /** Starts watching; the function returned stops it. */
  watch(): () => void;
}

export function liveMeeting(id: string): LiveMeeting {
  const meeting = signal<Meeting | null>(null);
  const problem = signal<Problem | null>(null);

  const show = (next: Meeting) => {
    const news = announcementsOf(meeting.value, next, messages.value, language.value);
    if (news.length > 0) announce(news.join(" "));
    meeting.value = next;
  };
  const receiveMeeting = (arriving: Meeting) => show(newestMeeting(meeting.value, arriving));
  const receiveVote = (arriving: Vote) => meeting.value && show(withVote(meeting.value, arriving));

  return {
    meeting,
    problem,
    receiveMeeting,
    receiveVote,
    watch: () =>
      watch(
        WatchMeetingDocument,
        { id },
        {
          push: (result) => {
            problem.value = null;
            receiveMeeting(result.meeting);
          },
          problem: (cause) => {
            problem.value = cause;
          },
        },
      ),
  };
}

export function useLiveMeeting(id: string): LiveMeeting {
  const live = useMemo(() => liveMeeting(id), [id]);
  useEffect(live.watch, [live]);
  return live;
}
