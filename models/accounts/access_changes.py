"""What members may see has changed: rows that triggers write, whoever made the change.

Migrations 0003 and 0004 have the triggers: on sessions (revoked, or another end), standings,
memberships, appointments, and units that come under other officers. A change that nobody announced
is found here too, such as an operator's own SQL.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class AccessChange(Base):
    """One change of one member's access, by the database's clock. Pruned after a day.

    `id` tells rows apart and is no order: a transaction commits later than it writes. There is no
    foreign key: the row is a hint, and a member's last one may outlive them.
    """

    __tablename__ = "access_change"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    member_id: Mapped[UUID]
    changed_at: Mapped[datetime] = mapped_column(index=True)
