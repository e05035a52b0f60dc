"""Our own server as operators run it: PostgreSQL, sign-in, `branch-meetings serve`."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from uuid import uuid4

from sqlalchemy import delete

from benchmarks._fanout_client import document
from benchmarks._fanout_load import Subscriber
from benchmarks._fanout_peers import SUBSCRIBE, Line, Target, running, subscriber
from benchmarks._fanout_run import IDLE_CASTS, IDLE_ROUNDS, WARM_UP
from benchmarks.casting import wait_for
from models import migrate
from models.accounts.access_changes import AccessChange
from models.database import Database
from realtime.feed import Feed
from resolvers.votes.votes import open_vote
from rules.meetings.meetings import MeetingState
from rules.register.members import Role
from tests.support.factories import MeetingIds, Person, Scene, VoteIds, context_of
from tests.support.postgresql_server import PostgreSQL
from tests.support.processes import free_port
from tests.support.services import create_database
from tests.support.valkey_server import Valkey

CAST = """mutation ($voteId: ID!, $choices: [ID!]!, $key: ID!) {
  castBallot(voteId: $voteId, choices: $choices, key: $key) {
    __typename
    ... on Receipt { id voteId key castAt }
    ... on Refused { reason message }
  }
}"""
ROLL = """subscription ($id: ID!) {
  vote(id: $id) { version tally { cast } roll { leftOut weight member { id name } } }
}"""


@dataclass(frozen=True)
class Branch:
    """A branch that meets and votes; its first member is the chair."""

    members: list[Person]
    meeting: MeetingIds
    vote: VoteIds


Operation = Callable[[Branch, int], tuple[str, dict[str, str]]]
"""The document and the variables that member n of a branch subscribes with."""


def tally(branch: Branch, _: int) -> tuple[str, dict[str, str]]:
    return SUBSCRIBE, {"id": str(branch.vote.id)}


def meeting_page(branch: Branch, number: int) -> tuple[str, dict[str, str]]:
    """What members have open: 80 % the meeting, 18 % the list of meetings, 2 % the roll call."""
    name = "WatchMeeting"
    if number % 50 >= 40:
        name = "WatchRollCall" if number % 50 == 49 else "WatchMeetingSummary"
    return document(name), {"id": str(branch.meeting.id)}


def roll(branch: Branch, _: int) -> tuple[str, dict[str, str]]:
    """A long state, some 150 bytes for each member of the branch, which changes with ballots only:
    who goes away changes nothing."""
    return ROLL, {"id": str(branch.vote.id)}


@contextmanager
def ours(
    branches: int = 1,
    members: int = 1000,
    sockets: int = 0,
    operation: Operation = tally,
    workers: int = 1,
    act: Callable[["Voting", int], None] | None = None,
    broker: Valkey | None = None,
    checkout: Path | None = None,
) -> Iterator[Target]:
    """Our server with branches that each hold one open vote.

    Each member subscribes once, or all of them from so many `sockets`. `act` brings an update
    about; without it a member casts. Several workers have a broker of their own, or are given one.
    The server's modules are those of `checkout`, if that is another one than this.
    """
    with ExitStack() as stack:
        postgresql = stack.enter_context(PostgreSQL(durable=True))
        url = create_database(postgresql.url)
        made = asyncio.run(prepare(url, branches, members))
        settings = {
            "MEETINGS_MODE": "production",
            "MEETINGS_SECRET": uuid4().hex,
            "MEETINGS_MEMBER_ALLOWANCE": "1000",
            "MEETINGS_DATABASE_URL": url,
        }
        if checkout:
            settings["PYTHONPATH"] = str(checkout.resolve(strict=True))
        if workers > 1:
            broker = broker or stack.enter_context(Valkey())
            settings["MEETINGS_BROADCAST_URL"] = broker.url
        port = free_port()
        command = [str(Path(sys.executable).with_name("branch-meetings")), "serve"]
        command += ["--port", str(port), "--workers", str(workers)]
        processes = stack.enter_context(running(command, settings))
        wait_for(port)
        voting = Voting(made, port)
        voting.introduce(max(1, WARM_UP // branches) + max(IDLE_ROUNDS, IDLE_CASTS // branches))
        yield Target(
            port,
            processes,
            _subscribers(made, operation, sockets or branches * members),
            lambda group: (act or Voting.cast)(voting, group),
        )


def _subscribers(
    branches: Sequence[Branch], operation: Operation, sockets: int
) -> list[Subscriber]:
    people = [
        (group, branch, number)
        for group, branch in enumerate(branches)
        for number in range(len(branch.members))
    ]
    return [
        subscriber(*operation(branch, number), group=group, token=branch.members[number].token)
        for group, branch, number in islice(cycle(people), sockets)
    ]


class Voting:
    """Members who cast one after the other, each once."""

    def __init__(self, branches: Sequence[Branch], port: int) -> None:
        self._branches = branches
        self._voters = [iter(branch.members) for branch in branches]
        self._line = Line(port)
        self._casts = 0

    def cast(self, group: int) -> None:
        """The next member of the branch casts. Raises RuntimeError on any refusal."""
        self._ask(next(self._voters[group]), CAST, self._paper(group))

    def as_the_page_does(self, group: int) -> None:
        """A member checks in, casts, and at times looks the details up."""
        branch, voter = self._branches[group], next(self._voters[group])
        self._ask(voter, document("CheckIn"), {"meetingId": str(branch.meeting.id)})
        if self._casts % 10 == 0:
            self._ask(voter, document("VoteDetails"), {"id": str(branch.vote.id)})
        self._casts += 1
        self._ask(voter, document("CastBallot"), self._paper(group))

    def introduce(self, each: int) -> None:
        """Let the server know the tokens of those who cast before anybody has joined, as it knows
        those of all who have."""
        for branch in self._branches:
            for member in branch.members[:each]:
                self._ask(member, "{ __typename }", {})

    def _paper(self, group: int) -> dict[str, object]:
        vote = self._branches[group].vote
        key = uuid4().hex
        return {"voteId": str(vote.id), "choices": [str(vote.for_)], "key": key}

    def _ask(self, person: Person, query: str, variables: Mapping[str, object]) -> None:
        answer = self._line.post({"query": query, "variables": variables}, person.token)
        if b'"Refused"' in answer:
            raise RuntimeError(f"refused: {answer!r}")


async def prepare(url: str, branches: int, members: int) -> list[Branch]:
    """A migrated database in which so many branches of so many members are voting."""
    database = Database(url)
    await migrate.upgrade(database)
    async with Feed.from_url("memory://") as feed:
        scene = Scene(database, feed)
        made = [_branch(scene, number, members) for number in range(branches)]
        await scene.save()
        for branch in made:
            context = context_of(branch.members[0])
            await open_vote(context, str(branch.vote.id))
            await context.release()
    async with database.writing() as session:
        await session.execute(delete(AccessChange))  # they have been members for long
        await session.commit()
    await database.dispose()
    return made


def _branch(scene: Scene, number: int, members: int) -> Branch:
    unit = scene.unit(f"Chi bộ {number}")
    chair = scene.member("Chair", unit, role=Role.SECRETARY)
    people = [chair, *scene.members([f"Member {n}" for n in range(1, members)], unit)]
    meeting = scene.meeting(unit, MeetingState.IN_SESSION, people, chair=chair)
    return Branch(people, meeting, scene.vote(meeting))
