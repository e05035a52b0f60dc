"""What tells a database that held the demo from any other."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.database import Database


class DemoMark(Base):
    """One row, written with the demo's rows and never removed: whoever knows the development
    secret knows the tokens of the demo's people."""

    __tablename__ = "demo_mark"

    made_at: Mapped[datetime] = mapped_column(primary_key=True)


async def held_demo(database: Database) -> bool:
    """Whether the demo was ever made in this database."""
    async with database.snapshot() as session:
        return await session.scalar(select(DemoMark.made_at).limit(1)) is not None
