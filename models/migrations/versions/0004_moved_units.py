"""moved units

Revision: 0004, after 0003

Who holds a role above a unit sees figures of its subtree. So a unit that gets another parent, or
none, changes the access of everybody with a role in a unit above it, before and after.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

NOTE = """
INSERT INTO access_change (member_id, changed_at)
SELECT officer.member_id, {clock} FROM (
  SELECT DISTINCT member_id FROM appointment
  WHERE valid_to IS NULL AND unit_id IN (
    WITH RECURSIVE above (unit_id) AS (
      {parents}
      UNION
      SELECT unit_parent.parent_id FROM unit_parent
      JOIN above ON above.unit_id = unit_parent.unit_id
      WHERE unit_parent.valid_to IS NULL
    )
    SELECT unit_id FROM above
  )
) AS officer;
"""
OLD, NEW = "SELECT OLD.parent_id", "SELECT NEW.parent_id"

ON_SQLITE = {"INSERT": NEW, "UPDATE": f"{OLD} UNION {NEW}", "DELETE": OLD}
NOW_ON_SQLITE = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # The one of the two that an insert or a delete has not is null, and has no unit above it.
        note = NOTE.format(clock="clock_timestamp()", parents=f"({OLD} UNION {NEW})")
        op.execute(
            "CREATE FUNCTION note_access_of_moved_unit() RETURNS trigger LANGUAGE plpgsql"
            " SECURITY DEFINER SET search_path FROM CURRENT"
            f" AS $$ BEGIN {note} RETURN NULL; END $$"
        )
        op.execute(
            "CREATE TRIGGER unit_parent_access AFTER INSERT OR UPDATE OR DELETE ON unit_parent"
            " FOR EACH ROW EXECUTE FUNCTION note_access_of_moved_unit()"
        )
        return
    for change, parents in ON_SQLITE.items():
        note = NOTE.format(clock=NOW_ON_SQLITE, parents=parents)
        op.execute(
            f"CREATE TRIGGER unit_parent_access_{change.lower()} AFTER {change} ON unit_parent"
            f" BEGIN {note} END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER unit_parent_access ON unit_parent")
        op.execute("DROP FUNCTION note_access_of_moved_unit")
        return
    for change in ON_SQLITE:
        op.execute(f"DROP TRIGGER unit_parent_access_{change.lower()}")
