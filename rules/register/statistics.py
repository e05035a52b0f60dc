"""What figures about people an upper committee is shown: none from which few could be told."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

SMALLEST = 5
"""A figure under this is about so few people that they could be recognised."""

Cell = TypeVar("Cell", bound=Hashable)


def hidden_cells(
    cells: Mapping[Cell, int],
    never_shown: frozenset[Cell] = frozenset(),
    *,
    is_total_hidden: bool = False,
) -> frozenset[Cell]:
    """The parts of a total that are not shown; `never_shown` are parts that have no cell at all.

    Small ones are hidden, and with them the smallest others, until what is hidden could be shared
    out in several ways: whoever takes what is shown from the total learns the sum of at least two
    parts, and it is not small. Where it cannot be so, the total is small itself. A total that is
    hidden would come back as the sum of its parts: one of them is hidden too.

    Give no part of which everybody knows that it is 0; it would hide nothing.
    """
    hidden = {cell for cell, value in cells.items() if value < SMALLEST}
    if not hidden and not is_total_hidden:
        return frozenset()
    hidden |= never_shown
    for cell in sorted(cells.keys() - hidden, key=lambda cell: cells[cell]):
        if _is_safe([cells[cell] for cell in hidden], is_total_hidden):
            break
        hidden.add(cell)
    return frozenset(hidden - never_shown)


def _is_safe(hidden: list[int], is_total_hidden: bool) -> bool:
    if is_total_hidden:
        return len(hidden) >= 1
    return len(hidden) >= 2 and sum(hidden) >= SMALLEST
