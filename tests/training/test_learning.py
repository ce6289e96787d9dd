"""Learning curves: nested parts, the same every time, and sizes that double."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import LabelError, UsageError
from training.learning import learning_curve, learning_sizes


@given(st.integers(1, 10**9))
def test_sizes_double_up_to_all(n: int) -> None:
    sizes = learning_sizes(n)
    assert sizes[-1] == n
    assert sizes[0] >= 1
    assert len(sizes) == 5 or n < 16
    for small, large in pairwise(sizes):
        assert small < large <= 2 * small


def test_sizes_of_little() -> None:
    assert learning_sizes(0) == []
    assert learning_sizes(1) == [1]
    assert learning_sizes(2) == [1, 2]
    assert learning_sizes(1600) == [100, 200, 400, 800, 1600]


def test_parts_are_nested_and_sorted() -> None:
    order = np.random.default_rng(0).permutation(1000)
    seen: list[np.ndarray] = []

    def fit_predict(rows: np.ndarray) -> np.ndarray:
        seen.append(rows)
        return np.arange(100) < len(rows) / 10

    points = learning_curve(fit_predict, order, [1000, 100, 400, 400])
    assert [point.articles for point in points] == [100, 400, 1000]
    assert [point.correct for point in points] == [0.1, 0.4, 1.0]
    for rows, point in zip(seen, points, strict=True):
        assert rows.tolist() == sorted(order[: point.articles].tolist())
        assert point.low <= point.correct <= point.high
    assert points[0].low < 0.1 < points[0].high
    assert points == learning_curve(fit_predict, order, [100, 400, 1000])


def test_a_size_without_two_sections_has_no_point() -> None:
    def fit_predict(rows: np.ndarray) -> list[bool]:
        if len(rows) < 3:
            raise LabelError("only one section")
        return [True, False]

    points = learning_curve(fit_predict, np.arange(4), [1, 2, 4])
    assert [(point.articles, point.correct) for point in points] == [(4, 0.5)]


@pytest.mark.parametrize(("order", "sizes"), [([0, 1], [3]), ([0, 1], [0]), ([0, 0], [1])])
def test_what_does_not_fit_is_refused(order: list[int], sizes: list[int]) -> None:
    with pytest.raises(UsageError):
        learning_curve(lambda rows: np.ones(3), np.array(order), sizes)


def test_a_curve_needs_held_out_articles() -> None:
    with pytest.raises(UsageError):
        learning_curve(lambda rows: np.ones(0), np.arange(3), [3])
