"""Documents that are meant to take long: of each shape the largest that there is room for."""

from collections.abc import Callable

from schema.live.limits import (
    MAXIMUM_ALIASES,
    MAXIMUM_FRAGMENTS,
    MAXIMUM_LENGTH,
    MAXIMUM_OPERATIONS,
    MAXIMUM_REPEATED,
    MAXIMUM_TOKENS,
)

BODY = 256 * 1024
"""Bytes that a request may have."""

BLOCK = '"' * 3

REPEATED = range(MAXIMUM_REPEATED)
VOTE = (
    "id version revision meetingId itemId state question matter openedAt closesAt closedAt"
    " publishedAt annulment repeatOf repeatedBy auditHead warnings roll { weight }"
    " options { label }"
)
SHORT = VOTE[: VOTE.index(" publishedAt")] + " roll { weight }"
ITEMS = f"votes {{ {VOTE} }} agenda {{ votes {{ {VOTE} }} }} currentItem {{ votes {{ {VOTE} }} }}"


def _fragments(count: int, body: Callable[[int], str]) -> str:
    return "".join(f" fragment F{number} on {body(number)}" for number in range(count))


def _doubling(fields: str) -> str:
    spread = f"Viewer {{ {fields} ...F%d ...F%d }}"
    most = MAXIMUM_FRAGMENTS - 1
    last = f" fragment F{most} on Viewer {{ {fields} }}"
    doubled = _fragments(most, lambda number: spread % (number + 1, number + 1))
    return "{ viewer { ...F0 } }" + doubled + last


def _spread(numbers: range) -> str:
    return " ".join(f"...F{number}" for number in numbers)


def _mesh(count: int, *, in_circles: bool) -> str:
    def body(number: int) -> str:
        others = range(count) if in_circles else range(number + 1, count)
        return f"Viewer {{ sessionExpiresAt {_spread(others)} }}"

    return "{ viewer { ...F0 } }" + _fragments(count, body)


def _many(pattern: str, count: int = MAXIMUM_TOKENS) -> str:
    return " ".join(pattern.replace("#", str(number)) for number in range(count))


def _in_list(values: str) -> str:
    return f'mutation {{ castBallot(voteId: "x", key: "x", choices: [{values}]) {{ __typename }} }}'


def _in_id(*literal: str) -> str:
    return "{ meeting(id: " + "".join(literal) + ") { id } }"


def _in_draft(literal: str) -> str:
    return "mutation { prepareVote(draft: " + literal + ") { __typename } }"


def _in_query(selection: str) -> str:
    return "{" + selection + "}"


def _nested(before: str, inner: str, after: str, levels: int) -> str:
    return before * levels + inner + after * levels


def _filled(unit: str, room: int = MAXIMUM_LENGTH - 100) -> str:
    return unit * (room // len(unit))


DOCUMENTS = {
    # Fragments
    "doubling fragments": _doubling("__typename"),
    "doubling fragments of nothing": _doubling(""),
    "a mesh of fragments": _mesh(24, in_circles=False),
    "a mesh that fits": _mesh(5, in_circles=False),
    "fragments in circles": _mesh(17, in_circles=True),
    "a fragment in itself": "{ ...F0 } fragment F0 on Query { viewer { ...F0 } }",
    "a chain of fragments": "{ viewer { ...F0 } }"
    + _fragments(MAXIMUM_FRAGMENTS, lambda n: f"Viewer {{ a{n % 15}: __typename ...F{n + 1} }}"),
    "fragments beside each other": f"{{ {_spread(REPEATED)} }}"
    + _fragments(MAXIMUM_REPEATED, lambda _: "Query { viewer { member { id unit { id kind } } } }"),
    "unused fragments": "{ __typename }" + _fragments(130, lambda _: "Vote { id }"),
    "unused fragments that fit": "{ __typename }" + _fragments(30, lambda _: f"Vote {{ {VOTE} }}"),
    "unknown fragments": f"{{ {_many('...X#', 330)} }}",
    "spreads of one fragment": f"{{ {'...F0 ' * 300} }} fragment F0 on Query {{ __typename }}",
    "spreads of an empty fragment": f"{{ {'...F0 ' * 300} }} fragment F0 on Query {{ }}",
    "inline fragments in each other": _nested("{ ...", "{ __typename }", "}", 39),
    "inline fragments beside each other": "{" + "... on Query { __typename } " * 160 + "}",
    # Fields
    "one field repeated": "{" + "__typename " * 940 + "}",
    "one object repeated": "{ viewer {" + "member { id } " * 240 + "} }",
    "repeated as often as may be": " ".join(
        ["{", *(f'meeting(id: "x") {{ votes {{ {SHORT} }} }}' for _ in REPEATED), "}"]
    ),
    "repeated with arguments": " ".join(
        ["mutation {", *(_in_list('"x" ' * 33)[len("mutation {") : -1] for _ in REPEATED), "}"]
    ),
    "aliases": f"{{ {_many('a#: __typename', 300)} }}",
    "aliases that fit": _in_query(
        _many('a#: meeting(id: "x") { votes { id options { id } } }', MAXIMUM_ALIASES)
    ),
    "fields nested in each other": _nested("{ a", "{ b }", "}", 195),
    "fields nested without end": "{ a" * 490,
    "names that nobody knows": f"{{ {_many('nope#', 499)} }}",
    "names almost right": f"{{ {_many('viewe#', 499)} }}",
    "a very long name": f"{{ {_filled('a')} }}",
    "a subscription": f'subscription {{ meeting(id: "x") {{ {ITEMS} }} }}',
    "a subscription repeated": " ".join(
        ["subscription {", *(f'meeting(id: "x") {{ votes {{ {SHORT} }} }}' for _ in REPEATED), "}"]
    ),
    # Values
    "a long list": _in_list('"x" ' * 981),
    "a list of lists": _in_list("[[1]] " * 190),
    "a list of what is none": _in_list("A " * 980),
    "lists in each other": _in_id(_nested("[", "", "]", 190)),
    "lists without end": _in_id("[" * 900),
    "objects in each other": _in_draft(_nested("{ a:", "1", "}", 150)),
    "an object of unknown fields": _in_draft("{" + _many("a#: 1", 320) + "}"),
    "one argument repeated": f"{{ meeting({'id: 1 ' * 320}) {{ id }} }}",
    "unknown arguments": f"{{ meeting({_many('a#: 1', 320)}) {{ id }} }}",
    "a very long number": f'{{ meetings(unitId: "x", first: {_filled("9")}) {{ edges }} }}',
    "a very long string": _in_id('"', _filled("x"), '"'),
    "a string of escapes": _in_id('"', _filled(r"\u0041"), '"'),
    "a string of pairs of escapes": _in_id('"', _filled(r"\ud83c\udfc3"), '"'),
    "a string of wide characters": _in_id('"', _filled("🏃"), '"'),
    "a block string of lines": _in_id(BLOCK, _filled("\n a"), BLOCK),
    "a block string of quotes": _in_id(BLOCK, _filled("\\" + BLOCK), BLOCK),
    "a string without an end": '{ meeting(id: "' + _filled("x"),
    # Variables, operations, directives
    "unused variables": f"query ({_many('$v#: ID', 240)}) {{ __typename }}",
    "one variable used often": "mutation ($v: ID!) {" + _in_list("$v " * 480)[len("mutation {") :],
    "variables used": f"mutation ({_many('$v#: ID!', 160)}) {{"
    + _in_list(_many("$v#", 160))[len("mutation {") :],
    "a type in lists": f"query ($v: {_nested('[', 'ID', ']', 190)}) {{ __typename }}",
    "operations": _many("query Q# { __typename }", 190),
    "operations that fit": _many("query Q#($v: ID!) { meeting(id: $v) { ...F0 } }", 19)
    + _fragments(1, lambda _: "Meeting { id title agenda { id votes { id } } }"),
    "operations without a name": "{ __typename } " * MAXIMUM_OPERATIONS,
    "a directive repeated": "{ __typename " + "@skip(if: true) " * 140 + "}",
    "an unknown directive repeated": "{ __typename " + "@a " * 480 + "}",
    "a directive on each field": "{" + "__typename @skip(if: true) " * 120 + "}",
    "definitions of types": "{ __typename } " + _many("scalar S#", 320),
    # Introspection
    "introspection many times": f"{{ {_many('a#: __schema { types { name } }', 15)} }}",
    "deep introspection": "{ __schema { types {"
    + _nested("fields { type {", "name", "} }", 20)
    + "} } }",
    # What is no token
    "a long comment": "{ __typename #" + _filled("x") + "\n}",
    "many comments": "{ __typename " + "#\n" * 990 + "}",
    "commas": "{ __typename " + _filled(",") + "}",
    "empty lines": "{ __typename " + _filled("\r\n") + "}",
    "byte order marks": "{ __typename " + _filled("\ufeff") + "}",
    "a comment that fills the body": "{ __typename #" + _filled("x", BODY - 100) + "\n}",
    "empty lines that fill the body": "{ __typename " + _filled("\n", BODY - 100) + "}",
    "a string that fills the body": _in_id('"', _filled("x", BODY - 100), '"'),
}
