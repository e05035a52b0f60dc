"""first tables

Revision: 0001, after nothing
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "standing",
            sa.Enum(
                "FULL",
                "PROBATIONARY",
                "EXEMPT",
                "SUSPENDED",
                name="standing",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_member_named")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "CITY",
                "UPPER",
                "BASE",
                "SUB",
                "BRANCH",
                "GROUP",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_unit_named")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_account_member_id_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("member_id", name=op.f("uq_account_member_id")),
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "SECRETARY",
                "DEPUTY_SECRETARY",
                "COMMITTEE_MEMBER",
                "OVERSEER",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_appointment_period")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_appointment_member_id_member")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_appointment_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint(
            "member_id",
            "unit_id",
            "role",
            "valid_from",
            name=op.f("uq_appointment_member_id_unit_id_role_valid_from"),
        ),
    )
    op.create_index(op.f("ix_appointment_member_id"), "appointment", ["member_id"], unique=False)
    op.create_index(op.f("ix_appointment_unit_id"), "appointment", ["unit_id"], unique=False)
    op.create_table(
        "meeting",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "REGULAR",
                "THEMATIC",
                "EXTRAORDINARY",
                "CONGRESS",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "mode",
            sa.Enum(
                "IN_PERSON",
                "HYBRID",
                "ONLINE",
                name="mode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "DRAFT",
                "SUMMONED",
                "IN_SESSION",
                "PAUSED",
                "CLOSED",
                "MINUTES_SIGNED",
                "CANCELLED",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("chair_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('CLOSED', 'MINUTES_SIGNED')) = (closed_at IS NOT NULL)",
            name=op.f("ck_meeting_closed"),
        ),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_meeting_title")),
        sa.CheckConstraint("row_version >= 1", name=op.f("ck_meeting_row_version")),
        sa.ForeignKeyConstraint(
            ["chair_id"], ["member.id"], name=op.f("fk_meeting_chair_id_member")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_meeting_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    op.create_index(
        "ix_meeting_unit_id_starts_at_id", "meeting", ["unit_id", "starts_at", "id"], unique=False
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "REGULAR",
                "TEMPORARY",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("weight", sa.Integer(), server_default="1", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_membership_period")
        ),
        sa.CheckConstraint("weight >= 1", name=op.f("ck_membership_weight")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_membership_member_id_member")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_membership_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_member_id"), "membership", ["member_id"], unique=False)
    op.create_index(op.f("ix_membership_unit_id"), "membership", ["unit_id"], unique=False)
    op.create_index(
        "uq_membership_today",
        "membership",
        ["member_id", "kind"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
        sqlite_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "unit_parent",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(length=200), nullable=False),
        sa.CheckConstraint("unit_id <> parent_id", name=op.f("ck_unit_parent_no_self")),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_unit_parent_period")
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_parent_id_unit")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_parent_unit_id_unit")),
        sa.PrimaryKeyConstraint("unit_id", "valid_from", name=op.f("pk_unit_parent")),
    )
    op.create_index(op.f("ix_unit_parent_parent_id"), "unit_parent", ["parent_id"], unique=False)
    op.create_index(
        "uq_unit_parent_today",
        "unit_parent",
        ["unit_id"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
        sqlite_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "unit_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "matter",
            sa.Enum(
                "ORDINARY",
                "TWO_THIRDS",
                "ADMISSION",
                "DISCIPLINE",
                "ELECTION",
                "BYLAWS",
                "PURPOSE",
                "DISSOLUTION",
                name="matter",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column(
            "rule",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True), "postgresql"
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_unit_rule_period")
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_unit_rule_version")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_rule_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_rule")),
        sa.UniqueConstraint(
            "unit_id", "matter", "version", name=op.f("uq_unit_rule_unit_id_matter_version")
        ),
    )
    op.create_index(
        "uq_unit_rule_today",
        "unit_rule",
        ["unit_id", "matter"],
        unique=True,
        postgresql_where=sa.text("valid_to IS NULL"),
        sqlite_where=sa.text("valid_to IS NULL"),
    )
    op.create_table(
        "activation_card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_activation_card_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activation_card")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_activation_card_code_hash")),
    )
    op.create_index(
        op.f("ix_activation_card_account_id"), "activation_card", ["account_id"], unique=False
    )
    op.create_table(
        "agenda_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PENDING",
                "CURRENT",
                "DONE",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_agenda_item_title")),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_agenda_item_meeting_id_meeting")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_item")),
        sa.UniqueConstraint("meeting_id", "id", name=op.f("uq_agenda_item_meeting_id_id")),
        sa.UniqueConstraint(
            "meeting_id", "position", name=op.f("uq_agenda_item_meeting_id_position")
        ),
    )
    op.create_index(
        "uq_agenda_item_current",
        "agenda_item",
        ["meeting_id"],
        unique=True,
        postgresql_where=sa.text("state = 'CURRENT'"),
        sqlite_where=sa.text("state = 'CURRENT'"),
    )
    op.create_table(
        "attendance",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("is_summoned", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PRESENT",
                "EXCUSED",
                "ABSENT",
                "EXCUSE_REQUESTED",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_attendance_version")),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_attendance_meeting_id_meeting")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_attendance_member_id_member")
        ),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", name=op.f("pk_attendance")),
    )
    op.create_table(
        "proxy",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("member_id <> holder_id", name=op.f("ck_proxy_no_self")),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["member.id"], name=op.f("fk_proxy_holder_id_member")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_proxy_meeting_id_meeting")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_proxy_member_id_member")
        ),
        sa.PrimaryKeyConstraint("meeting_id", "member_id", name=op.f("pk_proxy")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_session_period")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_session_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_session_token_hash")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_table(
        "vote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(length=1000), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PREPARED",
                "OPEN",
                "CLOSED",
                "ANNULLED",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "matter",
            sa.Enum(
                "ORDINARY",
                "TWO_THIRDS",
                "ADMISSION",
                "DISCIPLINE",
                "ELECTION",
                "BYLAWS",
                "PURPOSE",
                "DISSOLUTION",
                name="matter",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "rule",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column(
            "secrecy",
            sa.Enum(
                "OPEN",
                "UNATTRIBUTED",
                name="secrecy",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "change",
            sa.Enum(
                "FINAL",
                "LAST_COUNTS",
                name="change",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("closes_when_all_voted", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("annulled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("annulment", sa.String(length=1000), nullable=True),
        sa.Column("repeat_of", sa.Uuid(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'ANNULLED') = (annulled_at IS NOT NULL)", name=op.f("ck_vote_annulled")
        ),
        sa.CheckConstraint(
            "(state = 'PREPARED') = (opened_at IS NULL)", name=op.f("ck_vote_opened")
        ),
        sa.CheckConstraint(
            "(state IN ('CLOSED', 'ANNULLED')) = (closed_at IS NOT NULL)",
            name=op.f("ck_vote_closed"),
        ),
        sa.CheckConstraint("length(question) > 0", name=op.f("ck_vote_question")),
        sa.CheckConstraint(
            "published_at IS NULL OR closed_at IS NOT NULL", name=op.f("ck_vote_published")
        ),
        sa.CheckConstraint("row_version >= 1", name=op.f("ck_vote_row_version")),
        sa.ForeignKeyConstraint(
            ["meeting_id", "item_id"],
            ["agenda_item.meeting_id", "agenda_item.id"],
            name=op.f("fk_vote_meeting_id_item_id_agenda_item"),
        ),
        sa.ForeignKeyConstraint(["repeat_of"], ["vote.id"], name=op.f("fk_vote_repeat_of_vote")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
        sa.UniqueConstraint("meeting_id", "position", name=op.f("uq_vote_meeting_id_position")),
        sa.UniqueConstraint("repeat_of", name=op.f("uq_vote_repeat_of")),
    )
    op.create_index(op.f("ix_vote_item_id"), "vote", ["item_id"], unique=False)
    op.create_index(op.f("ix_vote_meeting_id"), "vote", ["meeting_id"], unique=False)
    op.create_index(
        "ix_vote_open",
        "vote",
        ["closes_at"],
        unique=False,
        postgresql_where=sa.text("state = 'OPEN'"),
        sqlite_where=sa.text("state = 'OPEN'"),
    )
    op.create_table(
        "audit",
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "CREATED",
                "OPENED",
                "ROLL_AMENDED",
                "EXTENDED",
                "HANDS_RECORDED",
                "CLOSED",
                "TIE_BROKEN",
                "PUBLISHED",
                "ANNULLED",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "payload",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("previous_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_audit_sequence")),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"], name=op.f("fk_audit_vote_id_vote")),
        sa.PrimaryKeyConstraint("vote_id", "sequence", name=op.f("pk_audit")),
    )
    op.create_table(
        "paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column(
            "validity",
            sa.Enum(
                "VALID",
                "BLANK",
                "INVALID",
                name="validity",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"], name=op.f("fk_paper_vote_id_vote")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        sa.UniqueConstraint("id", "vote_id", name=op.f("uq_paper_id_vote_id")),
    )
    op.create_index(op.f("ix_paper_vote_id"), "paper", ["vote_id"], unique=False)
    op.create_table(
        "recusal",
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_recusal_member_id_member")
        ),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"], name=op.f("fk_recusal_vote_id_vote")),
        sa.PrimaryKeyConstraint("vote_id", "member_id", name=op.f("pk_recusal")),
    )
    op.create_table(
        "roll_entry",
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column(
            "standing",
            sa.Enum(
                "FULL",
                "PROBATIONARY",
                "EXEMPT",
                "SUSPENDED",
                name="standing",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "left_out",
            sa.Enum(
                "PROBATIONARY",
                "SUSPENDED",
                "EXEMPT",
                "FULL",
                "TEMPORARY_ATTACHMENT",
                "RECUSED",
                "REPRESENTED",
                name="left_out",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("is_elsewhere", sa.Boolean(), nullable=False),
        sa.Column("is_summoned", sa.Boolean(), nullable=False),
        sa.Column("was_present_at_opening", sa.Boolean(), nullable=False),
        sa.Column("was_present_at_closing", sa.Boolean(), nullable=True),
        sa.Column("was_excused", sa.Boolean(), nullable=True),
        sa.Column("amended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("weight >= 0", name=op.f("ck_roll_entry_weight")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_roll_entry_member_id_member")
        ),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"], name=op.f("fk_roll_entry_vote_id_vote")),
        sa.PrimaryKeyConstraint("vote_id", "member_id", name=op.f("pk_roll_entry")),
    )
    op.create_table(
        "vote_option",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "FOR",
                "AGAINST",
                "ABSTAIN",
                "CHOICE",
                "MEASURE",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"], name=op.f("fk_vote_option_vote_id_vote")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_option")),
        sa.UniqueConstraint("id", "vote_id", name=op.f("uq_vote_option_id_vote_id")),
        sa.UniqueConstraint(
            "vote_id", "kind", "candidate_id", name=op.f("uq_vote_option_vote_id_kind_candidate_id")
        ),
        sa.UniqueConstraint("vote_id", "position", name=op.f("uq_vote_option_vote_id_position")),
    )
    op.create_table(
        "ballot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "validity",
            sa.Enum(
                "VALID",
                "BLANK",
                "INVALID",
                name="validity",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) > 0", name=op.f("ck_ballot_key")),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_ballot_sequence")),
        sa.ForeignKeyConstraint(
            ["vote_id", "member_id"],
            ["roll_entry.vote_id", "roll_entry.member_id"],
            name=op.f("fk_ballot_vote_id_member_id_roll_entry"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
        sa.UniqueConstraint("id", "vote_id", name=op.f("uq_ballot_id_vote_id")),
        sa.UniqueConstraint(
            "vote_id", "member_id", "key", name=op.f("uq_ballot_vote_id_member_id_key")
        ),
        sa.UniqueConstraint(
            "vote_id", "member_id", "sequence", name=op.f("uq_ballot_vote_id_member_id_sequence")
        ),
    )
    op.create_table(
        "cast_mark",
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(key) > 0", name=op.f("ck_cast_mark_key")),
        sa.ForeignKeyConstraint(
            ["vote_id", "member_id"],
            ["roll_entry.vote_id", "roll_entry.member_id"],
            name=op.f("fk_cast_mark_vote_id_member_id_roll_entry"),
        ),
        sa.PrimaryKeyConstraint("vote_id", "member_id", name=op.f("pk_cast_mark")),
    )
    op.create_table(
        "hand_count",
        sa.Column("option_id", sa.Uuid(), nullable=False),
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("hands", sa.Integer(), nullable=False),
        sa.CheckConstraint("hands >= 0", name=op.f("ck_hand_count_hands")),
        sa.ForeignKeyConstraint(
            ["option_id", "vote_id"],
            ["vote_option.id", "vote_option.vote_id"],
            name=op.f("fk_hand_count_option_id_vote_id_vote_option"),
        ),
        sa.PrimaryKeyConstraint("option_id", name=op.f("pk_hand_count")),
    )
    op.create_index(op.f("ix_hand_count_vote_id"), "hand_count", ["vote_id"], unique=False)
    op.create_table(
        "hand_mark",
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vote_id", "member_id"],
            ["roll_entry.vote_id", "roll_entry.member_id"],
            name=op.f("fk_hand_mark_vote_id_member_id_roll_entry"),
        ),
        sa.PrimaryKeyConstraint("vote_id", "member_id", name=op.f("pk_hand_mark")),
    )
    op.create_table(
        "paper_choice",
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("option_id", sa.Uuid(), nullable=False),
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["option_id", "vote_id"],
            ["vote_option.id", "vote_option.vote_id"],
            name=op.f("fk_paper_choice_option_id_vote_id_vote_option"),
        ),
        sa.ForeignKeyConstraint(
            ["paper_id", "vote_id"],
            ["paper.id", "paper.vote_id"],
            name=op.f("fk_paper_choice_paper_id_vote_id_paper"),
        ),
        sa.PrimaryKeyConstraint("paper_id", "option_id", name=op.f("pk_paper_choice")),
    )
    op.create_index(op.f("ix_paper_choice_option_id"), "paper_choice", ["option_id"], unique=False)
    op.create_table(
        "ballot_choice",
        sa.Column("ballot_id", sa.Uuid(), nullable=False),
        sa.Column("option_id", sa.Uuid(), nullable=False),
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id", "vote_id"],
            ["ballot.id", "ballot.vote_id"],
            name=op.f("fk_ballot_choice_ballot_id_vote_id_ballot"),
        ),
        sa.ForeignKeyConstraint(
            ["option_id", "vote_id"],
            ["vote_option.id", "vote_option.vote_id"],
            name=op.f("fk_ballot_choice_option_id_vote_id_vote_option"),
        ),
        sa.PrimaryKeyConstraint("ballot_id", "option_id", name=op.f("pk_ballot_choice")),
    )
    op.create_index(
        op.f("ix_ballot_choice_option_id"), "ballot_choice", ["option_id"], unique=False
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_ballot_choice_option_id"), table_name="ballot_choice")
    op.drop_table("ballot_choice")
    op.drop_index(op.f("ix_paper_choice_option_id"), table_name="paper_choice")
    op.drop_table("paper_choice")
    op.drop_table("hand_mark")
    op.drop_index(op.f("ix_hand_count_vote_id"), table_name="hand_count")
    op.drop_table("hand_count")
    op.drop_table("cast_mark")
    op.drop_table("ballot")
    op.drop_table("vote_option")
    op.drop_table("roll_entry")
    op.drop_table("recusal")
    op.drop_index(op.f("ix_paper_vote_id"), table_name="paper")
    op.drop_table("paper")
    op.drop_table("audit")
    op.drop_index(
        "ix_vote_open",
        table_name="vote",
        postgresql_where=sa.text("state = 'OPEN'"),
        sqlite_where=sa.text("state = 'OPEN'"),
    )
    op.drop_index(op.f("ix_vote_meeting_id"), table_name="vote")
    op.drop_index(op.f("ix_vote_item_id"), table_name="vote")
    op.drop_table("vote")
    op.drop_index(op.f("ix_session_account_id"), table_name="session")
    op.drop_table("session")
    op.drop_table("proxy")
    op.drop_table("attendance")
    op.drop_index(
        "uq_agenda_item_current",
        table_name="agenda_item",
        postgresql_where=sa.text("state = 'CURRENT'"),
        sqlite_where=sa.text("state = 'CURRENT'"),
    )
    op.drop_table("agenda_item")
    op.drop_index(op.f("ix_activation_card_account_id"), table_name="activation_card")
    op.drop_table("activation_card")
    op.drop_index(
        "uq_unit_rule_today",
        table_name="unit_rule",
        postgresql_where=sa.text("valid_to IS NULL"),
        sqlite_where=sa.text("valid_to IS NULL"),
    )
    op.drop_table("unit_rule")
    op.drop_index(
        "uq_unit_parent_today",
        table_name="unit_parent",
        postgresql_where=sa.text("valid_to IS NULL"),
        sqlite_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index(op.f("ix_unit_parent_parent_id"), table_name="unit_parent")
    op.drop_table("unit_parent")
    op.drop_index(
        "uq_membership_today",
        table_name="membership",
        postgresql_where=sa.text("valid_to IS NULL"),
        sqlite_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index(op.f("ix_membership_unit_id"), table_name="membership")
    op.drop_index(op.f("ix_membership_member_id"), table_name="membership")
    op.drop_table("membership")
    op.drop_index("ix_meeting_unit_id_starts_at_id", table_name="meeting")
    op.drop_table("meeting")
    op.drop_index(op.f("ix_appointment_unit_id"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_member_id"), table_name="appointment")
    op.drop_table("appointment")
    op.drop_table("account")
    op.drop_table("unit")
    op.drop_table("member")
