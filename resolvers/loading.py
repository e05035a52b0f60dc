"""Dataloaders: what a selection needs is one statement each, however many fields ask for it.

Each subject has its `loaders.py`; this is what they have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute

from models.base import Base
from models.database import ReadSession

Entity = TypeVar("Entity", bound=Base)
SubjectLoaders = TypeVar("SubjectLoaders", bound="Loaders")

# Statements are built once: building one takes longer than running it.
KEYS: BindParameter[Any] = bindparam("keys", expanding=True)


class Source(Protocol):
    """What loaders read from, and find each other by: a snapshot."""

    def reading(self) -> AbstractAsyncContextManager[ReadSession]: ...

    def loaders(self, kind: type[SubjectLoaders]) -> SubjectLoaders: ...


class Loaders:
    """The loaders of one subject. A snapshot makes one set of each kind that it is asked for."""

    def __init__(self, snapshot: Source) -> None:
        self._snapshot = snapshot

    def let_go(self) -> None:
        """Forget what was loaded. Each loader refers to this object and this one to its loaders,
        and such circles stay until the garbage collector stops everything to find them."""
        snapshot = self._snapshot
        vars(self).clear()
        self._snapshot = snapshot

    def _reading(self) -> AbstractAsyncContextManager[ReadSession]:
        return self._snapshot.reading()

    def _one(
        self, entity: type[Entity], key: InstrumentedAttribute[UUID]
    ) -> DataLoader[UUID, Entity]:
        async def load(keys: list[UUID]) -> list[Entity]:
            async with self._reading() as session:
                rows = await session.scalars(select(entity).where(key.in_(keys)))
                found = {getattr(row, key.key): row for row in rows}
            return [found[wanted] for wanted in keys]

        return DataLoader(load)

    def _many(
        self,
        entity: type[Entity],
        key: InstrumentedAttribute[UUID],
        order: InstrumentedAttribute[Any],
        *only: ColumnElement[bool],
    ) -> DataLoader[UUID, list[Entity]]:
        statement = _list_of(entity, key, order, *only)

        async def load(keys: list[UUID]) -> list[list[Entity]]:
            async with self._reading() as session:
                rows = await session.scalars(statement, {"keys": keys})
                found: dict[UUID, list[Entity]] = defaultdict(list)
                for row in rows:
                    found[getattr(row, key.key)].append(row)
            return [found[wanted] for wanted in keys]

        return DataLoader(load)

    async def _counted(self, statement: Select[UUID, int], keys: Sequence[UUID]) -> list[int]:
        async with self._reading() as session:
            rows = await session.execute(statement, {"keys": keys})
            found = {row[0]: row[1] for row in rows}
        return [found.get(key, 0) for key in keys]


def _list_of(
    entity: type[Entity],
    key: InstrumentedAttribute[UUID],
    order: InstrumentedAttribute[Any],
    *only: ColumnElement[bool],
) -> Select[Entity]:
    """The statement of a list, built once for each."""
    name = f"{key}, {order}"
    if name not in _LISTS:
        _LISTS[name] = select(entity).where(key.in_(KEYS), *only).order_by(order)
    statement: Select[Entity] = _LISTS[name]
    return statement


_LISTS: dict[str, Select[Any]] = {}
