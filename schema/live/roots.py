"""The fields of a mutation: each is an act of its own."""

from collections.abc import Iterator

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
)

from schema.live.documents import Document


def mutations_in(document: Document, name: str | None) -> list[str]:
    """The names of what the document's operation does, in its order; none of a query."""
    operation = get_operation_ast(document.node, name)
    if operation is None or operation.operation is not OperationType.MUTATION:
        return []
    fragments = {
        one.name.value: one
        for one in document.node.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    return list(_fields_of(operation.selection_set, fragments))


def _fields_of(
    selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]
) -> Iterator[str]:
    """The document is valid and within its limits: no fragment is within itself."""
    for one in selections.selections:
        match one:
            case FieldNode():
                yield one.name.value
            case InlineFragmentNode():
                yield from _fields_of(one.selection_set, fragments)
            case FragmentSpreadNode():
                yield from _fields_of(fragments[one.name.value].selection_set, fragments)
