"""Whoever holds a vote's meeting holds the same lock as whoever holds the meeting."""

from __future__ import annotations

import asyncio

import pytest

from models.database import Database
from models.locks import hold_alone, hold_vote_alone
from tests.support.factories import City


async def test_a_vote_s_meeting_and_the_meeting_are_one_lock(city: City) -> None:
    database: Database = city.scene.database
    async with database.writing() as session:
        await hold_vote_alone(session, city.vote.id)
        if database.dialect == "sqlite":  # it has one writer at a time
            return
        async with database.writing() as other:
            await hold_alone(other, city.other_meeting.id)
        for subject in (city.meeting, city.vote):
            async with database.writing() as other:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5):
                        await hold_alone(other, subject.id)
