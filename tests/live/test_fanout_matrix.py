"""Nobody is pushed what they may not see: every role × every field of every subscription."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from models.meetings.meetings import Attendance
from rules.meetings.meetings import AttendanceStatus
from rules.register.members import Role
from rules.votes.rule_sets import LiveTally, Secrecy
from schema.live.prepare import read_operation
from schema.live.run import Live
from tests.support.asking import execute, finding, push_each, reason_of
from tests.support.factories import ORDINARY, City, Person, context_of
from tests.support.graphql_socket import Socket, open_socket
from tests.support.live_schema import documents, text_of
from tests.support.socket_server import serving_sockets
from tests.support.tampering import change
from tests.support.voting import cast, end, vote_after

HIDDEN_UNTIL_PUBLISHED = replace(
    ORDINARY,
    secrecy=Secrecy.UNATTRIBUTED,
    live_tally=LiveTally.AFTER_CLOSE,
    min_voters_for_secret=2,
)
CHAIR_SEES_FIGURES = replace(ORDINARY, live_tally=LiveTally.CHAIR)


@dataclass(frozen=True)
class Evening:
    """A meeting with a vote in each state, by the name of the state."""

    city: City
    subjects: dict[str, UUID]
    people: dict[str, Person]


@pytest.fixture
async def evening(city: City) -> Evening:
    scene, meeting = city.scene, city.meeting
    rules = {
        "prepared": CHAIR_SEES_FIGURES,
        "open": CHAIR_SEES_FIGURES,
        "open, figures for all": ORDINARY,
        "open, hidden": HIDDEN_UNTIL_PUBLISHED,
        "closed": CHAIR_SEES_FIGURES,
        "closed, hidden": HIDDEN_UNTIL_PUBLISHED,
        "published": CHAIR_SEES_FIGURES,
        "published, hidden": HIDDEN_UNTIL_PUBLISHED,
    }
    votes = {
        name: scene.vote(meeting, item=1, position=place, rule=rule)
        for place, (name, rule) in enumerate(rules.items(), start=10)
    }
    upper = scene.member("Ủy", city.ward, role=Role.COMMITTEE_MEMBER)
    await scene.save()
    await change(
        scene.database,
        Attendance,
        Attendance.member_id == city.an.id,
        status=AttendanceStatus.PRESENT,
    )
    for name, vote in votes.items():
        if name != "prepared":
            await vote_after(city.hanh, "openVote", vote)
            await cast(city.an, vote, vote.for_)
            await cast(city.hanh, vote, vote.against)
        if name.startswith(("closed", "published")):
            await end(city, vote)
        if name.startswith("published"):
            await vote_after(city.hanh, "publishVote", vote)
    people = {
        "member": city.an,
        "member who has not voted": city.binh,
        "exempt": city.minh,
        "probationary": city.lan,
        "guest": city.thu,
        "officer": city.hanh,
        "deputy": city.dung,
        "overseer": city.oanh,
        "member elsewhere for a time": city.nam,
        "upper officer": city.van,
        "city officer": city.tuan,
        "upper committee": upper,
        "member of another branch": city.yen,
    }
    return Evening(city, {"meeting": meeting.id, **{n: v.id for n, v in votes.items()}}, people)


FIGURES = {"tally.blanks", "tally.invalid", "tally.options.count"}
NOBODYS = {"standing", "unit"}
"""Of a member: the record, which subscriptions show to nobody."""
CHAIRS = {"officer", "deputy"}
VOTED = {"member", "officer"}
PEOPLE_OF_THE_BRANCH = {
    "member",
    "member who has not voted",
    "exempt",
    "probationary",
    "guest",
    "officer",
    "deputy",
    "overseer",
    "member elsewhere for a time",
}
STRANGERS = {
    "upper officer",
    "city officer",
    "upper committee",
    "member of another branch",
}
WHOSE_UNIT_IS_SEEN = {
    "city": {"city officer"},
    "ward": {"city officer", "upper officer", "upper committee"},
    "branch": PEOPLE_OF_THE_BRANCH | {"city officer", "upper officer"},
    "other branch": {
        "member of another branch",
        "member elsewhere for a time",
        "guest",  # in the branch that meets; here at home, as is the overseer
        "overseer",
        "city officer",
        "upper officer",
    },
}
KNOWN_UNITS = {
    # Everybody but the city's officer belongs to a unit below.
    "city": set(PEOPLE_OF_THE_BRANCH | STRANGERS),
    "ward": set(PEOPLE_OF_THE_BRANCH | STRANGERS),
    "branch": set(),
    "other branch": set(),
}
"""Whose figures are not for these people, who may know that there is the unit."""


def what_is_hidden(subject: str, who: str) -> set[str]:
    """The policy: what of a vote is null for somebody, beyond what is null for everybody."""
    is_chair, is_hidden = who in CHAIRS, "hidden" in subject
    hidden = set()
    if who not in VOTED or subject == "prepared":
        hidden |= {"myReceipt"}
    elif is_hidden:
        hidden |= {"myReceipt.choices", "myReceipt.tracker"}
    if subject == "prepared" and not is_chair:
        hidden |= FIGURES
    if subject.startswith("open") and subject != "open, figures for all":
        hidden |= FIGURES if is_hidden or not is_chair else set()
    if subject.startswith("closed") and (is_hidden or not is_chair):
        hidden |= FIGURES | {"outcome"}
    if not subject.startswith(("closed", "published")):
        hidden |= {"outcome"}
    if subject != "published":
        hidden |= {"record"}
    return hidden


DECIDED = {*FIGURES, "outcome", "record", "myReceipt", "myReceipt.choices", "myReceipt.tracker"}
"""What the policy is about. Other fields are null where there is nothing to tell."""


async def joined(socket: Socket, root: str, selection: str, subject: UUID) -> Any:
    """The first state that is pushed, or the reason of the refusal."""
    await socket.subscribe("watch", text_of("subscription", root, selection), id=str(subject))
    message = await socket.message("watch")
    if message["type"] == "error":
        (error,) = message["payload"]
        return error["extensions"]["reason"]
    assert "errors" not in message["payload"], message
    await socket.send("complete", id="watch")
    return message["payload"]["data"]


def paths(selected: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of an answer, with its value; of a list, the fields of each."""
    match selected:
        case dict():
            for name, inner in selected.items():
                yield (below := f"{path}.{name}" if path else name), inner
                yield from paths(inner, below)
        case list():
            for inner in selected:
                yield from paths(inner, path)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_everybody_is_pushed_what_the_policy_and_a_query_give_them(
    evening: Evening,
) -> None:
    """Each subject on a socket of its own, which so many messages at once are allowed on."""
    async with serving_sockets(evening.city) as process:
        for who, person in evening.people.items():
            for subject, subject_id in evening.subjects.items():
                root = "meeting" if subject == "meeting" else "vote"
                nulls: set[str] = set()
                async with open_socket(process.ws, person.token) as socket:
                    for selection in documents(root, without={"Turnout.connected"}):
                        pushed = await joined(socket, root, selection, subject_id)
                        query = text_of("query", root, selection)
                        answer = await execute(context_of(person), query, id=str(subject_id))
                        if who in STRANGERS:
                            assert pushed == reason_of(answer.errors) == "NOT_FOUND"
                            continue
                        assert answer.errors is None
                        assert pushed == answer.data, (who, subject, selection)
                        for path, value in paths(pushed[root]):
                            *_, of, name = ["", *path.split(".")]
                            if of in ("member", "holder") and name in NOBODYS:
                                assert value is None, (who, subject, path)
                            if value is None:
                                nulls.add(path)
                if root == "vote" and who not in STRANGERS:
                    assert nulls & DECIDED == what_is_hidden(subject, who), (who, subject)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_unit_s_figures_are_pushed_to_those_of_it_and_above_it(evening: Evening) -> None:
    city = evening.city
    units = {"city": city.city, "ward": city.ward, "branch": city.branch}
    units["other branch"] = city.other_branch
    (selection,) = documents("unitLive")
    async with serving_sockets(city) as process:
        for who, person in evening.people.items():
            async with open_socket(process.ws, person.token) as socket:
                for name, unit in units.items():
                    pushed = await joined(socket, "unitLive", selection, unit)
                    query = text_of("query", "unitLive", selection)
                    answer = await execute(context_of(person), query, id=str(unit))
                    if who in WHOSE_UNIT_IS_SEEN[name]:
                        assert pushed == answer.data, (who, name)
                    else:
                        reason = "NOT_ALLOWED" if who in KNOWN_UNITS[name] else "NOT_FOUND"
                        assert pushed == reason_of(answer.errors) == reason, (who, name)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("who", ["not signed in", "suspended"])
async def test_nobody_is_pushed_anything(evening: Evening, who: str) -> None:
    token = evening.city.son.token if who == "suspended" else "unknown"
    async with serving_sockets(evening.city) as process, open_socket(process.ws) as socket:
        await socket.send("connection_init", payload={"token": token})
        for subject, subject_id in evening.subjects.items():
            root = "meeting" if subject == "meeting" else "vote"
            document = text_of("subscription", root, "id")
            await socket.subscribe(subject, document, id=str(subject_id))
        with pytest.raises(ConnectionClosed):
            await socket.receive()
        assert (await socket.closed())[0] == (4403 if who == "suspended" else 4401)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_nested_in_the_meeting_a_vote_shows_what_it_shows_alone(evening: Evening) -> None:
    fields = (
        "id tally { blanks options { count } } outcome { carried } record { tracker } auditHead"
    )
    meeting = evening.subjects["meeting"]
    async with serving_sockets(evening.city) as process:
        for who in set(evening.people) - STRANGERS:
            async with open_socket(process.ws, evening.people[who].token) as socket:
                nested = await joined(socket, "meeting", f"votes {{ {fields} }}", meeting)
                votes = {vote["id"]: vote for vote in nested["meeting"]["votes"]}
                for subject, subject_id in evening.subjects.items():
                    if subject != "meeting":
                        alone = await joined(socket, "vote", fields, subject_id)
                        assert alone["vote"] == votes[str(subject_id)], (who, subject)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_no_selection_needs_graphql_core(
    evening: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pushed, and compared with queries above, comes of what was compiled."""

    def fail(_: object) -> None:
        raise AssertionError("executed by graphql-core")

    monkeypatch.setattr("schema.live.run.execute_subscription_event", fail)
    shared = context_of(evening.city.nobody)
    live = Live(shared, push_each)
    access = await finding(context_of(evening.people["officer"]))()
    assert access is not None
    subjects = {**evening.subjects, "unit": evening.city.branch}
    for subject, subject_id in subjects.items():
        root = {"meeting": "meeting", "unit": "unitLive"}.get(subject, "vote")
        for selection in documents(root):
            operation = read_operation(text_of("subscription", root, selection), None)
            assert operation is not None
            plan = await live.plan(access, operation, {"id": str(subject_id)})
            (state,) = await live._run_together([plan.key])
            assert isinstance(state, bytes), (subject, selection, state)
    await live.stop()
    await shared.release()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_states_taken_together_are_those_taken_alone(evening: Evening) -> None:
    """Audiences that are answered the same share an execution; none is shown another's state."""
    shared = context_of(evening.city.nobody)
    live = Live(shared, push_each)
    people = [person for who, person in evening.people.items() if who not in STRANGERS]
    accesses = [access for one in people if (access := await finding(context_of(one))())]
    assert len(accesses) == len(PEOPLE_OF_THE_BRANCH)
    spared = 0
    for subject, subject_id in evening.subjects.items():
        root = "meeting" if subject == "meeting" else "vote"
        for selection in documents(root, without={"Turnout.connected"}):
            operation = read_operation(text_of("subscription", root, selection), None)
            assert operation is not None
            variables = {"id": str(subject_id)}
            runs = [(await live.plan(one, operation, variables)).key for one in accesses]
            alone = [(await live._run_together([run]))[0] for run in runs]
            for order in (runs, runs[::-1]):
                before = live.executions
                together = dict(zip(order, await live._run_together(order), strict=True))
                spared += len(set(order)) - (live.executions - before)
                assert [together[run] for run in runs] == alone, (subject, selection)
    assert spared > 0
    await live.stop()
    await shared.release()
