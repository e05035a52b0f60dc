"""Statements that are known beforehand: built once, and on PostgreSQL run by the driver itself.

A small statement costs SQLAlchemy several times what it costs asyncpg. What every request
or ballot needs is compiled here, once, by SQLAlchemy, and then goes past it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from sqlalchemy import ARRAY, BindParameter, Boolean, any_, bindparam
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.base import instance_dict, manager_of_class
from sqlalchemy.sql.functions import FunctionElement

_DIALECT: Any = dialect()  # type: ignore[no-untyped-call]

Entity = TypeVar("Entity", bound=DeclarativeBase)

Rows = Sequence[Any]
"""Named tuples, as the statement names its columns."""


class Statement:
    """A statement with named parameters, and what is needed to run it."""

    def __init__(self, built: Any) -> None:
        self.built = built

    @property
    def text(self) -> str:
        """As asyncpg takes it. Raises AssertionError for a list in `in_`: use `among`."""
        return str(self._compiled)

    def arguments(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The parameters as asyncpg takes them, in the order of the text. Raises KeyError for one
        that is missing."""
        given = {**self._constants, **parameters}
        return [convert(given[name]) for name, convert in self._binds]

    def rows(self, records: Iterable[Sequence[Any]]) -> Rows:
        """What asyncpg gave, with values as the columns' types have them."""
        make, converters = self._row
        rows = map(make, records)
        if not converters:
            return list(rows)
        found = []
        for row in rows:
            values = list(row)
            for at, convert in converters:
                values[at] = convert(values[at])
            found.append(make(values))
        return found

    @cached_property
    def _compiled(self) -> Any:
        compiled = self.built.compile(dialect=_DIALECT)
        assert not compiled.post_compile_params  # noqa: S101 - a mistake in the code
        return compiled

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """The values that are written into the statement itself."""
        binds = self._compiled.binds.items()
        return {name: bind.effective_value for name, bind in binds if not bind.required}

    @cached_property
    def _binds(self) -> list[tuple[str, Callable[[Any], Any]]]:
        processors = self._compiled._bind_processors
        return [(name, processors.get(name, _as_it_is)) for name in self._compiled.positiontup]

    @cached_property
    def _row(self) -> tuple[Callable[[Iterable[Any]], Any], list[tuple[int, Callable[[Any], Any]]]]:
        columns = self._compiled._result_columns
        row = namedtuple("Row", [column.keyname for column in columns], rename=True)  # type: ignore[misc]
        processors = (column.type._cached_result_processor(_DIALECT, None) for column in columns)
        return row._make, [(at, one) for at, one in enumerate(processors) if one is not None]


def columns_of(entity: type[DeclarativeBase]) -> list[Any]:
    """What `entity_of` makes an entity of."""
    attributes = entity.__mapper__.column_attrs
    return [getattr(entity, one.key).label(one.key) for one in attributes]


def entity_of(entity: type[Entity], values: Mapping[str, Any]) -> Entity:
    """An entity of no session, with a value for each of its columns. It comes into being as those
    that SQLAlchemy loads do, by names that it does not promise: a constructor would set each
    attribute by itself."""
    made: Entity = manager_of_class(entity).new_instance()
    instance_dict(made).update(values)
    return made


def _as_it_is(value: Any) -> Any:
    return value


Fetch = Callable[[Statement, Mapping[str, Any]], Awaitable[Rows]]
"""What runs a statement with its parameters: a session's `fetch`, or a database's `look`."""


class among(FunctionElement[bool]):
    """Whether a column's value is in the list that is the parameter `name`: in one text for lists
    of every length, where the database has arrays."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Any, name: str) -> None:
        values: BindParameter[Any] = bindparam(name, type_=column.type, expanding=True)
        super().__init__(column, values)

    def self_group(self, against: Any = None) -> among:
        """No `= 1` after it, with which SQLite would not look into an index."""
        return self


@compiles(among, "postgresql")
def _among_array(element: among, compiler: Any, **options: Any) -> str:
    column, values = cast("tuple[Any, Any]", tuple(element.clauses))
    array: BindParameter[Any] = bindparam(values.key, type_=ARRAY(column.type))
    return str(compiler.process(column == any_(array), **options))


@compiles(among, "sqlite")
def _among_list(element: among, compiler: Any, **options: Any) -> str:
    column, values = cast("tuple[Any, Any]", tuple(element.clauses))
    return str(compiler.process(column.in_(values), **options))
