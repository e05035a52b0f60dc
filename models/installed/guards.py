"""What may never happen to a vote, whoever asks: triggers for both databases.

They are installed anew by each migration that finds others (`models.installed.install`).

The conditions are SQL that both understand. `{differs}` is how each compares with null.
"""

from collections.abc import Iterator

NEVER_CHANGED = ("vote_option", "recusal", "lot", "paper", "paper_choice")
"""Refused to every role, beside those of migration 0002: every UPDATE and DELETE."""
NEVER_DELETED = ("vote", "roll_entry", "hand_count")

INSERTED_WHILE = {
    "ballot": ("OPEN",),
    "ballot_choice": ("OPEN",),
    "cast_mark": ("OPEN",),
    "open_paper": ("OPEN",),
    "hand_mark": ("OPEN",),
    "hand_taken_back": ("OPEN",),
    "hand_count": ("OPEN",),
    "roll_entry": ("PREPARED", "OPEN"),
    "vote_option": ("PREPARED",),
    "recusal": ("PREPARED",),
    "lot": ("PREPARED",),
    "paper": ("CLOSED",),
    "paper_choice": ("CLOSED",),
}
"""By table: in which states of its vote it takes rows. Papers come in while their vote closes: it
is closed already, and has no outcome yet."""
HELD_BY_ITS_FUNCTION = frozenset({"ballot", "ballot_choice", "cast_mark", "open_paper"})
"""Only functions put rows into these, which hold the vote (`models.locks`)."""

UPDATED_WHILE = {"hand_count": ("OPEN",), "roll_entry": ("CLOSED",)}
"""The same for changes of rows, which are otherwise refused by what is below."""

_VOTE_NEVER = (
    "id",
    "meeting_id",
    "item_id",
    "position",
    "question",
    "matter",
    "rule",
    "secrecy",
    "change",
    "closes_when_all_voted",
    "repeat_of",
)
_BECOMES = {
    "opened_at": ("PREPARED", "OPEN"),
    "closed_at": ("OPEN", "CLOSED"),
    "annulled_at": ("CLOSED", "ANNULLED"),
}
_PROPOSAL = ("annulment_proposed_at", "annulment_proposed_by_id", "proposed_annulment")
_TIE_BREAKERS = ("CHAIR_MUST_CAST", "BODY_DECIDES", "SENIORITY", "LOT")
_STEPS = " OR ".join(
    f"(OLD.state = '{before}' AND NEW.state = '{after}')" for before, after in _BECOMES.values()
)

VOTE_CHANGES = (
    *(f"NEW.{column} {{differs}} OLD.{column}" for column in _VOTE_NEVER),
    *(
        f"(NEW.{column} {{differs}} OLD.{column}"
        f" AND NOT (OLD.state = '{before}' AND NEW.state = '{after}'))"
        for column, (before, after) in _BECOMES.items()
    ),
    f"(NEW.state <> OLD.state AND NOT ({_STEPS}))",
    # More time, while it is open; a hidden vote's end, announced ahead, may also come nearer.
    "(NEW.closes_at {differs} OLD.closes_at AND NOT (NEW.state = 'OPEN'"
    " AND NEW.closes_at IS NOT NULL AND (OLD.closes_at IS NULL OR NEW.closes_at > OLD.closes_at"
    " OR OLD.secrecy <> 'OPEN')))",
    # Once, and again by who breaks the tie that it waits for: a hidden one when it is published.
    "(NEW.outcome {differs} OLD.outcome AND NOT (NEW.state = 'CLOSED' AND NEW.outcome IS NOT NULL"
    " AND (OLD.outcome IS NULL OR ((OLD.published_at IS NULL) = (OLD.secrecy = 'OPEN')"
    f" AND {{next_step}} IN ({', '.join(repr(step) for step in _TIE_BREAKERS)})))))",
    "(NEW.published_at {differs} OLD.published_at AND NOT"
    " (OLD.published_at IS NULL AND NEW.state = 'CLOSED' AND NEW.outcome IS NOT NULL))",
    "(NEW.annulment {differs} OLD.annulment AND NOT"
    " (OLD.annulment IS NULL AND NEW.state = 'ANNULLED'))",
    *(
        f"(NEW.{column} {{differs}} OLD.{column} AND NOT (OLD.secrecy <> 'OPEN'"
        f" AND (NEW.state = 'CLOSED' OR (NEW.state = 'ANNULLED' AND NEW.{column} IS NULL))))"
        for column in _PROPOSAL
    ),
    "NEW.row_version < OLD.row_version",
)
"""Changes of a vote's row that none of its acts makes."""

VOTE_BEGINNINGS = (
    "NEW.state <> 'PREPARED'",
    *(
        f"NEW.{column} IS NOT NULL"
        for column in (
            *_BECOMES,
            *_PROPOSAL,
            "closes_at",
            "outcome",
            "published_at",
            "annulment",
        )
    ),
)
"""What no vote begins with."""

_ROLL_NEVER = (
    "vote_id",
    "member_id",
    "standing",
    "left_out",
    "weight",
    "is_elsewhere",
    "is_summoned",
    "was_present_at_opening",
    "amended_at",
)
ROLL_CHANGES = (
    *(f"NEW.{column} {{differs}} OLD.{column}" for column in _ROLL_NEVER),
    "OLD.was_present_at_closing IS NOT NULL",
    "OLD.was_excused IS NOT NULL",
)
"""Once closed, the roll says who was there; nothing else of a line changes."""

HANDS_NEVER = (
    "NEW.option_id IS NULL",
    "EXISTS (SELECT 1 FROM {vote} AS its WHERE its.id = NEW.vote_id AND its.secrecy <> 'OPEN')",
    "EXISTS (SELECT 1 FROM {hand_mark} AS other WHERE other.vote_id = NEW.vote_id"
    " AND other.member_id = NEW.member_id AND NOT EXISTS (SELECT 1 FROM {hand_taken_back} AS back"
    " WHERE back.vote_id = other.vote_id AND back.member_id = other.member_id"
    " AND back.sequence = other.sequence AND NOT back.is_contested))",
)
"""A hand for nothing, in a vote that hides who votes how, or of a member whose hand counts already
or who contested it."""

HAND_CHANGES = ("NEW.option_id <> OLD.option_id", "NEW.vote_id <> OLD.vote_id")

FORKS = (
    "NEW.sequence <> 1 + coalesce((SELECT max(sequence) FROM {audit}"
    " WHERE vote_id = NEW.vote_id), 0)",
    "NEW.previous_hash <> coalesce((SELECT hash FROM {audit} WHERE vote_id = NEW.vote_id"
    " ORDER BY sequence DESC LIMIT 1), {beginning})",
)
"""A link that is not the next one of its chain."""

ROWS = {
    ("vote", "INSERT"): (VOTE_BEGINNINGS, "a vote begins prepared"),
    ("vote", "UPDATE"): (VOTE_CHANGES, "a vote is changed by its acts only"),
    ("roll_entry", "UPDATE"): (ROLL_CHANGES, "a roll is changed by its acts only"),
    ("hand_mark", "INSERT"): (HANDS_NEVER, "such a hand is not counted"),
    ("hand_count", "UPDATE"): (HAND_CHANGES, "hands stay with their option"),
    ("audit", "INSERT"): (FORKS, "a link follows the last one"),
}
"""By table and change: what no row may be, and what whoever tries is told."""


_NAMED = ("audit", "vote", "hand_mark", "hand_taken_back")
"""Tables that conditions look into."""


def on_sqlite() -> Iterator[tuple[str, str]]:
    """Name and body of every trigger."""
    for table in NEVER_CHANGED:
        for change in ("UPDATE", "DELETE"):
            yield _sqlite(table, change, "", f"{table} is only ever inserted")
    for table in NEVER_DELETED:
        yield _sqlite(table, "DELETE", "", f"{table} is never deleted")
    for change, tables in (("INSERT", INSERTED_WHILE), ("UPDATE", UPDATED_WHILE)):
        for table, states in tables.items():
            condition = (
                "NOT EXISTS (SELECT 1 FROM vote WHERE vote.id = NEW.vote_id"  # noqa: S608
                f" AND {_allowed(table, states)})"
            )
            yield _sqlite(table, change, condition, _why(table, states), "_state")
    for (table, change), (conditions, why) in ROWS.items():
        condition = " OR ".join(conditions).format(
            differs="IS NOT",
            next_step="json_extract(OLD.outcome, '$.next_step')",
            **dict(zip(_NAMED, _NAMED, strict=True)),
            beginning="zeroblob(32)",
        )
        yield _sqlite(table, change, condition, why, "_row")


def _sqlite(table: str, change: str, condition: str, why: str, suffix: str = "") -> tuple[str, str]:
    name = f"{table}_guard_{change.lower()}{suffix}"
    when = f" WHEN {condition}" if condition else ""
    return (
        name,
        f"CREATE TRIGGER {name} BEFORE {change} ON {table}{when}"
        f" BEGIN SELECT RAISE(ABORT, '{why}'); END",
    )


def on_postgresql(schema: str) -> Iterator[str]:
    """Functions first, then the triggers; all are there to be created."""
    for table in (*NEVER_CHANGED, *NEVER_DELETED):
        changes = "UPDATE OR DELETE" if table in NEVER_CHANGED else "DELETE"
        yield (
            f"CREATE TRIGGER guard_{table}_change BEFORE {changes} OR TRUNCATE ON {schema}.{table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change()"
        )
    for change, tables in (("INSERT", INSERTED_WHILE), ("UPDATE", UPDATED_WHILE)):
        for table, states in tables.items():
            yield from _state_guard(schema, table, change, states)
    for (table, change), (conditions, why) in ROWS.items():
        condition = " OR ".join(conditions).format(
            differs="IS DISTINCT FROM",
            next_step="(OLD.outcome ->> 'next_step')",
            **{name: f"{schema}.{name}" for name in _NAMED},
            beginning="decode(repeat('00', 32), 'hex')",
        )
        yield from _row_guard(schema, table, change, condition, why)


def _name(table: str, change: str) -> str:
    return f"guard_{table}_{change.lower()}"


def _row_guard(schema: str, table: str, change: str, condition: str, why: str) -> Iterator[str]:
    name = _name(table, change)
    refuse = f"RAISE EXCEPTION '{why}' USING ERRCODE = 'restrict_violation';"
    when = ""
    if "SELECT" in condition:  # which a trigger's own condition may not have
        yield _function(schema, name, f"IF {condition} THEN {refuse} END IF; RETURN NEW;")
    else:
        yield _function(schema, name, refuse)
        when = f" WHEN ({condition})"
    yield (
        f"CREATE TRIGGER {name} BEFORE {change} ON {schema}.{table}"
        f" FOR EACH ROW{when} EXECUTE FUNCTION {schema}.{name}()"
    )


def _state_guard(schema: str, table: str, change: str, states: tuple[str, ...]) -> Iterator[str]:
    """Once for each statement: ballots come in batches."""
    name = _name(table, change) + "_state"
    # Whoever comes while the vote goes on to its next state waits, and looks again.
    its_vote = f"FROM {schema}.vote WHERE id IN (SELECT vote_id FROM changed)"  # noqa: S608
    hold = "" if table in HELD_BY_ITS_FUNCTION else f"PERFORM {its_vote} FOR SHARE;"
    yield _function(
        schema,
        name,
        f"{hold} IF EXISTS (SELECT FROM (SELECT DISTINCT vote_id FROM changed) AS one"  # noqa: S608
        f" WHERE NOT EXISTS (SELECT FROM {schema}.vote WHERE vote.id = one.vote_id"
        f" AND {_allowed(table, states)}))"
        f" THEN RAISE EXCEPTION '{_why(table, states)}' USING ERRCODE = 'restrict_violation';"
        " END IF; RETURN NULL;",
    )
    yield (
        f"CREATE TRIGGER {name} AFTER {change} ON {schema}.{table}"
        " REFERENCING NEW TABLE AS changed"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {schema}.{name}()"
    )


def _allowed(table: str, states: tuple[str, ...]) -> str:
    listed = ", ".join(repr(state) for state in states)
    closing = " AND vote.outcome IS NULL" if states == ("CLOSED",) else ""
    return f"vote.state IN ({listed}){closing}"


def _why(table: str, states: tuple[str, ...]) -> str:
    return f"{table} changes only while its vote is {' or '.join(states).lower()}"


def _function(schema: str, name: str, body: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {schema}.{name}() RETURNS trigger LANGUAGE plpgsql"
        f" SECURITY DEFINER SET search_path = pg_catalog, {schema}, pg_temp"
        f" AS $$ BEGIN {body} END $$"
    )
