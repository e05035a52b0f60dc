"""access changes

Revision: 0003, after 0002

Whatever decides what a member may see leaves a row in `access_change`, by trigger: so nobody who
changes it can forget to; on PostgreSQL with the rights of the tables' owner, so that the serving
role writes none by itself. Processes read the rows, for when no hint told them. Also: suspensions
with their record, and attendance that the chair confirms.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

STANDINGS = ("FULL", "PROBATIONARY", "EXEMPT", "SUSPENDED")

FUNCTIONS_ON_POSTGRESQL = {
    "note_access_of_member": """
      INSERT INTO access_change (member_id, changed_at) VALUES (NEW.id, clock_timestamp());""",
    "note_access_of_session": """
      INSERT INTO access_change (member_id, changed_at)
      SELECT member_id, clock_timestamp() FROM account WHERE id = OLD.account_id;""",
    "note_access_of_place": """
      IF TG_OP <> 'INSERT' THEN
        INSERT INTO access_change (member_id, changed_at)
        VALUES (OLD.member_id, clock_timestamp());
      END IF;
      IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.member_id <> OLD.member_id) THEN
        INSERT INTO access_change (member_id, changed_at)
        VALUES (NEW.member_id, clock_timestamp());
      END IF;""",
}

TRIGGERS_ON_POSTGRESQL = {
    "member": "AFTER UPDATE OF standing ON member FOR EACH ROW"
    " WHEN (OLD.standing <> NEW.standing) EXECUTE FUNCTION note_access_of_member()",
    "session": "AFTER DELETE OR UPDATE OF revoked_at, expires_at ON session FOR EACH ROW"
    " EXECUTE FUNCTION note_access_of_session()",
    "membership": "AFTER INSERT OR UPDATE OR DELETE ON membership FOR EACH ROW"
    " EXECUTE FUNCTION note_access_of_place()",
    "appointment": "AFTER INSERT OR UPDATE OR DELETE ON appointment FOR EACH ROW"
    " EXECUTE FUNCTION note_access_of_place()",
}

NOTE_ON_SQLITE = (
    "INSERT INTO access_change (member_id, changed_at)"
    " SELECT member_id, strftime('%Y-%m-%d %H:%M:%f000', 'now') FROM"
)
ACCOUNT_ON_SQLITE = "account WHERE id = OLD.account_id"
OLD_ON_SQLITE = "(SELECT OLD.member_id AS member_id)"
NEW_ON_SQLITE = "(SELECT NEW.member_id AS member_id)"
BOTH_ON_SQLITE = "(SELECT OLD.member_id AS member_id UNION SELECT NEW.member_id)"

TRIGGERS_ON_SQLITE = {
    "member_access": (
        "AFTER UPDATE OF standing ON member WHEN OLD.standing <> NEW.standing",
        "(SELECT NEW.id AS member_id)",
    ),
    "session_access": ("AFTER UPDATE OF revoked_at, expires_at ON session", ACCOUNT_ON_SQLITE),
    "session_access_delete": ("AFTER DELETE ON session", ACCOUNT_ON_SQLITE),
    "membership_access_insert": ("AFTER INSERT ON membership", NEW_ON_SQLITE),
    "membership_access_update": ("AFTER UPDATE ON membership", BOTH_ON_SQLITE),
    "membership_access_delete": ("AFTER DELETE ON membership", OLD_ON_SQLITE),
    "appointment_access_insert": ("AFTER INSERT ON appointment", NEW_ON_SQLITE),
    "appointment_access_update": ("AFTER UPDATE ON appointment", BOTH_ON_SQLITE),
    "appointment_access_delete": ("AFTER DELETE ON appointment", OLD_ON_SQLITE),
}
"""By name: when, and from where the members come."""


def upgrade() -> None:
    _create_tables()
    _add_confirmation()
    if op.get_bind().dialect.name == "postgresql":
        for name, body in FUNCTIONS_ON_POSTGRESQL.items():
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
                " SECURITY DEFINER SET search_path FROM CURRENT"
                f" AS $$ BEGIN {body} RETURN NULL; END $$"
            )
        for table, rest in TRIGGERS_ON_POSTGRESQL.items():
            op.execute(f"CREATE TRIGGER {table}_access {rest}")
        return
    for name, (when, members) in TRIGGERS_ON_SQLITE.items():
        op.execute(f"CREATE TRIGGER {name} {when} BEGIN {NOTE_ON_SQLITE} {members}; END")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in TRIGGERS_ON_POSTGRESQL:
            op.execute(f"DROP TRIGGER {table}_access ON {table}")
        for name in FUNCTIONS_ON_POSTGRESQL:
            op.execute(f"DROP FUNCTION {name}")
    else:
        for name in TRIGGERS_ON_SQLITE:
            op.execute(f"DROP TRIGGER {name}")
    with op.batch_alter_table("attendance") as attendance:
        attendance.drop_constraint(op.f("ck_attendance_confirmed"), type_="check")
        attendance.drop_column("confirmed_by_id")
        attendance.drop_column("confirmed_at")
    op.drop_table("suspension")
    op.drop_table("access_change")


def _create_tables() -> None:
    op.create_table(
        "access_change",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_change")),
    )
    op.create_index(op.f("ix_access_change_changed_at"), "access_change", ["changed_at"])
    op.create_table(
        "suspension",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column(
            "standing_before",
            sa.Enum(
                *STANDINGS,
                name="standing_before",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspended_by_id", sa.Uuid(), nullable=False),
        sa.Column("reinstated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reinstated_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_suspension_reason")),
        sa.CheckConstraint(
            "standing_before <> 'SUSPENDED'", name=op.f("ck_suspension_was_not_suspended")
        ),
        sa.CheckConstraint("member_id <> suspended_by_id", name=op.f("ck_suspension_no_self")),
        sa.CheckConstraint(
            "(reinstated_at IS NULL) = (reinstated_by_id IS NULL)",
            name=op.f("ck_suspension_reinstated"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], ["member.id"], name=op.f(f"fk_suspension_{column}_member")
            )
            for column in ("member_id", "suspended_by_id", "reinstated_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
    )
    op.create_index(op.f("ix_suspension_member_id"), "suspension", ["member_id"])
    op.create_index(
        "uq_suspension_today",
        "suspension",
        ["member_id"],
        unique=True,
        postgresql_where=sa.text("reinstated_at IS NULL"),
        sqlite_where=sa.text("reinstated_at IS NULL"),
    )


def _add_confirmation() -> None:
    """In SQL, which both databases read: SQLite adds a constraint only with its column."""
    moment, uuid = (
        ("TIMESTAMP WITH TIME ZONE", "UUID")
        if op.get_bind().dialect.name == "postgresql"
        else ("DATETIME", "CHAR(32)")
    )
    op.execute(f"ALTER TABLE attendance ADD COLUMN confirmed_at {moment}")
    op.execute(
        f"ALTER TABLE attendance ADD COLUMN confirmed_by_id {uuid}"
        " CONSTRAINT fk_attendance_confirmed_by_id_member REFERENCES member (id)"
        " CONSTRAINT ck_attendance_confirmed"
        " CHECK ((confirmed_at IS NULL) = (confirmed_by_id IS NULL))"
    )
