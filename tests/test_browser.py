"""The web client's own browser tests, in a real Chromium against a real server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.server_process import demo_server, node

RUN = Path(__file__).parent.parent / "web-client" / "browser" / "run.mjs"
OUTPUT = Path(__file__).parent / "output" / "browser"
WITHIN = 600.0  # seconds; each of its tests has a limit of its own


def test_people_hold_a_meeting_in_real_browsers(tmp_path_factory: pytest.TempPathFactory) -> None:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    with demo_server(tmp_path_factory) as server:
        demo = server.folder / "demo.json"
        demo.write_text(json.dumps(server.demo()))
        ended = node(str(RUN), "--demo", str(demo), "--output", str(OUTPUT), seconds=WITHIN)
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}\n{server.errors()}"
        assert server.errors() == ""
