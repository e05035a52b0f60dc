"""The demo organisation's rows: one ward of 31 branches, and a branch meeting in session.

Everything but the clock is drawn from one seed, so that a demo looks the same everywhere. The
ward's figures are those of Hoàng Liệt, the city's first ward with the software on every phone; the
people are invented.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import insert

from models.base import Base
from models.database import WriteSession
from models.meetings.meetings import AgendaItem, Attendance, Meeting
from models.register.rule_sets import UnitRule
from models.register.units import Appointment, Member, Membership, Unit, UnitParent
from models.votes.audit import append_created
from models.votes.votes import Vote, VoteOption
from rules.meetings.meetings import (
    AttendanceStatus,
    ItemState,
    MeetingKind,
    MeetingMode,
    MeetingState,
)
from rules.register.members import MembershipKind, Role, Standing, UnitKind
from rules.votes.ballots import MOTION, OptionKind
from rules.votes.presets import PRESETS, Matter, assign_preset

SEED = 20230103
BRANCHES = 31
MEMBERS = 2_315
PRESET = "vi-party"
"""The rules that the city has adopted."""

BRANCH_SIZE = 75
"""Members of the branch whose meeting is in session."""

SINCE = date(2023, 1, 3)

# fmt: off
FAMILY_NAMES = [
    "Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ",
    "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Mai", "Trịnh", "Đào",
]
MIDDLE_NAMES = [
    "Văn", "Thị", "Hữu", "Đức", "Ngọc", "Minh", "Thanh", "Quang", "Thu", "Xuân", "Công", "Hồng",
    "Kim", "Bích", "Gia", "Tuấn",
]
GIVEN_NAMES = [
    "An", "Bình", "Chi", "Dũng", "Giang", "Hà", "Hải", "Hạnh", "Hiền", "Hoa", "Hòa", "Hùng",
    "Hương", "Khánh", "Lan", "Liên", "Linh", "Loan", "Long", "Mai", "Minh", "Nam", "Nga", "Ngân",
    "Nhung", "Oanh", "Phong", "Phúc", "Phương", "Quân", "Sơn", "Tâm", "Thắng", "Thảo", "Thủy",
    "Trang", "Trung", "Tú", "Tuyết", "Vân", "Việt", "Yến",
]
# fmt: on

AGENDA = (
    "Kiểm điểm việc thực hiện nghị quyết tháng trước",
    "Thông báo thời sự và văn bản của cấp trên",
    "Học tập chuyên đề: chuyển đổi số trong sinh hoạt chi bộ",
    "Thảo luận và biểu quyết nhiệm vụ tháng tới",
    "Xét đề nghị công nhận người dự bị thành chính thức",
    "Kết luận và thông qua biên bản",
)
FINISHED_QUESTION = "Thông qua báo cáo thực hiện nghị quyết tháng trước"
OPEN_QUESTION = "Thông qua nghị quyết nhiệm vụ tháng tới"
PREPARED_QUESTION = "Đăng ký danh hiệu chi bộ hoàn thành xuất sắc nhiệm vụ"


def demo_id(name: str) -> UUID:
    """The id of a demo row: the same in every demo."""
    return uuid5(UUID("6f1f0f0e-6b0a-5d4e-9a57-7a1f4d3f2c10"), f"{SEED}:{name}")


CITY_ID, DISTRICT_ID, WARD_ID = demo_id("city"), demo_id("district"), demo_id("ward")
BRANCH_ID = demo_id("branch 1")
MEETING_ID = demo_id("meeting")
FINISHED_ID, OPEN_ID, PREPARED_ID = map(demo_id, ("finished", "open", "prepared"))

VOTING_ITEM = 4
"""The position of the item that is current in the demo; its votes are the open and the next."""

Row = dict[str, Any]


@dataclass
class Ward:
    """What is going to be inserted, table by table."""

    units: list[Row] = field(default_factory=list)
    parents: list[Row] = field(default_factory=list)
    members: list[Row] = field(default_factory=list)
    memberships: list[Row] = field(default_factory=list)
    appointments: list[Row] = field(default_factory=list)


async def insert_demo(session: WriteSession, now: datetime) -> None:
    """Insert everything up to the start of the meeting's first vote; `now` dates the meeting."""
    random = Random(SEED)  # noqa: S311 - invented people need no secrecy
    ward = draw_ward(random)
    opened = (now - timedelta(minutes=35)).replace(second=0, microsecond=0)
    tables: list[tuple[type[Base], list[Row]]] = [
        (Unit, ward.units),
        (UnitParent, ward.parents),
        (Member, ward.members),
        (Membership, ward.memberships),
        (Appointment, ward.appointments),
        (UnitRule, _unit_rules()),
        (Meeting, _meetings(opened)),
        (AgendaItem, _agenda()),
        (Attendance, _attendance(random, opened)),
    ]
    for table, rows in tables:
        await session.execute(insert(table), rows)
    await _add_vote(session, FINISHED_ID, 1, 1, FINISHED_QUESTION, Matter.ORDINARY)
    await _add_vote(session, OPEN_ID, 2, VOTING_ITEM, OPEN_QUESTION, Matter.ORDINARY)
    await _add_vote(session, PREPARED_ID, 3, VOTING_ITEM, PREPARED_QUESTION, Matter.TWO_THIRDS)


def draw_ward(random: Random) -> Ward:
    """Units, members and committees of the ward."""
    ward = Ward()
    _add_unit(ward, CITY_ID, UnitKind.CITY, "Thành phố", None)
    _add_unit(ward, DISTRICT_ID, UnitKind.UPPER, "Hoàng Mai", CITY_ID)
    _add_unit(ward, WARD_ID, UnitKind.BASE, "Hoàng Liệt", DISTRICT_ID)
    for number, size in enumerate(branch_sizes(random), start=1):
        branch_id = demo_id(f"branch {number}")
        _add_unit(ward, branch_id, UnitKind.BRANCH, f"Chi bộ {number}", WARD_ID)
        members = [_add_member(ward, random, number, place) for place in range(1, size + 1)]
        for role, member_id in zip(
            (Role.SECRETARY, Role.DEPUTY_SECRETARY, Role.COMMITTEE_MEMBER), members, strict=False
        ):
            _appoint(ward, member_id, branch_id, role)
    _appoint(ward, officer_id(), WARD_ID, Role.SECRETARY)
    return ward


def branch_sizes(random: Random) -> list[int]:
    """31 sizes that add up to the ward's members; the first is the demo branch's."""
    sizes = [BRANCH_SIZE] + [40] * (BRANCHES - 1)
    for _ in range(MEMBERS - sum(sizes)):
        sizes[random.randrange(1, BRANCHES)] += 1
    return sizes


def member_id(branch: int, place: int) -> UUID:
    """The id of the member at a place (from 1) of a branch (from 1)."""
    return demo_id(f"member {branch}/{place}")


def officer_id() -> UUID:
    """The secretary of the ward, who belongs to another branch than the one that meets."""
    return member_id(BRANCHES, 4)


def standing_of(branch: int, place: int) -> Standing:
    """Places 71 to 73 of the demo branch are probationary, 74 and 75 exempt; others are full."""
    if branch == 1 and place > BRANCH_SIZE - 2:
        return Standing.EXEMPT
    if branch == 1 and place > BRANCH_SIZE - 5:
        return Standing.PROBATIONARY
    return Standing.FULL


def _add_unit(ward: Ward, unit_id: UUID, kind: UnitKind, name: str, parent: UUID | None) -> None:
    ward.units.append({"id": unit_id, "kind": kind, "name": name})
    if parent is not None:
        ward.parents.append({"unit_id": unit_id, "parent_id": parent, "valid_from": SINCE})


def _add_member(ward: Ward, random: Random, branch: int, place: int) -> UUID:
    identity = member_id(branch, place)
    name = " ".join(map(random.choice, (FAMILY_NAMES, MIDDLE_NAMES, GIVEN_NAMES)))
    ward.members.append({"id": identity, "name": name, "standing": standing_of(branch, place)})
    ward.memberships.append(
        {
            "member_id": identity,
            "unit_id": demo_id(f"branch {branch}"),
            "kind": MembershipKind.REGULAR,
            "valid_from": SINCE,
        }
    )
    return identity


def _appoint(ward: Ward, member: UUID, unit_id: UUID, role: Role) -> None:
    ward.appointments.append(
        {"member_id": member, "unit_id": unit_id, "role": role, "valid_from": SINCE}
    )


NOT_YET_HERE = range(10, 13)
"""The places of the demo's three members: they check in and vote by the visitor's hand."""


def places_present() -> list[int]:
    """Who of the demo branch has come, the chair first: three of four, none probationary."""
    return [
        place
        for place in range(1, BRANCH_SIZE + 1)
        if place % 4 != 3
        and place not in NOT_YET_HERE
        and standing_of(1, place) is not Standing.PROBATIONARY
    ]


def crowd_places() -> list[int]:
    """Who of the demo branch a simulated crowd is made of: all but the people with a link."""
    return [
        place
        for place in range(2, BRANCH_SIZE + 1)
        if place not in NOT_YET_HERE and standing_of(1, place) is not Standing.PROBATIONARY
    ]


def _unit_rules() -> list[Row]:
    return [
        {
            "unit_id": one.unit_id,
            "matter": one.matter,
            "version": one.rule.version,
            "valid_from": one.rule.valid_from,
            "rule": one.rule.to_data(),
        }
        for one in assign_preset(CITY_ID, PRESET, SINCE)
    ]


def _meetings(opened: datetime) -> list[Row]:
    first_of_month = opened.replace(day=1)
    last_month = (first_of_month - timedelta(days=1)).replace(day=4)
    evening = datetime.combine(last_month.date(), time(12, 30), UTC)
    shared = {"unit_id": BRANCH_ID, "mode": MeetingMode.HYBRID, "chair_id": member_id(1, 1)}
    return [
        {
            **shared,
            "id": MEETING_ID,
            "kind": MeetingKind.REGULAR,
            "title": f"Sinh hoạt thường kỳ tháng {opened.month}/{opened.year}",
            "state": MeetingState.IN_SESSION,
            "starts_at": opened,
            "opened_at": opened,
            "closed_at": None,
        },
        {
            **shared,
            "id": demo_id("last meeting"),
            "kind": MeetingKind.REGULAR,
            "title": f"Sinh hoạt thường kỳ tháng {evening.month}/{evening.year}",
            "state": MeetingState.CLOSED,
            "starts_at": evening,
            "opened_at": evening,
            "closed_at": evening + timedelta(minutes=100),
        },
    ]


def _agenda() -> list[Row]:
    states = [ItemState.CURRENT] + [ItemState.PENDING] * (len(AGENDA) - 1)
    return [
        {
            "id": item_id(position),
            "meeting_id": MEETING_ID,
            "position": position,
            "title": title,
            "state": state,
        }
        for position, (title, state) in enumerate(zip(AGENDA, states, strict=True), start=1)
    ]


def _attendance(random: Random, opened: datetime) -> list[Row]:
    """Two of three who have checked in were seen in the room; the others may be at home."""
    here = places_present()
    seen = {place for place in here if place % 3}
    return [
        {
            "meeting_id": MEETING_ID,
            "member_id": member_id(1, place),
            "is_summoned": True,
            "status": AttendanceStatus.PRESENT if place in here else AttendanceStatus.ABSENT,
            "checked_in_at": _came_at(random, opened) if place in here else None,
            "confirmed_at": opened if place in seen else None,
            "confirmed_by_id": member_id(1, 1) if place in seen else None,
        }
        for place in range(1, BRANCH_SIZE + 1)
    ]


def _came_at(random: Random, opened: datetime) -> datetime:
    return opened - timedelta(seconds=random.randrange(30, 900))


async def _add_vote(
    session: WriteSession, vote_id: UUID, position: int, item: int, question: str, matter: Matter
) -> None:
    rule = PRESETS[PRESET][matter]
    vote = Vote(
        id=vote_id,
        meeting_id=MEETING_ID,
        item_id=item_id(item),
        position=position,
        question=question,
        matter=matter,
        rule=rule.to_data(),
        secrecy=rule.secrecy,
        change=rule.change,
        closes_when_all_voted=rule.closes_when_all_voted,
    )
    session.add(vote)
    await session.flush()
    await session.execute(insert(VoteOption), list(_options(vote_id)))
    await append_created(session, vote, None)


def _options(vote_id: UUID) -> Iterator[Row]:
    labels = ("Tán thành", "Không tán thành", "Không có ý kiến")
    for position, (kind, label) in enumerate(zip(MOTION, labels, strict=True), start=1):
        yield {
            "id": option_id(vote_id, kind),
            "vote_id": vote_id,
            "position": position,
            "kind": kind,
            "label": label,
        }


def item_id(position: int) -> UUID:
    return demo_id(f"item {position}")


def option_id(vote_id: UUID, kind: OptionKind) -> UUID:
    return demo_id(f"{vote_id} {kind.value}")
