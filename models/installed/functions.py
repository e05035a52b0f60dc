"""Functions on PostgreSQL, installed anew by each migration that finds others (`install.py`).

All run with their owner's rights, a closed search path, and tables named with their schema. A batch
of ballots is one call: hold the vote shared, then put into the box what may be put now. Each
statement of a function sees what was committed before it began, so the second one sees what whoever
held the vote alone has done to it. The order within a batch is the same in every worker: a
statement waits for another one's ballot of the same member, so two that went through the same
members in different orders would wait for each other.
"""

from collections.abc import Iterator

FUNCTIONS = ("put_ballots", "put_papers", "rewrite_papers", "sweep_papers")

ENTITLED = """
      FROM unnest(ids, members, sessions, keys, validities)
        AS new (id, member_id, session_id, key, validity)
      JOIN {s}.roll_entry ON roll_entry.vote_id = wanted AND roll_entry.member_id = new.member_id
      JOIN {s}.vote ON vote.id = roll_entry.vote_id
      JOIN {s}.member ON member.id = roll_entry.member_id
      JOIN {s}.session ON session.id = new.session_id
      WHERE session.revoked_at IS NULL AND session.expires_at > clock_timestamp()
        AND roll_entry.left_out IS NULL AND member.standing <> 'SUSPENDED'
        AND vote.state = 'OPEN' AND vote.secrecy = '{secrecy}'
        AND (vote.closes_at IS NULL OR clock_timestamp() < vote.closes_at)
        AND NOT EXISTS (
          SELECT 1 FROM {s}.hand_mark
          WHERE hand_mark.vote_id = vote.id AND hand_mark.member_id = new.member_id
            AND NOT EXISTS (
              SELECT 1 FROM {s}.hand_taken_back AS back
              WHERE back.vote_id = hand_mark.vote_id AND back.member_id = hand_mark.member_id
                AND back.sequence = hand_mark.sequence
            )
        )
        {once}
      ORDER BY new.member_id
      ON CONFLICT DO NOTHING
"""

ONE_BALLOT = """AND NOT EXISTS (
          SELECT 1 FROM {s}.ballot AS earlier
          WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
            AND (vote.change = 'FINAL' OR earlier.key = new.key)
        )"""

PUT_BALLOTS = """
  RETURN QUERY
    WITH put AS (
      INSERT INTO {s}.ballot (id, vote_id, member_id, key, validity, cast_at, sequence)
      SELECT new.id, vote.id, new.member_id, new.key, new.validity, clock_timestamp(),
        1 + COALESCE((
          SELECT MAX(earlier.sequence) FROM {s}.ballot AS earlier
          WHERE earlier.vote_id = vote.id AND earlier.member_id = new.member_id
        ), 0)
      {entitled}
      RETURNING id, member_id, cast_at
    ), marked AS (
      INSERT INTO {s}.ballot_choice (ballot_id, option_id, vote_id)
      SELECT put.id, choice.option_id, wanted
      FROM unnest(papers, options) AS choice (id, option_id) JOIN put ON put.id = choice.id
    )
    SELECT put.member_id, put.cast_at FROM put;
"""

# No foreign key leads from a paper to its options: PostgreSQL would write the voter's transaction
# on the option's row. So they are looked up here.
PUT_PAPERS = """
  IF EXISTS (
    SELECT FROM unnest(options) AS chosen (id) WHERE NOT EXISTS (
      SELECT FROM {s}.vote_option
      WHERE vote_option.id = chosen.id AND vote_option.vote_id = wanted
    )
  ) THEN
    RAISE EXCEPTION 'an option of another vote' USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN QUERY
    WITH put AS (
      INSERT INTO {s}.cast_mark (vote_id, member_id, key, cast_at)
      SELECT vote.id, new.member_id, new.key, clock_timestamp()
      {entitled}
      RETURNING member_id, cast_at
    ), written AS (
      INSERT INTO {s}.open_paper (id, vote_id, validity, choices)
      SELECT new.id, wanted, new.validity, COALESCE((
          SELECT jsonb_agg(choice.option_id)
          FROM unnest(papers, options) AS choice (id, option_id) WHERE choice.id = new.id
        ), '[]'::jsonb)
      FROM unnest(ids, members, validities) AS new (id, member_id, validity)
      JOIN put ON put.member_id = new.member_id
    )
    SELECT put.member_id, put.cast_at FROM put;
"""

ARGUMENTS = (
    "wanted uuid, number bigint, ids uuid[], members uuid[], sessions uuid[], keys text[],"
    " validities text[], papers uuid[], options uuid[]"
)

# Once, while the vote closes: a second call would count each paper twice. The ids are random, so
# their order is, too.
REWRITE_PAPERS = """
  PERFORM FROM {s}.vote WHERE id = wanted AND state = 'CLOSED' AND outcome IS NULL FOR UPDATE;
  IF NOT FOUND OR EXISTS (SELECT FROM {s}.paper WHERE paper.vote_id = wanted) THEN
    RAISE EXCEPTION 'only the papers of a closed vote are rewritten, once'
      USING ERRCODE = 'restrict_violation';
  END IF;
  -- Whoever sweeps meanwhile is waited for before anything is read.
  LOCK TABLE {s}.open_paper IN ROW EXCLUSIVE MODE;
  WITH fresh AS MATERIALIZED (
    SELECT gen_random_uuid() AS id, validity, choices
    FROM {s}.open_paper WHERE open_paper.vote_id = wanted
  ), written AS (
    INSERT INTO {s}.paper (id, vote_id, validity)
    SELECT fresh.id, wanted, fresh.validity FROM fresh ORDER BY fresh.id
  )
  INSERT INTO {s}.paper_choice (paper_id, option_id, vote_id)
  SELECT fresh.id, choice.id::uuid, wanted
  FROM fresh, jsonb_array_elements_text(fresh.choices) AS choice (id) ORDER BY fresh.id, choice.id;
"""

# A row that is deleted stays in the table's file for long. So the whole file is given up, and those
# papers whose votes are still open get a new one, in random order.
SWEEP_PAPERS = """
  IF NOT EXISTS (
    SELECT FROM {s}.open_paper
    LEFT JOIN {s}.vote ON vote.id = open_paper.vote_id WHERE vote.state IS DISTINCT FROM 'OPEN'
  ) THEN
    RETURN true;
  END IF;
  LOCK TABLE {s}.open_paper IN ACCESS EXCLUSIVE MODE;
  SELECT array_agg(open_paper ORDER BY gen_random_uuid()) INTO kept
  FROM {s}.open_paper JOIN {s}.vote ON vote.id = open_paper.vote_id WHERE vote.state = 'OPEN';
  TRUNCATE {s}.open_paper;
  INSERT INTO {s}.open_paper SELECT (unnest(kept)).*;
  RETURN true;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
"""


def functions(schema: str) -> Iterator[str]:
    closed = f"LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp"
    for name, put, secrecy, once in (
        ("put_ballots", PUT_BALLOTS, "OPEN", ONE_BALLOT.format(s=schema)),
        ("put_papers", PUT_PAPERS, "UNATTRIBUTED", ""),
    ):
        entitled = ENTITLED.format(s=schema, secrecy=secrecy, once=once)
        yield (
            f"CREATE OR REPLACE FUNCTION {schema}.{name}({ARGUMENTS})"
            f" RETURNS TABLE (voter uuid, moment timestamptz) {closed} AS $$ BEGIN"
            " PERFORM pg_advisory_xact_lock_shared(number);"
            f" {put.format(s=schema, entitled=entitled)} END $$"
        )
    yield (
        f"CREATE OR REPLACE FUNCTION {schema}.rewrite_papers(wanted uuid) RETURNS void {closed}"
        f" AS $$ BEGIN {REWRITE_PAPERS.format(s=schema)} END $$"
    )
    yield (
        f"CREATE OR REPLACE FUNCTION {schema}.sweep_papers() RETURNS boolean {closed}"
        f" SET lock_timeout = '50ms' AS $$ DECLARE kept {schema}.open_paper[];"
        f" BEGIN {SWEEP_PAPERS.format(s=schema)} END $$"
    )
