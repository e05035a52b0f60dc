"""What strangers may have done for them by asking to sign in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.accounts.accounts import ActivationCard
from resolvers.access.clients import UnknownClient
from server.auth import credentials as auth
from server.auth.sign_in_queue import Attempt
from tests.support.asking import act, ask, execute
from tests.support.database_log import statements, unchanged
from tests.support.factories import City, context_of, give_card
from tests.support.tampering import change

SIGN_IN = "{ ... on Refused { reason } }"
WRONG = "0123456789ABC"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is hashed meanwhile."""
    seen: list[bytes] = []
    really = auth.ServerCredentials._argon2

    def note_and_hash(credentials: auth.ServerCredentials, code: str) -> bytes:
        seen.append(code.encode())
        return really(credentials, code)

    monkeypatch.setattr(auth.ServerCredentials, "_argon2", note_and_hash)
    return seen


# --- Once in a document ------------------------------------------------------------------------


def sign_in(name: str = "signIn") -> str:
    alias = "" if name == "signIn" else f"{name}: "
    return f'{alias}signIn(code: "{WRONG}") {SIGN_IN}'


@pytest.mark.parametrize(
    "document",
    [
        f"mutation {{ {sign_in()} {sign_in('b')} }}",
        f"mutation {{ {' '.join(sign_in(f'a{n}') for n in range(15))} }}",
        f"mutation {{ {sign_in()} ... {{ {sign_in('b')} }} }}",
        f"mutation {{ ...A ...B }} fragment A on Mutation {{ {sign_in('a')} }}"
        f" fragment B on Mutation {{ {sign_in('b')} }}",
        f"mutation {{ {sign_in()} ...A }} fragment A on Mutation {{ ... on Mutation {{ ...B }} }}"
        f" fragment B on Mutation {{ {sign_in('b')} }}",
        f"mutation {{ {sign_in()} ... @skip(if: true) {{ {sign_in('b')} }} }}",
        f"mutation A {{ {sign_in()} }} mutation B {{ {sign_in()} }}",
        "mutation { a: refreshSession { __typename } b: refreshSession { __typename } }",
        "mutation { a: signOut b: signOut }",
    ],
)
async def test_a_document_signs_in_once_and_else_nothing_of_it_is_done(
    city: City, hashed: list[bytes], document: str
) -> None:
    async with unchanged(city.scene.database):
        for person in (city.nobody, city.an):
            result = await execute(context_of(person), document)
            assert result.data is None
            assert " once." in str(result.errors)
    assert hashed == []


async def test_what_graphql_merges_is_one_sign_in(city: City, hashed: list[bytes]) -> None:
    document = f"mutation {{ {sign_in()} ... {{ {sign_in()} }} }}"
    result = await execute(context_of(city.nobody), document)
    assert result.errors is None
    assert len(hashed) == 1


async def test_a_session_is_refreshed_and_left_in_one_document(city: City) -> None:
    document = "mutation { refreshSession { __typename } signOut }"
    assert await ask(context_of(city.an), document)


# --- What can be no code -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "code", ["", "0", WRONG[:-1], WRONG + "0", WRONG[:-1] + "U", WRONG[:-1] + "é", "0" * 10_000]
)
async def test_what_can_be_no_code_is_refused_before_anything_is_done(
    city: City, hashed: list[bytes], code: str
) -> None:
    with statements(city.scene.database) as executed:
        answer = await act(context_of(city.nobody), "signIn", code=code)
    assert answer["reason"] == "INVALID_CODE"
    assert (hashed, executed) == ([], [])


async def test_what_people_add_and_mistake_is_a_code(city: City) -> None:
    await give_card(city.an, "01ABCDEFGHJKM")
    typed = " oiabc-dEFGH JKM "
    assert (await act(context_of(city.nobody), "signIn", code=typed))["__typename"] == "SignedIn"


async def test_nobody_learns_why_a_code_is_refused(city: City) -> None:
    used, expired = await give_card(city.an), await give_card(city.an)
    await act(context_of(city.nobody), "signIn", code=used)
    hash_of_expired = await city.scene.credentials.hash_code(expired)
    await change(
        city.scene.database,
        ActivationCard,
        ActivationCard.code_hash == hash_of_expired,
        expires_at=datetime.now(UTC),
    )
    answers = [
        await act(context_of(city.nobody), "signIn", code=code)
        for code in (used, expired, WRONG, "0")
    ]
    assert all(answer == answers[0] for answer in answers)


# --- While a wrong code is not told ------------------------------------------------------------


async def test_who_guesses_wrong_takes_no_lock_and_holds_no_connection(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, held = city.scene.database, []
    really = Attempt.was_wrong

    async def look_and_wait(attempt: Attempt) -> None:
        held.append(database.connections_in_use)
        await really(attempt)

    monkeypatch.setattr(Attempt, "was_wrong", look_and_wait)
    with statements(database) as executed:
        answer = await act(context_of(city.nobody), "signIn", code=WRONG)
    assert answer["reason"] == "INVALID_CODE"
    assert held == [0]
    assert not [text for text in executed if text.startswith(("UPDATE", "INSERT", "BEGIN IMM"))]


class Leaving(UnknownClient):
    """A client that has left by the time it is looked at."""

    async def left(self) -> None:
        return


async def test_nothing_is_hashed_for_who_has_left(city: City, hashed: list[bytes]) -> None:
    context = context_of(city.nobody)
    context.client = Leaving()
    answer = await act(context, "signIn", code=WRONG)
    assert (answer["reason"], hashed) == ("TRY_AGAIN_LATER", [])


async def test_a_right_code_is_told_at_once_whatever_was_guessed_before(city: City) -> None:
    """The one guessed wrong is the same but for its end, and came from the same address."""
    code = await give_card(city.an)
    for _ in range(2):
        other = "0" if code[-1] != "0" else "1"
        await act(context_of(city.nobody), "signIn", code=code[:-1] + other)
    answer: dict[str, Any] = await act(context_of(city.nobody), "signIn", code=code)
    assert answer["__typename"] == "SignedIn"
