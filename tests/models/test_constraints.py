"""What the database itself refuses, whoever asks: each on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from models.accounts.accounts import Account, ActivationCard, Session
from models.base import Base
from models.installed.guards import NEVER_CHANGED
from models.meetings.meetings import AgendaItem, Attendance, Meeting, Proxy
from models.register.rule_sets import UnitRule
from models.register.units import Appointment, Member, Membership, Suspension, Unit, UnitParent
from models.rights import ONLY_INSERTED
from models.votes.votes import (
    AuditRow,
    Ballot,
    BallotChoice,
    CastMark,
    HandCount,
    HandMark,
    HandTakenBack,
    Lot,
    OpenPaper,
    Paper,
    PaperChoice,
    Recusal,
    RollEntry,
    Vote,
    VoteOption,
)
from rules.meetings.meetings import (
    AttendanceStatus,
    ItemState,
    MeetingKind,
    MeetingMode,
    MeetingState,
    VoteState,
)
from rules.register.members import MembershipKind, Role, Standing, UnitKind
from rules.votes.ballots import OptionKind, Validity
from rules.votes.presets import Matter
from rules.votes.record.audit import BEGINNING, AuditKind
from rules.votes.rule_sets import Change, Secrecy
from tests.support.asking import act
from tests.support.database_log import unchanged
from tests.support.factories import SINCE, City, context_of
from tests.support.tampering import drop_guards, tampering

PAPER = UUID(int=1)
NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
async def voting(city: City) -> City:
    """The city while a vote is open, with one ballot in the box: An's.

    For the tables' sake there are also a mark, a hand and a paper, as another vote would have them.
    """
    scene = city.scene
    scene.preset(city.branch, "vi-party")
    paper = {"vote_id": city.later_vote.id}
    scene.add(Paper, id=PAPER, **paper, validity=Validity.BLANK)
    scene.add(PaperChoice, paper_id=PAPER, option_id=city.later_vote.against, **paper)
    scene.add(OpenPaper, id=PAPER, **paper, validity=Validity.BLANK, choices=[])
    scene.add(Suspension, **suspended(city), id=uuid4())
    scene.add(HandCount, option_id=city.later_vote.for_, vote_id=city.later_vote.id, hands=1)
    scene.add(Recusal, vote_id=city.later_vote.id, member_id=city.an.id)
    scene.add(Lot, vote_id=city.later_vote.id, secret=bytes(32))
    await scene.save(is_tampering=True)
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
    receipt = await act(context_of(city.an), "castBallot", **ballot)
    assert receipt["__typename"] == "Receipt"
    marked = {"vote_id": city.vote.id, "member_id": city.chi.id}
    scene.add(CastMark, **marked, key="key", cast_at=NOW)
    scene.add(HandMark, **marked)
    back = {"vote_id": city.vote.id, "member_id": city.dung.id}
    scene.add(HandMark, **back, option_id=city.vote.for_)
    scene.add(HandTakenBack, **back, sequence=1, is_contested=False)
    await scene.save(is_tampering=True)
    return city


def ballot(city: City, **values: Any) -> Any:
    """A ballot of Bình's that the database takes, but for the values given."""
    row = {
        "id": uuid4(),
        "vote_id": city.vote.id,
        "member_id": city.binh.id,
        "key": "key",
        "validity": Validity.VALID,
        "cast_at": NOW,
    }
    return insert(Ballot).values(row | values)


def unit(**values: Any) -> Any:
    return insert(Unit).values({"kind": UnitKind.BRANCH, "name": "Chi bộ 9"} | values)


def member(**values: Any) -> Any:
    return insert(Member).values({"name": "Kim", "standing": Standing.FULL} | values)


def membership(city: City, **values: Any) -> Any:
    row = {
        "member_id": city.an.id,
        "unit_id": city.other_branch,
        "kind": MembershipKind.TEMPORARY,
        "valid_from": SINCE,
    }
    return insert(Membership).values(row | values)


def parent(city: City, **values: Any) -> Any:
    row = {"unit_id": city.city, "parent_id": city.ward, "valid_from": SINCE}
    return insert(UnitParent).values(row | values)


def appointment(city: City, **values: Any) -> Any:
    row = {
        "member_id": city.an.id,
        "unit_id": city.branch,
        "role": Role.SECRETARY,
        "valid_from": SINCE,
    }
    return insert(Appointment).values(row | values)


def meeting(city: City, **values: Any) -> Any:
    row = {
        "unit_id": city.branch,
        "kind": MeetingKind.REGULAR,
        "mode": MeetingMode.ONLINE,
        "title": "Bất thường",
        "state": MeetingState.DRAFT,
        "starts_at": NOW,
    }
    return insert(Meeting).values(row | values)


def item(city: City, **values: Any) -> Any:
    row = {
        "meeting_id": city.meeting.id,
        "position": 9,
        "title": "Khác",
        "state": ItemState.PENDING,
    }
    return insert(AgendaItem).values(row | values)


def attendance(city: City, **values: Any) -> Any:
    row = {
        "meeting_id": city.meeting.id,
        "member_id": city.thu.id,
        "is_summoned": False,
        "status": AttendanceStatus.PRESENT,
    }
    return insert(Attendance).values(row | values)


def suspended(city: City) -> dict[str, Any]:
    """A suspension of An's by Hạnh."""
    return {
        "member_id": city.an.id,
        "standing_before": Standing.FULL,
        "reason": "Chờ xem xét",
        "suspended_at": NOW,
        "suspended_by_id": city.hanh.id,
    }


def suspension(city: City, **values: Any) -> Any:
    """A suspension of Bình's that the database takes, but for the values given."""
    row = suspended(city) | {"member_id": city.binh.id}
    return insert(Suspension).values(row | values)


def set_suspension(**values: Any) -> Any:
    return update(Suspension).values(values)


def vote(city: City, **values: Any) -> Any:
    row = {
        "meeting_id": city.meeting.id,
        "item_id": city.meeting.items[0],
        "position": 9,
        "question": "Thông qua?",
        "matter": Matter.ORDINARY,
        "rule": {},
        "secrecy": Secrecy.OPEN,
        "change": Change.FINAL,
    }
    return insert(Vote).values(row | values)


def option(city: City, **values: Any) -> Any:
    row = {"vote_id": city.vote.id, "position": 9, "kind": OptionKind.FOR, "label": "for"}
    return insert(VoteOption).values(row | values)


def roll_entry(city: City, **values: Any) -> Any:
    row = {
        "vote_id": city.vote.id,
        "member_id": city.yen.id,
        "standing": Standing.FULL,
        "is_elsewhere": False,
        "is_summoned": True,
        "was_present_at_opening": False,
    }
    return insert(RollEntry).values(row | values)


def cast_mark(city: City, **values: Any) -> Any:
    row = {"vote_id": city.vote.id, "member_id": city.binh.id, "key": "key", "cast_at": NOW}
    return insert(CastMark).values(row | values)


def hand_mark(city: City, **values: Any) -> Any:
    row = {"vote_id": city.vote.id, "member_id": city.binh.id, "option_id": city.vote.for_}
    return insert(HandMark).values(row | values)


def taken_back(city: City, **values: Any) -> Any:
    row = {"vote_id": city.vote.id, "member_id": city.chi.id, "sequence": 1, "is_contested": False}
    return insert(HandTakenBack).values(row | values)


def hand_count(city: City, **values: Any) -> Any:
    row = {"vote_id": city.vote.id, "option_id": city.vote.for_, "hands": 3}
    return insert(HandCount).values(row | values)


def paper_choice(city: City, **values: Any) -> Any:
    """A mark on the later vote's only paper."""
    its = select(Paper.id).scalar_subquery()
    row = {"paper_id": its, "option_id": city.later_vote.for_, "vote_id": city.later_vote.id}
    return insert(PaperChoice).values(row | values)


def recusal(city: City, **values: Any) -> Any:
    return insert(Recusal).values({"vote_id": city.vote.id, "member_id": city.an.id} | values)


def proxy(city: City, **values: Any) -> Any:
    row = {"meeting_id": city.meeting.id, "member_id": city.an.id, "holder_id": city.binh.id}
    return insert(Proxy).values(row | values)


def unit_rule(city: City, **values: Any) -> Any:
    row = {
        "unit_id": city.ward,
        "matter": Matter.ORDINARY,
        "version": 1,
        "valid_from": SINCE,
        "rule": {},
    }
    return insert(UnitRule).values(row | values)


def audit(city: City, **values: Any) -> Any:
    row = {
        "vote_id": city.vote.id,
        "sequence": 9,
        "kind": AuditKind.CLOSED,
        "payload": {},
        "previous_hash": BEGINNING,
        "hash": BEGINNING,
    }
    return insert(AuditRow).values(row | values)


def session(**values: Any) -> Any:
    row = {"account_id": uuid4(), "token_hash": bytes(32), "created_at": NOW, "expires_at": NOW}
    return insert(Session).values(row | {"expires_at": NOW + timedelta(hours=1)} | values)


def card(**values: Any) -> Any:
    row = {"account_id": uuid4(), "code_hash": bytes(32), "expires_at": NOW}
    return insert(ActivationCard).values(row | values)


def mark(city: City, vote_of_mark: UUID, option_id: UUID) -> Any:
    """A second mark on An's ballot."""
    of_an = (
        Ballot.__table__.select()
        .with_only_columns(Ballot.id)
        .where(Ballot.member_id == city.an.id)
        .scalar_subquery()
    )
    return insert(BallotChoice).values(ballot_id=of_an, option_id=option_id, vote_id=vote_of_mark)


def set_vote(city: City, **values: Any) -> Any:
    return update(Vote).where(Vote.id == city.vote.id).values(values)


def set_meeting(city: City, **values: Any) -> Any:
    return update(Meeting).where(Meeting.id == city.meeting.id).values(values)


REFUSED: dict[str, Callable[[City], Any]] = {
    # ballots
    "a second first ballot of a member": lambda c: ballot(c, member_id=c.an.id, key="other"),
    "a second ballot of one key": lambda c: ballot(c, member_id=c.an.id, sequence=2),
    "a ballot of no validity": lambda c: ballot(c, validity=None),
    "a ballot of somebody who is not on the roll": lambda c: ballot(c, member_id=c.yen.id),
    "a ballot in a vote that has no roll yet": lambda c: ballot(c, vote_id=c.later_vote.id),
    "a ballot without a key": lambda c: ballot(c, key=""),
    "a ballot of no sequence": lambda c: ballot(c, sequence=0),
    "a choice of another vote's option": lambda c: mark(c, c.vote.id, c.later_vote.for_),
    "another vote's choice on a ballot": lambda c: mark(c, c.later_vote.id, c.later_vote.for_),
    "a choice that is marked twice": lambda c: mark(c, c.vote.id, c.vote.for_),
    "a choice that is no option": lambda c: mark(c, c.vote.id, uuid4()),
    "a roll without the voter of a ballot": lambda c: delete(RollEntry),
    "an option gone that was chosen": lambda c: delete(VoteOption),
    # marks, papers, hands
    "a second mark of a member": lambda c: cast_mark(c, member_id=c.chi.id),
    "a mark of somebody who is not on the roll": lambda c: cast_mark(c, member_id=c.yen.id),
    "a mark without a key": lambda c: cast_mark(c, key=""),
    "a second hand of a member": lambda c: hand_mark(c, member_id=c.chi.id),
    "a hand of somebody who is not on the roll": lambda c: hand_mark(c, member_id=c.yen.id),
    "a hand for another vote's option": lambda c: hand_mark(c, option_id=c.later_vote.for_),
    "a hand of no sequence": lambda c: hand_mark(c, sequence=0),
    "a hand taken back that was not counted": lambda c: taken_back(c, member_id=c.binh.id),
    "a hand taken back twice": lambda c: taken_back(c, member_id=c.dung.id),
    "hands for another vote's option": lambda c: hand_count(c, option_id=c.later_vote.against),
    "hands for one option twice": lambda c: hand_count(
        c, option_id=c.later_vote.for_, vote_id=c.later_vote.id
    ),
    "less than no hands": lambda c: hand_count(c, hands=-1),
    "a paper's choice of another vote's option": lambda c: paper_choice(c, option_id=c.vote.for_),
    "another vote's choice on a paper": lambda c: paper_choice(
        c, option_id=c.vote.for_, vote_id=c.vote.id
    ),
    "a choice on no paper": lambda c: paper_choice(c, paper_id=uuid4()),
    "a paper of no vote": lambda c: insert(Paper).values(vote_id=uuid4(), validity=Validity.VALID),
    # the roll
    "a member who is twice on a roll": lambda c: roll_entry(c, member_id=c.an.id),
    "a roll of no vote": lambda c: roll_entry(c, vote_id=uuid4()),
    "a roll with nobody": lambda c: roll_entry(c, member_id=uuid4()),
    "a vote that weighs less than nothing": lambda c: roll_entry(c, weight=-1),
    "somebody recused whom nobody knows": lambda c: recusal(c, member_id=uuid4()),
    "somebody recused from no vote": lambda c: recusal(c, vote_id=uuid4()),
    # votes
    "a vote closed without a time": lambda c: set_vote(c, state=VoteState.CLOSED),
    "an open vote with a closing time": lambda c: set_vote(c, closed_at=NOW),
    "an open vote without an opening time": lambda c: set_vote(c, opened_at=None),
    "a prepared vote with an opening time": lambda c: set_vote(c, state=VoteState.PREPARED),
    "a vote annulled without a time": lambda c: set_vote(
        c, state=VoteState.ANNULLED, closed_at=NOW
    ),
    "an open vote that is published": lambda c: set_vote(c, published_at=NOW),
    "two repetitions of a vote": lambda c: update(Vote).values(repeat_of=c.vote.id),
    "a repetition of no vote": lambda c: set_vote(c, repeat_of=uuid4()),
    "a vote on another meeting's item": lambda c: vote(c, item_id=c.other_meeting.items[0]),
    "a vote without a question": lambda c: vote(c, question=""),
    "two votes at one position": lambda c: vote(c, position=1),
    "a vote of no version": lambda c: set_vote(c, row_version=0),
    "a vote without a rule": lambda c: vote(c, rule=None),
    "two boxes of one kind for a candidate": lambda c: (
        update(VoteOption)
        .where(VoteOption.vote_id == c.vote.id)
        .values(kind=OptionKind.FOR, candidate_id=uuid4())
    ),
    "two options at one position": lambda c: option(c, position=1, kind=OptionKind.ABSTAIN),
    "an option of no vote": lambda c: option(c, vote_id=uuid4()),
    "a vote gone that has a chain": lambda c: delete(Vote),
    # the chain
    "two links of one number": lambda c: audit(c, sequence=1),
    "a link before the first": lambda c: audit(c, sequence=0),
    "a link of no vote": lambda c: audit(c, vote_id=uuid4()),
    # meetings
    "two current items": lambda c: item(c, state=ItemState.CURRENT),
    "two items at one position": lambda c: item(c, position=1),
    "an item without a title": lambda c: item(c, title=""),
    "an item of no meeting": lambda c: item(c, meeting_id=uuid4()),
    "a meeting closed without a time": lambda c: set_meeting(c, state=MeetingState.CLOSED),
    "minutes signed of a meeting without an end": lambda c: set_meeting(
        c, state=MeetingState.MINUTES_SIGNED
    ),
    "a meeting in session with a closing time": lambda c: set_meeting(c, closed_at=NOW),
    "a meeting without a title": lambda c: meeting(c, title=""),
    "a meeting of no unit": lambda c: meeting(c, unit_id=uuid4()),
    "a meeting chaired by nobody we know": lambda c: set_meeting(c, chair_id=uuid4()),
    "a meeting of no version": lambda c: set_meeting(c, row_version=0),
    "a meeting gone that has an agenda": lambda c: delete(Meeting),
    "somebody who attends twice": lambda c: attendance(c, member_id=c.an.id),
    "attendance of nobody": lambda c: attendance(c, member_id=uuid4()),
    "attendance of no version": lambda c: attendance(c, version=0),
    "attendance confirmed by nobody": lambda c: attendance(c, confirmed_at=NOW),
    "attendance confirmed at no time": lambda c: attendance(c, confirmed_by_id=c.hanh.id),
    "attendance confirmed by nobody we know": lambda c: attendance(
        c, confirmed_at=NOW, confirmed_by_id=uuid4()
    ),
    "a proxy to oneself": lambda c: proxy(c, holder_id=c.an.id),
    "a proxy to nobody": lambda c: proxy(c, holder_id=uuid4()),
    # rules
    "two rules for a matter today": lambda c: unit_rule(c, unit_id=c.branch),
    "a rule of no unit": lambda c: unit_rule(c, unit_id=uuid4()),
    "a rule of no version": lambda c: unit_rule(c, version=0),
    "a rule until before it began": lambda c: unit_rule(c, valid_to=SINCE),
    "a matter without its rule": lambda c: unit_rule(c, rule=None),
    # units and people
    "a unit without a name": lambda c: unit(name=""),
    "a member without a name": lambda c: member(name=""),
    "two parents today": lambda c: parent(c, unit_id=c.branch, valid_from=NOW.date()),
    "a unit that is its own parent": lambda c: parent(c, parent_id=c.city),
    "a parent until before it began": lambda c: parent(c, valid_to=SINCE),
    "a parent that is no unit": lambda c: parent(c, parent_id=uuid4()),
    "two regular branches today": lambda c: membership(c, kind=MembershipKind.REGULAR),
    "two temporary branches today": lambda c: membership(c, member_id=c.nam.id, unit_id=c.ward),
    "a membership until before it began": lambda c: membership(c, valid_to=SINCE),
    "a member who weighs nothing": lambda c: membership(c, weight=0),
    "a membership of nobody": lambda c: membership(c, member_id=uuid4()),
    "a membership in no unit": lambda c: membership(c, unit_id=uuid4()),
    "an appointment twice": lambda c: appointment(c, member_id=c.hanh.id),
    "an appointment until before it began": lambda c: appointment(c, valid_to=SINCE),
    "an appointment of nobody": lambda c: appointment(c, member_id=uuid4()),
    "a unit gone that people belong to": lambda c: delete(Unit),
    "a member gone who has voted": lambda c: delete(Member).where(Member.id == c.an.id),
    "two suspensions of a member today": lambda c: suspension(c, member_id=c.an.id),
    "a suspension of nobody": lambda c: suspension(c, member_id=uuid4()),
    "a suspension by oneself": lambda c: suspension(c, suspended_by_id=c.binh.id),
    "a suspension by nobody we know": lambda c: suspension(c, suspended_by_id=uuid4()),
    "a suspension without a reason": lambda c: suspension(c, reason=""),
    "a suspension from no other standing": lambda c: suspension(
        c, standing_before=Standing.SUSPENDED
    ),
    "a suspension ended by nobody": lambda c: set_suspension(reinstated_at=NOW),
    "a suspension ended at no time": lambda c: set_suspension(reinstated_by_id=c.hanh.id),
    # accounts
    "two accounts of a member": lambda c: insert(Account).values(member_id=c.an.id),
    "an account of nobody": lambda c: insert(Account).values(member_id=uuid4()),
    "a session of no account": lambda c: session(),
    "a session that ended before it began": lambda c: update(Session).values(
        expires_at=Session.created_at
    ),
    "two sessions of one token": lambda c: update(Session).values(token_hash=bytes(32)),
    "a card of no account": lambda c: card(),
}


async def test_the_database_refuses_what_is_wrong(voting: City) -> None:
    taken = [name for name, wrong in REFUSED.items() if await is_taken(voting, wrong(voting))]
    assert taken == []


async def is_taken(city: City, statement: Any) -> bool:
    """Whether the database takes the statement, whatever triggers say. What it does is undone."""
    async with city.scene.database.writing() as writing:
        await drop_guards(writing)
        try:
            await writing.execute(statement)
        except IntegrityError:
            return False
    return True


ACCEPTED: dict[str, Callable[[City], Any]] = {
    "a ballot": ballot,
    "a later ballot of a member": lambda c: ballot(c, member_id=c.an.id, key="other", sequence=2),
    "a mark": cast_mark,
    "a hand": hand_mark,
    "a hand that is counted again": lambda c: hand_mark(c, member_id=c.dung.id, sequence=2),
    "a hand taken back": taken_back,
    "hands": hand_count,
    "a paper's choice": paper_choice,
    "a recusal": recusal,
    "a proxy": proxy,
    "a rule": unit_rule,
    "a repetition": lambda c: vote(c, repeat_of=c.vote.id),
    "a unit": lambda c: unit(),
    "a member": lambda c: member(),
    "a membership": membership,
    "a former membership": lambda c: membership(
        c, kind=MembershipKind.REGULAR, valid_to=NOW.date()
    ),
    "a parent": parent,
    "a former parent": lambda c: parent(
        c, unit_id=c.branch, valid_from=SINCE - timedelta(days=9), valid_to=SINCE
    ),
    "an appointment": appointment,
    "a meeting": meeting,
    "an item": item,
    "an attendance": attendance,
    "a confirmed attendance": lambda c: attendance(c, confirmed_at=NOW, confirmed_by_id=c.hanh.id),
    "a suspension": suspension,
    "a suspension that has ended": lambda c: set_suspension(
        reinstated_at=NOW, reinstated_by_id=c.dung.id
    ),
    "a former suspension": lambda c: suspension(
        c, member_id=c.an.id, reinstated_at=NOW, reinstated_by_id=c.hanh.id
    ),
    "a vote": vote,
    "an entry in the roll": roll_entry,
    "a link": audit,
    "a second mark": lambda c: mark(c, c.vote.id, c.vote.against),
}


async def test_the_database_takes_what_is_right(voting: City) -> None:
    """So that what is refused above is refused for what its name says."""
    refused = [
        name for name, right in ACCEPTED.items() if not await is_taken(voting, right(voting))
    ]
    assert refused == []


CLOSED_LISTS = [
    (table.name, column.name)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if hasattr(column.type, "enums")
]


@pytest.mark.parametrize(("table", "column"), CLOSED_LISTS, ids=[".".join(x) for x in CLOSED_LISTS])
async def test_a_closed_list_has_no_other_value(voting: City, table: str, column: str) -> None:
    database = voting.scene.database
    statement = text(f'UPDATE "{table}" SET {column} = :value')  # noqa: S608
    async with unchanged(database):
        with pytest.raises(IntegrityError, match=f"ck_{table}_"):
            async with tampering(database) as writing:
                await writing.execute(statement, {"value": "SOMETHING_ELSE"})


def test_every_closed_list_is_seen() -> None:
    assert len(CLOSED_LISTS) == 22


# --- What is only ever inserted -----------------------------------------------------------------


def test_the_tables_that_are_only_inserted_are_those_of_the_migrations() -> None:
    names = ("0002_append_only", "0006_hands_by_name")
    migrations = [import_module(f"models.migrations.versions.{name}") for name in names]
    theirs = {table for one in migrations for table in one.ONLY_INSERTED}
    assert theirs | set(NEVER_CHANGED) == ONLY_INSERTED


@pytest.mark.parametrize("table", sorted(ONLY_INSERTED))
async def test_what_was_cast_and_what_was_done_is_never_changed(voting: City, table: str) -> None:
    database = voting.scene.database
    first, *_ = Base.metadata.tables[table].columns
    changes = [f"DELETE FROM {table}", f"UPDATE {table} SET {first.name} = {first.name}"]  # noqa: S608
    if database.dialect == "postgresql":
        changes.append(f"TRUNCATE {table} CASCADE")
    async with unchanged(database):
        for statement in changes:
            async with database.writing() as writing:
                with pytest.raises(IntegrityError, match="only ever inserted"):
                    await writing.execute(text(statement))


async def test_a_moment_without_a_time_zone_is_refused(city: City) -> None:
    async with city.scene.database.writing() as writing:
        with pytest.raises(StatementError, match="time zone"):
            await writing.execute(meeting(city, starts_at=datetime(2026, 3, 3, 19)))  # noqa: DTZ001


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_what_is_read_is_not_written(city: City) -> None:
    async with city.scene.database.snapshot() as reading:
        with pytest.raises(DBAPIError, match="read-only"):
            await reading.execute(unit())
