"""After an UNATTRIBUTED vote has closed, nothing in the database's files joins member and paper.

`tests.support.linking` finds everybody while the vote is open, and also when it has closed and was
not swept: so it would find them afterwards, if anything were left.
"""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from models.database import Database
from models.meetings.meetings import Attendance
from models.votes.sweep import sweep_papers
from models.votes.votes import OpenPaper
from rules.meetings.meetings import AttendanceStatus
from rules.votes.rule_sets import RuleSet
from tests.support import linking
from tests.support.asking import PATIENCE
from tests.support.factories import City, Person, VoteIds
from tests.support.voting import HIDDEN, cast, count, look, stored, vote_after

VOTERS = 36


@pytest.fixture
async def voters(city: City) -> list[Person]:
    """Who is present; so the chair may end a vote in which they have all cast."""
    people = [city.scene.member(f"Đảng viên {number}", city.branch) for number in range(VOTERS)]
    for person in people:
        city.scene.add(
            Attendance,
            meeting_id=city.meeting.id,
            member_id=person.id,
            is_summoned=True,
            status=AttendanceStatus.PRESENT,
        )
    await city.scene.save()
    return people


async def opened(city: City, position: int, rule: RuleSet = HIDDEN) -> VoteIds:
    vote = city.scene.vote(city.meeting, item=1, position=position, rule=rule)
    await city.scene.save()
    await vote_after(city.hanh, "openVote", vote)
    return vote


async def all_cast(voters: list[Person], vote: VoteIds) -> dict[UUID, UUID]:
    """Half of them for and half against, at random; gives who cast what."""
    options = [vote.for_, vote.against] * (VOTERS // 2)
    random.shuffle(options)
    for voter, option in zip(voters, options, strict=True):
        await cast(voter, vote, option)
    return {voter.id: option for voter, option in zip(voters, options, strict=True)}


async def swept(database: Database) -> None:
    """As every process does it all the time (`server.runtime.due_votes`)."""
    is_swept = False
    async with asyncio.timeout(PATIENCE):
        while not is_swept:
            is_swept = await sweep_papers(database, is_swept=is_swept)


async def found_by_transaction(city: City, vote: VoteIds, truth: dict[UUID, UUID]) -> int:
    """How many are linked, and rightly so: who is linked wrongly is no news either."""
    database = city.scene.database
    files = await linking.read_files(database)
    marks = await linking.marks_in_order(database, vote.id)
    options = [vote.for_, vote.against]
    if database.dialect == "postgresql":
        guesses = linking.guess_by_transaction(files, options, marks)
    else:
        main, *log = (files[name] for name in sorted(files))
        members = [member for member, _ in marks]
        guesses = linking.guess_by_log(main, b"".join(log), options, members)
    return sum(truth[member] == option for member, option in guesses.items())


async def is_found_by_order(city: City, vote: VoteIds, truth: dict[UUID, UUID]) -> bool:
    database = city.scene.database
    files = await linking.read_files(database)
    marks = await linking.marks_in_order(database, vote.id)
    in_tables = await linking.papers_in_order(database, vote.id)
    in_files = linking.orders(files, [vote.for_, vote.against], VOTERS)
    runs = [order for order in (*in_tables, *in_files) if len(order) == VOTERS]
    return not linking.is_luck(runs, [truth[member] for member, _ in marks])


async def empty_log(database: Database) -> None:
    if database.dialect == "sqlite":
        async with database.glance() as connection:
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


async def test_after_closing_nothing_in_the_files_joins_member_and_paper(
    city: City, voters: list[Person]
) -> None:
    vote, other = await opened(city, 50), await opened(city, 51)
    truth_of_other = await all_cast(voters, other)
    await empty_log(city.scene.database)  # which SQLite does by itself every thousand pages
    truth = await all_cast(voters, vote)
    for is_closed in (False, True):  # nothing was swept yet
        if is_closed:
            await vote_after(city.hanh, "closeVote", vote)
        assert await found_by_transaction(city, vote, truth) == VOTERS
        assert await is_found_by_order(city, vote, truth)

    await swept(city.scene.database)
    for one, whose in ((vote, truth), (other, truth_of_other)):
        assert await found_by_transaction(city, one, whose) == 0
        assert not await is_found_by_order(city, one, whose)
    assert await count(city, OpenPaper) == VOTERS, "the other vote is still open"

    khanh = city.entitled[0]
    await cast(khanh, other, other.for_)
    await vote_after(city.hanh, "closeVote", other)
    await swept(city.scene.database)
    for one, whose in ((vote, truth), (other, truth_of_other | {khanh.id: other.for_})):
        assert await found_by_transaction(city, one, whose) == 0
    assert await count(city, OpenPaper) == 0
    tally = (await look(city.hanh, other))["tally"]
    assert tally["cast"] == VOTERS + 1


async def test_sweeping_waits_for_nobody_and_is_done_later(
    city: City, voters: list[Person]
) -> None:
    vote = await opened(city, 50)
    await all_cast(voters, vote)
    await vote_after(city.hanh, "closeVote", vote)
    database = city.scene.database
    async with database.snapshot() as backup:  # which reads all tables, and takes its time
        assert await backup.scalar(select(func.count()).select_from(OpenPaper)) == VOTERS
        assert not await sweep_papers(database, is_swept=False)
    await swept(database)
    assert await stored(city, select(OpenPaper.id)) == []


async def test_papers_cast_while_another_vote_s_are_swept_are_kept(
    city: City, voters: list[Person]
) -> None:
    vote, other = await opened(city, 50), await opened(city, 51)
    await all_cast(voters, vote)
    await vote_after(city.hanh, "closeVote", vote)
    casting = [cast(voter, other, other.against) for voter in voters]
    await asyncio.gather(swept(city.scene.database), *casting)
    await vote_after(city.hanh, "closeVote", other)
    await swept(city.scene.database)
    assert (await look(city.hanh, other))["tally"]["cast"] == VOTERS
