"""The viewer's own sessions: which there are, and ending them. Nobody else's can be named."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, true, update

from models.accounts.accounts import Session
from models.base import database_clock
from realtime.topics import ACCESS_CHANNEL, topic_of_member
from resolvers.access.permit import parse_id, session_ended
from resolvers.context import Context, Viewer
from rules.refusals import Reason, Refusal

MOST_SHOWN = 100


@dataclass(frozen=True)
class OwnSession:
    """A sign-in that is still good. `is_current` is the one that asks."""

    id: UUID
    created_at: datetime
    expires_at: datetime
    device: str | None
    is_current: bool


async def list_sessions(context: Context) -> list[OwnSession]:
    """The viewer's, the newest first. Raises NOT_SIGNED_IN when the one that asks has ended."""
    viewer = context.signed_in()
    own = Session.account_id == _account_of(viewer).scalar_subquery()
    newest = select(Session).where(own, *_is_good()).order_by(Session.created_at.desc(), Session.id)
    async with context.reading() as session:
        rows = (await session.scalars(newest.limit(MOST_SHOWN))).all()
    if not rows:
        raise session_ended()
    return [
        OwnSession(row.id, row.created_at, row.expires_at, row.device, row.id == viewer.session_id)
        for row in rows
    ]


async def end_session(context: Context, session_id: str) -> list[UUID]:
    """End one of the viewer's sessions; its sockets are closed at once. Gives its id. Raises
    NOT_FOUND for what is no good session of theirs."""
    viewer = context.signed_in()
    ended = await _end(context, viewer, Session.id == parse_id(session_id, "session"))
    if not ended:
        raise Refusal(Reason.NOT_FOUND, "There is no such session.")
    return ended


async def end_other_sessions(context: Context) -> list[UUID]:
    """End all of the viewer's sessions but the one that asks. Gives their ids."""
    viewer = context.signed_in()
    return await _end(context, viewer, Session.id != viewer.session_id)


async def end_all_sessions(context: Context) -> list[UUID]:
    """End all of the viewer's sessions, the one that asks with them. Gives their ids."""
    return await _end(context, context.signed_in(), true())


async def _end(context: Context, viewer: Viewer, which: ColumnElement[bool]) -> list[UUID]:
    """Raises NOT_SIGNED_IN when the session that asks has ended: a lost one ends no others."""
    async with context.transaction() as transaction:
        account_id = await transaction.session.scalar(_account_of(viewer))
        if account_id is None:
            raise session_ended()
        ended = await transaction.session.scalars(
            update(Session)
            .where(Session.account_id == account_id, *_is_good(), which)
            .values(revoked_at=database_clock())
            .returning(Session.id)
        )
        ids = list(ended)
        if ids:
            transaction.announce(ACCESS_CHANNEL, topic_of_member(viewer.member_id))
    context.sessions.forget([viewer.member_id])
    return ids


def _account_of(viewer: Viewer) -> Select[UUID]:
    return select(Session.account_id).where(Session.id == viewer.session_id, *_is_good())


def _is_good() -> tuple[ColumnElement[bool], ...]:
    return Session.revoked_at.is_(None), Session.expires_at > database_clock()
