"""secrecy of few

Revision: 0007, after 0006

Annulling a hidden vote is proposed by one officer and confirmed by another; the secret of a vote's
lot is drawn as it opens. Votes that opened before have none, and their lot comes from the head of
their chain.
"""

import sqlalchemy as sa
from alembic import op

from models.migrations.lists import widen

revision = "0007"
down_revision = "0006"

PROPOSED_BY = "annulment_proposed_by_id"


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    widen("audit", "kind", ("ANNULMENT_PROPOSED", "ANNULMENT_WITHDRAWN"))
    op.add_column("vote", sa.Column("annulment_proposed_at", sa.DateTime(timezone=True)))
    op.add_column("vote", sa.Column("proposed_annulment", sa.String(1000)))
    if is_postgresql:
        op.add_column("vote", sa.Column(PROPOSED_BY, sa.Uuid()))
        op.create_foreign_key(
            op.f(f"fk_vote_{PROPOSED_BY}_member"), "vote", "member", [PROPOSED_BY], ["id"]
        )
    else:  # a table with triggers is not built anew for it
        op.execute(
            f"ALTER TABLE vote ADD COLUMN {PROPOSED_BY} CHAR(32)"
            f" CONSTRAINT fk_vote_{PROPOSED_BY}_member REFERENCES member (id)"
        )
    op.create_table(
        "lot",
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"], name=op.f("fk_lot_vote_id_vote")),
        sa.PrimaryKeyConstraint("vote_id", name=op.f("pk_lot")),
    )


def downgrade() -> None:
    """The longer list of the audit rows' kinds stays: nothing writes the new ones any more."""
    op.drop_table("lot")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(f"fk_vote_{PROPOSED_BY}_member"), "vote", type_="foreignkey")
        op.drop_column("vote", PROPOSED_BY)
    else:
        op.execute("PRAGMA defer_foreign_keys = ON")
        op.execute(f"ALTER TABLE vote DROP COLUMN {PROPOSED_BY}")
    op.drop_column("vote", "annulment_proposed_at")
    op.drop_column("vote", "proposed_annulment")
