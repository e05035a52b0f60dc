"""A broker that hangs keeps no voter waiting."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

from realtime.feed import Feed
from realtime.topics import channel_of_meeting, topic_of_ballots
from tests.support.asking import act, eventually
from tests.support.factories import City, Scene, context_of
from tests.support.valkey_server import Valkey
from tests.support.voting import CHANGEABLE

BALLOTS = 10
WITHIN = 5.0  # seconds; it was 1 for each ballot when each waited for the hint of the one before


async def test_ballots_wait_for_no_hint_and_hints_do_not_pile_up(city: City) -> None:
    vote = city.scene.vote(city.meeting, position=4, rule=CHANGEABLE)
    await city.scene.save()
    await act(context_of(city.hanh), "openVote", voteId=vote.id)
    channel = channel_of_meeting(city.meeting.id)
    with Valkey() as broker:
        async with Feed.from_url(broker.url) as feed, feed.join(channel) as mailbox:
            an = replace(city.an, scene=Scene(city.scene.database, feed))
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                async with asyncio.timeout(WITHIN):
                    for number in range(BALLOTS):
                        ballot = {"choices": [vote.for_], "key": f"key-{number}"}
                        told = await act(context_of(an), "castBallot", voteId=vote.id, **ballot)
                        assert told["__typename"] == "Receipt"
                await eventually(lambda: feed.failed_publishes > 0)
            finally:
                os.kill(broker.pid, signal.SIGCONT)
            assert topic_of_ballots(vote.id) in await mailbox.next()
            assert feed.failed_publishes < BALLOTS / 2
