"""Documents, from their text to what is executed: read by one function, whoever brings them.

What is cheap to find out comes first: the length, who may send such a document at all, the tokens,
the limits of `limits.py`; then what GraphQL itself says of validity, and what only a schema's
developers are told.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from hashlib import sha256
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NameNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    Token,
    Visitor,
    visit,
)
from graphql.language.parser import Parser
from strawberry.schema.exceptions import CannotGetOperationTypeError

from rules.refusals import Reason
from schema.live.limits import MAXIMUM_LENGTH, MAXIMUM_TOKENS, Extent, measure
from schema.live.once import refuse_repeated
from schema.live.validity import errors_of

KEPT_BYTES = 16 * 1024 * 1024
BYTES_A_TOKEN = 1_000
"""What a document that is kept takes; 500 to 600 were measured."""

STRANGERS_LENGTH = 1_000
STRANGERS_TOKENS = 100
STRANGERS_ROOTS = frozenset({"signIn", "__typename", "__type"})
STRANGERS_FIELDS = frozenset(
    {"__typename", "token", "expiresAt", "viewer", "sessionExpiresAt"}
    | {"member", "unit", "id", "name", "standing", "kind"}
    | {"reason", "message", "details"}
)
"""What whoever is not signed in may ask for in words of their own: to sign in, and as whom."""


class Asker(Enum):
    """On whose behalf a document is read."""

    STRANGER = "stranger"
    """Nobody is signed in: documents of our web client, and of signing in."""
    MEMBER = "member"
    DEVELOPER = "developer"
    """Is told of the schema: introspection, what does not fit it, and what was perhaps meant."""


class BadDocument(Exception):
    """A document that is not executed, with what is told of it."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


@dataclass(frozen=True, eq=False)
class Document:
    """A valid document within the limits."""

    node: DocumentNode
    extent: Extent
    is_own: bool
    """Whether our own web client sends it."""

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return self.node.token_count * BYTES_A_TOKEN


class Documents:
    """Reads documents of one schema, and keeps those that were valid.

    Those of our own client are kept for good; of others, those that came last, while there is room.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._own: set[str] = set()
        self._kept_for_good: dict[str, Document] = {}
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._kept_bytes = 0

    def know(self, hashes: Iterable[str]) -> None:
        """Take documents for our own web client's: SHA-256 of their texts in UTF-8, in hex."""
        self._own.update(hashes)

    def has_read(self, text: str) -> bool:
        """Whether it is kept, so that to read it is no work, or is our own and will be."""
        return text in self._kept_for_good or text in self._kept or self._is_own(text)

    def read(self, text: str, asker: Asker = Asker.DEVELOPER) -> Document:
        """The document of a text. Raises BadDocument, or CannotGetOperationTypeError for one
        without an operation."""
        document = self._find(text)
        if document is None:
            document = self._read(text, asker)
        elif asker is Asker.STRANGER and not document.is_own:
            raise BadDocument(_sign_in_first())
        return document if asker is Asker.DEVELOPER else _without_types(document)

    def check_cost(self, document: Document, variables: Mapping[str, Any] | None) -> None:
        """Raises BadDocument where the lengths of pages, which variables tell, are too much."""
        if document.extent.page_variables:
            try:
                measure(self._schema, document.node, variables or {})
            except GraphQLError as error:
                raise BadDocument(error.with_traceback(None)) from None

    def forget(self) -> None:
        """Read everything anew."""
        self._kept_for_good.clear()
        self._kept.clear()
        self._kept_bytes = 0

    def _is_own(self, text: str) -> bool:
        return sha256(text.encode("utf-8", "surrogatepass")).hexdigest() in self._own

    def _find(self, text: str) -> Document | None:
        document = self._kept_for_good.get(text)
        if document is None and (document := self._kept.get(text)):
            self._kept.move_to_end(text)
        return document

    def _keep(self, text: str, document: Document) -> None:
        if document.is_own:
            self._kept_for_good[text] = document
            return
        self._kept[text] = document
        self._kept_bytes += document.size
        while self._kept_bytes > KEPT_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.size

    def _read(self, text: str, asker: Asker) -> Document:
        if len(text) > MAXIMUM_LENGTH:
            raise BadDocument(_too_long())
        is_own = self._is_own(text)
        try:
            if asker is Asker.STRANGER and not is_own:
                return self._examine(_parse_strangers(text), asker, is_own=False)
            document = self._examine(parse(text, MAXIMUM_TOKENS), asker, is_own=is_own)
        except GraphQLError as error:
            raise BadDocument(error.with_traceback(None)) from None
        self._keep(text, document)
        return document

    def _examine(self, node: DocumentNode, asker: Asker, *, is_own: bool) -> Document:
        if not any(isinstance(one, OperationDefinitionNode) for one in node.definitions):
            raise CannotGetOperationTypeError(None)
        extent = measure(self._schema, node)
        refuse_repeated(node)
        if errors := errors_of(self._schema, node):
            raise BadDocument(*(errors if asker is Asker.DEVELOPER else [does_not_fit()]))
        return Document(node, extent, is_own)


def parse(text: str, most_tokens: int) -> DocumentNode:
    """Raises GraphQLSyntaxError. Unlike graphql-core's function of this name it leaves no circle of
    tokens to the garbage collector."""
    parser = Parser(text, max_tokens=most_tokens)
    lexer = parser._lexer
    try:
        return parser.parse_document()
    except RecursionError:
        why = "The document is nested too deeply."
        raise GraphQLSyntaxError(lexer.source, 0, why) from None
    finally:
        _part(lexer.token)


def _part(token: Token) -> None:
    """Let each token of a text be one by itself."""
    while token.prev is not None:
        token = token.prev
    following: Token | None = token
    while following is not None:
        token, following = following, following.next
        token.prev = token.next = None


def _parse_strangers(text: str) -> DocumentNode:
    """A document of somebody who is not signed in, in words of their own: one that signs in, or
    asks whether anybody is here."""
    if len(text) > STRANGERS_LENGTH:
        raise _sign_in_first()
    node = parse(text, STRANGERS_TOKENS)
    operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]
    fragments = [one for one in node.definitions if isinstance(one, FragmentDefinitionNode)]
    roots = [root for one in operations for root in one.selection_set.selections]
    if len(roots) != 1 or not _is_field_of(STRANGERS_ROOTS, roots[0]):
        raise _sign_in_first()
    if not all(_selects_of(STRANGERS_FIELDS, fragment) for fragment in fragments):
        raise _sign_in_first()
    return node


def _is_field_of(names: frozenset[str], node: SelectionNode) -> bool:
    """Whether it is one of these fields, and all below it what strangers may ask for."""
    is_one = isinstance(node, FieldNode) and node.name.value in names
    return is_one and _selects_of(STRANGERS_FIELDS, node)


def _selects_of(names: frozenset[str], node: Node) -> bool:
    """Fragments, which have names of their own, are looked at where they are defined."""
    below: SelectionSetNode | None = getattr(node, "selection_set", None)
    return all(
        _is_field_of(names, one) if isinstance(one, FieldNode) else _selects_of(names, one)
        for one in (below.selections if below else ())
    )


def _without_types(document: Document) -> Document:
    """The document for who is told nothing of the schema: there is no type that it asks for."""
    if not document.extent.is_introspective:
        return document
    return replace(document, node=visit(document.node, _NoTypes()))


class _NoTypes(Visitor):
    def enter_field(self, node: FieldNode, *_: object) -> FieldNode | None:
        if node.name.value == "__schema":
            raise BadDocument(GraphQLError("Introspection is for the schema's developers.", node))
        if node.name.value != "__type":
            return None
        nameless = ArgumentNode(name=NameNode(value="name"), value=StringValueNode(value=""))
        return FieldNode(
            name=node.name,
            alias=node.alias,
            arguments=(nameless,),
            directives=node.directives,
            selection_set=node.selection_set,
            loc=node.loc,
        )


def _too_long() -> GraphQLError:
    return GraphQLError(
        f"The document has too many characters: at most {MAXIMUM_LENGTH} are taken.",
        extensions={"maximum": MAXIMUM_LENGTH},
    )


def _sign_in_first() -> GraphQLError:
    return GraphQLError(
        "Sign in first: only documents of the web client are taken from anybody.",
        extensions={"reason": Reason.NOT_SIGNED_IN.value, "details": {}},
    )


def does_not_fit() -> GraphQLError:
    """Names in it would tell of the schema, one guess at a time."""
    return GraphQLError("The document does not fit the schema. Its developers are told why.")
