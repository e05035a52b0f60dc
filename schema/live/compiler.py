"""What a subscription selects, compiled: each field's resolver and what becomes of its value.

To execute an operation is to find out, field by field, what was selected, which resolver gives it,
with which arguments, and of which type the result is. graphql-core finds it out anew each time, and
Strawberry puts an object and three calls around each resolver. A subscription is executed again for
every change of what it shows, with the same outcome: so here it is found out once.

Only what goes well is compiled. Whenever a resolver raises, or its value does not fit its type, the
whole is executed once more by graphql-core, which tells the errors and where nulls come instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

import strawberry
from graphql import (
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    Node,
    VariableNode,
    Visitor,
    is_leaf_type,
    visit,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import is_iterable
from strawberry.types.field import StrawberryField

from resolvers.context import Context

TYPE_NAME = "__typename"
NOTHING: Any = None


class NotCompiled(Exception):
    """Something is selected that only graphql-core can execute."""


class DoesNotFit(Exception):
    """A value is not what its type asks for."""


Resolve = Callable[[Any, strawberry.Info[Context, None]], Any]
Complete = Callable[[Any, "_Run"], Any]
"""Makes what is sent of a value. What has to be waited for is filled in later."""


class _Field(NamedTuple):
    name: str
    resolve: Resolve
    is_async: bool
    complete: Complete


class _Later(NamedTuple):
    """A field of an object that is being answered, to be waited for."""

    answer: dict[str, Any]
    field: _Field
    source: Any


@dataclass
class _Asked:
    """As much as our resolvers ask for of what graphql-core tells about where they are."""

    context: Context


class _Run:
    """One execution under way."""

    __slots__ = ("info", "later")

    def __init__(self, context: Context) -> None:
        asked: Any = _Asked(context)
        self.info = strawberry.Info[Context, None](_raw_info=asked, _field=NOTHING)
        self.later: list[_Later] = []


class Compiled:
    """The selection of one field, for any value of it."""

    def __init__(self, complete: Complete) -> None:
        self._complete = complete

    async def answer(self, value: object, context: Context) -> Any:
        """What graphql-core would answer where there is no error, as JSON's types and those that
        orjson knows. Raises whatever went wrong, when nothing of it is under way any more.

        Level by level: what can be asked for at once is waited for together, so that dataloaders
        see it together.
        """
        run = _Run(context)
        answer = self._complete(value, run)
        while run.later:
            level, run.later = run.later, []
            results = await _all(field.resolve(source, run.info) for _, field, source in level)
            for (answers, field, _), result in zip(level, results, strict=True):
                answers[field.name] = field.complete(result, run)
        return answer


async def _all(asked: Iterable[Awaitable[Any]]) -> Sequence[Any]:
    """The results; raises the first error when all are done."""
    waiting = list(asked)
    if len(waiting) == 1:
        return [await waiting[0]]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def compiled(
    executor: Executor[Any], of_type: GraphQLOutputType, selected: list[FieldDetails]
) -> Compiled | None:
    """Compile what is selected of a field, whose arguments and directives have the values of the
    executor's variables. None where something in it is only for graphql-core, errors included."""
    try:
        return Compiled(_Compiler(executor).complete(of_type, selected))
    except (NotCompiled, GraphQLError):
        return None


def variables_in(nodes: Iterable[Node]) -> set[str]:
    """The names of the variables that appear anywhere in the nodes."""
    names = _Names()
    for node in nodes:
        visit(node, names)
    return names.found


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.found.add(node.name.value)


class _Compiler:
    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor

    def complete(self, of_type: GraphQLOutputType, selected: list[FieldDetails]) -> Complete:
        if isinstance(of_type, GraphQLNonNull):
            return self._present(of_type.of_type, selected)
        present = self._present(of_type, selected)

        def complete(value: Any, run: _Run) -> Any:
            return None if value is None else present(value, run)

        return complete

    def _present(self, of_type: GraphQLOutputType, selected: list[FieldDetails]) -> Complete:
        """Of a value that must not be null."""
        if isinstance(of_type, GraphQLList):
            return self._list(of_type, selected)
        if isinstance(of_type, GraphQLObjectType):
            return self._object(of_type, selected)
        if is_leaf_type(of_type):
            return _leaf(of_type.coerce_output_value)
        raise NotCompiled  # an interface or a union

    def _list(self, of_type: GraphQLList[Any], selected: list[FieldDetails]) -> Complete:
        item = self.complete(of_type.of_type, selected)

        def complete(value: Any, run: _Run) -> Any:
            if not is_iterable(value):
                raise DoesNotFit
            return [item(one, run) for one in value]

        return complete

    def _object(self, of_type: GraphQLObjectType, selected: list[FieldDetails]) -> Complete:
        collected = self._executor.collect_subfields(of_type, selected)
        if collected.new_defer_usages:
            raise NotCompiled
        fields = [
            self._field(of_type, name, details)
            for name, details in collected.grouped_field_set.items()
        ]
        is_of_type = of_type.is_type_of

        def complete(value: Any, run: _Run) -> Any:
            if value is None or (is_of_type and not is_of_type(value, NOTHING)):
                raise DoesNotFit
            answer: dict[str, Any] = {}
            for field in fields:
                name, resolve, is_async, finish = field
                if is_async:
                    answer[name] = None  # which keeps its place
                    run.later.append(_Later(answer, field, value))
                else:
                    answer[name] = finish(resolve(value, run.info), run)
            return answer

        return complete

    def _field(self, of_type: GraphQLObjectType, name: str, details: list[FieldDetails]) -> _Field:
        node = details[0].node
        if node.name.value == TYPE_NAME:
            return _Field(name, _always(of_type.name), False, _as_it_is)
        definition = of_type.fields[node.name.value]
        field = definition.extensions.get("strawberry-definition")
        if not isinstance(field, StrawberryField) or definition.resolve is None:
            raise NotCompiled
        complete = self.complete(definition.type, details)
        arguments = get_argument_values(definition, node, self._executor.variable_values)
        resolve = _plain(field) if not field.arguments else None
        return _Field(
            name, resolve or _as_served(definition.resolve, arguments), field.is_async, complete
        )


def _leaf(coerce: Callable[[Any], Any]) -> Complete:
    def complete(value: Any, _: _Run) -> Any:
        if value is None:  # of which some scalars make a text
            raise DoesNotFit
        coerced = coerce(value)
        if coerced is None:
            raise DoesNotFit
        return coerced

    return complete


def _as_it_is(value: Any, _: _Run) -> Any:
    return value


def _always(value: str) -> Resolve:
    return lambda *_: value


def _plain(field: StrawberryField) -> Resolve | None:
    """An attribute, or our own resolver without anything around it; None where there is more."""
    if field.is_basic_field:
        attribute = attrgetter(field.python_name)
        return lambda source, _: attribute(source)
    resolver = field.base_resolver
    if resolver is None or field.extensions or not resolver.self_parameter:
        return None
    function: Any = resolver.wrapped_func
    if resolver.info_parameter is None:
        return lambda source, _: function(source)
    if resolver.info_parameter.name == "info":
        return lambda source, info: function(source, info=info)
    return None


def _as_served(resolve: Callable[..., Any], arguments: dict[str, Any]) -> Resolve:
    """Strawberry's own, with everything that is around it."""
    return lambda source, info: resolve(source, info._raw_info, **arguments)
