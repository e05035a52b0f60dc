"""A program that moves a member to another branch, as an administrator would: there is no
mutation for it.

    python -m tests.move_member DATABASE_URL MEMBER_ID BRANCH_ID
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import insert, update

from models.database import Database
from models.units import Membership
from rules.members import MembershipKind


async def move_member(url: str, member_id: UUID, branch_id: UUID) -> None:
    """End the member's regular membership today, and begin the one in the branch."""
    database = Database(url)
    today = datetime.now(UTC).date()
    try:
        async with database.writing() as session:
            await session.execute(
                update(Membership)
                .where(
                    Membership.member_id == member_id,
                    Membership.kind == MembershipKind.REGULAR,
                    Membership.valid_to.is_(None),
                )
                .values(valid_to=today)
            )
            await session.execute(
                insert(Membership).values(
                    member_id=member_id,
                    unit_id=branch_id,
                    kind=MembershipKind.REGULAR,
                    valid_from=today,
                )
            )
            await session.commit()
    finally:
        await database.dispose()


if __name__ == "__main__":
    asyncio.run(move_member(sys.argv[1], UUID(sys.argv[2]), UUID(sys.argv[3])))
