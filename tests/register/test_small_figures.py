"""Of which few people a committee must not be told, whichever way it reckons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.register.statistics import SMALLEST, hidden_cells

CELLS = st.dictionaries(st.integers(0, 8), st.integers(0, 30), max_size=8)


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [
        ({}, ""),
        ({"a": 5}, ""),
        ({"a": 5, "b": 30}, ""),
        ({"a": 4}, "a"),
        ({"a": 4, "b": 20, "c": 9}, "ac"),
        ({"a": 0, "b": 20, "c": 9}, "ac"),
        ({"a": 4, "b": 3, "c": 9}, "ab"),
        ({"a": 1, "b": 3, "c": 9}, "abc"),
        ({"a": 0, "b": 0, "c": 0}, "abc"),
    ],
)
def test_small_figures_are_hidden_and_others_with_them(cells: dict[str, int], hidden: str) -> None:
    assert hidden_cells(cells) == set(hidden)


def test_a_part_without_a_cell_protects_a_small_one_and_is_protected() -> None:
    own = frozenset({"own"})
    assert hidden_cells({"own": 9, "a": 4, "b": 8}, own) == {"a"}
    assert hidden_cells({"own": 1, "a": 20, "b": 8}, own) == {"b"}
    assert hidden_cells({"own": 9, "a": 20, "b": 8}, own) == set()


def test_the_parts_do_not_give_a_hidden_total_away() -> None:
    assert hidden_cells({"a": 20, "b": 8}, is_total_hidden=True) == {"b"}
    assert hidden_cells({"a": 20, "b": 3}, is_total_hidden=True) == {"b"}
    assert hidden_cells({"own": 7, "a": 20}, frozenset({"own"}), is_total_hidden=True) == set()


@given(CELLS)
def test_no_small_figure_can_be_worked_out(cells: dict[int, int]) -> None:
    hidden = hidden_cells(cells)
    assert all(cells[cell] >= SMALLEST for cell in cells.keys() - hidden)
    rest = sum(cells[cell] for cell in hidden)  # the total without what is shown
    is_total_small = sum(cells.values()) < SMALLEST  # which is then hidden itself
    assert not hidden or is_total_small or (len(hidden) >= 2 and rest >= SMALLEST)


@given(CELLS)
def test_nothing_is_hidden_without_need(cells: dict[int, int]) -> None:
    if min(cells.values(), default=SMALLEST) >= SMALLEST:
        assert not hidden_cells(cells)
