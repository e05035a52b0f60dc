"""Subscriptions before they are run: read once, and prepared once for the same variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import orjson
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
    visit,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetails, collect_fields
from graphql.execution.values import get_argument_values
from strawberry.types.field import StrawberryField

from schema.live.compiler import Compiled, compiled, variables_in
from schema.live.documents import Asker, BadDocument, Document
from schema.live.marks import Counted, Personal
from schema.schema import schema
from schema.subscription import LIVE, LiveField


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
    prepared: WeakValueDictionary[bytes, "Prepared"] = field(default_factory=WeakValueDictionary)
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
class Prepared:
    """An operation with its variables: the same object for the same of both."""

    operation: LiveOperation
    executor: Executor[Any]
    field: LiveField
    field_node: FieldNode
    response_name: str
    id: str
    compiled: Compiled | None
    """None where only graphql-core can execute it."""


def prepare(operation: LiveOperation, variables: Mapping[str, Any]) -> Prepared:
    """The operation with the variables that it declares. Raises BadDocument."""
    declared = operation.declared(variables)
    key = orjson.dumps(declared, option=orjson.OPT_SORT_KEYS)
    if (prepared := operation.prepared.get(key)) is not None:
        return prepared
    found = _prepare_anew(operation, declared)
    if isinstance(found, list):
        raise BadDocument(*found)
    operation.prepared[key] = found
    return found


def _prepare_anew(
    operation: LiveOperation, variables: dict[str, Any]
) -> Prepared | list[GraphQLError]:
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
    return Prepared(operation, executor, live_field, node, response_name, arguments["id"], found)


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
