"""A unit's meetings, page by page."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import and_, or_, select

from models.meetings.meetings import Meeting
from resolvers.access.permit import read_unit
from resolvers.context import Context
from rules.permissions import Act
from rules.refusals import Reason, Refusal

PAGE_MAXIMUM = 100


@dataclass(frozen=True)
class MeetingPage:
    meetings: list[Meeting]
    has_next: bool


async def list_meetings(
    context: Context, unit_id: str, first: int, after: str | None
) -> MeetingPage:
    """A unit's meetings, newest first. Raises INVALID_INPUT for a wrong size or cursor."""
    unit = await read_unit(context, unit_id, Act.LIST_MEETINGS)
    if not 1 <= first <= PAGE_MAXIMUM:
        raise Refusal(
            Reason.INVALID_INPUT,
            f"Ask for 1 to {PAGE_MAXIMUM} meetings at a time.",
            maximum=PAGE_MAXIMUM,
        )
    statement = select(Meeting).where(Meeting.unit_id == unit.id)
    if after is not None:
        starts_at, last_id = parse_cursor(after)
        statement = statement.where(
            or_(
                Meeting.starts_at < starts_at,
                and_(Meeting.starts_at == starts_at, Meeting.id < last_id),
            )
        )
    statement = statement.order_by(Meeting.starts_at.desc(), Meeting.id.desc()).limit(first + 1)
    async with context.reading() as session:
        meetings = list(await session.scalars(statement))
    return MeetingPage(meetings[:first], has_next=len(meetings) > first)


def cursor_of(meeting: Meeting) -> str:
    """An opaque place in the list of meetings."""
    return base64.urlsafe_b64encode(
        f"{meeting.starts_at.isoformat()}|{meeting.id}".encode()
    ).decode()


def parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The place that `cursor_of` wrote. Raises INVALID_INPUT."""
    try:
        starts_at, _, meeting_id = base64.urlsafe_b64decode(cursor).decode().partition("|")
        moment = datetime.fromisoformat(starts_at)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC), UUID(meeting_id)
    except (ValueError, OverflowError, binascii.Error):
        raise Refusal(Reason.INVALID_INPUT, "The cursor is not one of ours.") from None
