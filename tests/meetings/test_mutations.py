"""Every mutation: what it does, every no it can give, and that a no changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from models.accounts.accounts import ActivationCard, Session
from models.meetings.meetings import AgendaItem, Attendance, Meeting
from models.register.units import Member, Membership
from models.votes.votes import AuditRow, Ballot, RollEntry, Vote
from rules.meetings.meetings import ItemState, MeetingState, VoteState
from rules.register.members import MembershipKind, Role, Standing
from rules.votes.ballots import OptionKind
from rules.votes.roll import LeftOut
from schema.schema import schema
from server.auth.credentials import authenticate, hash_token
from tests.support.asking import (
    MEETING,
    OWN_MEETING,
    OWN_VOTE,
    VOTE,
    act,
    ask,
    document_of,
    execute,
    plain,
    reason_of,
)
from tests.support.database_log import dump, unchanged
from tests.support.factories import SINCE, City, MeetingIds, Person, VoteIds, context_of, give_card
from tests.support.tampering import change
from tests.support.voting import RECEIPT, no_to, reason, refused, set_state, stored

ON_ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
SIGNED_IN = "... on SignedIn { token expiresAt viewer { member { id name } sessionExpiresAt } }"
CHAIR_ACTS = (
    "startMeeting",
    "pauseMeeting",
    "closeMeeting",
    "moveAgenda",
    "openVote",
    "closeVote",
    "prepareVote",
    "nominate",
    "amendRoll",
    "recordHands",
    "takeBackHands",
    "extendVote",
    "breakTie",
    "publishVote",
    "annulVote",
    "confirmAnnulment",
    "withdrawAnnulment",
    "repeatVote",
    "confirmAttendance",
    "suspendMember",
    "reinstateMember",
)
NO_IDS = {"choices", "hands", "memberIds", "chosen", "seniority", "isPresent"}

MALFORMED_IDS = [
    "",
    " ",
    "x",
    "-1",
    "0",
    "null",
    "' OR 1=1 --",
    "\x00",
    "\ud800",
    "🗳️",
    "00000000-0000-0000-0000-00000000000",
    "0" * 33,
    "0" * 1_000_000,
]
BAD_KEYS = ["", " ", "a b", "key\n", "\x00", "\ud800", "khóa", "🗝", "x" * 65, "x" * 1_000_000]


def calls(city: City) -> dict[str, dict[str, Any]]:
    """Arguments for every mutation that acts on a meeting, a vote or a member."""
    meeting, vote = {"meetingId": city.meeting.id}, {"voteId": city.vote.id}
    draft = {"itemId": city.meeting.items[0], "matter": "ORDINARY", "question": "Thông qua?"}
    hands = [{"optionId": city.vote.for_, "count": 1}]
    return {
        "startMeeting": meeting,
        "pauseMeeting": meeting,
        "closeMeeting": meeting,
        "moveAgenda": {**meeting, "itemId": city.meeting.items[1]},
        "checkIn": meeting,
        "openVote": vote,
        "castBallot": {**vote, "choices": [city.vote.for_], "key": "key"},
        "closeVote": vote,
        "prepareVote": {"draft": draft},
        "nominate": {**vote, "name": "Khánh"},
        "amendRoll": {**vote, "memberId": city.thu.id},
        "recordHands": {**vote, "memberIds": [city.binh.id], "hands": hands},
        "takeBackHands": {**vote, "memberIds": [city.binh.id]},
        "contestHand": vote,
        "extendVote": {**vote, "closesAt": datetime.now(UTC) + timedelta(hours=1)},
        "breakTie": {**vote, "chosen": [city.vote.for_], "seniority": []},
        "publishVote": vote,
        "annulVote": {**vote, "reason": "Kiểm phiếu sai"},
        "confirmAnnulment": vote,
        "withdrawAnnulment": vote,
        "repeatVote": vote,
        "giveProxy": {**meeting, "holderId": city.hanh.id},
        "confirmAttendance": {**meeting, "memberId": city.an.id, "isPresent": True},
        "suspendMember": {"memberId": city.an.id, "reason": "Chờ xem xét"},
        "reinstateMember": {"memberId": city.an.id},
    }


OF_SESSIONS = frozenset(
    ["signIn", "signOut", "refreshSession", "endSession", "endOtherSessions", "endAllSessions"]
)
"""Whoever is signed in may call them; test_sessions.py and test_hostile_sessions.py do."""


@ON_ONE_DATABASE
def test_the_table_of_calls_has_every_mutation(city: City) -> None:
    mutation = schema._schema.mutation_type
    assert mutation is not None
    assert set(mutation.fields) == {*calls(city), *OF_SESSIONS}


async def all_refused(person: Person, calls: dict[str, dict[str, Any]], reason: str) -> None:
    """Every one of the calls is refused for this reason, and changes nothing."""
    async with unchanged(person.scene.database):
        for mutation, arguments in calls.items():
            value = await no_to(person, mutation, **arguments)
            assert value["reason"] == reason, (person.name, mutation)


async def meeting_after(person: Person, mutation: str, **arguments: Any) -> Any:
    value = await act(context_of(person), mutation, f"... on Meeting {{ {MEETING} }}", **arguments)
    assert value["__typename"] == "Meeting", value
    return value


async def vote_after(person: Person, mutation: str, vote: VoteIds) -> Any:
    selection = f"... on Vote {{ {VOTE} }}"
    value = await act(context_of(person), mutation, selection, voteId=vote.id)
    assert value["__typename"] == "Vote", value
    return value


async def cast(person: Person, vote: VoteIds, choice: object = None, key: str = "key") -> Any:
    """The receipt of a ballot in favour, or for another choice."""
    choices = [choice or vote.for_]
    arguments = {"voteId": vote.id, "choices": choices, "key": key}
    value = await act(context_of(person), "castBallot", RECEIPT, **arguments)
    assert value["__typename"] == "Receipt", value
    return value


async def cast_refused(
    person: Person, vote: VoteIds, choice: object = None, key: str = "key"
) -> str:
    return await reason(
        person, "castBallot", voteId=vote.id, choices=[choice or vote.for_], key=key
    )


# --- No, whatever is asked ----------------------------------------------------------------------


def with_first(calls: dict[str, dict[str, Any]], value: object) -> dict[str, dict[str, Any]]:
    """The calls with another id of what they act on: the first argument, or the draft's item."""
    changed = {}
    for mutation, arguments in calls.items():
        name, before = next(iter(arguments.items()))
        acted_on = {**before, "itemId": value} if isinstance(before, dict) else value
        changed[mutation] = {**arguments, name: acted_on}
    return changed


async def test_an_id_of_nothing_is_not_found(city: City) -> None:
    await all_refused(city.hanh, with_first(calls(city), uuid4()), "NOT_FOUND")


async def test_an_id_of_something_else_is_not_found(city: City) -> None:
    for wrong, kind in [(city.vote.id, "meetingId"), (city.meeting.id, "voteId")]:
        wronged = {name: call for name, call in calls(city).items() if kind in call}
        await all_refused(city.hanh, with_first(wronged, wrong), "NOT_FOUND")


async def test_what_is_no_id_is_not_found(city: City) -> None:
    for malformed in MALFORMED_IDS:
        await all_refused(city.hanh, with_first(calls(city), malformed), "NOT_FOUND")


@ON_ONE_DATABASE
@pytest.mark.parametrize("wrong", [None, True, 1.5, {}, [], ["x", "y"], {"id": "x"}])
async def test_an_id_of_a_wrong_type_is_a_mistake_in_the_document(city: City, wrong: Any) -> None:
    async with unchanged(city.scene.database):
        for mutation, arguments in calls(city).items():
            for name in arguments.keys() - NO_IDS:
                result = await execute(
                    context_of(city.hanh),
                    document_of(mutation, arguments),
                    **{**plain(arguments), name: wrong},
                )
                assert result.errors is not None
                for error in result.errors:
                    assert f"${name}" in error.message
                    assert "correlationId" not in (error.extensions or {})


@ON_ONE_DATABASE
@pytest.mark.parametrize("wrong", [None, [None], [True], [["x"]], {}, 1.5])
async def test_choices_of_a_wrong_type_are_a_mistake_in_the_document(
    city: City, wrong: Any
) -> None:
    document = """mutation ($vote: ID!, $choices: [ID!]!) {
      castBallot(voteId: $vote, choices: $choices, key: "key") { __typename }
    }"""
    variables = {"vote": str(city.vote.id), "choices": wrong}
    result = await execute(context_of(city.an), document, **variables)
    assert result.errors is not None
    assert "$choices" in result.errors[0].message


async def test_for_somebody_of_another_branch_there_is_nothing(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    asked = calls(city)
    await all_refused(city.yen, asked, "NOT_FOUND")
    # An officer of a unit above may have to agree to an annulment, and undoes suspensions.
    agreed = {"confirmAnnulment": asked.pop("confirmAnnulment")}
    undone = {"reinstateMember": asked.pop("reinstateMember")}
    for person in (city.van, city.tuan):
        await all_refused(person, asked, "NOT_FOUND")
        await all_refused(person, agreed, "VOTE_STILL_OPEN")
        await all_refused(person, undone, "WRONG_STATE")


async def test_an_overseer_follows_and_does_not_act(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    asked = calls(city)
    on_people = {name: asked.pop(name) for name in ("suspendMember", "reinstateMember")}
    await all_refused(city.oanh, asked, "NOT_ALLOWED")
    await all_refused(city.oanh, on_people, "NOT_FOUND")


def led_by_the_chair(city: City) -> dict[str, dict[str, Any]]:
    return {name: call for name, call in calls(city).items() if name in CHAIR_ACTS}


async def test_a_member_does_not_act_as_the_chair(city: City) -> None:
    for person in (city.an, city.lan, city.thu):
        await all_refused(person, led_by_the_chair(city), "NOT_ALLOWED")


async def test_a_suspended_member_takes_no_part(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    asked = calls(city)
    ballot = asked.pop("castBallot")
    await all_refused(city.son, asked, "NOT_FOUND")
    # The roll has the reason why they cast no ballot.
    value = await refused(city.son, "castBallot", **ballot)
    assert (value["reason"], value["details"]) == ("NOT_ENTITLED", {"leftOut": "SUSPENDED"})


async def test_a_suspended_chair_does_not_lead(city: City) -> None:
    database = city.scene.database
    await change(database, Member, Member.id == city.hanh.id, standing=Standing.SUSPENDED)
    await all_refused(city.hanh, led_by_the_chair(city), "NOT_FOUND")


async def test_who_is_not_signed_in_is_told_so_whatever_they_ask(city: City) -> None:
    await all_refused(city.nobody, calls(city), "NOT_SIGNED_IN")
    await all_refused(city.nobody, with_first(calls(city), "x"), "NOT_SIGNED_IN")


async def test_an_ended_session_does_nothing_though_its_token_is_remembered(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    token = hash_token(city.hanh.token)
    assert await city.scene.process.sessions.find(token) == city.hanh.viewer
    session = Session.id == city.hanh.signed_in.session_id
    await change(city.scene.database, Session, session, revoked_at=datetime.now(UTC))
    assert await city.scene.process.sessions.find(token) == city.hanh.viewer
    await all_refused(city.hanh, calls(city), "NOT_SIGNED_IN")


# --- Signing in and out -------------------------------------------------------------------------


async def test_a_code_signs_its_member_in(city: City) -> None:
    code = await give_card(city.an)
    context = context_of(city.nobody)
    answer = await act(context, "signIn", SIGNED_IN, code=code)
    assert answer["viewer"]["member"] == {"id": str(city.an.id), "name": "An"}
    assert answer["viewer"]["sessionExpiresAt"] == answer["expiresAt"]
    viewer = await authenticate(context, answer["token"])
    await context.release()
    assert viewer is not None
    assert viewer.member_id == city.an.id
    assert viewer.session_expires_at == datetime.fromisoformat(answer["expiresAt"])


async def test_neither_code_nor_token_is_stored(city: City) -> None:
    code = await give_card(city.an)
    token = (await act(context_of(city.nobody), "signIn", SIGNED_IN, code=code))["token"]
    rows = await stored(city, select(Session.id).where(Session.token_hash == hash_token(token)))
    assert len(rows) == 1
    everything = str(await dump(city.scene.database))
    assert code not in everything
    assert token not in everything


async def test_a_code_is_used_once(city: City) -> None:
    code = await give_card(city.an)
    await act(context_of(city.nobody), "signIn", SIGNED_IN, code=code)
    assert await reason(city.nobody, "signIn", code=code) == "INVALID_CODE"


async def test_each_of_two_codes_is_a_session_of_its_own(city: City) -> None:
    codes = [await give_card(city.an) for _ in range(2)]
    answers = [await act(context_of(city.nobody), "signIn", SIGNED_IN, code=c) for c in codes]
    assert answers[0]["token"] != answers[1]["token"]
    assert answers[0]["viewer"]["member"] == answers[1]["viewer"]["member"]


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "typed",
    [
        "0123-4567-89ABC",
        "0123456789abc",
        " 0123 4567 89abc\n",
        "O123456789ABC",
        "o123456789abc",
        "0I23456789ABC",
        "0l23456789abc",
        "--0-1-2-3456789ABC--",
    ],
)
async def test_a_code_may_be_typed_as_people_type(city: City, typed: str) -> None:
    await give_card(city.an, "0123456789ABC")
    answer = await act(context_of(city.nobody), "signIn", SIGNED_IN, code=typed)
    assert answer["__typename"] == "SignedIn"


async def test_a_wrong_code_is_refused_however_odd_it_is(city: City) -> None:
    await give_card(city.an, "0123456789ABC")
    odd = ["", " ", "-", "0123456789ABD", "\x00", "\ud800", "🗝" * 13, "' OR 1=1", "0" * 1_000_000]
    async with unchanged(city.scene.database):
        for code in [*odd, "0123456789ABC\x00", "0123456789ABC\udfff"]:
            value = await no_to(city.nobody, "signIn", code=code)
            assert value["reason"] == "INVALID_CODE", code[:40]


async def test_an_expired_code_is_refused_like_a_wrong_one(city: City) -> None:
    expired = await give_card(city.an, expires_in=timedelta(seconds=-1))
    answers = [await refused(city.nobody, "signIn", code=code) for code in (expired, "WRONG")]
    assert answers[0] == answers[1]
    assert answers[0]["reason"] == "INVALID_CODE"


@ON_ONE_DATABASE
@pytest.mark.parametrize("wrong", [None, 5, True, ["0123456789ABC", "x"], {}])
async def test_a_code_of_a_wrong_type_is_a_mistake_in_the_document(city: City, wrong: Any) -> None:
    document = "mutation ($code: String!) { signIn(code: $code) { __typename } }"
    result = await execute(context_of(city.nobody), document, code=wrong)
    assert result.errors is not None
    assert "$code" in result.errors[0].message


async def sign_out(person: Person) -> None:
    assert await ask(context_of(person), "mutation { signOut }") == {"signOut": True}


QUERIES = {
    "unit": "query ($unit: ID!) { unit(id: $unit) { name } }",
    "member": "query ($member: ID!) { member(id: $member) { name } }",
    "meeting": "query ($meeting: ID!) { meeting(id: $meeting) { title } }",
    "meetings": "query ($unit: ID!) { meetings(unitId: $unit) { edges { cursor } } }",
    "vote": "query ($vote: ID!) { vote(id: $vote) { question } }",
    "proxies": "query ($meeting: ID!) { proxies(meetingId: $meeting) { __typename } }",
    "rules": "query ($unit: ID!) { rules(unitId: $unit) { matter } }",
    "viewer": "query { viewer { member { name } } }",
    "annulments": "query { annulments { voteId } }",
    "unitLive": "query ($unit: ID!) { unitLive(id: $unit) { openVotes } }",
}


async def test_after_signing_out_every_operation_says_so(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    await sign_out(city.hanh)
    await all_refused(city.hanh, calls(city), "NOT_SIGNED_IN")
    everything = {
        "unit": str(city.branch),
        "member": str(city.hanh.id),
        "meeting": str(city.meeting.id),
        "vote": str(city.vote.id),
    }
    for query, document in QUERIES.items():
        wanted = {name: value for name, value in everything.items() if f"${name}" in document}
        result = await execute(context_of(city.hanh), document, **wanted)
        assert reason_of(result.errors) == "NOT_SIGNED_IN", query
    assert set(QUERIES) == set(schema._schema.query_type.fields)  # type: ignore[union-attr]


async def test_after_signing_out_not_even_an_earlier_receipt_is_told(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    await cast(city.an, city.vote)
    await sign_out(city.an)
    assert await cast_refused(city.an, city.vote) == "NOT_SIGNED_IN"


async def test_an_expired_session_is_no_session(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    past = datetime.now(UTC) - timedelta(days=1)
    await change(
        city.scene.database,
        Session,
        Session.id == city.an.signed_in.session_id,
        created_at=past,
        expires_at=past + timedelta(hours=1),
    )
    assert await cast_refused(city.an, city.vote) == "NOT_SIGNED_IN"
    assert await reason(city.an, "checkIn", meetingId=city.meeting.id) == "NOT_SIGNED_IN"


async def test_signing_out_ends_one_session_and_no_other(city: City) -> None:
    code = await give_card(city.an)
    token = (await act(context_of(city.nobody), "signIn", SIGNED_IN, code=code))["token"]
    await sign_out(city.an)
    context = context_of(city.nobody)
    assert await authenticate(context, city.an.token) is None
    assert await authenticate(context, token) is not None
    await context.release()


async def test_signing_out_twice_is_the_same_as_once(city: City) -> None:
    await sign_out(city.an)
    async with unchanged(city.scene.database):
        await sign_out(city.an)


async def test_nobody_signs_out_who_is_not_signed_in(city: City) -> None:
    result = await execute(context_of(city.nobody), "mutation { signOut }")
    assert reason_of(result.errors) == "NOT_SIGNED_IN"


async def test_one_answer_may_sign_in_and_go_on(city: City) -> None:
    code = await give_card(city.an)
    document = f"""mutation ($code: String!, $id: ID!) {{
      signIn(code: $code) {{ {SIGNED_IN} }}
      checkIn(meetingId: $id) {{ ... on Meeting {{ turnout {{ present }} }} }}
    }}"""
    meeting = str(city.meeting.id)
    answer = await ask(context_of(city.nobody), document, code=code, id=meeting)
    assert answer["checkIn"] == {"turnout": {"present": 1}}
    used = await stored(city, select(ActivationCard.used_at))
    assert used[0].used_at is not None


# --- The meeting --------------------------------------------------------------------------------


def summoned(city: City) -> MeetingIds:
    return city.scene.meeting(city.branch, MeetingState.SUMMONED, [city.hanh, city.an])


async def test_starting_a_summoned_meeting_opens_it_at_its_first_item(city: City) -> None:
    ids = summoned(city)
    await city.scene.save()
    meeting = await meeting_after(city.dung, "startMeeting", meetingId=ids.id)
    assert meeting["state"] == "IN_SESSION"
    assert meeting["openedAt"] is not None
    assert meeting["currentItem"]["id"] == str(ids.items[0])
    assert [item["state"] for item in meeting["agenda"]] == ["CURRENT", "PENDING", "PENDING"]
    assert await stored(city, select(Meeting.chair_id).where(Meeting.id == ids.id)) == [
        (city.dung.id,)
    ]


async def test_a_meeting_without_an_agenda_starts_all_the_same(city: City) -> None:
    ids = city.scene.meeting(city.branch, items=0)
    await city.scene.save()
    meeting = await meeting_after(city.hanh, "startMeeting", meetingId=ids.id)
    assert (meeting["state"], meeting["currentItem"]) == ("IN_SESSION", None)


async def test_a_paused_meeting_resumes_where_it_was(city: City) -> None:
    await meeting_after(
        city.hanh, "moveAgenda", meetingId=city.meeting.id, itemId=city.meeting.items[1]
    )
    paused = await meeting_after(city.hanh, "pauseMeeting", meetingId=city.meeting.id)
    assert paused["state"] == "PAUSED"
    resumed = await meeting_after(city.dung, "startMeeting", meetingId=city.meeting.id)
    assert resumed["version"] > paused["version"]
    assert resumed == {**paused, "state": "IN_SESSION", "version": resumed["version"]}
    chairs = await stored(city, select(Meeting.chair_id).where(Meeting.id == city.meeting.id))
    assert chairs == [(city.hanh.id,)]


async def test_a_branch_of_two_full_members_does_not_meet(city: City) -> None:
    branch = city.scene.unit("Chi bộ 3", parent=city.ward)
    lien = city.scene.member("Liên", branch, role=Role.SECRETARY)
    city.scene.member("Kim", branch)
    city.scene.member("Mai", branch, Standing.PROBATIONARY)
    ids = city.scene.meeting(branch)
    await city.scene.save()
    value = await refused(lien, "startMeeting", meetingId=ids.id)
    assert value["reason"] == "TOO_FEW_FULL_MEMBERS"
    assert value["details"] == {"fullMembers": 2, "needed": 3}


async def test_a_meeting_is_moved_only_from_the_states_of_the_table(city: City) -> None:
    item = city.meeting.items[1]
    allowed = {
        "startMeeting": {MeetingState.SUMMONED, MeetingState.PAUSED},
        "pauseMeeting": {MeetingState.IN_SESSION},
        "closeMeeting": {MeetingState.IN_SESSION, MeetingState.PAUSED},
        "checkIn": {MeetingState.SUMMONED, MeetingState.IN_SESSION, MeetingState.PAUSED},
        "moveAgenda": {MeetingState.IN_SESSION},
    }
    for state in MeetingState:
        await set_state(city, state)
        for mutation, states in allowed.items():
            if state not in states:
                more = {"itemId": item} if mutation == "moveAgenda" else {}
                value = await refused(city.hanh, mutation, meetingId=city.meeting.id, **more)
                is_agenda = mutation == "moveAgenda"
                why = "MEETING_NOT_IN_SESSION" if is_agenda else "WRONG_STATE"
                assert (value["reason"], value["details"]) == (why, {"state": state.value})


async def test_closing_a_meeting_ends_its_current_item(city: City) -> None:
    meeting = await meeting_after(city.dung, "closeMeeting", meetingId=city.meeting.id)
    assert meeting["state"] == "CLOSED"
    assert meeting["closedAt"] is not None
    assert meeting["currentItem"] is None
    assert [item["state"] for item in meeting["agenda"]] == ["DONE", "PENDING", "PENDING"]


async def test_a_paused_meeting_may_be_closed(city: City) -> None:
    await meeting_after(city.hanh, "pauseMeeting", meetingId=city.meeting.id)
    meeting = await meeting_after(city.hanh, "closeMeeting", meetingId=city.meeting.id)
    assert meeting["state"] == "CLOSED"


async def test_a_meeting_does_not_close_while_a_vote_is_open(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    assert await reason(city.hanh, "closeMeeting", meetingId=city.meeting.id) == "VOTE_STILL_OPEN"
    await vote_after(city.hanh, "closeVote", city.vote)
    await meeting_after(city.hanh, "closeMeeting", meetingId=city.meeting.id)


async def test_a_meeting_without_a_chair_does_not_close(city: City) -> None:
    await change(city.scene.database, Meeting, Meeting.id == city.meeting.id, chair_id=None)
    assert await reason(city.hanh, "closeMeeting", meetingId=city.meeting.id) == "NO_CHAIR"


# --- The agenda ---------------------------------------------------------------------------------


async def test_moving_on_ends_the_item_and_begins_the_next(city: City) -> None:
    for place, states in [
        (1, ["DONE", "CURRENT", "PENDING"]),
        (2, ["DONE", "DONE", "CURRENT"]),
        (0, ["CURRENT", "DONE", "DONE"]),
    ]:
        item = city.meeting.items[place]
        meeting = await meeting_after(
            city.hanh, "moveAgenda", meetingId=city.meeting.id, itemId=item
        )
        assert [item["state"] for item in meeting["agenda"]] == states
        assert meeting["currentItem"]["id"] == str(item)


async def test_moving_to_the_current_item_changes_nothing(city: City) -> None:
    async with unchanged(city.scene.database):
        await meeting_after(
            city.hanh, "moveAgenda", meetingId=city.meeting.id, itemId=city.meeting.items[0]
        )


async def test_the_agenda_moves_on_to_items_of_its_own_meeting_only(city: City) -> None:
    async with unchanged(city.scene.database):
        for item in (uuid4(), city.other_meeting.items[1], city.vote.id, *MALFORMED_IDS):
            arguments = {"meetingId": city.meeting.id, "itemId": item}
            value = await no_to(city.hanh, "moveAgenda", **arguments)
            assert value["reason"] == "NOT_FOUND"


async def test_the_agenda_does_not_move_while_a_vote_of_its_item_is_open(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    arguments = {"meetingId": city.meeting.id, "itemId": city.meeting.items[1]}
    assert await reason(city.hanh, "moveAgenda", **arguments) == "VOTE_STILL_OPEN"
    await vote_after(city.hanh, "closeVote", city.vote)
    await meeting_after(city.hanh, "moveAgenda", **arguments)


async def test_an_agenda_without_a_current_item_moves_to_any(city: City) -> None:
    items = AgendaItem.meeting_id == city.meeting.id
    await change(city.scene.database, AgendaItem, items, state=ItemState.PENDING)
    meeting = await meeting_after(
        city.hanh, "moveAgenda", meetingId=city.meeting.id, itemId=city.meeting.items[2]
    )
    assert [item["state"] for item in meeting["agenda"]] == ["PENDING", "PENDING", "CURRENT"]


# --- Checking in --------------------------------------------------------------------------------


async def test_checking_in_makes_a_summoned_member_present(city: City) -> None:
    meeting = await meeting_after(city.an, "checkIn", meetingId=city.meeting.id)
    assert meeting["turnout"] == {"summoned": 9, "present": 1, "confirmed": 0, "connected": 0}
    (present,) = [row for row in meeting["attendance"] if row["status"] == "PRESENT"]
    assert present["member"]["name"] == "An"
    assert present["checkedInAt"] is not None


async def test_checking_in_twice_is_the_same_as_once(city: City) -> None:
    first = await meeting_after(city.an, "checkIn", meetingId=city.meeting.id)
    async with unchanged(city.scene.database):
        assert await meeting_after(city.an, "checkIn", meetingId=city.meeting.id) == first


async def test_a_guest_who_was_not_summoned_checks_in(city: City) -> None:
    meeting = await meeting_after(city.thu, "checkIn", meetingId=city.meeting.id)
    assert meeting["turnout"] == {"summoned": 9, "present": 1, "confirmed": 0, "connected": 0}
    again = await meeting_after(city.thu, "checkIn", meetingId=city.meeting.id)
    assert again == meeting
    rows = await stored(city, select(Attendance).where(Attendance.member_id == city.thu.id))
    assert [row.Attendance.is_summoned for row in rows] == [False]


@pytest.mark.parametrize("state", [MeetingState.SUMMONED, MeetingState.PAUSED])
async def test_members_check_in_before_the_meeting_and_in_a_break(
    city: City, state: MeetingState
) -> None:
    await set_state(city, state)
    meeting = await meeting_after(city.lan, "checkIn", meetingId=city.meeting.id)
    assert meeting["turnout"]["present"] == 1


# --- Opening a vote -----------------------------------------------------------------------------


async def test_opening_a_vote_freezes_the_roll_with_reasons(city: City) -> None:
    await meeting_after(city.an, "checkIn", meetingId=city.meeting.id)
    vote = await vote_after(city.hanh, "openVote", city.vote)
    assert vote["state"] == "OPEN"
    assert vote["openedAt"] is not None
    assert vote["tally"]["eligible"] == 7
    rows = await stored(city, select(RollEntry).where(RollEntry.vote_id == city.vote.id))
    roll = {row.RollEntry.member_id: row.RollEntry for row in rows}
    left_out = {member: row.left_out for member, row in roll.items() if row.left_out}
    assert left_out == {
        city.lan.id: LeftOut.PROBATIONARY,
        city.son.id: LeftOut.SUSPENDED,
        city.thu.id: LeftOut.TEMPORARY_ATTACHMENT,
    }
    assert roll.keys() == {person.id for person in city.entitled} | left_out.keys()
    assert [m for m, row in roll.items() if row.is_elsewhere] == [city.nam.id]
    assert [m for m, row in roll.items() if row.was_present_at_opening] == [city.an.id]
    assert [m for m, row in roll.items() if not row.is_summoned] == [city.thu.id]


async def test_a_vote_opens_only_at_its_item(city: City) -> None:
    assert await reason(city.hanh, "openVote", voteId=city.later_vote.id) == "ITEM_NOT_CURRENT"
    await meeting_after(
        city.hanh, "moveAgenda", meetingId=city.meeting.id, itemId=city.meeting.items[1]
    )
    assert (await vote_after(city.hanh, "openVote", city.later_vote))["state"] == "OPEN"
    assert await reason(city.hanh, "openVote", voteId=city.vote.id) == "ITEM_NOT_CURRENT"


async def test_a_vote_opens_only_in_session(city: City) -> None:
    for state in set(MeetingState) - {MeetingState.IN_SESSION}:
        await set_state(city, state)
        value = await refused(city.hanh, "openVote", voteId=city.vote.id)
        assert value["reason"] == "MEETING_NOT_IN_SESSION"
        assert value["details"] == {"state": state.value}


async def test_a_vote_opens_once(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    assert await reason(city.dung, "openVote", voteId=city.vote.id) == "WRONG_STATE"
    await vote_after(city.hanh, "closeVote", city.vote)
    assert await reason(city.dung, "openVote", voteId=city.vote.id) == "VOTE_CLOSED"


# --- Casting ------------------------------------------------------------------------------------


async def test_a_receipt_says_what_was_recorded(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    receipt = await cast(city.an, city.vote, city.vote.against, "~" * 64)
    assert receipt["voteId"] == str(city.vote.id)
    assert receipt["key"] == "~" * 64
    assert receipt["choices"] == [str(city.vote.against)]
    selection = f"query ($id: ID!) {{ vote(id: $id) {{ {OWN_VOTE} }} }}"
    vote = (await ask(context_of(city.an), selection, id=str(city.vote.id)))["vote"]
    assert {**vote["myReceipt"], "__typename": "Receipt"} == receipt
    assert vote["viewerMay"] == []
    assert vote["tally"]["cast"] == 1


async def test_everybody_entitled_votes_once_each(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    for person in city.entitled:
        await cast(person, city.vote)
    vote = await vote_after(city.hanh, "closeVote", city.vote)
    assert vote["tally"] == {
        "cast": 7,
        "eligible": 7,
        "byHand": 0,
        "blanks": 0,
        "invalid": 0,
        "options": [
            {"optionId": str(option), "count": 7 if kind is OptionKind.FOR else 0}
            for kind, option in city.vote.options.items()
        ],
    }


async def test_who_is_left_out_of_the_roll_is_told_why(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
    for person, why in [(city.lan, "PROBATIONARY"), (city.thu, "TEMPORARY_ATTACHMENT")]:
        value = await refused(person, "castBallot", **ballot)
        assert (value["reason"], value["details"]) == ("NOT_ENTITLED", {"leftOut": why})


async def test_who_came_to_the_branch_after_the_opening_is_not_entitled(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    khanh = city.scene.member("Khánh", city.branch)
    await city.scene.save()
    ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
    value = await refused(khanh, "castBallot", **ballot)
    assert (value["reason"], value["details"]) == ("NOT_ENTITLED", {"leftOut": None})


async def test_who_becomes_a_full_member_after_the_opening_is_not_entitled(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await change(city.scene.database, Member, Member.id == city.lan.id, standing=Standing.FULL)
    assert await cast_refused(city.lan, city.vote) == "NOT_ENTITLED"


async def test_a_second_ballot_with_another_key_is_refused(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await cast(city.an, city.vote, key="first")
    assert await cast_refused(city.an, city.vote, key="second") == "ALREADY_VOTED"
    assert await cast_refused(city.an, city.vote, city.vote.against, "second") == "ALREADY_VOTED"
    await vote_after(city.hanh, "closeVote", city.vote)
    assert await cast_refused(city.an, city.vote, key="second") == "ALREADY_VOTED"


async def test_the_same_key_gives_the_same_receipt_also_after_closing(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    receipt = await cast(city.an, city.vote)
    assert await cast(city.an, city.vote) == receipt
    await vote_after(city.hanh, "closeVote", city.vote)
    await meeting_after(city.hanh, "closeMeeting", meetingId=city.meeting.id)
    async with unchanged(city.scene.database):
        assert await cast(city.an, city.vote) == receipt


async def test_the_same_key_with_another_choice_is_refused(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await cast(city.an, city.vote)
    assert await cast_refused(city.an, city.vote, city.vote.against) == "KEY_REUSED"
    await vote_after(city.hanh, "closeVote", city.vote)
    assert await cast_refused(city.an, city.vote, city.vote.against) == "KEY_REUSED"


async def test_a_key_is_the_member_s_and_the_vote_s_own(city: City) -> None:
    second = city.scene.vote(city.meeting, item=1, position=3)
    await city.scene.save()
    for vote in (city.vote, second):
        await vote_after(city.hanh, "openVote", vote)
    receipts = [
        await cast(person, vote) for person in (city.an, city.binh) for vote in (city.vote, second)
    ]
    assert len({receipt["id"] for receipt in receipts}) == 4


async def test_a_ballot_before_opening_is_refused(city: City) -> None:
    assert await cast_refused(city.an, city.vote) == "VOTE_NOT_OPEN"


async def test_a_ballot_after_closing_is_refused(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await vote_after(city.hanh, "closeVote", city.vote)
    assert await cast_refused(city.an, city.vote) == "VOTE_CLOSED"


async def test_a_break_takes_no_ballot_away(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await meeting_after(city.hanh, "pauseMeeting", meetingId=city.meeting.id)
    await cast(city.an, city.vote)
    assert (await vote_after(city.hanh, "closeVote", city.vote))["tally"]["cast"] == 1


async def test_a_ballot_names_one_option_of_its_own_vote(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    own = city.vote.for_
    for choices in (
        [],
        [own, city.vote.against],
        [own, own],
        [city.later_vote.for_],
        [city.other_vote.for_],
        [uuid4()],
        [city.vote.id],
        [own] * 10_000,
        [f"{own}x"],
        *([malformed] for malformed in MALFORMED_IDS),
    ):
        arguments = {"voteId": city.vote.id, "choices": choices, "key": "key"}
        assert (await no_to(city.an, "castBallot", **arguments))["reason"] == "INVALID_CHOICE"
    assert await stored(city, select(Ballot)) == []


async def test_one_choice_need_not_be_a_list(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    document = f"""mutation ($vote: ID!, $choice: ID!) {{
      castBallot(voteId: $vote, choices: [$choice], key: 5) {{ {RECEIPT} }}
    }}"""
    ids = {"vote": str(city.vote.id), "choice": str(city.vote.for_).upper()}
    receipt = (await ask(context_of(city.an), document, **ids))["castBallot"]
    assert (receipt["key"], receipt["choices"]) == ("5", [str(city.vote.for_)])


async def test_a_key_that_is_none_is_refused(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    for key in BAD_KEYS:
        arguments = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": key}
        value = await no_to(city.an, "castBallot", **arguments)
        assert value["reason"] == "INVALID_INPUT", key[:40]
    assert await stored(city, select(Ballot)) == []


async def test_options_of_another_branch_s_vote_do_not_open_its_box(city: City) -> None:
    await vote_after(city.yen, "openVote", city.other_vote)
    assert await cast_refused(city.an, city.other_vote) == "NOT_FOUND"
    assert await cast_refused(city.an, city.other_vote, city.vote.for_) == "NOT_FOUND"


async def test_several_ballots_in_one_document_stand_one_by_one(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    document = f"""mutation ($vote: ID!, $for: [ID!]!, $against: [ID!]!) {{
      first: castBallot(voteId: $vote, choices: $for, key: "a") {{ __typename {RECEIPT} }}
      again: castBallot(voteId: $vote, choices: $for, key: "a") {{ __typename {RECEIPT} }}
      other: castBallot(voteId: $vote, choices: $against, key: "b") {{
        ... on Refused {{ reason }}
      }}
    }}"""
    ids = {"vote": str(city.vote.id), "for": [str(city.vote.for_)]}
    against = [str(city.vote.against)]
    answer = await ask(context_of(city.an), document, against=against, **ids)
    assert answer["first"] == answer["again"]
    assert answer["other"] == {"reason": "ALREADY_VOTED"}
    assert len(await stored(city, select(Ballot))) == 1


# --- Closing a vote -----------------------------------------------------------------------------


async def test_closing_counts_and_decides(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    for person in (city.an, city.binh, city.chi):
        await cast(person, city.vote)
    await cast(city.hanh, city.vote, city.vote.against)
    vote = await vote_after(city.dung, "closeVote", city.vote)
    assert vote["state"] == "CLOSED"
    assert vote["closedAt"] is not None
    # Minh is exempt and absent, Nam is temporarily elsewhere: five of seven are the base.
    assert vote["outcome"] == {
        "carried": True,
        "verdict": "CARRIED",
        "needed": 3,
        "base": 5,
        "nextStep": None,
        "vi": "Được thông qua: 3/5 người có quyền biểu quyết được triệu tập tán thành (60,00 %);"
        " cần quá 1/2, tức là 3.",
        "en": "Carried: 3 of 5 entitled members summoned for (60.00 %);"
        " more than 1/2 needed, that is 3.",
    }


async def test_who_votes_from_elsewhere_or_though_exempt_counts(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    for person in (city.an, city.nam, city.minh):
        await cast(person, city.vote)
    outcome = (await vote_after(city.hanh, "closeVote", city.vote))["outcome"]
    assert (outcome["carried"], outcome["base"], outcome["needed"]) == (False, 7, 4)


async def test_a_vote_is_not_closed_before_it_opened_nor_twice(city: City) -> None:
    assert await reason(city.hanh, "closeVote", voteId=city.vote.id) == "VOTE_NOT_OPEN"
    await vote_after(city.hanh, "openVote", city.vote)
    await vote_after(city.hanh, "closeVote", city.vote)
    assert await reason(city.dung, "closeVote", voteId=city.vote.id) == "VOTE_CLOSED"


async def test_a_vote_nobody_took_part_in_is_not_carried(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    outcome = (await vote_after(city.hanh, "closeVote", city.vote))["outcome"]
    assert (outcome["carried"], outcome["needed"]) == (False, 3)


async def test_a_prepared_vote_has_neither_roll_nor_outcome(city: City) -> None:
    query = f"query ($id: ID!) {{ meeting(id: $id) {{ {OWN_MEETING} }} }}"
    meeting = (await ask(context_of(city.hanh), query, id=str(city.meeting.id)))["meeting"]
    for vote in meeting["votes"]:
        assert vote["state"] == "PREPARED"
        assert vote["outcome"] is None
        assert (vote["tally"]["cast"], vote["tally"]["eligible"]) == (0, 0)
    assert await stored(city, select(RollEntry)) == []
    kinds = await stored(city, select(AuditRow.kind).where(AuditRow.vote_id == city.vote.id))
    assert [row.kind.value for row in kinds] == ["CREATED"]
    states = await stored(city, select(Vote.state).where(Vote.id == city.vote.id))
    assert states == [(VoteState.PREPARED,)]


async def test_a_branch_without_anybody_entitled_votes_in_vain(city: City) -> None:
    members = Member.id.in_([person.id for person in city.entitled])
    await change(city.scene.database, Member, members, standing=Standing.PROBATIONARY)
    await vote_after(city.hanh, "openVote", city.vote)
    outcome = (await vote_after(city.hanh, "closeVote", city.vote))["outcome"]
    assert (outcome["carried"], outcome["base"], outcome["needed"]) == (False, 0, 1)


async def test_a_former_member_is_not_on_the_roll(city: City) -> None:
    belonged = Membership.member_id == city.chi.id, Membership.kind == MembershipKind.REGULAR
    ended = SINCE + timedelta(days=100)
    await change(city.scene.database, Membership, *belonged, valid_to=ended)
    vote = await vote_after(city.hanh, "openVote", city.vote)
    assert vote["tally"]["eligible"] == 6
    assert await cast_refused(city.chi, city.vote) == "NOT_FOUND"


async def test_after_signing_out_a_ballot_tells_nothing_of_the_vote(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    await cast(city.an, city.vote)
    assert await cast_refused(city.an, city.vote, city.later_vote.for_) == "INVALID_CHOICE"
    assert await cast_refused(city.an, city.vote, city.vote.against) == "KEY_REUSED"
    await sign_out(city.an)
    for choice in (city.later_vote.for_, city.vote.against, city.vote.for_):
        assert await cast_refused(city.an, city.vote, choice) == "NOT_SIGNED_IN"
