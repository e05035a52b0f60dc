"""The names on the feed, and the message that carries them; docs/realtime.md defines the words.

A hint says that something on a channel changed, by naming topics: "meeting", or "vote:<id>". It
carries no state and nothing about a person but an id: whoever receives it reads the database.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from uuid import UUID

import orjson

GAP = "gap"
"""The topic of a hint that may stand for any other: every topic of the channel may have changed."""

MEETING_TOPIC = "meeting"
"""The meeting itself: its state or agenda."""

ATTENDANCE_TOPIC = "attendance"
"""Who is there: somebody checked in, or the chair confirmed somebody."""

PRESENCE_TOPIC = "presence"
"""How many members are connected to the meeting."""

PRESENCE_CHANNEL = "presence"
"""The one channel on which processes tell each other how many are connected; no hints, but the
messages of `realtime.presence`."""

ACCESS_CHANNEL = "access"
"""The one channel about what members may see: a topic is a member whose access changed."""


UNITS_CHANNEL = "units"
"""The one channel for those who follow many meetings at once: its topics are `topic_of_meeting`
and, within a process, `topic_of_connected`."""


class MalformedHint(ValueError):
    """A message on the feed that is not a hint."""


def channel_of_meeting(meeting_id: UUID) -> str:
    """The channel with the hints about one meeting and everything in it."""
    return f"meeting:{meeting_id}"


def topic_of_vote(vote_id: UUID) -> str:
    """One vote of a meeting: its state, its paper, its roll or its result."""
    return f"vote:{vote_id}"


def topic_of_ballots(vote_id: UUID) -> str:
    """The ballots of one vote: more were cast, nothing else changed."""
    return f"ballots:{vote_id}"


def topic_of_meeting(meeting_id: UUID) -> str:
    """On UNITS_CHANNEL: a meeting's state, its attendance or its open votes."""
    return f"meeting:{meeting_id}"


def topic_of_connected(meeting_id: UUID) -> str:
    """On UNITS_CHANNEL: how many members are connected to a meeting."""
    return f"connected:{meeting_id}"


def meeting_of_topic(topic: str) -> UUID | None:
    """The meeting that a topic of UNITS_CHANNEL or a channel of a meeting names, if it does."""
    kind, _, text = topic.partition(":")
    try:
        return UUID(text) if kind in ("meeting", "connected") else None
    except ValueError:
        return None


def is_of_ballots(topic: str) -> bool:
    return topic.startswith("ballots:")


def is_count(topic: str) -> bool:
    """Whether a topic tells of figures only, which may wait a moment for the next ones."""
    if topic.startswith(("ballots:", "meeting:", "connected:")):
        return True
    return topic in (ATTENDANCE_TOPIC, PRESENCE_TOPIC)


def is_of_member(topic: str) -> bool:
    """Whether a topic tells of something that is one member's alone."""
    return topic.startswith("member:")


def topic_of_member(member_id: UUID) -> str:
    """One member. On a meeting's channel: their check-in, or another thing of theirs alone; on
    ACCESS_CHANNEL: their session, standing, membership or roles."""
    return f"member:{member_id}"


def member_of_topic(topic: str) -> UUID | None:
    """The member that `topic_of_member` named, or None for another topic."""
    kind, _, text = topic.partition(":")
    try:
        return UUID(text) if kind == "member" else None
    except ValueError:
        return None


def encode_hint(topics: AbstractSet[str], at: float | None = None) -> str:
    """The message that carries the topics: a JSON array of strings, and last, as a number, the Unix
    time at which they changed, where it is known.
    """
    return orjson.dumps([*sorted(topics)] if at is None else [*sorted(topics), at]).decode()


def decode_hint(message: str) -> tuple[frozenset[str], float | None]:
    """The topics a message carries, at least one, and when they changed. Raises MalformedHint."""
    try:
        topics = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise MalformedHint("not JSON") from error
    if not isinstance(topics, list):
        raise MalformedHint("not a list of topics")
    at = topics.pop() if topics and isinstance(topics[-1], float) else None
    if not topics:
        raise MalformedHint("no topics")
    if not all(isinstance(topic, str) for topic in topics):
        raise MalformedHint("a topic is not a string")
    return frozenset(topics), at
