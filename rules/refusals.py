"""The closed list of reasons for which the rules say no."""

from enum import Enum
from typing import Any


class Reason(Enum):
    """Why something was refused. Clients translate the name; the list grows, names never change."""

    NOT_SIGNED_IN = "NOT_SIGNED_IN"
    NOT_FOUND = "NOT_FOUND"
    NOT_ALLOWED = "NOT_ALLOWED"
    INVALID_CODE = "INVALID_CODE"
    TRY_AGAIN_LATER = "TRY_AGAIN_LATER"
    INVALID_INPUT = "INVALID_INPUT"
    NOT_ENTITLED = "NOT_ENTITLED"
    ALREADY_VOTED = "ALREADY_VOTED"
    KEY_REUSED = "KEY_REUSED"
    INVALID_CHOICE = "INVALID_CHOICE"
    VOTE_NOT_OPEN = "VOTE_NOT_OPEN"
    VOTE_CLOSED = "VOTE_CLOSED"
    VOTE_STILL_OPEN = "VOTE_STILL_OPEN"
    MEETING_NOT_IN_SESSION = "MEETING_NOT_IN_SESSION"
    WRONG_STATE = "WRONG_STATE"
    ITEM_NOT_CURRENT = "ITEM_NOT_CURRENT"
    NO_CHAIR = "NO_CHAIR"
    TOO_FEW_FULL_MEMBERS = "TOO_FEW_FULL_MEMBERS"
    NO_QUORUM = "NO_QUORUM"
    TOO_FEW_CANDIDATES = "TOO_FEW_CANDIDATES"
    TOO_MANY_CANDIDATES = "TOO_MANY_CANDIDATES"
    TOO_FEW_VOTERS_FOR_SECRECY = "TOO_FEW_VOTERS_FOR_SECRECY"
    STILL_VOTING = "STILL_VOTING"
    SECOND_OFFICER_NEEDED = "SECOND_OFFICER_NEEDED"
    ONLINE_NOT_ALLOWED = "ONLINE_NOT_ALLOWED"
    INVALID_RULE = "INVALID_RULE"
    TOO_COSTLY = "TOO_COSTLY"
    HANDS_NOT_COUNTED = "HANDS_NOT_COUNTED"
    NOT_IN_ROOM = "NOT_IN_ROOM"
    HAND_CONTESTED = "HAND_CONTESTED"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


class Refusal(Exception):
    """An expected "no": a reason from the closed list, an English message, figures as details.

    `details` must be plain JSON values and hold nothing that the asker may not see.
    """

    def __init__(self, reason: Reason, message: str, **details: Any) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.details = details

    @property
    def extensions(self) -> dict[str, Any]:
        """What travels in `errors[].extensions` where no union can carry the refusal."""
        return {"reason": self.reason.value, "details": self.details}
