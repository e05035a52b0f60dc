"""Whatever changes what a member may see is found within one reading, whoever changed it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, text, update

from models.accounts.access_changes import AccessChange
from models.accounts.accounts import Account, Session
from models.database import Database
from models.register.units import Appointment, Member, Membership, UnitParent
from resolvers.access import changes as access_changes
from resolvers.access.changes import AccessChanges
from rules.register.members import MembershipKind, Role, Standing, UnitKind
from tests.support.asking import act, ask
from tests.support.database_log import statements
from tests.support.factories import SINCE, City, context_of
from tests.support.tampering import change
from tests.support.voting import stored

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture
async def changes(city: City) -> AccessChanges:
    """A process that has read what came before the test."""
    changes = AccessChanges(city.scene.database)
    await changes.read()
    return changes


async def execute(city: City, statement: Any) -> None:
    async with city.scene.database.writing() as session:
        await session.execute(statement)
        await session.commit()


def session_of(city: City) -> Any:
    return Session.id == city.an.signed_in.session_id


def place(city: City, **values: Any) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "member_id": city.an.id,
        "unit_id": city.other_branch,
        "valid_from": SINCE,
        **values,
    }


CHANGES: dict[str, Callable[[City], Any]] = {
    "a session is revoked": lambda c: (
        update(Session).where(session_of(c)).values(revoked_at=datetime.now(UTC))
    ),
    "a session has another end": lambda c: (
        update(Session)
        .where(session_of(c))
        .values(expires_at=datetime.now(UTC) + timedelta(days=9))
    ),
    "a session is gone": lambda c: delete(Session).where(session_of(c)),
    "a standing is another": lambda c: (
        update(Member).where(Member.id == c.an.id).values(standing=Standing.EXEMPT)
    ),
    "a membership begins": lambda c: insert(Membership).values(
        place(c, kind=MembershipKind.TEMPORARY)
    ),
    "a membership ends": lambda c: (
        update(Membership).where(Membership.member_id == c.an.id).values(valid_to=date(2025, 1, 1))
    ),
    "a membership is gone": lambda c: delete(Membership).where(Membership.member_id == c.an.id),
    "an appointment begins": lambda c: insert(Appointment).values(place(c, role=Role.OVERSEER)),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_every_change_of_access_is_found_once(
    city: City, changes: AccessChanges, name: str
) -> None:
    await execute(city, CHANGES[name](city))
    assert await changes.read() == {city.an.id}
    assert await changes.read() == frozenset()


@pytest.mark.parametrize("statement", [delete, update])
async def test_the_end_of_an_appointment_is_found(
    city: City, changes: AccessChanges, statement: Any
) -> None:
    ended = statement(Appointment).where(Appointment.member_id == city.oanh.id)
    await execute(city, ended.values(valid_to=date(2025, 1, 1)) if ended.is_update else ended)
    assert await changes.read() == {city.oanh.id}


async def test_who_loses_a_place_to_another_is_found_like_the_other(
    city: City, changes: AccessChanges
) -> None:
    overseer = Appointment.member_id == city.oanh.id
    await change(city.scene.database, Appointment, overseer, member_id=city.yen.id)
    assert await changes.read() == {city.oanh.id, city.yen.id}


async def test_when_a_unit_moves_whoever_serves_above_it_is_found(
    city: City, changes: AccessChanges
) -> None:
    """Vân is secretary of the ward, Tuấn deputy of the city, Khánh of the ward it moves to."""
    scene = city.scene
    ward = scene.unit("Thanh Xuân", UnitKind.BASE, city.city)
    khanh = scene.member("Khánh", ward, role=Role.SECRETARY)
    await scene.save()
    await changes.read()
    link = UnitParent.unit_id == city.branch
    await change(scene.database, UnitParent, link, parent_id=ward)
    assert await changes.read() == {city.van.id, city.tuan.id, khanh.id}
    await execute(city, delete(UnitParent).where(link))
    assert await changes.read() == {city.tuan.id, khanh.id}
    back = {"unit_id": city.branch, "parent_id": city.ward, "valid_from": SINCE}
    await execute(city, insert(UnitParent).values(back))
    assert await changes.read() == {city.van.id, city.tuan.id}
    await change(scene.database, UnitParent, link, valid_to=date(2025, 1, 1))
    assert await changes.read() == {city.van.id, city.tuan.id}


async def test_what_changes_no_access_leaves_no_row(city: City, changes: AccessChanges) -> None:
    database = city.scene.database
    an = Member.id == city.an.id
    await change(database, Member, an, name="Ân", standing=Standing.FULL)
    await change(database, Session, session_of(city), token_hash=bytes(32))
    await act(context_of(city.an), "checkIn", meetingId=city.meeting.id)
    assert await changes.read() == frozenset()


async def test_the_mutations_that_change_access_are_found(
    city: City, changes: AccessChanges
) -> None:
    why = {"memberId": city.an.id, "reason": "Chờ xem xét"}
    await act(context_of(city.hanh), "suspendMember", **why)
    assert await changes.read() == {city.an.id}
    await act(context_of(city.hanh), "reinstateMember", memberId=city.an.id)
    assert await changes.read() == {city.an.id}
    await ask(context_of(city.binh), "mutation { signOut }")
    assert await changes.read() == {city.binh.id}


async def test_a_change_that_is_rolled_back_is_none(city: City, changes: AccessChanges) -> None:
    async with city.scene.database.writing() as session:
        await session.execute(update(Member).values(standing=Standing.SUSPENDED))
    assert await changes.read() == frozenset()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_change_that_commits_after_later_ones_is_found(
    city: City, changes: AccessChanges
) -> None:
    database = city.scene.database
    async with database.writing() as slow:
        await slow.execute(
            update(Member).where(Member.id == city.an.id).values(standing=Standing.EXEMPT)
        )
        await change(database, Member, Member.id == city.chi.id, standing=Standing.EXEMPT)
        assert await changes.read() == {city.chi.id}
        await slow.commit()
    assert await changes.read() == {city.an.id}


async def test_a_process_that_could_not_read_for_long_misses_nothing(
    city: City, changes: AccessChanges
) -> None:
    """Its last reading, and the change, are a long time ago."""
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    changes._read_at = long_ago
    await execute(city, CHANGES["a standing is another"](city))
    await execute(city, update(AccessChange).values(changed_at=long_ago + timedelta(seconds=1)))
    changes._told = frozenset()
    assert city.an.id in await changes.read()


async def test_several_processes_are_told_each(city: City, changes: AccessChanges) -> None:
    other = AccessChanges(city.scene.database)
    await other.read()
    await execute(city, CHANGES["a session is revoked"](city))
    for process in (changes, other):
        assert await process.read() == {city.an.id}


async def test_old_rows_are_pruned_and_younger_ones_are_not(
    city: City, changes: AccessChanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = city.scene.database
    await execute(city, delete(AccessChange))
    for days in (2.0, 0.9):
        await execute(city, CHANGES["a session has another end"](city))
        moment = datetime.now(UTC) - timedelta(days=days)
        fresh = AccessChange.changed_at > datetime.now(UTC) - timedelta(hours=1)
        await change(database, AccessChange, fresh, changed_at=moment)
    await changes.read()
    assert len(await stored(city, select(AccessChange.id))) == 2
    changes._prune_after = 0.0
    await changes.read()
    assert len(await stored(city, select(AccessChange.id))) == 1
    with statements(database) as seen:
        await changes.read()
    assert not any(statement.startswith("DELETE") for statement in seen)
    assert access_changes.PRUNE_EVERY > 60


async def test_reading_looks_at_an_index_only_as_far_as_needed(database: Database) -> None:
    """A city with half a million members writes many rows in a day."""
    old = datetime.now(UTC) - timedelta(hours=12)
    rows = [{"member_id": uuid4(), "changed_at": old} for _ in range(5_000)]
    async with database.writing() as session:
        await session.execute(insert(AccessChange), rows)
        await session.commit()
    changes = AccessChanges(database)
    with statements(database) as seen:
        assert await changes.read() == frozenset()
    (reading,) = [statement for statement in seen if "FROM access_change" in statement]
    how = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
    literal = select(AccessChange.id, AccessChange.member_id).where(
        AccessChange.changed_at > datetime.now(UTC)
    )
    assert "changed_at >" in reading
    async with database.writing() as session:
        if database.dialect == "postgresql":
            await session.execute(text("ANALYZE access_change"))
        compiled = literal.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = str((await session.execute(text(f"{how} {compiled}"))).all())
    assert "ix_access_change_changed_at" in plan


async def test_accounts_without_a_session_do_not_matter(city: City, changes: AccessChanges) -> None:
    member = UUID(int=7)
    await execute(city, insert(Member).values(id=member, name="Kim", standing=Standing.FULL))
    await execute(city, insert(Account).values(id=uuid4(), member_id=member))
    assert await changes.read() == frozenset()
