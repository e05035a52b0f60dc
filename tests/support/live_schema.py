"""What subscriptions can select, found by walking the schema."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLUnionType, get_named_type
from strawberry.types.field import StrawberryField

from schema.live.marks import Counted, Personal
from schema.schema import schema

DEEPEST = 5
TOGETHER = 12
"""Branches of one document; its tokens are limited."""


def _live_fields() -> Iterable[tuple[str, StrawberryField]]:
    root = schema._schema.subscription_type
    assert root is not None
    waiting: list[GraphQLNamedType] = [root]
    seen: set[str] = set()
    while waiting:
        graphql_type = waiting.pop()
        if graphql_type.name in seen:
            continue
        seen.add(graphql_type.name)
        if isinstance(graphql_type, GraphQLUnionType):
            waiting += graphql_type.types
        if isinstance(graphql_type, GraphQLObjectType):
            for name, definition in graphql_type.fields.items():
                waiting.append(get_named_type(definition.type))
                if graphql_type is not root:
                    yield (
                        f"{graphql_type.name}.{name}",
                        definition.extensions["strawberry-definition"],
                    )


LIVE_FIELDS = dict(_live_fields())
"""By `Type.field`."""


def marked(mark: type[Personal | Counted]) -> set[str]:
    return {
        name
        for name, field in LIVE_FIELDS.items()
        if any(isinstance(directive, mark) for directive in field.directives)
    }


def documents(root: str, without: Collection[str] = ()) -> list[str]:
    """Selections of a subscription's field; all together select every field down to leaves, but
    those of `without`, `Type.field`."""
    subscription = schema._schema.subscription_type
    assert subscription is not None
    of_type = get_named_type(subscription.fields[root].type)
    assert isinstance(of_type, GraphQLObjectType)
    found = _selections(of_type, (), without)
    return [" ".join(found[start : start + TOGETHER]) for start in range(0, len(found), TOGETHER)]


def text_of(operation: str, root: str, selection: str) -> str:
    """`operation` is subscription or query."""
    return f"{operation} ($id: ID!) {{ {root}(id: $id) {{ {selection} }} }}"


def _selections(
    of_type: GraphQLObjectType, above: tuple[str, ...], without: Collection[str]
) -> list[str]:
    """One selection for the leaves, and one for each field with a type that is not above it."""
    leaves, branches = ["__typename"], []
    for name, definition in of_type.fields.items():
        if f"{of_type.name}.{name}" in without:
            continue
        inner = get_named_type(definition.type)
        if not isinstance(inner, GraphQLObjectType):
            leaves.append(name)
        elif inner.name not in above and len(above) < DEEPEST:
            inside = _selections(inner, (*above, of_type.name), without)
            branches += [f"{name} {{ {selection} }}" for selection in inside]
    return [" ".join(leaves), *branches]
