import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { WatchMeetingDocument, WatchOwnVotesDocument } from "../gql/graphql";
import { language, messages } from "../language/language";
import { watch } from "../server/live";
import type { Problem } from "../server/problem";
import { announce } from "../ui/announcer";
import { announcementsOf } from "./announcements";
import {
  type Meeting,
  newestMeeting,
  newestOwnVotes,
  type OwnVote,
  type OwnVotes,
  type SharedMeeting,
  type SharedVote,
  withOwnVotes,
  withVote,
} from "./newest";

/** A meeting as this page knows it, fed by pushes and by the answers to the page's own mutations. */
export interface LiveMeeting {
  meeting: ReadonlySignal<Meeting | null>;
  problem: ReadonlySignal<Problem | null>;
  receiveMeeting(arriving: SharedMeeting & { votes: (SharedVote & OwnVote)[] }): void;
  receiveVote(arriving: SharedVote & OwnVote): void;
  /** Starts watching; the function returned stops it. */
  watch(): () => void;
}

export function liveMeeting(id: string): LiveMeeting {
  const shared = signal<SharedMeeting | null>(null);
  const own = signal<OwnVotes>(new Map());
  const sharedProblem = signal<Problem | null>(null);
  const ownProblem = signal<Problem | null>(null);

  const show = (next: SharedMeeting) => {
    const news = announcementsOf(shared.value, next, messages.value, language.value);
    if (news.length > 0) announce(news.join(" "));
    shared.value = next;
  };
  const receiveShared = (arriving: SharedMeeting) => show(newestMeeting(shared.value, arriving));
  const receiveOwn = (arriving: readonly OwnVote[]) => {
    own.value = newestOwnVotes(own.value, arriving);
  };

  const watchShared = () =>
    watch(
      WatchMeetingDocument,
      { id },
      {
        push: ({ meeting }) => {
          sharedProblem.value = null;
          receiveShared(meeting);
        },
        problem: (cause) => {
          sharedProblem.value = cause;
        },
      },
    );
  const watchOwn = () =>
    watch(
      WatchOwnVotesDocument,
      { id },
      {
        push: ({ meeting }) => {
          ownProblem.value = null;
          receiveOwn(meeting.votes);
        },
        problem: (cause) => {
          ownProblem.value = cause;
        },
      },
    );

  return {
    meeting: computed(() => shared.value && withOwnVotes(shared.value, own.value)),
    problem: computed(() => sharedProblem.value ?? ownProblem.value),
    receiveMeeting: (arriving) => {
      batch(() => {
        receiveOwn(arriving.votes);
        receiveShared(arriving);
      });
    },
    receiveVote: (arriving) => {
      batch(() => {
        receiveOwn([arriving]);
        if (shared.value) show(withVote(shared.value, arriving));
      });
    },
    watch: () => {
      const leaves = [watchShared(), watchOwn()];
      return () => {
        for (const leave of leaves) leave();
      };
    },
  };
}

export function useLiveMeeting(id: string): LiveMeeting {
  const live = useMemo(() => liveMeeting(id), [id]);
  useEffect(live.watch, [live]);
  return live;
}
