"""append only

Revision: 0002, after 0001

Ballots, marks, choices, hands' names and audit rows are only ever inserted. A trigger says so to
every role; the rights of the application's own role come on top (docs/operations.md). Papers are
rewritten once, when their vote has closed, by a function that runs with its owner's rights.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

ONLY_INSERTED = ("ballot", "ballot_choice", "cast_mark", "hand_mark", "audit")

REFUSE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is only ever inserted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

REWRITE_PAPERS = """
CREATE FUNCTION rewrite_papers(wanted uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  ids uuid[];
  fresh uuid[];
BEGIN
  IF NOT EXISTS (SELECT 1 FROM vote WHERE id = wanted AND state = 'CLOSED') THEN
    RAISE EXCEPTION 'only the papers of a closed vote are rewritten';
  END IF;
  SELECT array_agg(id), array_agg(gen_random_uuid()) INTO ids, fresh
  FROM paper WHERE vote_id = wanted;
  IF ids IS NULL THEN
    RETURN;
  END IF;
  INSERT INTO paper (id, vote_id, validity)
  SELECT renamed.fresh, wanted, paper.validity
  FROM unnest(ids, fresh) AS renamed (old, fresh) JOIN paper ON paper.id = renamed.old
  ORDER BY random();
  INSERT INTO paper_choice (paper_id, option_id, vote_id)
  SELECT renamed.fresh, paper_choice.option_id, wanted
  FROM unnest(ids, fresh) AS renamed (old, fresh)
  JOIN paper_choice ON paper_choice.paper_id = renamed.old
  ORDER BY random();
  DELETE FROM paper_choice WHERE paper_id = ANY(ids);
  DELETE FROM paper WHERE id = ANY(ids);
END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFUSE)
        op.execute(REWRITE_PAPERS)
        op.execute("REVOKE ALL ON FUNCTION rewrite_papers FROM PUBLIC")
        for table in ONLY_INSERTED:
            op.execute(
                f"CREATE TRIGGER only_inserted BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
        return
    for table in ONLY_INSERTED:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is only ever inserted'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in ONLY_INSERTED:
            op.execute(f"DROP TRIGGER only_inserted ON {table}")
        op.execute("DROP FUNCTION rewrite_papers")
        op.execute("DROP FUNCTION refuse_change")
        return
    for table in ONLY_INSERTED:
        for change in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{change}")
