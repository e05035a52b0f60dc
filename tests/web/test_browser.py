"""The web client's own browser tests, in a real Chromium against a real server."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from models.database import Database
from models.register.rule_sets import UnitRule
from rules.votes.presets import PRESETS, Matter
from rules.votes.rule_sets import (
    Base,
    Change,
    Comparison,
    Empty,
    LiveTally,
    Method,
    Overvote,
    RuleSet,
    Secrecy,
    TieRule,
)
from server.demo import data as demo_data
from tests.support.server_process import ServerProcess, demo_server, node

pytestmark = pytest.mark.slow

RUN = Path(__file__).parent.parent.parent / "web-client" / "browser" / "run.mjs"
OUTPUT = Path(__file__).parent.parent / "output" / "browser"
WITHIN = 900.0  # seconds; each of its tests has a limit of its own

MOTION = PRESETS["de-verein"][Matter.ORDINARY]
CHOICE = replace(
    PRESETS["de-verein"][Matter.ELECTION],
    threshold=Comparison.PLURALITY,
    secrecy=Secrecy.OPEN,
    live_tally=LiveTally.ALWAYS,
)
assert MOTION.base is Base.FOR_AND_AGAINST
assert CHOICE.method is Method.CHOOSE_UP_TO

RULES: dict[Matter, RuleSet] = {
    Matter.BYLAWS: replace(
        MOTION,
        change=Change.LAST_COUNTS,
        tie=TieRule.CHAIR_CASTS,
        duration_seconds=3600,
        proxies=2,
    ),
    Matter.PURPOSE: replace(CHOICE, tie=TieRule.LOT, overvote=Overvote.REFUSED),
    Matter.ADMISSION: replace(CHOICE, tie=TieRule.SENIORITY, empty=Empty.INVALID),
    Matter.DISSOLUTION: replace(
        MOTION,
        tie=TieRule.BODY_DECIDES,
        secrecy=Secrecy.UNATTRIBUTED,
        live_tally=LiveTally.AFTER_CLOSE,
        min_voters_for_secret=1_000,
    ),
}
"""The branch's own, for what the city's rules have not: every way out of a tie, ballots that may
be changed, proxies, choices, and a vote that any group is too small for."""


def test_people_hold_a_meeting_in_real_browsers(tmp_path_factory: pytest.TempPathFactory) -> None:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    with demo_server(tmp_path_factory) as server:
        asyncio.run(adopt(database_of(server), RULES))
        demo = server.folder / "demo.json"
        demo.write_text(json.dumps(server.demo() | more_of(server)))
        ended = node(str(RUN), "--demo", str(demo), "--output", str(OUTPUT), seconds=WITHIN)
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}\n{server.errors()}"
        assert server.errors() == ""


def database_of(server: ServerProcess) -> str:
    return f"sqlite+aiosqlite:///{server.folder / 'meetings.db'}"


def more_of(server: ServerProcess) -> dict[str, Any]:
    """What the scenes need besides a demo: the command of an operator, and who is moved by it."""
    return {
        "administer": [sys.executable, "-m", "tests.support.administration", database_of(server)],
        "officer": str(demo_data.officer_id()),
    }


async def adopt(url: str, rules: dict[Matter, RuleSet]) -> None:
    """Give the demo's branch rules of its own."""
    database = Database(url)
    rows = [
        {
            "unit_id": demo_data.BRANCH_ID,
            "matter": matter,
            "version": rule.version,
            "valid_from": rule.valid_from,
            "rule": rule.to_data(),
        }
        for matter, rule in rules.items()
    ]
    try:
        async with database.writing() as session:
            await session.execute(insert(UnitRule), rows)
            await session.commit()
    finally:
        await database.dispose()
