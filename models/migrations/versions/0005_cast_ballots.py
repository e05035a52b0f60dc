"""cast ballots

Revision: 0005, after 0004

On PostgreSQL a batch of ballots is one call: hold the vote shared, then put into the box what may
be put now. Each statement of a function sees what was committed before it began, so the second one
sees what whoever held the vote alone has done to it. SQLite has one writer, and needs no lock.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

# The order is the same in every worker: a statement waits for another one's ballot of the same
# member, so two that went through the same members in different orders would wait for each other.
ENTITLED = """
      FROM unnest(ids, members, sessions, keys, validities)
        AS new (id, member_id, session_id, key, validity)
      JOIN roll_entry ON roll_entry.vote_id = wanted AND roll_entry.member_id = new.member_id
      JOIN vote ON vote.id = roll_entry.vote_id
      JOIN member ON member.id = roll_entry.member_id
      JOIN session ON session.id = new.session_id
      WHERE session.revoked_at IS NULL AND session.expires_at > clock_timestamp()
        AND roll_entry.left_out IS NULL AND member.standing <> 'SUSPENDED'
        AND vote.state = 'OPEN'
        AND (vote.closes_at IS NULL OR clock_timestamp() < vote.closes_at)
        AND NOT EXISTS (
          SELECT 1 FROM hand_mark
          WHERE hand_mark.vote_id = vote.id AND hand_mark.member_id = new.member_id
        )
        {once}
      ORDER BY new.member_id
      ON CONFLICT DO NOTHING
"""

ONE_BALLOT = """AND NOT EXISTS (
          SELECT 1 FROM ballot AS earlier
          WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
            AND (vote.change = 'FINAL' OR earlier.key = new.key)
        )"""

PUT_BALLOTS = """
  RETURN QUERY
    WITH put AS (
      INSERT INTO ballot (id, vote_id, member_id, key, validity, cast_at, sequence)
      SELECT new.id, vote.id, new.member_id, new.key, new.validity, clock_timestamp(),
        1 + COALESCE((
          SELECT MAX(earlier.sequence) FROM ballot AS earlier
          WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
        ), 0)
      {entitled}
      RETURNING id, member_id, cast_at
    ), marked AS (
      INSERT INTO ballot_choice (ballot_id, option_id, vote_id)
      SELECT put.id, choice.option_id, wanted
      FROM unnest(papers, options) AS choice (id, option_id) JOIN put ON put.id = choice.id
    )
    SELECT put.member_id, put.cast_at FROM put;
"""

PUT_PAPERS = """
  RETURN QUERY
    WITH put AS (
      INSERT INTO cast_mark (vote_id, member_id, key, cast_at)
      SELECT vote.id, new.member_id, new.key, clock_timestamp()
      {entitled}
      RETURNING member_id, cast_at
    ), taken AS (
      SELECT new.id, new.validity
      FROM unnest(ids, members, validities) AS new (id, member_id, validity)
      JOIN put ON put.member_id = new.member_id
    ), written AS (
      INSERT INTO paper (id, vote_id, validity) SELECT id, wanted, validity FROM taken
    ), marked AS (
      INSERT INTO paper_choice (paper_id, option_id, vote_id)
      SELECT taken.id, choice.option_id, wanted
      FROM unnest(papers, options) AS choice (id, option_id) JOIN taken ON taken.id = choice.id
    )
    SELECT put.member_id, put.cast_at FROM put;
"""

FUNCTION = """
CREATE FUNCTION {name}(
  wanted uuid, number bigint, ids uuid[], members uuid[], sessions uuid[], keys text[],
  validities text[], papers uuid[], options uuid[]
) RETURNS TABLE (voter uuid, moment timestamptz) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(number);
  {put}
END $$
"""

FUNCTIONS = {
    "put_ballots": PUT_BALLOTS.format(entitled=ENTITLED.format(once=ONE_BALLOT)),
    "put_papers": PUT_PAPERS.format(entitled=ENTITLED.format(once="")),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, put in FUNCTIONS.items():
            op.execute(FUNCTION.format(name=name, put=put))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}")
