"""A session lasts as long as it is refreshed, up to a maximum, and its end is told at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from models.accounts.accounts import Session
from models.register.units import Member
from realtime.topics import ACCESS_CHANNEL, topic_of_member
from resolvers.access import logins as sessions
from resolvers.access.logins import Sessions, Viewer
from rules.register.members import Standing
from server.auth.credentials import hash_token
from server.settings import Settings
from tests.support.asking import ask, execute, reason_of
from tests.support.database_log import unchanged
from tests.support.factories import City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import stored

REFRESH = "mutation { refreshSession { sessionExpiresAt member { name } } }"
LIFETIME = timedelta(seconds=Settings().session_seconds)
MAXIMUM = timedelta(seconds=Settings().session_maximum_seconds)


async def ends_at(city: City, person: Person) -> datetime:
    of_person = Session.id == person.signed_in.session_id
    ((moment,),) = await stored(city, select(Session.expires_at).where(of_person))
    assert isinstance(moment, datetime)
    return moment


async def set_session(city: City, person: Person, **values: Any) -> None:
    await change(city.scene.database, Session, Session.id == person.signed_in.session_id, **values)


async def refresh(person: Person) -> datetime:
    answer = (await ask(context_of(person), REFRESH))["refreshSession"]
    assert answer["member"] == {"name": person.name}
    return datetime.fromisoformat(answer["sessionExpiresAt"])


def is_about(moment: datetime, expected: datetime) -> bool:
    return abs(moment - expected) < timedelta(minutes=1)


async def test_refreshing_gives_the_whole_lifetime_from_now(city: City) -> None:
    now = datetime.now(UTC)
    began = now - timedelta(hours=11)
    await set_session(city, city.an, created_at=began, expires_at=now + timedelta(minutes=5))
    told = await refresh(city.an)
    assert is_about(told, now + LIFETIME)
    assert await ends_at(city, city.an) == told


async def test_refreshing_ends_at_the_maximum_since_signing_in(city: City) -> None:
    now = datetime.now(UTC)
    began = now - MAXIMUM + timedelta(hours=2)
    await set_session(city, city.an, created_at=began, expires_at=now + timedelta(hours=1))
    assert is_about(await refresh(city.an), began + MAXIMUM)
    async with unchanged(city.scene.database):
        assert is_about(await refresh(city.an), began + MAXIMUM)


async def test_refreshing_never_shortens_a_session(city: City) -> None:
    """The factory's sessions last a day, and so longer than a refresh gives."""
    before = await ends_at(city, city.an)
    async with unchanged(city.scene.database):
        assert await refresh(city.an) == before


async def test_a_suspended_member_may_stay_signed_in(city: City) -> None:
    await change(city.scene.database, Member, Member.id == city.an.id, standing=Standing.SUSPENDED)
    await refresh(city.an)


async def test_an_ended_session_is_not_refreshed(city: City) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    await set_session(city, city.an, created_at=past, expires_at=past + timedelta(hours=1))
    await set_session(city, city.binh, revoked_at=past)
    async with unchanged(city.scene.database):
        for person in (city.an, city.binh, city.nobody):
            result = await execute(context_of(person), REFRESH)
            assert reason_of(result.errors) == "NOT_SIGNED_IN", person.name


async def test_refreshing_one_session_leaves_the_others(city: City) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    for person in (city.an, city.binh):
        await set_session(city, person, expires_at=soon)
    await refresh(city.an)
    assert await ends_at(city, city.binh) == soon


@pytest.mark.parametrize("document", [REFRESH, "mutation { signOut }"])
async def test_every_process_is_told_of_another_end(city: City, document: str) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=5)
    await set_session(city, city.an, expires_at=soon)
    async with city.scene.feed.join(ACCESS_CHANNEL) as mailbox:
        await ask(context_of(city.an), document)
        assert await mailbox.next() == {topic_of_member(city.an.id)}


# --- Tokens that are remembered -----------------------------------------------------------------


async def revoke(city: City, person: Person) -> None:
    """As somebody with access to the database would, whom no process hears of at once."""
    await set_session(city, person, revoked_at=datetime.now(UTC))


async def test_a_token_is_looked_up_once_until_its_member_is_forgotten(city: City) -> None:
    known, token = city.scene.process.sessions, hash_token(city.an.token)
    assert await known.find(token) == city.an.viewer
    await revoke(city, city.an)
    assert await known.find(token) == city.an.viewer
    known.forget([city.binh.id])
    assert await known.find(token) == city.an.viewer
    known.forget([city.an.id])
    assert await known.find(token) is None


async def test_looking_up_asks_the_database_whatever_is_remembered(city: City) -> None:
    known, token = city.scene.process.sessions, hash_token(city.an.token)
    await known.find(token)
    await revoke(city, city.an)
    assert await known.look_up(token) is None
    assert await known.find(token) is None


async def test_what_changes_while_it_is_looked_up_is_not_remembered(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, token = city.scene.database, hash_token(city.an.token)
    known, look = Sessions(database), database.look

    async def look_while_it_ends(*arguments: Any) -> Any:
        rows = await look(*arguments)
        await revoke(city, city.an)
        known.forget([city.an.id])
        return rows

    with monkeypatch.context() as patched:
        patched.setattr(database, "look", look_while_it_ends)
        assert await known.find(token) is not None  # it was good when it was asked
    assert await known.find(token) is None


async def test_a_session_that_is_over_is_looked_up_again(city: City) -> None:
    known, token = city.scene.process.sessions, hash_token(city.an.token)
    over = Viewer(city.an.id, city.an.signed_in.session_id, datetime.now(UTC))
    known.remember(token, over)
    assert await known.find(token) == city.an.viewer


async def test_no_more_tokens_are_kept_than_there_is_room_for(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "TOKENS_KEPT", 2)
    known = city.scene.process.sessions
    for person in (city.an, city.binh, city.chi, city.an):
        assert await known.find(hash_token(person.token)) == person.viewer
    assert len(known._known) <= 2
    assert sum(map(len, known._of_member.values())) == len(known._known)


async def test_who_is_signed_in_is_told_the_end_as_it_is_now(city: City) -> None:
    known, token = city.scene.process.sessions, hash_token(city.an.token)
    await known.find(token)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    await set_session(city, city.an, expires_at=soon)
    told = await ask(context_of(city.an), "{ viewer { sessionExpiresAt } }")
    assert datetime.fromisoformat(told["viewer"]["sessionExpiresAt"]) == soon


async def test_signing_out_of_an_ended_session_is_signing_out_once(city: City) -> None:
    await revoke(city, city.an)
    async with unchanged(city.scene.database):
        assert await ask(context_of(city.an), "mutation { signOut }") == {"signOut": True}


async def test_who_signs_out_is_not_remembered(city: City) -> None:
    known, token = city.scene.process.sessions, hash_token(city.an.token)
    await known.find(token)
    await ask(context_of(city.an), "mutation { signOut }")
    assert await known.find(token) is None
