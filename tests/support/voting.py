"""Holding votes of every method through GraphQL, as chairs and members do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from models.base import Base as Table
from models.meetings.meetings import Attendance, Meeting
from models.votes.export import export_vote
from models.votes.votes import AuditRow, Vote
from rules.meetings.meetings import AttendanceStatus, MeetingState
from rules.votes.presets import Matter
from rules.votes.rule_sets import (
    Base,
    Change,
    Exclusion,
    LiveTally,
    RuleSet,
    Secrecy,
    TieRule,
    Treatment,
)
from tests.support.asking import OWN_VOTE, act, ask
from tests.support.database_log import unchanged
from tests.support.factories import ORDINARY, City, Person, VoteIds, context_of
from tests.support.tampering import change

RECEIPT = "... on Receipt { id voteId key choices castAt tracker }"

HIDDEN = replace(ORDINARY, secrecy=Secrecy.UNATTRIBUTED, live_tally=LiveTally.AFTER_CLOSE)
"""Nobody sees who voted how, and nobody sees figures before the result."""

TIED = replace(
    ORDINARY,
    base=Base.BALLOTS_CAST,
    base_exclusions=frozenset[Exclusion](),
    abstentions=Treatment.IGNORED,
    tie=TieRule.CHAIR_CASTS,
)
"""Equal votes are decided by the chair."""

CHANGEABLE = replace(ORDINARY, change=Change.LAST_COUNTS)

WEIGHTED = replace(
    ORDINARY, base=Base.ENTITLED, base_exclusions=frozenset[Exclusion](), weights=True
)


@dataclass(frozen=True)
class Paper:
    """A vote and what its ballots can mark."""

    id: UUID
    options: list[dict[str, Any]]

    def box(self, label: str, kind: str = "") -> str:
        """The option of this label; a candidate has two, FOR and AGAINST."""
        (found,) = [
            option["id"]
            for option in self.options
            if option["label"] == label and kind in {"", option["kind"]}
        ]
        return str(found)

    def of_kind(self, kind: str) -> list[str]:
        return [option["id"] for option in self.options if option["kind"] == kind]


Held = Paper | VoteIds


async def no_to(person: Person, mutation: str, **arguments: Any) -> Any:
    """The refusal of a mutation."""
    value = await act(context_of(person), mutation, **arguments)
    assert value["__typename"] == "Refused", value
    assert value["message"]
    return value


async def refused(person: Person, mutation: str, **arguments: Any) -> Any:
    """The refusal of a mutation. Nothing was changed."""
    async with unchanged(person.scene.database):
        return await no_to(person, mutation, **arguments)


async def reason(person: Person, mutation: str, **arguments: Any) -> str:
    return str((await refused(person, mutation, **arguments))["reason"])


async def vote_after(
    person: Person, mutation: str, vote: Held | None = None, /, **arguments: Any
) -> Any:
    """The vote that a mutation answers with."""
    about = {"voteId": vote.id} if vote else {}
    value = await act(
        context_of(person), mutation, f"... on Vote {{ {OWN_VOTE} }}", **about, **arguments
    )
    assert value["__typename"] == "Vote", value
    return value


async def prepare(
    chair: Person,
    item: UUID,
    matter: Matter = Matter.ORDINARY,
    answers: Sequence[str] = (),
    **draft: Any,
) -> Paper:
    """A vote prepared under the rule of the matter."""
    whole = draft_of(item, matter, answers, **draft)
    return paper_of(await vote_after(chair, "prepareVote", draft=whole))


def draft_of(
    item: UUID, matter: Matter = Matter.ORDINARY, answers: Iterable[str] = (), **draft: Any
) -> dict[str, Any]:
    named = {"itemId": item, "matter": matter, "answers": list(answers)}
    return {"question": "Biểu quyết?", **named, **draft}


def paper_of(vote: Any) -> Paper:
    return Paper(UUID(vote["id"]), vote["options"])


async def cast(person: Person, vote: Held, *choices: object, key: str = "key") -> Any:
    """The receipt of a ballot with these marks."""
    ballot = {"voteId": vote.id, "choices": list(choices), "key": key}
    value = await act(context_of(person), "castBallot", RECEIPT, **ballot)
    assert value["__typename"] == "Receipt", value
    return value


async def cast_refused(person: Person, vote: Held, *choices: object, key: str = "key") -> Any:
    """The reason and the details of the refusal of a ballot."""
    ballot = {"voteId": vote.id, "choices": list(choices), "key": key}
    value = await refused(person, "castBallot", **ballot)
    return value["reason"], value["details"]


async def look(person: Person, vote: Held, fields: str = OWN_VOTE) -> Any:
    """The vote as the person sees it now."""
    document = f"query ($id: ID!) {{ vote(id: $id) {{ {fields} }} }}"
    return (await ask(context_of(person), document, id=str(vote.id)))["vote"]


def counts(vote: Any) -> dict[str, int | None]:
    """What the tally says of each option, by its id."""
    return {one["optionId"]: one["count"] for one in vote["tally"]["options"]}


def turnout(vote: Any) -> tuple[int, int]:
    return vote["tally"]["cast"], vote["tally"]["byHand"]


async def stored(city: City, statement: Any) -> Any:
    async with city.scene.database.snapshot() as session:
        return (await session.execute(statement)).all()


async def set_state(city: City, state: MeetingState) -> None:
    """Put the city's meeting into a state, however it got there."""
    has_ended = state in {MeetingState.CLOSED, MeetingState.MINUTES_SIGNED}
    closed_at = datetime.now(UTC) if has_ended else None
    meeting = Meeting.id == city.meeting.id
    await change(city.scene.database, Meeting, meeting, state=state, closed_at=closed_at)


async def count(city: City, table: type[Table], *where: Any) -> int:
    ((number,),) = await stored(city, select(func.count()).select_from(table).where(*where))
    return int(number)


async def chain(city: City, vote: Held) -> list[tuple[str, dict[str, Any]]]:
    """Kind and payload of the audit rows, in order."""
    rows = await stored(
        city,
        select(AuditRow.kind, AuditRow.payload)
        .where(AuditRow.vote_id == vote.id)
        .order_by(AuditRow.sequence),
    )
    return [(row.kind.value, row.payload) for row in rows]


async def export(city: City, vote: Held) -> dict[str, Any]:
    """The vote as `branch-meetings export vote` writes it."""
    async with city.scene.database.snapshot() as session:
        data = await export_vote(session, vote.id)
    assert data is not None
    return data


async def enter(city: City, *people: Person) -> None:
    """They check in to the city's meeting, and the chair sees them in the room."""
    its = Attendance.meeting_id == city.meeting.id
    who = Attendance.member_id.in_([person.id for person in people])
    await change(
        city.scene.database,
        Attendance,
        its,
        who,
        status=AttendanceStatus.PRESENT,
        confirmed_at=datetime.now(UTC),
        confirmed_by_id=city.hanh.id,
    )


async def run_out(city: City, vote: Held) -> None:
    """Let the vote's time be over, as it is a moment before somebody closes it."""
    past = datetime.now(UTC) - timedelta(milliseconds=1)
    await change(city.scene.database, Vote, Vote.id == vote.id, closes_at=past)


async def end(city: City, vote: Held) -> Any:
    """Close the vote when its time is over, whoever has voted."""
    await run_out(city, vote)
    return await vote_after(city.hanh, "closeVote", vote)


async def prepared_motion(city: City, rule: RuleSet) -> VoteIds:
    """A motion at the current item that is decided by the rule."""
    vote = city.scene.vote(city.meeting, item=1, position=50, rule=rule)
    await city.scene.save()
    return vote


async def open_motion(city: City, rule: RuleSet) -> VoteIds:
    vote = await prepared_motion(city, rule)
    await vote_after(city.hanh, "openVote", vote)
    return vote
