"""Two workers that write ballots of the same members at once do not block each other."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from models.ballot_box import NewBallot, put_ballots
from models.database import Database
from models.locks import hold_shared
from rules.ballots import Judged, Validity
from rules.rule_sets import Secrecy
from tests.asking import act
from tests.factories import City, Person, context_of


def ballot_of(city: City, person: Person) -> NewBallot:
    judged = Judged(Validity.VALID, (city.vote.for_,))
    return NewBallot(person.id, person.signed_in.session_id, str(uuid4()), judged)


async def test_the_order_in_which_ballots_arrive_does_not_matter(city: City) -> None:
    database: Database = city.scene.database
    if database.dialect == "sqlite":  # it has one writer at a time
        return
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    low, high = sorted((city.an, city.binh), key=lambda person: person.id)

    async def put(*people: Person) -> int:
        async with database.writing() as session:
            await hold_shared(session, city.vote.id)
            new = [ballot_of(city, person) for person in people]
            taken = await put_ballots(session, city.vote.id, Secrecy.OPEN, new)
            await session.commit()
        return sum(one is not None for one in taken)

    async with database.writing() as session:
        await hold_shared(session, city.vote.id)
        await put_ballots(session, city.vote.id, Secrecy.OPEN, [ballot_of(city, low)])
        other = asyncio.create_task(put(high, low))
        await asyncio.sleep(0.5)  # it waits now, for the ballot that is not committed yet
        await put_ballots(session, city.vote.id, Secrecy.OPEN, [ballot_of(city, high)])
        await session.commit()
    assert await other == 0
