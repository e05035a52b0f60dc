"""The web client's own operations, written out as it sends them."""

from functools import cache
from pathlib import Path

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    OperationDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

SOURCES = Path(__file__).parent.parent / "web-client" / "src"


@cache
def document(name: str) -> str:
    """The operation of that name, and each fragment it needs once. Raises KeyError."""
    operations, fragments = _definitions()
    needed: dict[str, FragmentDefinitionNode] = {}
    _collect(operations[name], fragments, needed)
    return print_ast(DocumentNode(definitions=(operations[name], *needed.values())))


@cache
def _definitions() -> tuple[dict[str, OperationDefinitionNode], dict[str, FragmentDefinitionNode]]:
    operations: dict[str, OperationDefinitionNode] = {}
    fragments: dict[str, FragmentDefinitionNode] = {}
    for path in sorted(SOURCES.rglob("*.graphql")):
        for definition in parse(path.read_text(encoding="utf-8")).definitions:
            match definition:
                case OperationDefinitionNode(name=name) if name:
                    operations[name.value] = definition
                case FragmentDefinitionNode():
                    fragments[definition.name.value] = definition
    return operations, fragments


def _collect(
    node: Node,
    fragments: dict[str, FragmentDefinitionNode],
    needed: dict[str, FragmentDefinitionNode],
) -> None:
    """Put the fragments that a definition spreads, and those that they spread, into `needed`."""

    class Spreads(Visitor):
        def enter_fragment_spread(self, spread: FragmentSpreadNode, *_: object) -> None:
            name = spread.name.value
            if name not in needed:
                needed[name] = fragments[name]
                _collect(fragments[name], fragments, needed)

    visit(node, Spreads())
