"""Accounts, the cards that activate them, and sessions. Secrets are stored as hashes only.

Triggers note every session that ends or gets another end (`models.accounts.access_changes`).
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Account(Base):
    """A member's access to the system; made with the first activation card."""

    __tablename__ = "account"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), unique=True)


class ActivationCard(Base):
    """A one-use code that a branch hands to a member. `code_hash` is Argon2id, 32 bytes."""

    __tablename__ = "activation_card"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Session(Base):
    """A signed-in device. `token_hash` is the SHA-256 of the opaque token, 32 bytes."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    device: Mapped[str | None] = mapped_column(String(64))
    """What was signed in with, in a few words, such as `Chrome, Android`."""

    __table_args__ = (CheckConstraint("expires_at > created_at", name="period"),)
