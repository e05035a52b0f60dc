"""Frozen dataclasses as plain JSON values and back, strictly.

What is stored with a vote must say the same thing when it is read years later: a value of another
type, an unknown key or a missing one raises a `ValueError` that says where.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """JSON values, the same for equal values: sets are sorted, enums are their names."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    match value:
        case Enum():
            return value.value
        case UUID() | date():
            return str(value)
        case frozenset():
            return sorted(map(to_plain, value))
        case tuple():
            return list(map(to_plain, value))
        case _:
            return value


def from_plain(kind: type[T], data: object) -> T:
    """The value of type `kind` that `data` describes. Raises ValueError, saying where and why.

    Knows dataclasses, enums, UUIDs, dates, int, bool, str, `tuple[X, ...]`, `frozenset[X]`, unions.
    A key that is missing takes its default, so that what is stored stays readable when a
    parameter is added.
    """
    return cast("T", _read(kind, data, kind.__name__))


def _read(kind: Any, data: object, where: str) -> Any:
    if kind is None or kind in (types.NoneType, int, bool, str):
        return _read_simple(kind, data, where)
    if get_origin(kind) in (Union, types.UnionType):
        return _read_union(get_args(kind), data, where)
    if get_origin(kind) in (tuple, frozenset):
        return _read_many(kind, data, where)
    if is_dataclass(kind):
        return _read_dataclass(cast("type[Any]", kind), data, where)
    return _read_text(kind, data, where)


def _read_simple(kind: Any, data: object, where: str) -> Any:
    wanted = types.NoneType if kind is None else kind
    # Not isinstance: True is no number here, and 1 is no truth.
    if type(data) is not wanted:
        raise ValueError(f"{where}: {_NAMES[wanted]} is needed, not {data!r}")
    return data


def _read_text(kind: Any, data: object, where: str) -> Any:
    """Enums, UUIDs and dates travel as text."""
    read = date.fromisoformat if kind is date else kind
    try:
        value = read(data) if isinstance(data, str) else None
    except ValueError:
        value = None
    if value is None or to_plain(value) != data:
        raise ValueError(f"{where}: {data!r} is no {kind.__name__}")
    return value


def _read_many(kind: Any, data: object, where: str) -> Any:
    if not isinstance(data, list):
        raise ValueError(f"{where}: a list is needed, not {data!r}")
    item = get_args(kind)[0]
    values = [_read(item, value, f"{where}[{place}]") for place, value in enumerate(data)]
    if get_origin(kind) is frozenset and len(set(values)) < len(values):
        raise ValueError(f"{where}: something is named twice")
    return get_origin(kind)(values)


def _read_union(kinds: tuple[Any, ...], data: object, where: str) -> Any:
    """Null if that is possible, else the dataclass for an object and the other kind for text."""
    if data is None and types.NoneType in kinds:
        return None
    real = [kind for kind in kinds if kind is not types.NoneType]
    fitting = [kind for kind in real if is_dataclass(kind) is isinstance(data, Mapping)]
    return _read((fitting or real)[0], data, where)


def _read_dataclass(kind: type[Any], data: object, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise ValueError(f"{where}: an object is needed, not {data!r}")
    known = {field.name: field for field in fields(kind)}
    for key in data:
        if key not in known:
            raise ValueError(f"{where}: {key!r} is unknown")
    for name, field in known.items():
        if name not in data and not _has_default(field):
            raise ValueError(f"{where}: {name!r} is missing")
    hints = get_type_hints(kind)
    values = {key: _read(hints[key], value, f"{where}.{key}") for key, value in data.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


_NAMES = {
    types.NoneType: "null",
    int: "a whole number",
    bool: "true or false",
    str: "text",
}
