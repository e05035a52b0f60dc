"""Members see and end their own sessions, wherever they signed in, and nobody else's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.accounts.accounts import Session
from realtime.topics import ACCESS_CHANNEL, topic_of_member
from resolvers.access.clients import UnknownClient
from server.auth.credentials import authenticate, hash_token
from server.http.http_client import device_of
from tests.support.asking import act, ask, execute, reason_of, watch
from tests.support.database_log import unchanged
from tests.support.factories import City, Person, context_of, give_card
from tests.support.tampering import change

SESSIONS = "{ viewer { sessions { id createdAt expiresAt device isCurrent } } }"
WATCH = "subscription ($id: ID!) { meeting(id: $id) { version } }"
IDS = "... on EndedSessions { ids }"


@dataclass(frozen=True)
class Device(UnknownClient):
    device: str | None


async def sign_in(person: Person, device: str | None) -> Person:
    """The same person with one more session."""
    context = context_of(replace(person, viewer=None))
    context.client = Device(device)
    answer = await act(context, "signIn", "... on SignedIn { token }", code=await give_card(person))
    viewer = await authenticate(context, answer["token"])
    await context.release()
    assert viewer is not None
    return replace(person, viewer=viewer, token=answer["token"])


async def sessions_of(person: Person) -> list[dict[str, Any]]:
    found = (await ask(context_of(person), SESSIONS))["viewer"]["sessions"]
    assert isinstance(found, list)
    return found


async def is_signed_in(person: Person) -> bool:
    return await person.scene.process.sessions.look_up(hash_token(person.token)) is not None


def id_of(person: Person) -> str:
    return str(person.signed_in.session_id)


async def test_members_see_where_they_are_signed_in_and_which_one_this_is(city: City) -> None:
    phone = await sign_in(city.an, "Chrome, Android")
    unknown = await sign_in(city.an, None)
    found = await sessions_of(phone)
    assert [one["id"] for one in found] == [id_of(unknown), id_of(phone), id_of(city.an)]
    assert [one["device"] for one in found] == [None, "Chrome, Android", None]
    assert [one["isCurrent"] for one in found] == [False, True, False]
    assert [one["createdAt"] for one in found] == sorted(o["createdAt"] for o in found)[::-1]


async def test_a_session_that_has_ended_is_not_shown(city: City) -> None:
    ended, over = await sign_in(city.an, "a"), await sign_in(city.an, "b")
    await act(context_of(ended), "endSession", sessionId=id_of(ended))
    past = datetime.now(UTC) - timedelta(days=1)
    of_over = Session.id == over.signed_in.session_id
    begun = past - timedelta(hours=1)
    await change(city.scene.database, Session, of_over, created_at=begun, expires_at=past)
    assert [one["id"] for one in await sessions_of(city.an)] == [id_of(city.an)]


async def test_one_session_is_ended_and_the_others_go_on(city: City) -> None:
    phone = await sign_in(city.an, "phone")
    answer = await act(context_of(city.an), "endSession", IDS, sessionId=id_of(phone))
    assert answer["ids"] == [id_of(phone)]
    assert not await is_signed_in(phone)
    assert await is_signed_in(city.an)
    again = await act(context_of(city.an), "endSession", IDS, sessionId=id_of(phone))
    assert again["reason"] == "NOT_FOUND"


async def test_all_others_are_ended(city: City) -> None:
    phone, tablet = await sign_in(city.an, "phone"), await sign_in(city.an, "tablet")
    answer = await act(context_of(phone), "endOtherSessions", IDS)
    assert set(answer["ids"]) == {id_of(city.an), id_of(tablet)}
    assert [one["id"] for one in await sessions_of(phone)] == [id_of(phone)]
    assert not await is_signed_in(tablet)
    assert (await act(context_of(phone), "endOtherSessions", IDS))["ids"] == []
    assert await is_signed_in(city.binh)


async def test_all_are_ended_and_this_one_with_them(city: City) -> None:
    phone = await sign_in(city.an, "phone")
    answer = await act(context_of(phone), "endAllSessions", IDS)
    assert set(answer["ids"]) == {id_of(city.an), id_of(phone)}
    assert not await is_signed_in(phone)
    assert not await is_signed_in(city.an)
    assert await is_signed_in(city.binh)


async def test_nobody_ends_or_learns_of_another_member_s_session(city: City) -> None:
    phone = await sign_in(city.binh, "phone")
    async with unchanged(city.scene.database):
        answers = [
            await act(context_of(person), "endSession", sessionId=session_id)
            for person in (city.an, city.hanh, city.thu)
            for session_id in (id_of(phone), id_of(city.binh), str(uuid4()), "x", "")
        ]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["reason"] == "NOT_FOUND"
    assert id_of(phone) not in str(await sessions_of(city.an))


@pytest.mark.parametrize("mutation", ["endSession", "endOtherSessions", "endAllSessions"])
async def test_an_ended_session_ends_no_others_though_its_token_is_remembered(
    city: City, mutation: str
) -> None:
    lost = await sign_in(city.an, "lost")
    assert await city.scene.process.sessions.find(hash_token(lost.token))
    of_lost = Session.id == lost.signed_in.session_id
    await change(city.scene.database, Session, of_lost, revoked_at=datetime.now(UTC))
    arguments = {"sessionId": id_of(city.an)} if mutation == "endSession" else {}
    async with unchanged(city.scene.database):
        for person in (lost, city.nobody):
            answer = await act(context_of(person), mutation, **arguments)
            assert answer["reason"] == "NOT_SIGNED_IN"
    assert reason_of((await execute(context_of(lost), SESSIONS)).errors) == "NOT_SIGNED_IN"


@pytest.mark.parametrize("mutation", ["endSession", "endOtherSessions", "endAllSessions"])
async def test_the_sockets_of_an_ended_session_are_closed_at_once(
    city: City, mutation: str
) -> None:
    phone = await sign_in(city.an, "phone")
    arguments = {"sessionId": id_of(phone)} if mutation == "endSession" else {}
    async with (
        watch(context_of(phone), WATCH, id=str(city.meeting.id)) as of_phone,
        watch(context_of(city.binh), WATCH, id=str(city.meeting.id)) as of_binh,
    ):
        await of_phone.next()
        await of_binh.next()
        await act(context_of(city.an), mutation, **arguments)
        assert await of_phone.refusal() == "NOT_SIGNED_IN"
        await act(context_of(city.hanh), "checkIn", meetingId=city.meeting.id)
        await of_binh.next()


async def test_every_process_is_told_and_only_when_something_ended(city: City) -> None:
    phone = await sign_in(city.an, "phone")
    async with city.scene.feed.join(ACCESS_CHANNEL) as mailbox:
        await act(context_of(city.binh), "endOtherSessions")
        await ask(context_of(phone), "mutation { signOut }")
        assert await mailbox.next() == {topic_of_member(city.an.id)}
        await ask(context_of(phone), "mutation { signOut }")
        await act(context_of(city.binh), "endAllSessions")
        assert await mailbox.next() == {topic_of_member(city.binh.id)}


async def test_asking_for_more_time_again_and_again_writes_once(city: City) -> None:
    now = datetime.now(UTC)
    of_an = Session.id == city.an.signed_in.session_id
    await change(city.scene.database, Session, of_an, expires_at=now + timedelta(minutes=5))
    refresh = "mutation { refreshSession { sessionExpiresAt } }"
    first = await ask(context_of(city.an), refresh)
    async with unchanged(city.scene.database):
        assert await ask(context_of(city.an), refresh) == first


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        ("", None),
        (
            "Mozilla/5.0 (Linux; Android 14; SM-A145F) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/131.0.0.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
            " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
            "Firefox, Linux",
        ),
        ("python-httpx2/1.0", "python-httpx2"),
        ("Mozilla/5.0", None),
        ("<script>alert(1)</script>", None),
        ("a" * 10_000, "a" * 24),
        ("\u202eChrome\x00", "Chrome"),
        ("Program of An\r\nX: y", "Program of An"),
    ],
)
def test_a_device_is_a_few_words_of_our_own(user_agent: str, device: str | None) -> None:
    assert device_of(user_agent) == device
