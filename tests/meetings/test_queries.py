"""What each person sees, page by page and within limits; and what nobody is told."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import OperationDefinitionNode, parse, print_ast, separate_operations
from structlog.testing import capture_logs

from models.accounts.accounts import Session
from models.register.units import UnitParent
from models.votes.votes import Vote
from resolvers.context import Context
from rules.meetings.meetings import MeetingState
from rules.register.members import Role, UnitKind
from schema.live.limits import MAXIMUM_ALIASES, MAXIMUM_DEPTH, MAXIMUM_TOKENS
from schema.live.prepare import read_operation
from schema.schema import schema
from tests.support.asking import (
    MEMBER,
    OWN_MEETING,
    OWN_VOTE,
    PLACE,
    act,
    ask,
    execute,
    reason_of,
    watch,
)
from tests.support.database_log import statements
from tests.support.factories import EVENING, City, Person, context_of
from tests.support.tampering import change

ON_ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
WEB_CLIENT = Path(__file__).parent.parent.parent / "web-client" / "src"

# --- Pages --------------------------------------------------------------------------------------

PAGE = """query ($unit: ID!, $first: Int! = 20, $after: String) {
  meetings(unitId: $unit, first: $first, after: $after) {
    edges { cursor node { id startsAt } } pageInfo { hasNextPage endCursor }
  }
}"""


async def page(city: City, unit: UUID, **variables: Any) -> Any:
    return (await ask(context_of(city.an), PAGE, unit=str(unit), **variables))["meetings"]


async def all_pages(city: City, first: int) -> list[dict[str, Any]]:
    """Every meeting of An's branch, asked for page by page."""
    nodes: list[dict[str, Any]] = []
    after, has_next = None, True
    while has_next:
        found = await page(city, city.branch, first=first, after=after)
        assert len(found["edges"]) <= first
        assert found["pageInfo"]["endCursor"] == found["edges"][-1]["cursor"]
        nodes += [edge["node"] for edge in found["edges"]]
        after, has_next = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    return nodes


async def test_pages_give_every_meeting_once_and_the_newest_first(city: City) -> None:
    for number in range(1, 25):
        # Some begin at the same moment, and one within its last microsecond.
        city.scene.meeting(city.branch, starts_at=EVENING + timedelta(days=number // 3))
    city.scene.meeting(city.branch, starts_at=EVENING + timedelta(microseconds=1))
    await city.scene.save()
    whole = [edge["node"] for edge in (await page(city, city.branch, first=100))["edges"]]
    assert len({node["id"] for node in whole}) == 26
    assert [node["startsAt"] for node in whole] == sorted(
        (node["startsAt"] for node in whole), reverse=True
    )
    for first in (1, 5, 13, 26, 100):
        assert await all_pages(city, first) == whole


async def test_a_page_has_twenty_meetings_unless_asked_otherwise(city: City) -> None:
    for _ in range(20):
        city.scene.meeting(city.branch)
    await city.scene.save()
    found = await page(city, city.branch)
    assert (len(found["edges"]), found["pageInfo"]["hasNextPage"]) == (20, True)


async def test_a_hundred_meetings_are_the_most_at_a_time(city: City) -> None:
    for _ in range(104):
        city.scene.meeting(city.branch)
    await city.scene.save()
    found = await page(city, city.branch, first=100)
    assert (len(found["edges"]), found["pageInfo"]["hasNextPage"]) == (100, True)
    rest = await page(city, city.branch, first=100, after=found["pageInfo"]["endCursor"])
    assert (len(rest["edges"]), rest["pageInfo"]["hasNextPage"]) == (5, False)


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1, -(2**31)])
async def test_any_other_size_is_refused(city: City, first: int) -> None:
    result = await execute(context_of(city.an), PAGE, unit=str(city.branch), first=first)
    assert reason_of(result.errors) == "INVALID_INPUT"


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


WRONG_CURSORS = [
    "",
    "x",
    "====",
    "\x00",
    "\ud800",
    "ễ",
    "A" * 1_000_000,
    cursor(""),
    cursor("|"),
    cursor(f"|{UUID(int=1)}"),
    cursor(f"yesterday|{UUID(int=1)}"),
    cursor(f"2026-03-03T12:30:00|{UUID(int=1)}"),
    cursor("2026-03-03T12:30:00+00:00|x"),
    cursor("2026-03-03T12:30:00+00:00"),
    cursor(f"0001-01-01T00:00:00+23:59|{UUID(int=1)}"),
    cursor(f"9999-12-31T23:59:59-23:59|{UUID(int=1)}"),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]


async def test_a_cursor_that_is_none_of_ours_is_refused(city: City) -> None:
    for wrong in WRONG_CURSORS:
        result = await execute(context_of(city.an), PAGE, unit=str(city.branch), after=wrong)
        assert reason_of(result.errors) == "INVALID_INPUT", wrong[:80]


async def test_a_branch_without_meetings_has_an_empty_page(city: City) -> None:
    branch = city.scene.unit("Chi bộ 3", parent=city.ward)
    kim = city.scene.member("Kim", branch)
    await city.scene.save()
    answer = await ask(context_of(kim), PAGE, unit=str(branch))
    assert answer["meetings"] == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }


async def test_a_meeting_summoned_between_two_pages_repeats_none(city: City) -> None:
    for number in range(3):
        city.scene.meeting(city.branch, starts_at=EVENING - timedelta(days=number))
    await city.scene.save()
    first = await page(city, city.branch, first=2)
    city.scene.meeting(city.branch, starts_at=EVENING + timedelta(days=9))
    await city.scene.save()
    after = first["pageInfo"]["endCursor"]
    second = await page(city, city.branch, first=2, after=after)
    assert len({edge["node"]["id"] for edge in first["edges"] + second["edges"]}) == 4


# --- Who sees what ------------------------------------------------------------------------------

PEOPLE = ["hanh", "an", "lan", "son", "thu", "nam", "oanh", "van", "tuan", "yen", "nobody"]

# F: all of it.  n: the name only.  x: NOT_ALLOWED.  -: NOT_FOUND, as for what is not there.
# ?: NOT_SIGNED_IN.  0: null, without an error.
#   chair, member, probationary, suspended, guest, member elsewhere, overseer,
#   ward officer, city officer, chair of another branch, nobody
VISIBLE = {
    "unit branch":       "F F F - F F F F F - ?",
    "unit other_branch": "- - - - F F F F F F ?",
    "unit ward":         "n n n - n n n F F n ?",
    "unit city":         "n n n - n n n n F n ?",
    "unitLive branch":   "F F F - F F F F F - ?",
    "unitLive other_branch": "- - - - F F F F F F ?",
    "unitLive ward":     "x x x - x x x F F x ?",
    "unitLive city":     "x x x - x x x x F x ?",
    "member hanh":       "F n n - n n - - - - ?",
    "member an":         "F F n - n n - - - - ?",
    "member son":        "F n n F n n - - - - ?",
    "member thu":        "F n n - F n n n n F ?",
    "member yen":        "- - - - n n n n n F ?",
    "meeting meeting":   "F F F - F F F - - - ?",
    "meeting other_meeting": "- - - - F F F F F F ?",
    "proxies meeting":   "F F F - F F F - - - ?",
    "proxies other_meeting": "- - - - F F F F F F ?",
    "meetings branch":   "F F F - F F F x x - ?",
    "rules branch":      "F F F - F F F x x - ?",
    "rules ward":        "x x x - x x x F x x ?",
    "vote vote":         "F F F - F F F - - - ?",
    "vote other_vote":   "- - - - F F F F F F ?",
    "viewer":            "F F F F F F F F F F 0",
    "annulments":        "F F F F F F F F F F ?",
}  # fmt: skip

FIELDS = {
    "unit": PLACE,
    "member": MEMBER,
    "meeting": OWN_MEETING,
    "vote": OWN_VOTE,
    "viewer": f"member {{ {MEMBER} }} sessionExpiresAt",
    "annulments": "voteId",
    "proxies": "holder { id } givers { id }",
    "rules": "matter rule { name }",
    "unitLive": "unit { id } summoned children { unit { id } summoned }",
    "meetings": "edges { node { id turnout { summoned present } } }",
}


def subject(city: City, name: str) -> str:
    value = getattr(city, name)
    return str(value if isinstance(value, UUID) else value.id)


def seen(answer: dict[str, Any] | None, field: str) -> str:
    """What came back: all, or the name only. Nothing between: what is hidden hides together."""
    if answer is None:
        return "0"
    if field == "unit":
        hidden = [answer[name] is None for name in ("children", "memberCount", "meetingsInSession")]
    elif field == "member":
        hidden = [answer[name] is None for name in ("standing", "unit")]
    else:
        hidden = [False]
    assert len(set(hidden)) == 1, answer
    return "n" if hidden[0] else "F"


async def look(person: Person, field: str, of: str) -> str:
    argument = {"meetings": "unitId", "rules": "unitId", "proxies": "meetingId"}.get(field, "id")
    passed = f"({argument}: $id)" if of else ""
    declared = "($id: ID!)" if of else ""
    document = f"query {declared} {{ {field}{passed} {{ {FIELDS[field]} }} }}"
    variables = {"id": of} if of else {}
    result = await execute(context_of(person), document, **variables)
    if result.errors:
        assert result.data == {field: None}
        return {"NOT_ALLOWED": "x", "NOT_FOUND": "-", "NOT_SIGNED_IN": "?"}[
            reason_of(result.errors)
        ]
    assert result.data is not None
    return seen(result.data[field], field)


def test_the_matrix_has_every_query() -> None:
    assert {row.split()[0] for row in VISIBLE} == set(schema._schema.query_type.fields)  # type: ignore[union-attr]


@pytest.mark.parametrize("row", VISIBLE)
async def test_each_person_sees_what_the_matrix_says(city: City, row: str) -> None:
    field, _, name = row.partition(" ")
    of = subject(city, name) if name else ""
    saw = [await look(getattr(city, person), field, of) for person in PEOPLE]
    assert dict(zip(PEOPLE, saw, strict=True)) == dict(
        zip(PEOPLE, VISIBLE[row].split(), strict=True)
    )


async def test_what_is_not_there_is_not_found_for_anybody_signed_in(city: City) -> None:
    for field in ("unit", "member", "meeting", "meetings", "vote"):
        argument = "unitId" if field in {"meetings", "rules"} else "id"
        document = f"query ($id: ID!) {{ {field}({argument}: $id) {{ __typename }} }}"
        for wrong in (str(uuid4()), "", "x", "\x00", "\ud800", "0" * 1_000_000):
            result = await execute(context_of(city.son), document, id=wrong)
            assert reason_of(result.errors) == "NOT_FOUND"
            result = await execute(context_of(city.nobody), document, id=wrong)
            assert reason_of(result.errors) == "NOT_SIGNED_IN"


async def test_an_ended_session_sees_nothing_though_its_token_is_remembered(city: City) -> None:
    session = Session.id == city.hanh.signed_in.session_id
    await change(city.scene.database, Session, session, revoked_at=datetime.now(UTC))
    for row in VISIBLE:
        field, _, name = row.partition(" ")
        of = subject(city, name) if name else ""
        assert await look(city.hanh, field, of) == "?", row


async def test_a_parent_shows_no_subtree_even_to_its_officer(city: City) -> None:
    document = f"query ($id: ID!) {{ unit(id: $id) {{ parent {{ {PLACE} }} }} }}"
    for person in (city.hanh, city.van, city.tuan):
        answer = await ask(context_of(person), document, id=str(city.branch))
        parent = answer["unit"]["parent"]
        assert parent["name"] == "Hoàng Liệt"
        assert parent["parent"]["name"] == "Hà Nội"
        for hidden in ("children", "memberCount", "meetingsInSession"):
            assert parent[hidden] is None


async def test_nobody_s_record_is_told_by_a_meeting(city: City) -> None:
    document = f"""query ($id: ID!) {{
      meeting(id: $id) {{ attendance {{ member {{ {MEMBER} }} }} }}
    }}"""
    for person in (city.hanh, city.an, city.oanh):
        answer = await ask(context_of(person), document, id=str(city.meeting.id))
        for row in answer["meeting"]["attendance"]:
            assert row["member"]["standing"] is None
            assert row["member"]["unit"] is None
            for appointment in row["member"]["appointments"]:
                assert appointment["unit"]["memberCount"] is None


async def test_fellows_see_each_other_s_name_and_appointments(city: City) -> None:
    document = f"query ($id: ID!) {{ member(id: $id) {{ {MEMBER} }} }}"
    member = (await ask(context_of(city.an), document, id=str(city.hanh.id)))["member"]
    assert (member["name"], member["standing"], member["unit"]) == ("Hạnh", None, None)
    assert [one["role"] for one in member["appointments"]] == ["SECRETARY"]


async def test_an_officer_sees_the_figures_of_the_subtree(city: City) -> None:
    for number in (9, 10):
        city.scene.unit(f"Chi bộ {number}", parent=city.ward)
    await city.scene.save()
    figures = "name memberCount meetingsInSession"
    document = f"""query ($id: ID!) {{
      unit(id: $id) {{ {figures} children {{ {figures} children {{ {figures} }} }} }}
    }}"""
    top = (await ask(context_of(city.tuan), document, id=str(city.city)))["unit"]
    (ward,) = top["children"]
    for unit in (top, ward):
        assert (unit["memberCount"], unit["meetingsInSession"]) == (14, 2)
    assert ward["children"] == [
        {"name": "Chi bộ 1", "memberCount": 9, "meetingsInSession": 1},
        {"name": "Chi bộ 2", "memberCount": 5, "meetingsInSession": 1},
        {"name": "Chi bộ 9", "memberCount": 0, "meetingsInSession": 0},
        {"name": "Chi bộ 10", "memberCount": 0, "meetingsInSession": 0},
    ]


async def test_a_unit_that_moved_is_seen_where_it_is_today(city: City) -> None:
    district = city.scene.unit("Hoàng Mai", UnitKind.UPPER, city.city)
    await city.scene.save()
    moved_on = EVENING.date()
    was_below = UnitParent.unit_id == city.ward
    await change(city.scene.database, UnitParent, was_below, valid_to=moved_on)
    city.scene.add(UnitParent, unit_id=city.ward, parent_id=district, valid_from=moved_on)
    await city.scene.save()
    document = """query ($id: ID!) {
      unit(id: $id) { children { name children { name memberCount } } }
    }"""
    top = (await ask(context_of(city.tuan), document, id=str(city.city)))["unit"]
    below = [{"name": "Hoàng Liệt", "memberCount": 14}]
    assert top["children"] == [{"name": "Hoàng Mai", "children": below}]


async def test_a_receipt_is_shown_to_its_voter_only(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
    await act(context_of(city.an), "castBallot", **ballot)
    document = "query ($id: ID!) { vote(id: $id) { myReceipt { key choices } } }"
    for person in (city.hanh, city.binh, city.lan, city.oanh, city.an):
        receipt = (await ask(context_of(person), document, id=str(city.vote.id)))["vote"]
        mine = {"key": "key", "choices": [str(city.vote.for_)]} if person is city.an else None
        assert receipt == {"myReceipt": mine}, person.name


async def test_each_person_is_told_what_they_may_do(city: City) -> None:
    member = ["CHECK_IN", "CAST_BALLOT", "GIVE_PROXY"]
    chair = [
        "START_MEETING",
        "PAUSE_MEETING",
        "CLOSE_MEETING",
        "MOVE_AGENDA",
        "OPEN_VOTE",
        "CLOSE_VOTE",
        "PREPARE_VOTE",
    ]
    all_acts = [*member[:2], *chair, *member[2:], "CONFIRM_ATTENDANCE"]
    open_vote = ["CLOSE_VOTE", "EXTEND_VOTE", "AMEND_ROLL", "RECORD_HANDS", "TAKE_BACK_HANDS"]
    document = """query ($id: ID!) { meeting(id: $id) { viewerMay votes { viewerMay } } }"""

    async def told(person: Person) -> tuple[list[str], list[str]]:
        answer = await ask(context_of(person), document, id=str(city.meeting.id))
        return answer["meeting"]["viewerMay"], answer["meeting"]["votes"][0]["viewerMay"]

    assert await told(city.hanh) == (all_acts, ["OPEN_VOTE", "PREPARE_VOTE"])
    assert await told(city.an) == (member, [])
    assert await told(city.oanh) == ([], [])
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    assert await told(city.hanh) == (all_acts, ["CAST_BALLOT", *open_vote])
    assert await told(city.an) == (member, ["CAST_BALLOT"])
    assert await told(city.lan) == (member, [])
    ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
    for person in (city.hanh, city.an):
        await act(context_of(person), "castBallot", **ballot)
    assert await told(city.hanh) == (all_acts, open_vote)
    assert await told(city.an) == (member, [])
    await act(context_of(city.hanh), "closeVote", voteId=city.vote.id)
    assert await told(city.hanh) == (all_acts, ["REPEAT_VOTE", "ANNUL_VOTE"])
    assert await told(city.an) == (member, [])
    await act(context_of(city.hanh), "annulVote", voteId=city.vote.id, reason="Kiểm phiếu sai")
    assert await told(city.hanh) == (all_acts, ["REPEAT_VOTE"])


# --- One statement a list, however long ---------------------------------------------------------


def operations_of_the_web_client() -> dict[str, str]:
    """Every operation that the page sends, by name, with the fragments it needs."""
    whole = "\n".join(path.read_text() for path in sorted(WEB_CLIENT.rglob("*.graphql")))
    return {name: print_ast(one) for name, one in separate_operations(parse(whole)).items()}


def variables_of(document: str) -> set[str]:
    (operation,) = [
        one for one in parse(document).definitions if isinstance(one, OperationDefinitionNode)
    ]
    return {one.variable.name.value for one in operation.variable_definitions or ()}


def big_meeting(city: City, members: int, votes: int) -> UUID:
    people = [city.scene.member(f"Đảng viên {n}", city.branch) for n in range(members)]
    for person in people[::5]:
        city.scene.appoint(person, city.branch, Role.COMMITTEE_MEMBER)
    meeting = city.scene.meeting(
        city.branch, MeetingState.IN_SESSION, people, chair=city.hanh, items=votes
    )
    for number in range(1, votes + 1):
        city.scene.vote(meeting, item=number, position=number)
    return meeting.id


@pytest.mark.parametrize("watcher", ["an", "hanh"])
@pytest.mark.parametrize("operation", ["WatchMeeting", "WatchOwnVotes"])
async def test_the_web_client_s_meeting_costs_the_same_statements_however_big(
    city: City, watcher: str, operation: str
) -> None:
    document = operations_of_the_web_client()[operation]
    variables = dict.fromkeys(variables_of(document) - {"id"}, True)
    costs = []
    for members, votes in [(10, 3), (75, 10)]:
        meeting_id = big_meeting(city, members, votes)
        await city.scene.save()
        await open_and_cast(city, meeting_id)
        context = context_of(getattr(city, watcher))
        with statements(city.scene.database) as asked:
            async with watch(context, document, id=str(meeting_id), **variables) as watched:
                pushed = await watched.next()
        assert len(pushed["votes"]) == votes
        costs.append(len(asked))
    assert costs[0] == costs[1]


def test_what_the_web_client_watches_is_shared_or_no_ballot_of_others_runs_it() -> None:
    read = {name: read_operation(one, name) for name, one in operations_of_the_web_client().items()}
    watched = {name: operation for name, operation in read.items() if operation}
    assert {"WatchMeeting", "WatchOwnVotes", "WatchRollCall"} <= set(watched)
    personal = {name: one.has_counts for name, one in watched.items() if one.is_personal}
    assert personal == {"WatchOwnVotes": False}


@pytest.mark.parametrize("field", ["query", "subscription"])
async def test_a_meeting_with_everything_costs_the_same_statements_however_big(
    city: City, field: str
) -> None:
    document = f"{field} ($id: ID!) {{ meeting(id: $id) {{ {OWN_MEETING} }} }}"
    costs = []
    for members, votes in [(10, 3), (75, 10)]:
        meeting_id = big_meeting(city, members, votes)
        await city.scene.save()
        await open_and_cast(city, meeting_id)
        with statements(city.scene.database) as asked:
            async with watch(context_of(city.hanh), document, id=str(meeting_id)) as watched:
                pushed = await watched.next()
        assert len(pushed["attendance"]) == members
        assert len(pushed["votes"]) == votes
        costs.append(len(asked))
    assert costs[0] == costs[1]


async def open_and_cast(city: City, meeting_id: UUID) -> None:
    """Open the meeting's first vote, and cast a ballot in it."""
    document = "query ($id: ID!) { meeting(id: $id) { votes { id options { id } } } }"
    answer = await ask(context_of(city.hanh), document, id=str(meeting_id))
    vote = answer["meeting"]["votes"][0]
    await act(context_of(city.hanh), "openVote", voteId=vote["id"])
    choices = [vote["options"][0]["id"]]
    receipt = await act(
        context_of(city.an), "castBallot", voteId=vote["id"], choices=choices, key="key"
    )
    assert receipt["__typename"] == "Receipt"


async def test_a_list_of_meetings_costs_the_same_statements_however_long(city: City) -> None:
    document = """query ($unit: ID!) {
      meetings(unitId: $unit, first: 100) {
        edges { node { id version unit { name } turnout { present } votes { tally { cast } } } }
      }
    }"""
    costs = []
    for more in (2, 40):
        for _ in range(more):
            city.scene.meeting(city.branch, summoned=[city.an])
        await city.scene.save()
        with statements(city.scene.database) as asked:
            await ask(context_of(city.an), document, unit=str(city.branch))
        costs.append(len(asked))
    assert costs[0] == costs[1]


async def test_a_subtree_costs_the_same_statements_however_wide(city: City) -> None:
    figures = "name memberCount meetingsInSession"
    document = f"""query ($id: ID!) {{
      unit(id: $id) {{ {figures} children {{ {figures} children {{ {figures} }} }} }}
    }}"""
    costs = []
    for more in (1, 30):
        for number in range(more):
            city.scene.unit(f"Chi bộ {number}", parent=city.ward)
        await city.scene.save()
        with statements(city.scene.database) as asked:
            await ask(context_of(city.tuan), document, id=str(city.city))
        costs.append(len(asked))
    assert costs[0] == costs[1]


# --- Limits -------------------------------------------------------------------------------------


def nested(depth: int) -> str:
    """A query whose deepest field is so many fields below the root's."""
    levels = depth - 1
    return f'{{ unit(id: "x") {{ {"parent { " * levels} name {"} " * levels} }} }}'


def aliased(aliases: int) -> str:
    return "{ " + " ".join(f"a{number}: __typename" for number in range(aliases)) + " }"


async def messages(person: Person, document: str) -> list[str]:
    result = await execute(context_of(person), document)
    return [error.message for error in result.errors or []]


@ON_ONE_DATABASE
async def test_a_query_that_is_too_deep_is_refused(city: City) -> None:
    assert await messages(city.an, nested(MAXIMUM_DEPTH)) == ["There is no such unit."]
    (message,) = await messages(city.an, nested(MAXIMUM_DEPTH + 1))
    assert "maximum operation depth" in message


@ON_ONE_DATABASE
async def test_depth_counts_through_fragments(city: City) -> None:
    document = nested(MAXIMUM_DEPTH - 1).replace("name", "...Deep")
    document += " fragment Deep on Unit { parent { parent { name } } }"
    (message,) = await messages(city.an, document)
    assert "maximum operation depth" in message


@ON_ONE_DATABASE
async def test_a_query_of_too_many_aliases_is_refused(city: City) -> None:
    assert await messages(city.an, aliased(MAXIMUM_ALIASES)) == []
    (message,) = await messages(city.an, aliased(MAXIMUM_ALIASES + 1))
    assert "aliases" in message


@ON_ONE_DATABASE
async def test_a_query_of_too_many_tokens_is_refused(city: City) -> None:
    around = """mutation { castBallot(voteId: "x", key: "x", choices: [%s]) { __typename } }"""
    room = MAXIMUM_TOKENS - 19  # what the parser counts of the document around the list
    assert await messages(city.an, around % ('"x" ' * room)) == []
    (message,) = await messages(city.an, around % ('"x" ' * (room + 1)))
    assert "tokens" in message


@ON_ONE_DATABASE
@pytest.mark.parametrize("document", ["{", "query", "\x00", "{ nothing }", "\ud800", "#"])
async def test_a_document_that_makes_no_sense_is_a_mistake_and_no_fault(
    city: City, document: str
) -> None:
    with capture_logs() as logs:
        result = await execute(context_of(city.an), document)
    assert result.errors
    assert all("correlationId" not in (error.extensions or {}) for error in result.errors)
    assert logs == []


def test_the_web_client_s_operations_are_found() -> None:
    assert {"WatchMeeting", "CastBallot", "SignIn"} <= set(operations_of_the_web_client())


@ON_ONE_DATABASE
@pytest.mark.parametrize("name", sorted(operations_of_the_web_client()))
async def test_an_operation_of_the_web_client_is_within_the_limits(city: City, name: str) -> None:
    document = operations_of_the_web_client()[name]
    context = context_of(city.nobody)
    values = {
        "choices": ["x"],
        "after": None,
        "closesAt": EVENING.isoformat(),
        "count": 1,
        "hands": [{"optionId": "x", "count": 1}],
        "isPresent": True,
        "draft": {"itemId": "x", "matter": "ORDINARY", "question": "x"},
    }
    variables = {one: values.get(one, "x") for one in variables_of(document)}
    results = await schema.stream(document, variables, context_value=context)
    (result,) = [one async for one in results]
    for error in getattr(result, "errors", None) or []:
        assert (error.extensions or {})["reason"] == "NOT_SIGNED_IN", error


# --- Faults -------------------------------------------------------------------------------------

BROKEN = {"a rule": "of another age, with something nobody should read"}


async def break_rule(city: City) -> None:
    await change(city.scene.database, Vote, Vote.id == city.vote.id, rule=BROKEN)


def check_masked(errors: Any, logs: Any) -> None:
    """One number to quote, the same in the log with the whole story; nothing else is told."""
    (error,) = errors
    (entry,) = logs
    assert error.message == "Something went wrong on our side."
    assert error.extensions == {"correlationId": entry["correlation_id"]}
    assert isinstance(entry["exc_info"], ValueError)
    assert entry["log_level"] == "error"
    assert "nobody should read" not in str(error.formatted)


async def test_a_fault_in_a_query_is_masked_and_logged(city: City) -> None:
    await break_rule(city)
    document = "query ($id: ID!) { vote(id: $id) { rule { name } } }"
    with capture_logs() as logs:
        result = await execute(context_of(city.an), document, id=str(city.vote.id))
    assert result.data == {"vote": None}
    check_masked(result.errors, logs)


async def test_a_fault_beside_the_fields_is_masked_and_logged(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Context) -> None:
        raise ValueError("nobody should read this")

    with capture_logs() as logs, monkeypatch.context() as patched:
        patched.setattr(Context, "release", fail)
        result = await execute(context_of(city.an), "{ __typename }")
    check_masked(result.errors, logs)


async def test_a_fault_in_a_mutation_is_masked_and_logged_and_undone(city: City) -> None:
    await break_rule(city)
    document = "mutation ($id: ID!) { openVote(voteId: $id) { __typename } }"
    with capture_logs() as logs:
        result = await execute(context_of(city.hanh), document, id=str(city.vote.id))
    assert result.data is None
    check_masked(result.errors, logs)
    state = "query ($id: ID!) { vote(id: $id) { state roll { weight } } }"
    answer = await ask(context_of(city.an), state, id=str(city.vote.id))
    assert answer["vote"] == {"state": "PREPARED", "roll": []}


async def test_a_fault_in_a_subscription_is_masked_and_logged(city: City) -> None:
    await break_rule(city)
    document = "subscription ($id: ID!) { vote(id: $id) { rule { name } } }"
    results = await schema.stream(
        document, {"id": str(city.vote.id)}, context_value=context_of(city.an)
    )
    with capture_logs() as logs:
        result: Any = await anext(results)
    await results.aclose()
    assert result.data is None
    check_masked(result.errors, logs)


async def test_a_refusal_is_no_fault(city: City) -> None:
    document = "query ($id: ID!) { meeting(id: $id) { id } }"
    with capture_logs() as logs:
        await execute(context_of(city.yen), document, id=str(city.meeting.id))
        await act(context_of(city.an), "openVote", voteId=city.vote.id)
    assert logs == []
