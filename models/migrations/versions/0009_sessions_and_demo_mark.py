"""sessions tell their device, and a database tells whether it held the demo

Revision: 0009, after 0008
"""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# The ward of the demo, whose ids are the same in every demo: those made before this migration.
WARD = UUID("7fa7cc1b-4d5d-5f3f-85ac-e198fce8a059")


def upgrade() -> None:
    # Without rebuilding the table, which would drop its triggers on SQLite.
    op.add_column("session", sa.Column("device", sa.String(length=64), nullable=True))
    mark = op.create_table(
        "demo_mark",
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("made_at", name=op.f("pk_demo_mark")),
    )
    unit = sa.table("unit", sa.column("id", sa.Uuid()))
    has_demo = sa.select(unit.c.id).where(unit.c.id == WARD)
    if op.get_bind().execute(has_demo).first() is not None:
        op.execute(sa.insert(mark).values(made_at=datetime.now(UTC)))


def downgrade() -> None:
    op.drop_table("demo_mark")
    op.drop_column("session", "device")
