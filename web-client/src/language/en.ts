import type { Messages } from "./vi";
import { votingEn } from "./voting-en";

export const en: Messages = {
  name: "Branch Meetings",

  header: {
    otherLanguage: "Tiếng Việt",
    textSize: "Text size",
    textSizes: { normal: "medium", large: "large", larger: "very large" },
    skip: "To the main content",
    home: "To the home page",
  },

  opening: "Opening…",
  unreachable: {
    title: "Not connected yet",
    explanation:
      "This device has not reached the server. The screen opens by itself once it does; there is nothing you need to do.",
  },
  notFound: { title: "There is no such page", home: "To the home page" },
  reload: "Reload the page",
  cancel: "Go back",

  signIn: {
    title: "Sign in",
    explanation: "Enter the activation code printed on your card, or scan the card's QR code.",
    code: "Activation code",
    missing: "Please enter your activation code.",
    submit: "Sign in",
    submitting: "Signing in…",
    ended: "Your session has ended. This is normal and keeps you safe; sign in again to go on.",
    help: "No code yet? Ask the secretary of your branch.",
  },

  session: {
    endsSoon: "Your session is about to end. Do you want to stay signed in?",
    last: "This session cannot be made longer. When it ends, just sign in again.",
    left: (time) => `${time} left`,
    stay: "Stay signed in",
  },

  home: {
    title: "Home",
    greeting: (name) => `Hello, ${name}`,
    now: "Meeting in session",
    next: "Next meeting",
    none: "No meeting has been summoned yet.",
    enter: "Enter the meeting",
    view: "View the meeting",
    others: "Other meetings",
    more: "Show more",
    signOut: "Sign out",
    sessions: "Where you are signed in",
    roleIn: (role, unit) => `${role}, ${unit}`,
  },

  units: {
    title: "Your units",
    members: (count, one) => `${count} ${one ? "member" : "members"}`,
    inSession: (count, one) => `${count} ${one ? "meeting" : "meetings"} in session`,
    membersTotal: "Members",
    inSessionTotal: "Meetings in session",
    below: "Units below",
    childless: "There are no units below this one.",
    live: "Meetings now",
    quiet: "No meeting is in session now.",
    scheduled: (count, one) => `${count} ${one ? "meeting" : "meetings"} to begin`,
    paused: (count) => `${count} paused`,
    closed: (count) => `${count} closed today`,
    openVotes: (count, one) => `${count} open ${one ? "vote" : "votes"}`,
    openVotesTotal: "Open votes",
    presentTotal: "Present",
    connectedTotal: "Connected",
    present: (present, summoned) => `${present} of ${summoned} present`,
    few: "Not shown",
    fewHint: "Figures about fewer than five people are not shown, nor those that would tell them.",
  },

  meeting: {
    opening: "Opening the meeting…",
    unavailable: "The meeting cannot be opened",
    barred:
      "You may not see this meeting now. If something is wrong, ask the secretary of your branch.",
    closedAt: (when) => `Closed at ${when}`,
    turnout: (present, summoned) => `${present}/${summoned} present`,
    notStarted: "The meeting has not started. This screen follows when the chair opens it.",
    paused: "The meeting is paused. This screen follows when it goes on.",
    ended: "The meeting is closed. Thank you for taking part.",
    cancelled: "This meeting has been cancelled.",
    noItem: "No agenda item has been called yet.",
    current: "Current item",
    currentOf: (position, total) => `Item ${position} of ${total}`,
    agenda: "Agenda",
    done: "Done",
    here: "Now",
    results: "Results of votes",
    checkIn: "Check in",
    checkInHint: "Are you attending this meeting? Check in to be counted as present.",
    checkedIn: "You are checked in",
  },

  proxy: {
    open: "I will be absent: name someone to vote for me",
    another: "Name someone else to vote for me",
    title: "Name someone to vote for you",
    meaning:
      "While you are absent, whoever you choose votes for you in votes that open from now on about:",
    most: (matter, most) => `${matter}: a member may vote for at most ${most} others`,
    limits:
      "A vote that is open already stays as it is. If you come and check in, you vote yourself. It cannot be taken back, but you can name someone else at any time.",
    who: "Who votes for you?",
    action: "Name this member",
    given: (name) => `While you are absent, ${name} votes for you.`,
    held: (names) =>
      `They let you vote for them while absent: ${names}. Where the rule allows it, your ballot counts for them too.`,
  },

  chair: {
    panel: "Chair's panel",
    nextStep: "Next step",
    start: "Start the meeting",
    startHint: (present, summoned) => `${present} of ${summoned} have checked in.`,
    resume: "Resume the meeting",
    resumeHint: "The meeting is paused.",
    firstItem: "Go to the first item",
    nextItem: "Go to the next item",
    nextItemHint: (title) => `Next: ${title}`,
    openVote: "Open the vote",
    openVoteHint: (question) => `Vote: ${question}`,
    closeVote: "Close the vote",
    closeVoteHint: (cast, eligible) => `${cast} of ${eligible} have voted.`,
    closeMeeting: "Close the meeting",
    closeMeetingHint: "The agenda is complete.",
    pause: "Pause",
    moveTo: "Move here",
    working: "Working…",
    confirmVote: {
      title: "Close the vote?",
      everyone: (eligible) => `All ${eligible} have voted.`,
      missing: (cast, eligible) => `Only ${cast} of ${eligible} have voted.`,
      final:
        "Once it is closed nobody can vote any more. The result is shown at once, unless a tie is to be broken first.",
    },
    confirmMeeting: {
      title: "Close the meeting?",
      final: "A closed meeting cannot be opened again.",
    },
    rollCall: "Roll call",
    absentAtEnd: "Absent",
    seen: (count) => `Seen in the room by the chair: ${count}`,
    connected: (count) => `Connected now: ${count}`,
    see: "Seen in the room",
    seenAt: (when) => `Seen in the room at ${when}`,
    seeHint: "Mark whom you see in the room. Everyone still checks in themselves.",
  },

  vote: {
    notOpenYet: "The chair will open the vote. There is nothing to do yet.",
    ballot: "Your choice",
    cast: "Cast my ballot",
    sending: "Sending your ballot…",
    waiting:
      "Not confirmed yet. The connection is weak; your ballot is kept on this device and is sent again by itself.",
    choose: "Please choose before you send.",
    recorded: "Your ballot is recorded",
    recordedChoice: (choice, when) => `${choice}, at ${when}`,
    noBallot: "You have no ballot in this vote.",
    noBallotProbationary: "Probationary members attend and discuss but do not vote.",
    tally: "Tally",
    castOf: (cast, eligible) => `Voted: ${cast}/${eligible}`,
    shareOf: (eligible) => `Percentages are of the ${eligible} on the electoral roll.`,
    details: "Show the tally",
    announceOpen: (question) => `A vote is open: ${question}`,
    announceClosed: (sentence) => `The vote is closed. ${sentence}`,
  },

  voting: votingEn,

  link: {
    down: "Connection lost. Reconnecting…",
    inDoubt: "Checking the connection. What you see may be old.",
    age: (duration) => `You are seeing the meeting as it was ${duration} ago.`,
  },

  reasons: {
    NOT_SIGNED_IN: "Please sign in again.",
    NOT_FOUND: "This could not be found.",
    NOT_ALLOWED: "You may not do this.",
    INVALID_CODE: "The code is wrong or has expired. Please check it on your card.",
    TRY_AGAIN_LATER: "Too many people are signing in at once. Please try again in a few seconds.",
    INVALID_INPUT: "What was sent is not valid.",
    NOT_ENTITLED: "You are not on the electoral roll of this vote.",
    ALREADY_VOTED: "You have voted already. Everyone votes once.",
    KEY_REUSED: "Your ballot was sent before with another choice.",
    INVALID_CHOICE: "This choice is not on the ballot.",
    VOTE_NOT_OPEN: "The vote is not open yet.",
    VOTE_CLOSED: "The vote is closed.",
    VOTE_STILL_OPEN: "A vote is still open. Close it first.",
    MEETING_NOT_IN_SESSION: "The meeting is not in session.",
    WRONG_STATE: "The meeting has moved on; this is no longer possible.",
    ITEM_NOT_CURRENT: "Only votes of the current item can be opened.",
    NO_CHAIR: "The meeting has no chair.",
    TOO_FEW_FULL_MEMBERS: "There are too few full members to meet.",
    NO_QUORUM: "Too few members are present.",
    TOO_FEW_CANDIDATES: "There are fewer candidates than seats.",
    TOO_MANY_CANDIDATES: "There are more candidates than the seats and the surplus allow.",
    TOO_FEW_VOTERS_FOR_SECRECY: "Too few people vote to keep their choices secret.",
    ONLINE_NOT_ALLOWED: "The conditions for meeting online are not met.",
    INVALID_RULE: "The voting rule is not valid.",
    TOO_COSTLY: "That asks for too much at once.",
    HANDS_NOT_COUNTED: "Hands are counted in open votes only, and only in a room.",
    NOT_IN_ROOM: "Only hands of those who checked in and were confirmed in the room are counted.",
    HAND_CONTESTED: "They contested how their hand was counted, and vote themselves.",
  },

  otherProblems: {
    UNREACHABLE: "The server cannot be reached. Check your connection and try again.",
    FAULT: "Something went wrong. Please try again in a few minutes.",
    STOPPED: "This screen is no longer kept up to date. Please reload the page.",
  },

  bases: {
    ENTITLED: "entitled members",
    SUMMONED: "entitled members summoned",
    PRESENT_AT_OPENING: "entitled members present when the vote opened",
    PRESENT: "entitled members present",
    BALLOTS_CAST: "ballots cast",
    VALID_BALLOTS: "valid ballots",
    FOR_AND_AGAINST: "ballots for and against",
  },

  options: {
    FOR: "For",
    AGAINST: "Against",
    ABSTAIN: "Abstain",
    CHOICE: "Choice",
    MEASURE: "Measure",
  },
  voteStates: {
    PREPARED: "Not open yet",
    OPEN: "Voting now",
    CLOSED: "Closed",
    ANNULLED: "Annulled",
  },

  meetingStates: {
    DRAFT: "Draft",
    SUMMONED: "Summoned",
    IN_SESSION: "In session",
    PAUSED: "Paused",
    CLOSED: "Closed",
    MINUTES_SIGNED: "Minutes signed",
    CANCELLED: "Cancelled",
  },

  kinds: {
    REGULAR: "Regular meeting",
    THEMATIC: "Thematic meeting",
    EXTRAORDINARY: "Extraordinary meeting",
    CONGRESS: "Congress",
  },

  modes: { IN_PERSON: "In person", HYBRID: "In person and online", ONLINE: "Online" },

  attendance: {
    PRESENT: "Present",
    EXCUSED: "Excused",
    ABSENT: "Not checked in",
    EXCUSE_REQUESTED: "Asked to be excused",
  },

  roles: {
    SECRETARY: "Secretary",
    DEPUTY_SECRETARY: "Deputy secretary",
    COMMITTEE_MEMBER: "Committee member",
    OVERSEER: "Overseer",
  },
};
