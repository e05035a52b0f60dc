"""A small city for tests: units, people with names, meetings and votes.

A scene is drawn first and saved at once. A factory adds what a row needs and gives the id, or a
person, back; a test that wants something else says so, or changes the row afterwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from models.accounts.accounts import Account, ActivationCard, Session
from models.base import Base
from models.database import Database
from models.meetings.meetings import AgendaItem, Attendance, Meeting
from models.register.rule_sets import UnitRule
from models.register.units import Appointment, Member, Membership, Unit, UnitParent
from models.votes.votes import AuditRow, Recusal, Vote, VoteOption
from realtime.feed import Feed
from resolvers.context import Context, Viewer
from resolvers.process import Process
from rules.meetings.meetings import (
    AttendanceStatus,
    ItemState,
    MeetingKind,
    MeetingMode,
    MeetingState,
)
from rules.register.members import MembershipKind, Role, Standing, UnitKind
from rules.votes.ballots import MOTION, OptionKind
from rules.votes.presets import PRESETS, Assignment, Matter, assign_preset
from rules.votes.record.audit import BEGINNING, AuditKind, chain_hash
from rules.votes.record.seals import Seal, plain_value
from rules.votes.rule_sets import Method, RuleSet
from server.auth.credentials import ServerCredentials, hash_token, new_code, normal_code
from server.settings import Settings
from tests.support.tampering import committing, tampering

SINCE = date(2023, 1, 3)
ORDINARY = PRESETS["vi-party"][Matter.ORDINARY]
EVENING = datetime(2026, 3, 3, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """Somebody who uses the software: a member with a session, or nobody in particular."""

    name: str
    scene: Scene
    viewer: Viewer | None = None
    token: str = ""

    @property
    def id(self) -> UUID:
        return self.signed_in.member_id

    @property
    def signed_in(self) -> Viewer:
        assert self.viewer is not None
        return self.viewer


@dataclass(frozen=True)
class MeetingIds:
    id: UUID
    items: list[UUID]


@dataclass(frozen=True)
class VoteIds:
    id: UUID
    options: dict[OptionKind, UUID]

    @property
    def for_(self) -> UUID:
        return self.options[OptionKind.FOR]

    @property
    def against(self) -> UUID:
        return self.options[OptionKind.AGAINST]


class Scene:
    """One process of the server, and rows to be saved together."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self.database = database
        self.feed = feed
        self.credentials = ServerCredentials(Settings())
        self.process = Process(database, feed, self.credentials)
        self._rows: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def use_secret(self, secret: str) -> None:
        """Instead of the demo's."""
        self.credentials = ServerCredentials(Settings(secret=secret))
        self.process.credentials = self.credentials

    def add(self, table: type[Base], **values: Any) -> None:
        self._rows[table.__tablename__].append(values)

    async def save(self, *, is_tampering: bool = False) -> None:
        """With `is_tampering` past what triggers refuse."""
        async with (tampering if is_tampering else committing)(self.database) as session:
            for table in Base.metadata.sorted_tables:
                if rows := self._rows.pop(table.name, None):
                    await session.execute(insert(table), rows)

    def unit(self, name: str, kind: UnitKind = UnitKind.BRANCH, parent: UUID | None = None) -> UUID:
        unit_id = uuid4()
        self.add(Unit, id=unit_id, kind=kind, name=name)
        if parent is not None:
            self.add(UnitParent, unit_id=unit_id, parent_id=parent, valid_from=SINCE)
        return unit_id

    def member(
        self,
        name: str,
        branch: UUID,
        standing: Standing = Standing.FULL,
        role: Role | None = None,
    ) -> Person:
        """A member of the branch who is signed in."""
        member_id = uuid4()
        self.add(Member, id=member_id, name=name, standing=standing)
        person = self.sign_in(name, member_id)
        self.belong(person, branch, MembershipKind.REGULAR)
        if role is not None:
            self.appoint(person, branch, role)
        return person

    def members(self, names: Sequence[str], branch: UUID) -> list[Person]:
        return [self.member(name, branch) for name in names]

    def sign_in(self, name: str, member_id: UUID) -> Person:
        account_id, session_id, token = uuid4(), uuid4(), f"token of {name} {member_id}"
        now = datetime.now(UTC)
        self.add(Account, id=account_id, member_id=member_id)
        self.add(
            Session,
            id=session_id,
            account_id=account_id,
            token_hash=hash_token(token),
            created_at=now,
            expires_at=now + timedelta(days=1),
        )
        viewer = Viewer(member_id, session_id, now + timedelta(days=1))
        return Person(name, self, viewer, token)

    def belong(self, person: Person, unit: UUID, kind: MembershipKind) -> None:
        self.add(
            Membership,
            id=uuid4(),
            member_id=person.id,
            unit_id=unit,
            kind=kind,
            valid_from=SINCE,
        )

    def appoint(self, person: Person, unit: UUID, role: Role) -> None:
        self.add(
            Appointment,
            id=uuid4(),
            member_id=person.id,
            unit_id=unit,
            role=role,
            valid_from=SINCE,
        )

    def meeting(
        self,
        unit: UUID,
        state: MeetingState = MeetingState.SUMMONED,
        summoned: Collection[Person] = (),
        chair: Person | None = None,
        starts_at: datetime = EVENING,
        items: int = 3,
    ) -> MeetingIds:
        """A meeting with an agenda. In session, its first item is the current one."""
        meeting_id, item_ids = uuid4(), [uuid4() for _ in range(items)]
        has_begun = state not in {MeetingState.DRAFT, MeetingState.SUMMONED, MeetingState.CANCELLED}
        has_ended = state in {MeetingState.CLOSED, MeetingState.MINUTES_SIGNED}
        self.add(
            Meeting,
            id=meeting_id,
            unit_id=unit,
            kind=MeetingKind.REGULAR,
            mode=MeetingMode.HYBRID,
            title="Sinh hoạt thường kỳ",
            state=state,
            chair_id=chair.id if chair else None,
            starts_at=starts_at,
            opened_at=starts_at if has_begun else None,
            closed_at=starts_at + timedelta(minutes=90) if has_ended else None,
        )
        for position, item_id in enumerate(item_ids, start=1):
            is_current = has_begun and not has_ended and position == 1
            self.add(
                AgendaItem,
                id=item_id,
                meeting_id=meeting_id,
                position=position,
                title=f"Nội dung {position}",
                state=ItemState.CURRENT if is_current else ItemState.PENDING,
            )
        for person in summoned:
            self.add(
                Attendance,
                meeting_id=meeting_id,
                member_id=person.id,
                is_summoned=True,
                status=AttendanceStatus.ABSENT,
            )
        return MeetingIds(meeting_id, item_ids)

    def adopt(self, assignments: Iterable[Assignment]) -> None:
        """Let units vote by these rules, as versions of the days on which they begin."""
        for one in assignments:
            self.add(
                UnitRule,
                unit_id=one.unit_id,
                matter=one.matter,
                version=one.rule.valid_from.toordinal(),
                valid_from=one.rule.valid_from,
                valid_to=one.valid_to,
                rule=one.rule.to_data(),
            )

    def rule(self, unit: UUID, rule: RuleSet, matter: Matter = Matter.ORDINARY) -> None:
        """Let a unit vote by this rule, whatever it voted by before."""
        self.adopt([Assignment(unit, matter, replace(rule, valid_from=SINCE))])

    def preset(self, unit: UUID, name: str) -> None:
        self.adopt(assign_preset(unit, name, SINCE))

    def vote(
        self, meeting: MeetingIds, item: int = 1, position: int = 1, rule: RuleSet = ORDINARY
    ) -> VoteIds:
        """A prepared vote on the item at a place (from 1) of the agenda.

        A motion has its options; other methods get theirs by nominating, or from `prepareVote`.
        """
        kinds = MOTION if rule.method is Method.FOR_AGAINST_ABSTAIN else ()
        vote = VoteIds(uuid4(), {kind: uuid4() for kind in kinds})
        question = f"Thông qua {position}"
        self.add(
            Vote,
            id=vote.id,
            meeting_id=meeting.id,
            item_id=meeting.items[item - 1],
            position=position,
            question=question,
            matter=Matter.ORDINARY,
            rule=rule.to_data(),
            secrecy=rule.secrecy,
            change=rule.change,
            closes_when_all_voted=rule.closes_when_all_voted,
        )
        options = [
            {
                "id": option_id,
                "vote_id": vote.id,
                "position": place,
                "kind": kind,
                "label": kind.value.lower(),
                "candidate_id": None,
            }
            for place, (kind, option_id) in enumerate(vote.options.items(), start=1)
        ]
        for option in options:
            self.add(VoteOption, **option)
        created = {
            "meeting": str(meeting.id),
            "item": str(meeting.items[item - 1]),
            "position": position,
            "matter": Matter.ORDINARY.value,
            "question": question,
            "rule": rule.to_data(),
            "repeatOf": None,
            "sealed": {"vote_option": seal_of(VoteOption, options), "recusal": seal_of(Recusal)},
        }
        self.add(
            AuditRow,
            vote_id=vote.id,
            sequence=1,
            kind=AuditKind.CREATED,
            payload=created,
            previous_hash=BEGINNING,
            hash=chain_hash(BEGINNING, AuditKind.CREATED, created),
        )
        return vote


def seal_of(table: type[Base], rows: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """The seal of rows that are not stored yet."""
    plain = [{name: plain_value(value) for name, value in row.items()} for row in rows]
    return Seal.of(sorted(table.__table__.c.keys()), plain).to_data()


class City:
    """Hà Nội with one ward of two branches. The first branch is meeting, two votes prepared.

    Entitled are the seven of the first branch who are full or exempt: Hạnh, Dũng, An, Bình, Chi,
    Minh and Nam. Everybody whose regular branch it is was summoned; nobody has checked in.
    """

    def __init__(self, database: Database, feed: Feed) -> None:
        scene = self.scene = Scene(database, feed)
        self.nobody = Person("nobody", scene)

        self.city = scene.unit("Hà Nội", UnitKind.CITY)
        self.ward = scene.unit("Hoàng Liệt", UnitKind.BASE, self.city)
        self.branch = scene.unit("Chi bộ 1", parent=self.ward)
        self.other_branch = scene.unit("Chi bộ 2", parent=self.ward)

        self.hanh = scene.member("Hạnh", self.branch, role=Role.SECRETARY)
        self.dung = scene.member("Dũng", self.branch, role=Role.DEPUTY_SECRETARY)
        self.an, self.binh, self.chi = scene.members(["An", "Bình", "Chi"], self.branch)
        self.minh = scene.member("Minh", self.branch, Standing.EXEMPT)
        self.lan = scene.member("Lan", self.branch, Standing.PROBATIONARY)
        self.son = scene.member("Sơn", self.branch, Standing.SUSPENDED)
        self.nam = scene.member("Nam", self.branch)

        self.yen = scene.member("Yến", self.other_branch, role=Role.SECRETARY)
        self.thu, self.oanh, self.van, self.tuan = scene.members(
            ["Thu", "Oanh", "Vân", "Tuấn"], self.other_branch
        )
        scene.belong(self.nam, self.other_branch, MembershipKind.TEMPORARY)
        scene.belong(self.thu, self.branch, MembershipKind.TEMPORARY)
        scene.appoint(self.oanh, self.branch, Role.OVERSEER)
        scene.appoint(self.van, self.ward, Role.SECRETARY)
        scene.appoint(self.tuan, self.city, Role.DEPUTY_SECRETARY)

        self.entitled = [
            self.hanh,
            self.dung,
            self.an,
            self.binh,
            self.chi,
            self.minh,
            self.nam,
        ]
        self.meeting = scene.meeting(
            self.branch,
            MeetingState.IN_SESSION,
            [*self.entitled, self.lan, self.son],
            chair=self.hanh,
        )
        self.vote = scene.vote(self.meeting, item=1, position=1)
        self.later_vote = scene.vote(self.meeting, item=2, position=2)

        self.other_meeting = scene.meeting(
            self.other_branch, MeetingState.IN_SESSION, [self.yen], chair=self.yen
        )
        self.other_vote = scene.vote(self.other_meeting)


def context_of(person: Person) -> Context:
    """What the server makes for one operation of this person."""
    return Context(person.scene.process, person.viewer)


async def give_card(
    person: Person, code: str | None = None, expires_in: timedelta = timedelta(days=14)
) -> str:
    """Hand the person an activation card; gives its code."""
    code = code or new_code()
    async with person.scene.database.writing() as session:
        account_id = await session.scalar(select(Account.id).where(Account.member_id == person.id))
        session.add(
            ActivationCard(
                account_id=account_id,
                code_hash=await person.scene.credentials.hash_code(normal_code(code)),
                expires_at=datetime.now(UTC) + expires_in,
            )
        )
        await session.commit()
    return code
