"""Subscriptions as they are served: read once, run once for all who see the same.

A subscription's field yields the state as it is now. Whoever follows it hears of a change by the
feed's hints, and the fan-out then takes the state anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary, WeakValueDictionary

import orjson
import structlog
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLOutputType,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_operation_ast,
    located_error,
    visit,
)
from graphql.execution import Executor, execute_subscription_event
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import get_argument_values
from strawberry.types.field import StrawberryField

from models.database import DATABASE_FAILURES
from realtime.fanout import Ended, Fanout, Group, Push, Subscriber
from realtime.shares import Shares
from realtime.tasks import watched
from realtime.topics import is_count, is_of_member, topic_of_member
from resolvers.access.audiences import Audiences, Followed
from resolvers.access.logins import Access
from resolvers.batching import Batcher
from resolvers.context import Context, Snapshot, Viewpoint
from rules.permissions import Audience, Relation
from rules.refusals import Refusal
from schema.live.compiler import Compiled, compiled, variables_in
from schema.live.documents import Asker, BadDocument, Document
from schema.live.extension import masked
from schema.live.marks import Counted, Personal
from schema.schema import schema
from schema.subscription import LIVE, LiveField

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
Run = tuple["_Prepared", Audience]
State = bytes | Ended[Errors]


@dataclass(frozen=True, eq=False)
class LiveOperation:
    """A valid subscription, and what was found out about it beforehand."""

    document: DocumentNode
    name: str | None
    node: OperationDefinitionNode
    is_personal: bool
    """Whether it selects something that differs from viewer to viewer."""
    has_counts: bool
    """Whether it selects something that changes with every ballot or arrival."""
    variables_within: frozenset[str]
    """Those used within what is selected; most often there are none."""
    variables: frozenset[str]
    """Those that it declares."""
    prepared: WeakValueDictionary[bytes, "_Prepared"] = field(default_factory=WeakValueDictionary)
    """By the values of its variables, as long as anybody is shown them."""
    compiled: WeakValueDictionary[bytes, Compiled] = field(default_factory=WeakValueDictionary)
    """By the values of the variables within, as long."""
    cost: int = 0
    """Of one state, roughly: its fields."""

    def declared(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the variables given that are the operation's."""
        return {name: given[name] for name in self.variables & given.keys()}


_operations: WeakKeyDictionary[Document, dict[str | None, LiveOperation | None]]
_operations = WeakKeyDictionary()


def read_operation(
    query: str, name: str | None, asker: Asker = Asker.DEVELOPER
) -> LiveOperation | None:
    """The subscription that a document asks for, or None for a query or a mutation.

    Raises BadDocument for one that is not valid, or that is not taken from this one.
    """
    document = schema.documents.read(query, asker)
    found = _operations.setdefault(document, {})
    if name not in found:
        node = get_operation_ast(document.node, name)
        if node is None:
            return None  # and any name may be sent
        found[name] = _read_operation(document, node, name)
    return found[name]


def _read_operation(
    read: Document, node: OperationDefinitionNode, name: str | None
) -> LiveOperation | None:
    if node.operation is not OperationType.SUBSCRIPTION:
        return None
    document = read.node
    marks = _Marks(TypeInfo(schema._schema))
    visit(document, TypeInfoVisitor(marks.type_info, marks))
    return LiveOperation(
        document,
        name,
        node,
        marks.is_personal,
        marks.has_counts,
        _variables_within(document, node),
        frozenset(one.variable.name.value for one in node.variable_definitions or ()),
        cost=read.extent.cost,
    )


def _variables_within(document: DocumentNode, node: OperationDefinitionNode) -> frozenset[str]:
    """Fragments are taken for a part of what is selected, wherever they are used."""
    fields = (getattr(field, "selection_set", None) for field in node.selection_set.selections)
    fragments = (n for n in document.definitions if isinstance(n, FragmentDefinitionNode))
    return frozenset(variables_in([*filter(None, fields), *fragments]))


class _Marks(Visitor):
    """Finds fields with marks anywhere in a document: in doubt an operation has the mark."""

    def __init__(self, type_info: TypeInfo) -> None:
        super().__init__()
        self.type_info = type_info
        self.is_personal = False
        self.has_counts = False

    def enter_field(self, node: FieldNode, *_: object) -> None:
        definition = self.type_info.get_field_def()
        field = definition.extensions.get("strawberry-definition") if definition else None
        if isinstance(field, StrawberryField):
            for mark in field.directives:
                self.is_personal |= isinstance(mark, Personal)
                self.has_counts |= isinstance(mark, Counted)


@dataclass(frozen=True, eq=False)
class _Prepared:
    """An operation with its variables: the same object for the same of both."""

    operation: LiveOperation
    executor: Executor[Any]
    field: LiveField
    field_node: FieldNode
    response_name: str
    id: str
    compiled: Compiled | None
    """None where only graphql-core can execute it."""


def _prepared(operation: LiveOperation, variables: Mapping[str, Any]) -> _Prepared:
    """The operation with the variables that it declares. Raises BadDocument."""
    declared = operation.declared(variables)
    key = orjson.dumps(declared, option=orjson.OPT_SORT_KEYS)
    if (prepared := operation.prepared.get(key)) is not None:
        return prepared
    found = _prepare(operation, declared)
    if isinstance(found, list):
        raise BadDocument(*found)
    operation.prepared[key] = found
    return found


def _prepare(operation: LiveOperation, variables: dict[str, Any]) -> _Prepared | Errors:
    executor = schema.execution_context_class.build(
        schema._schema,
        operation.document,
        raw_variable_values=variables,
        operation_name=operation.name,
        hide_suggestions=True,
    )
    if isinstance(executor, list):
        return executor
    root_type = schema._schema.subscription_type
    assert root_type is not None  # noqa: S101 - the document is valid
    try:
        fields = collect_fields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            root_type,
            executor.operation,
            executor.hide_suggestions,
        ).grouped_field_set
        if not fields:
            return [GraphQLError("This subscription leaves its only field out.", operation.node)]
        ((response_name, selected),) = fields.items()
        node = selected[0].node
        definition = root_type.fields[node.name.value]
        arguments = get_argument_values(definition, node, executor.variable_values)
        found = _compiled(operation, executor, definition.type, selected)
    except GraphQLError as error:
        return [error]
    live_field = LIVE[node.name.value]
    return _Prepared(operation, executor, live_field, node, response_name, arguments["id"], found)


def _compiled(
    operation: LiveOperation,
    executor: Executor[Any],
    of_type: GraphQLOutputType,
    selected: list[FieldDetails],
) -> Compiled | None:
    """The same for whatever the operation is about, as far as its variables allow."""
    coerced = executor.variable_values.coerced
    given = sorted(operation.variables_within & coerced.keys())
    key = orjson.dumps({name: coerced[name] for name in given}, default=str)
    found = operation.compiled.get(key)
    if found is None and (found := compiled(executor, of_type, selected)) is not None:
        operation.compiled[key] = found
    return found


@dataclass(frozen=True)
class Plan:
    """What a subscription follows, and the key of the group of those who see the same."""

    key: Run
    followed: Followed
    wants: Callable[[str], bool]


class Live:
    """The subscriptions of one process."""

    def __init__(self, shared: Context, push: Push) -> None:
        self.audiences = Audiences(shared.database, shared.units)
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
        prepared = _prepared(operation, variables)
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
        sharing: dict[tuple[_Prepared, UUID | None], list[Audience]] = {}
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
        self, prepared: _Prepared, audiences: Sequence[Audience], snapshot: Snapshot
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

    async def _run(self, prepared: _Prepared, viewpoint: Viewpoint, snapshot: Snapshot) -> State:
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


async def _compiled_state(prepared: _Prepared, value: object, context: Context) -> bytes | None:
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


def _located(refusal: Refusal, prepared: _Prepared) -> GraphQLError:
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
