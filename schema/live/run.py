"""Subscriptions as they are served: run once for all who see the same.

A subscription's field yields the state as it is now. Whoever follows it hears of a change by the
feed's hints, and the fan-out then takes the state anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
import structlog
from graphql import GraphQLError, located_error
from graphql.execution import execute_subscription_event

from models.database import DATABASE_FAILURES
from realtime.fanout import Ended, Fanout, Group, Push, Subscriber
from realtime.shares import Shares
from realtime.tasks import watched
from realtime.topics import is_count, is_of_member, topic_of_member
from resolvers.access.audiences import Audiences, Followed
from resolvers.access.logins import Access
from resolvers.batching import Batcher
from resolvers.context import Context, Snapshot, Viewpoint
from resolvers.votes.units_live import UnitsLive
from rules.permissions import Audience, Relation
from rules.refusals import Refusal
from schema.live.documents import BadDocument
from schema.live.extension import masked
from schema.live.prepare import LiveOperation, Prepared, prepare

MOST_TOGETHER = 256
"""Executions that share a snapshot, and so the statements of their dataloaders."""

GATHER = 0.04
"""Seconds from one snapshot to the next. When it was quiet a state is taken at once; where hundreds
of meetings vote, what comes so close together shares the statements."""

CHAIRS_SHARE = 4
"""Times that of others, of what a member's own groups may take: a meeting waits for its chair."""

logger = structlog.get_logger()

Errors = list[GraphQLError]
LiveGroup = Group[Errors]
Run = tuple[Prepared, Audience]
State = bytes | Ended[Errors]


@dataclass(frozen=True)
class Plan:
    """What a subscription follows, and the key of the group of those who see the same."""

    key: Run
    followed: Followed
    wants: Callable[[str], bool]


class Live:
    """The subscriptions of one process."""

    def __init__(self, shared: Context, push: Push) -> None:
        self.audiences = Audiences(shared.database, shared.service(UnitsLive).topics_of)
        self.fanout: Fanout[Errors] = Fanout(shared.feed, push)
        self.executions = 0
        self._shared = shared
        self._runs = Batcher(self._run_together, MOST_TOGETHER)
        self._shares = Shares()
        self._ending: set[asyncio.Task[None]] = set()
        """Snapshots that end while what was read from them is shown already."""

    async def stop(self) -> None:
        """End everything; nothing of it holds a connection of the database afterwards."""
        await self.fanout.stop()
        await self._runs.finish()
        if self._ending:
            await asyncio.wait(self._ending)
        await self.audiences.finish()

    async def plan(
        self, access: Access, operation: LiveOperation, variables: dict[str, Any]
    ) -> Plan:
        """Find out what a viewer follows with a subscription, and with whom they share it.

        Raises BadDocument for variables that do not fit, and where the viewer may not look.
        """
        prepared = prepare(operation, variables)
        try:
            followed = await prepared.field.follow(self.audiences, access, prepared.id)
        except Refusal as refusal:
            raise BadDocument(_located(refusal, prepared)) from refusal
        audience = followed.audience
        if operation.is_personal:
            audience = replace(audience, member_id=access.viewer.member_id)

        wants = _wants(followed, operation, access.viewer.member_id)
        return Plan((prepared, audience), followed, wants)

    def join(
        self, plan: Plan, subscriber: Subscriber[Errors], owner: UUID | None = None
    ) -> LiveGroup:
        """Put the subscriber into the group of those who see the same."""

        async def take() -> State:
            if group.owner is not None:
                await self._wait_for_share(group.owner, plan)
            state = await self._runs.do(plan.key)
            if isinstance(state, Exception):
                raise state
            return state

        channel, wants = plan.followed.channel, plan.wants
        group = self.fanout.join(plan.key, subscriber, channel, wants, take, owner)
        return group

    async def _wait_for_share(self, owner: Hashable, plan: Plan) -> None:
        """One member's own groups take no more than their share of the time; all others go first,
        and a chair has a larger one."""
        prepared, audience = plan.key
        is_chair = Relation.OFFICER in audience.relations
        cost = prepared.operation.cost / (CHAIRS_SHARE if is_chair else 1)
        wait = self._shares.take(owner, cost, asyncio.get_running_loop().time())
        if wait:
            await asyncio.sleep(wait)

    async def _run_together(self, runs: list[Run]) -> Sequence[State | Exception]:
        """Their states, of one snapshot."""
        sharing: dict[tuple[Prepared, UUID | None], list[Audience]] = {}
        for prepared, audience in runs:
            sharing.setdefault((prepared, audience.member_id), []).append(audience)
        snapshot = Snapshot(self._shared.database)
        try:
            found = await asyncio.gather(
                *(self._run_for(one, of_all, snapshot) for (one, _), of_all in sharing.items())
            )
        finally:
            ending = watched(snapshot.release(), name="end of a snapshot")
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            self._runs.pause(GATHER)
        of_operation = dict(zip(sharing, found, strict=True))
        return [of_operation[one, audience.member_id][audience] for one, audience in runs]

    async def _run_for(
        self, prepared: Prepared, audiences: Sequence[Audience], snapshot: Snapshot
    ) -> dict[Audience, State | Exception]:
        """What each audience is to see, with one execution for those that are answered the same
        all along. They are all of one member, or of none."""
        states: dict[Audience, State | Exception] = {}
        for audience in audiences:
            if audience in states:
                continue
            viewpoint = Viewpoint(audience)
            try:
                state = await self._run(prepared, viewpoint, snapshot)
            except Exception as error:
                states[audience] = error
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) and task.cancelling():
                    raise
                # A field of another execution failed, and cancelled what both were waiting for.
                states[audience] = RuntimeError("another execution's failure took this one along")
            else:
                same = (other for other in audiences if viewpoint.stands_for(other))
                states = {**dict.fromkeys(same, state), **states}
        return states

    async def _run(self, prepared: Prepared, viewpoint: Viewpoint, snapshot: Snapshot) -> State:
        """One state, as JSON: what comes in `payload` of a `next` message.

        Raises what the database raised: a state with holes would be shown until the next change.
        """
        self.executions += 1
        context = self._shared.for_viewpoint(viewpoint, snapshot)
        try:
            value = await prepared.field.load(context, prepared.id)
        except Refusal as refusal:
            return Ended([_located(refusal, prepared)])
        if (state := await _compiled_state(prepared, value, context)) is not None:
            return state
        executor = prepared.executor.build_per_event_executor(value)
        executor.context_value = context
        result = execute_subscription_event(executor)
        if isinstance(result, Awaitable):
            result = await result
        for error in result.errors or ():
            if isinstance(error.original_error, DATABASE_FAILURES):
                raise error.original_error
        if prepared.compiled is not None and not result.errors:
            logger.warning("live.compiled_in_vain", field=prepared.field_node.name.value)
        errors = list(map(masked, result.errors or ()))
        if result.data is None:
            return Ended(errors)
        payload: dict[str, Any] = {"data": result.data}
        if errors:
            payload["errors"] = [error.formatted for error in errors]
        return orjson.dumps(payload)


async def _compiled_state(prepared: Prepared, value: object, context: Context) -> bytes | None:
    """None where graphql-core has to tell what is wrong, and of which field. Raises what the
    database raised."""
    if prepared.compiled is None:
        return None
    try:
        answer = await prepared.compiled.answer(value, context)
        return orjson.dumps({"data": {prepared.response_name: answer}})
    except DATABASE_FAILURES:
        raise
    except Exception:
        return None


def _located(refusal: Refusal, prepared: Prepared) -> GraphQLError:
    return located_error(refusal, [prepared.field_node], [prepared.response_name])


def _wants(followed: Followed, operation: LiveOperation, member_id: UUID) -> Callable[[str], bool]:
    """Which topics of the channel may change what the operation selects."""
    own = topic_of_member(member_id)

    def wants(topic: str) -> bool:
        if is_of_member(topic):
            return operation.is_personal and topic == own
        if is_count(topic) and not operation.has_counts:
            return False
        return followed.topics is None or topic in followed.topics

    return wants
