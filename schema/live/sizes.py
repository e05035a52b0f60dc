"""How long the lists of an answer are taken to be, before anything is read.

A meeting of ten members and eight votes: a small evening, so that what a document costs says how it
compares with what the page shows. Where a list has an argument `first`, that says how long it is.
"""

PAGE = "first"
LONGEST_PAGE = 100
"""What `first` may be at most."""

LIKELY = 8
"""Of lists that are not named here."""

ROWS = {
    "AgendaItem.votes": 1,
    "Meeting.agenda": 8,
    "Meeting.attendance": 10,
    "Meeting.votes": 8,
    "Member.appointments": 2,
    "Outcome.candidates": 6,
    "Outcome.leftOutOfBase": 6,
    "Outcome.measures": 4,
    "Tally.options": 6,
    "Unit.children": 10,
    "UnitLive.children": 10,
    "Vote.options": 6,
    "Vote.record": 10,
    "Vote.roll": 10,
    "VoteRule.measureThresholds": 2,
}


def rows_of(type_name: str, field_name: str) -> int:
    return ROWS.get(f"{type_name}.{field_name}", LIKELY)
