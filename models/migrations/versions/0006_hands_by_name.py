"""hands by name

Revision: 0006, after 0009

Each hand counted in the room keeps its option, and is taken back by a row that says so, since hands
are only ever inserted. Hands of before keep their sums in `hand_count`: nobody knows any more who
raised one for what. The audit chain learns of hands taken back, and of suspensions.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0009"

ONLY_INSERTED = ("hand_taken_back",)

KINDS_BEFORE = "'HANDS_RECORDED'"
KINDS = f"{KINDS_BEFORE}, 'HANDS_TAKEN_BACK', 'SUSPENDED', 'REINSTATED'"


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        op.add_column("hand_mark", sa.Column("sequence", sa.Integer(), nullable=True))
        op.add_column("hand_mark", sa.Column("option_id", sa.Uuid(), nullable=True))
        op.execute("ALTER TABLE hand_mark ALTER sequence TYPE integer USING 1")
        op.alter_column("hand_mark", "sequence", nullable=False)
        op.drop_constraint("pk_hand_mark", "hand_mark")
        op.create_primary_key("pk_hand_mark", "hand_mark", ["vote_id", "member_id", "sequence"])
        op.create_check_constraint(op.f("ck_hand_mark_sequence"), "hand_mark", "sequence >= 1")
        op.create_foreign_key(
            op.f("fk_hand_mark_option_id_vote_id_vote_option"),
            "hand_mark",
            "vote_option",
            ["option_id", "vote_id"],
            ["id", "vote_id"],
        )
    else:
        _rebuild("hand_mark", _hand_mark(), "vote_id, member_id, 1, NULL")
    op.create_table(
        "hand_taken_back",
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_contested", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vote_id", "member_id", "sequence"],
            ["hand_mark.vote_id", "hand_mark.member_id", "hand_mark.sequence"],
            name=op.f("fk_hand_taken_back_vote_id_member_id_sequence_hand_mark"),
        ),
        sa.PrimaryKeyConstraint(
            "vote_id", "member_id", "sequence", name=op.f("pk_hand_taken_back")
        ),
    )
    _only_insert("hand_taken_back")
    _change_kinds(KINDS_BEFORE, KINDS)


def downgrade() -> None:
    """Fails where the chain has a link of a new kind, as of a hand that was taken back."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    _change_kinds(KINDS, KINDS_BEFORE)
    _sum_up_hands()
    op.drop_table("hand_taken_back")
    if is_postgresql:
        op.drop_constraint("fk_hand_mark_option_id_vote_id_vote_option", "hand_mark")
        op.drop_constraint("pk_hand_mark", "hand_mark")
        op.drop_column("hand_mark", "option_id")
        op.drop_column("hand_mark", "sequence")
        op.create_primary_key("pk_hand_mark", "hand_mark", ["vote_id", "member_id"])
    else:
        _rebuild("hand_mark", _hand_mark_before(), "vote_id, member_id")


def _sum_up_hands() -> None:
    """The sums by option, as they were kept before."""
    op.execute("CREATE TEMPORARY TABLE summed AS SELECT * FROM hand_count")
    op.execute(
        "INSERT INTO summed (option_id, vote_id, hands) SELECT option_id, vote_id, 1"
        " FROM hand_mark WHERE option_id IS NOT NULL"
    )
    op.execute("DELETE FROM hand_count")
    op.execute(
        "INSERT INTO hand_count (option_id, vote_id, hands)"
        " SELECT option_id, vote_id, SUM(hands) FROM summed GROUP BY option_id, vote_id"
    )
    op.execute("DROP TABLE summed")


def _hand_mark() -> list[Any]:
    return [
        *_hand_mark_columns(),
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("option_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["option_id", "vote_id"],
            ["vote_option.id", "vote_option.vote_id"],
            name=op.f("fk_hand_mark_option_id_vote_id_vote_option"),
        ),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_hand_mark_sequence")),
        sa.PrimaryKeyConstraint("vote_id", "member_id", "sequence", name=op.f("pk_hand_mark")),
    ]


def _hand_mark_before() -> list[Any]:
    return [
        *_hand_mark_columns(),
        sa.PrimaryKeyConstraint("vote_id", "member_id", name=op.f("pk_hand_mark")),
    ]


def _hand_mark_columns() -> list[Any]:
    return [
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vote_id", "member_id"],
            ["roll_entry.vote_id", "roll_entry.member_id"],
            name=op.f("fk_hand_mark_vote_id_member_id_roll_entry"),
        ),
    ]


def _change_kinds(before: str, after: str) -> None:
    """Whatever else the audit chain may tell by now stays."""
    if op.get_bind().dialect.name == "postgresql":
        definition = op.get_bind().scalar(
            sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
            {"name": "ck_audit_kind"},
        )
        changed = definition.replace("::character varying", "").replace(before, after, 1)
        op.execute("ALTER TABLE audit DROP CONSTRAINT ck_audit_kind")
        op.execute(f"ALTER TABLE audit ADD CONSTRAINT ck_audit_kind {changed}")
        return
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'audit' AND sql IS NOT NULL")
    )
    made = {row.name: row.sql for row in rows}
    body = made.pop("audit").replace(before, after, 1).partition("(")[2]
    connection.exec_driver_sql(f"CREATE TABLE audit_new ({body}")
    connection.exec_driver_sql("INSERT INTO audit_new SELECT * FROM audit")
    connection.exec_driver_sql("DROP TABLE audit")
    connection.exec_driver_sql("ALTER TABLE audit_new RENAME TO audit")
    for trigger in made.values():
        connection.exec_driver_sql(trigger)


def _rebuild(table: str, parts: list[Any], values: str) -> None:
    """SQLite changes no constraint of a table: it gets another table, with its triggers."""
    new = f"{table}_new"
    op.create_table(new, *parts)
    columns = ", ".join(part.name for part in parts if isinstance(part, sa.Column))
    op.execute(f"INSERT INTO {new} ({columns}) SELECT {values} FROM {table}")  # noqa: S608
    op.drop_table(table)
    op.rename_table(new, table)
    _only_insert(table)


def _only_insert(table: str) -> None:
    """The triggers of migration 0002."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER only_inserted BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is only ever inserted'); END"
        )
