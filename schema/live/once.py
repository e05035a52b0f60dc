"""Fields that a document may ask for once, under whatever names and in whatever fragments."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
)

from rules.refusals import Reason

ONCE = ("signIn", "refreshSession", "signOut")
"""Each is a guess, or a transaction, and nobody needs two of them."""


def refuse_repeated(document: DocumentNode) -> None:
    """Raises GraphQLError where the document, all its operations together, asks for one of them
    more than once. Each fragment is looked at once: this is linear in the size of the document."""
    answers = {(field.name.value, key) for key, field in _root_fields(document)}
    for name in ONCE:
        if sum(one == name for one, _ in answers) > 1:
            reason = {"reason": Reason.INVALID_INPUT.value, "details": {}}
            raise GraphQLError(f"A document may ask for {name} once.", extensions=reason)


def _root_fields(document: DocumentNode) -> Iterator[tuple[tuple[int, str], FieldNode]]:
    """With what tells answers apart: fields of one name in one operation are one field."""
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    to_visit = [
        (number, one.selection_set)
        for number, one in enumerate(document.definitions)
        if isinstance(one, OperationDefinitionNode)
    ]
    while to_visit:
        number, selections = to_visit.pop()
        for selection in selections.selections:
            match selection:
                case FieldNode():
                    yield (number, (selection.alias or selection.name).value), selection
                case InlineFragmentNode():
                    to_visit.append((number, selection.selection_set))
                case FragmentSpreadNode():
                    if fragment := fragments.pop(selection.name.value, None):
                        to_visit.append((number, fragment.selection_set))
