"""How much a document may ask for, found out in one walk that ends at the first limit.

The walk follows fragments to where they are spread, and counts what it comes by: so it takes as
many steps as the limits allow, whatever the document. What validates documents afterwards compares
their parts with each other, and is fast for as few as these.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from rules.refusals import Reason
from schema.live.sizes import LONGEST_PAGE, PAGE, rows_of

MAXIMUM_LENGTH = 16_384
"""Characters, comments and white space included."""
MAXIMUM_TOKENS = 1_000
MAXIMUM_DEPTH = 8
"""Fields within fields. Introspection, which is as deep as types are, is not counted."""
MAXIMUM_LEVELS = 40
"""The same with fragments, and introspection."""
MAXIMUM_ALIASES = 15
MAXIMUM_SELECTIONS = 500
"""Fields and fragments, each counted wherever a fragment brings it."""
MAXIMUM_REPEATED = 20
"""Fields that are asked for at one place of the answer: fragments may all want the id."""
MAXIMUM_OPERATIONS = 20
MAXIMUM_FRAGMENTS = 30
MAXIMUM_DIRECTIVES = 10
MAXIMUM_DIRECTIVES_AT_ONE_PLACE = 2
MAXIMUM_COST = 20_000
"""Fields of the answer, by the lengths of lists in `sizes.py`. A field counts twice under its
second name, three times under its third: a document is no way to ask for many things at once."""

INTROSPECTION = ("__schema", "__type")


@dataclass(frozen=True)
class Extent:
    """What a document asks for, within the limits."""

    cost: int
    """The fields of its answer, as far as they can be told beforehand."""
    page_variables: frozenset[str]
    """Variables that tell how long a list is: with their values it costs more."""
    is_introspective: bool
    """Whether it asks for the schema's own types."""


def measure(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] | None = None
) -> Extent:
    """What a document asks for; without variables, that of pages of unknown length is one item.

    It needs not be valid. Raises GraphQLError with a limit that it exceeds.
    """
    return _Walk(schema, document, variables).measure()


@dataclass
class _Spot:
    """A place in the answer, and how many fields are asked for there."""

    fields: int = 0
    times: int = 1
    """How many of its neighbours are the same field, under other names, and it with them."""
    below: dict[str, "_Spot"] = field(default_factory=dict)
    names: Counter[str] = field(default_factory=Counter)
    """Under how many names each field is asked for below."""

    def at(self, name: str, key: str) -> "_Spot":
        if key not in self.below:
            self.names[name] += 1
            self.below[key] = _Spot(times=self.names[name])
        return self.below[key]


@dataclass(frozen=True, slots=True)
class _Here:
    """Where the walk is. A type that nobody knows is none; the document is not valid then."""

    of_type: GraphQLObjectType | GraphQLInterfaceType | None
    spot: _Spot
    rows: int = 1
    """How many objects there are here."""
    page: int | None = None
    """The length of the lists that a connection has."""
    depth: int = 0
    level: int = 0
    within: tuple[str, ...] = ()
    """The fragments that lead here."""
    is_introspection: bool = False


class _Walk:
    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any] | None
    ) -> None:
        self._schema = schema
        self._definitions = document.definitions
        self._variables = variables
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._spread: set[int] = set()
        """Definitions of fragments that were met, by id."""
        self._selections = self._aliases = self._directives = self._introspections = 0
        self._cost = 0
        self._page_variables: set[str] = set()
        self._defaults: dict[str, ValueNode | None] = {}

    def measure(self) -> Extent:
        fragments = [one for one in self._definitions if isinstance(one, FragmentDefinitionNode)]
        _hold("fragments", len(fragments), MAXIMUM_FRAGMENTS)
        _hold("operations", len(self._definitions) - len(fragments), MAXIMUM_OPERATIONS)
        self._fragments = {fragment.name.value: fragment for fragment in fragments}
        for definition in self._definitions:
            if isinstance(definition, OperationDefinitionNode):
                self._operation(definition)
            elif not isinstance(definition, FragmentDefinitionNode):
                raise GraphQLError("Only operations and fragments are taken.", definition)
        for fragment in fragments:
            if id(fragment) not in self._spread:
                self._fragment(fragment, _Here(None, _Spot()))
        _hold_cost(self._cost)
        return Extent(self._cost, frozenset(self._page_variables), self._introspections > 0)

    def _operation(self, operation: OperationDefinitionNode) -> None:
        self._count_directives(operation.directives)
        for variable in operation.variable_definitions or ():
            self._count_directives(variable.directives)
            self._defaults[variable.variable.name.value] = variable.default_value
        root = self._schema.get_root_type(OperationType(operation.operation))
        self._selection_set(operation.selection_set, _Here(root, _Spot()))

    def _fragment(self, fragment: FragmentDefinitionNode, here: _Here) -> None:
        self._spread.add(id(fragment))
        self._count_directives(fragment.directives)
        within = (*here.within, fragment.name.value)
        of_type = self._type_named(fragment.type_condition)
        self._selection_set(fragment.selection_set, replace(here, of_type=of_type, within=within))

    def _selection_set(self, selections: SelectionSetNode, here: _Here) -> None:
        _hold("levels", here.level, MAXIMUM_LEVELS)
        below = replace(here, level=here.level + 1)
        for selection in selections.selections:
            self._selections += 1
            _hold("fields and fragments", self._selections, MAXIMUM_SELECTIONS)
            self._count_directives(selection.directives)
            self._selection(selection, below)

    def _selection(self, selection: SelectionNode, here: _Here) -> None:
        match selection:
            case FieldNode():
                self._field(selection, here)
            case InlineFragmentNode():
                if selection.type_condition:
                    here = replace(here, of_type=self._type_named(selection.type_condition))
                self._selection_set(selection.selection_set, here)
            case FragmentSpreadNode():
                self._spread_fragment(selection.name.value, selection, here)

    def _spread_fragment(self, name: str, node: Node, here: _Here) -> None:
        if name in here.within:
            raise GraphQLError(f"The fragment '{name[:80]}' is spread within itself.", node)
        if fragment := self._fragments.get(name):
            self._fragment(fragment, here)

    def _field(self, node: FieldNode, here: _Here) -> None:
        name = node.name.value
        spot = here.spot.at(name, node.alias.value if node.alias else name)
        spot.fields += 1
        _hold("fields at one place of the answer", spot.fields, MAXIMUM_REPEATED, node)
        if node.alias:
            self._count_alias(node, here)
        if name in INTROSPECTION:
            self._introspections += 1
            _hold("introspections", self._introspections, 1, node)
            here = replace(here, is_introspection=True)
        if spot.fields == 1 and not here.is_introspection:
            self._cost += here.rows * spot.times
        if node.selection_set is not None:
            self._selection_set(node.selection_set, self._below(node, here, spot))

    def _below(self, node: FieldNode, here: _Here, spot: _Spot) -> _Here:
        """Within a field's own selection."""
        if here.is_introspection:
            return replace(here, of_type=None, spot=spot)
        if here.depth == MAXIMUM_DEPTH:
            why = f"The document exceeds the maximum operation depth of {MAXIMUM_DEPTH}."
            raise GraphQLError(why, node, extensions={"maximum": MAXIMUM_DEPTH})
        definition = here.of_type.fields.get(node.name.value) if here.of_type else None
        of_type, page, rows = None, None, here.rows * spot.times
        if definition is not None and here.of_type is not None:
            found = get_named_type(definition.type)
            of_type = found if isinstance(found, _FIELDS) else None
            page = self._page(node, definition)
            if is_list_type(get_nullable_type(definition.type)):
                rows *= here.page or rows_of(here.of_type.name, node.name.value)
        depth = here.depth + 1
        return replace(here, of_type=of_type, spot=spot, rows=rows, page=page, depth=depth)

    def _page(self, node: FieldNode, definition: GraphQLField) -> int | None:
        """How many items of a connection are asked for."""
        if PAGE not in definition.args:
            return None
        for argument in node.arguments or ():
            if argument.name.value == PAGE:
                return self._length(argument.value)
        default = definition.args[PAGE].default_value
        return default if isinstance(default, int) else LONGEST_PAGE

    def _length(self, value: ValueNode | None) -> int:
        if isinstance(value, VariableNode):
            return self._length_in_variable(value.name.value)
        if isinstance(value, IntValueNode) and len(value.value) <= len(str(LONGEST_PAGE)):
            return _within_a_page(int(value.value))
        return LONGEST_PAGE

    def _length_in_variable(self, name: str) -> int:
        self._page_variables.add(name)
        if self._variables is None:
            return 1
        if name in self._variables:
            given = self._variables[name]
            return _within_a_page(given) if isinstance(given, int) else LONGEST_PAGE
        default = self._defaults.get(name)
        return LONGEST_PAGE if isinstance(default, VariableNode) else self._length(default)

    def _count_alias(self, node: FieldNode, here: _Here) -> None:
        if here.is_introspection:
            raise GraphQLError("Introspection is taken without aliases.", node)
        self._aliases += 1
        _hold("aliases", self._aliases, MAXIMUM_ALIASES, node)

    def _count_directives(self, directives: tuple[DirectiveNode, ...] | None) -> None:
        here = len(directives or ())
        self._directives += here
        _hold("directives at one place", here, MAXIMUM_DIRECTIVES_AT_ONE_PLACE)
        _hold("directives", self._directives, MAXIMUM_DIRECTIVES)

    def _type_named(self, node: NamedTypeNode) -> GraphQLObjectType | GraphQLInterfaceType | None:
        found = self._schema.get_type(node.name.value)
        return found if isinstance(found, _FIELDS) else None


_FIELDS = (GraphQLObjectType, GraphQLInterfaceType)
"""Types that have fields."""


def _within_a_page(length: int) -> int:
    return min(max(length, 1), LONGEST_PAGE)


def _hold(what: str, found: int, maximum: int, node: Node | None = None) -> None:
    if found > maximum:
        why = f"The document has too many {what}: at most {maximum} are taken."
        raise GraphQLError(why, node, extensions={"maximum": maximum})


def _hold_cost(cost: int) -> None:
    if cost > MAXIMUM_COST:
        figures = {"cost": cost, "maximum": MAXIMUM_COST}
        raise GraphQLError(
            f"The document asks for too much: it costs {cost}, at most {MAXIMUM_COST} are taken.",
            extensions={"reason": Reason.TOO_COSTLY.value, "details": figures, **figures},
        )
