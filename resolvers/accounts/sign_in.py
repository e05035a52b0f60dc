"""Signing in with an activation code, staying signed in, and signing out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, insert, select, update

from models.accounts.accounts import Account, ActivationCard, Session
from models.base import database_clock
from realtime.topics import ACCESS_CHANNEL, topic_of_member
from resolvers.access.permit import session_ended
from resolvers.context import Context, Viewer
from rules.refusals import Reason, Refusal

SHORTEST_GAIN = timedelta(seconds=1)
"""Who asks for more time again and again writes nothing, and tells no process, in between."""


@dataclass(frozen=True)
class SignedIn:
    """`token` is told once; the database keeps only its hash."""

    token: str
    expires_at: datetime


async def sign_in(context: Context, code: str) -> SignedIn:
    """Use an activation card, once, and begin a session. Raises INVALID_CODE or TRY_AGAIN_LATER.

    A wrong, a used and an expired code are told apart by nobody.
    """
    async with context.credentials.attempt(code, context.client) as attempt:
        signed_in = None
        if await _is_open_card(context, attempt.code_hash):
            signed_in = await _begin_session(context, attempt.code_hash)
        if signed_in is None:
            await attempt.was_wrong()
            raise Refusal(Reason.INVALID_CODE, "This code is wrong, used, or has expired.")
    return signed_in


async def _is_open_card(context: Context, code_hash: bytes) -> bool:
    """Whoever guesses wrong takes no lock, and no connection while the answer is delayed."""
    async with context.reading() as session:
        card = await session.scalar(select(ActivationCard.id).where(*_is_open(code_hash)))
    await context.release()
    return card is not None


def _is_open(code_hash: bytes) -> tuple[ColumnElement[bool], ...]:
    return (
        ActivationCard.code_hash == code_hash,
        ActivationCard.used_at.is_(None),
        ActivationCard.expires_at > database_clock(),
    )


async def _begin_session(context: Context, code_hash: bytes) -> SignedIn | None:
    """None when somebody has used the card meanwhile."""
    token = context.credentials.new_token()
    async with context.transaction() as transaction:
        session = transaction.session
        used = (
            await session.execute(
                update(ActivationCard)
                .where(*_is_open(code_hash))
                .values(used_at=database_clock())
                .returning(ActivationCard.account_id, ActivationCard.used_at)
            )
        ).one_or_none()
        if used is None:
            return None
        expires_at = used.used_at + timedelta(seconds=token.lifetime_seconds)
        session_id = await session.scalar(
            insert(Session)
            .values(
                account_id=used.account_id,
                token_hash=token.hash,
                created_at=used.used_at,
                expires_at=expires_at,
                device=context.client.device,
            )
            .returning(Session.id)
        )
        member_id = await session.scalar(
            select(Account.member_id).where(Account.id == used.account_id)
        )
    assert session_id is not None  # noqa: S101 - both rows were just read or written
    assert member_id is not None  # noqa: S101
    context.viewer = Viewer(member_id, session_id, expires_at)
    return SignedIn(token.secret, expires_at)


async def sign_out(context: Context) -> None:
    """End the viewer's session. Twice is the same as once."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        ended = await transaction.session.scalar(
            update(Session)
            .where(Session.id == viewer.session_id, Session.revoked_at.is_(None))
            .values(revoked_at=database_clock())
            .returning(Session.id)
        )
        if ended is not None:
            transaction.announce(ACCESS_CHANNEL, topic_of_member(viewer.member_id))
    context.sessions.forget([viewer.member_id])


async def refresh_session(context: Context) -> Viewer:
    """Give the viewer's session its full lifetime from now, within its maximum since it began.

    Never less than it has. Raises NOT_SIGNED_IN when it has ended already.
    """
    viewer = context.signed_in()
    limits = context.credentials.session_limits
    async with context.transaction() as transaction:
        found = (
            await transaction.session.execute(
                select(Session.created_at, Session.expires_at, database_clock().label("now")).where(
                    Session.id == viewer.session_id,
                    Session.revoked_at.is_(None),
                    Session.expires_at > database_clock(),
                )
            )
        ).one_or_none()
        if found is None:
            raise session_ended()
        longest = min(found.now + limits.lifetime, found.created_at + limits.maximum)
        expires_at = max(found.expires_at, longest)
        if expires_at - found.expires_at > SHORTEST_GAIN:
            await transaction.session.execute(
                update(Session)
                .where(Session.id == viewer.session_id, Session.revoked_at.is_(None))
                .values(expires_at=expires_at)
            )
            transaction.announce(ACCESS_CHANNEL, topic_of_member(viewer.member_id))
        else:
            expires_at = found.expires_at
    context.viewer = Viewer(viewer.member_id, viewer.session_id, expires_at)
    return context.viewer
