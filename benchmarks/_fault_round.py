"""One round: a vote opens, 24 vote and one closes, faults happen, everything heals."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from uuid import UUID

from benchmarks._fault_checks import Stored, Violation, judge, read_stored, shows_stored
from benchmarks._fault_clients import OPEN, Booth, Line, Paper
from benchmarks._fault_injection import Fault, draw_strike, inject
from benchmarks._fault_stage import Stage
from benchmarks._history import History
from models.database import Database
from tests.support.factories import Person, VoteIds

LENGTH = 0.8  # seconds in which the voters come
SUBSCRIBERS = 4
CONVERGES_WITHIN = 10.0
SENT_AWAY_WITHIN = 8.0
"""Seconds when everything is well again; a suspended member is sent away in fewer."""
IMPATIENCE = (0.005, 0.1)  # seconds


class Habit(Enum):
    """How a voter behaves. Whoever gets no answer asks again with the same key."""

    PLAIN = auto()
    BY_SOCKET = auto()
    REPLY_CUT = auto()
    IMPATIENT = auto()
    SAME_KEY_AT_ONCE = auto()
    TWO_KEYS_AT_ONCE = auto()
    ASKS_AGAIN = auto()
    CHANGES_MIND = auto()
    LATE = auto()


@dataclass(frozen=True)
class Plan:
    """What one voter will do, drawn before the round begins."""

    paper: Paper
    second: Paper
    """Another key and perhaps another choice, for who tries to vote twice."""
    at: float
    habit: Habit
    worker: int
    impatience: float


@dataclass(frozen=True)
class Result:
    history: History
    stored: Stored
    violations: list[Violation]


async def play_round(
    stage: Stage, vote: VoteIds, faults: Sequence[Fault], random: Random
) -> Result:
    """Play and judge. Raises TimeoutError if something never heals or never answers."""
    history = History(vote.id)
    booth = Booth(vote, stage.ports, history, random)
    chair, suspended = stage.branch.chair, stage.branch.suspended
    await booth.reinstate(chair, suspended, random.randrange(2))
    await _open(stage, vote)
    leaving = [
        asyncio.create_task(booth.watch_until_sent_away(suspended, worker)) for worker in range(2)
    ]
    watching = [
        asyncio.create_task(booth.watch(f"subscriber {n}", stage.branch.voters[n], n % 2))
        for n in range(SUBSCRIBERS)
    ]
    try:
        await _vote_and_close(stage, booth, faults, random)
        await stage.heal()
        history.well_again_at = time.monotonic()
        await _wait_until_sent_away(history, leaving)
        await _ask_all_again(booth, stage.branch.voters, random)
        await booth.publish(stage.branch.chair, random.randrange(2))
        stored = await _read(stage.url, vote.id)
        await _wait_for_frames(history, stored)
    finally:
        for task in (*watching, *leaving):
            task.cancel()
        await asyncio.wait([*watching, *leaving])
    return Result(history, stored, judge(history, stored))


async def _open(stage: Stage, vote: VoteIds) -> None:
    line = Line(stage.ports[0])
    try:
        told = await line.ask(stage.branch.chair.token, OPEN, {"vote": str(vote.id)}, patience=30)
    finally:
        line.close()
    assert "reason" not in told, told


async def _vote_and_close(
    stage: Stage, booth: Booth, faults: Sequence[Fault], random: Random
) -> None:
    closes_at = random.uniform(0.4, 0.9) * LENGTH
    plans = [_draw_plan(voter, booth.vote, closes_at, random) for voter in stage.branch.voters]
    strikes = [draw_strike(fault, LENGTH, random) for fault in faults]
    chair_at = random.randrange(2)
    suspended_at, at_worker = random.uniform(0.1, 0.9) * LENGTH, random.randrange(2)
    async with asyncio.TaskGroup() as group:
        group.create_task(_suspend(stage, booth, suspended_at, at_worker))
        for strike in strikes:
            group.create_task(inject(strike, stage, booth.history))
        for plan in plans:
            group.create_task(_vote(booth, plan))
        await asyncio.sleep(closes_at)
        await booth.close(stage.branch.chair, chair_at)


async def _suspend(stage: Stage, booth: Booth, at: float, worker: int) -> None:
    await asyncio.sleep(at)
    await booth.suspend(stage.branch.chair, stage.branch.suspended, worker)


async def _wait_until_sent_away(history: History, leaving: Sequence[asyncio.Task[None]]) -> None:
    """Until the suspended member is shown nothing anywhere, or should be for long."""
    _, still_there = await asyncio.wait(leaving, timeout=SENT_AWAY_WITHIN)
    if still_there:
        history.still_shown_at = time.monotonic()


def _draw_plan(voter: Person, vote: VoteIds, closes_at: float, random: Random) -> Plan:
    """Half of the voters come at about the moment of closing."""
    is_rushing = random.random() < 0.5
    return Plan(
        paper=_draw_paper(voter, vote, random),
        second=_draw_paper(voter, vote, random),
        at=max(0.0, random.gauss(closes_at, 0.02)) if is_rushing else random.uniform(0, LENGTH),
        habit=random.choice(list(Habit)),
        worker=random.randrange(2),
        impatience=random.uniform(*IMPATIENCE),
    )


def _draw_paper(voter: Person, vote: VoteIds, random: Random) -> Paper:
    return Paper(
        voter, f"{random.getrandbits(64):016x}", random.choice(list(vote.options.values()))
    )


async def _vote(booth: Booth, plan: Plan) -> None:
    lines = booth.lines()
    try:
        await asyncio.sleep(plan.at)
        await _follow_habit(booth, plan, lines)
    finally:
        for line in lines:
            line.close()


async def _follow_habit(booth: Booth, plan: Plan, lines: list[Line]) -> None:
    paper, worker, other = plan.paper, plan.worker, booth.other(plan.worker)
    match plan.habit:
        case Habit.PLAIN:
            await booth.cast_until_known(paper, worker, lines)
        case Habit.BY_SOCKET:
            await booth.cast_until_known(paper, worker, by_socket=True)
        case Habit.REPLY_CUT:
            await booth.cast_and_leave(paper, worker)
            await booth.cast_until_known(paper, other, lines)
        case Habit.IMPATIENT:
            await booth.cast(paper, worker, lines[worker], patience=plan.impatience)
            await booth.cast_until_known(paper, other, lines)
        case Habit.SAME_KEY_AT_ONCE:
            await asyncio.gather(
                booth.cast_until_known(paper, worker), booth.cast_until_known(paper, other)
            )
        case Habit.TWO_KEYS_AT_ONCE:
            await asyncio.gather(
                booth.cast_until_known(paper, worker), booth.cast_until_known(plan.second, other)
            )
        case Habit.ASKS_AGAIN:
            await booth.cast_until_known(paper, worker, lines)
            await booth.cast_until_known(paper, other, lines)
        case Habit.CHANGES_MIND:
            await booth.cast_until_known(paper, worker, lines)
            await booth.cast_until_known(plan.second, other, lines)
        case Habit.LATE:
            await booth.history.is_closed.wait()
            await booth.cast_until_known(paper, worker, lines)


async def _ask_all_again(booth: Booth, voters: Sequence[Person], random: Random) -> None:
    """Every key is sent once more, after closing and healing: what was told must stand."""
    people = {voter.id: voter for voter in voters}
    asked = {(cast.member_id, cast.key): cast.choice for cast in booth.history.casts}
    papers = [Paper(people[member_id], key, choice) for (member_id, key), choice in asked.items()]
    async with asyncio.TaskGroup() as group:
        for paper in papers:
            group.create_task(booth.cast_until_known(paper, random.randrange(2)))


async def _read(url: str, vote_id: UUID) -> Stored:
    database = Database(url)
    try:
        return await read_stored(database, vote_id)
    finally:
        await database.dispose()


async def _wait_for_frames(history: History, stored: Stored) -> None:
    """Until every subscriber has the stored state, or has had the time for it."""
    deadline = time.monotonic() + CONVERGES_WITHIN
    while time.monotonic() < deadline:
        frames = [history.frames[f"subscriber {n}"] for n in range(SUBSCRIBERS)]
        if all(shows_stored(of_one, stored) for of_one in frames):
            return
        await asyncio.sleep(0.02)
