"""The normal equations without their matrix are those with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from training.popularity import normal
from training.popularity.design import Columns, Design
from training.popularity.normal import NormalEquations


def dense(table: Any, targets: Any, emphasis: Any) -> tuple[Any, Any, Any, float]:
    """Means, XᵀWX, XᵀWy and the targets' mean, by matrices."""
    mean = emphasis @ table / emphasis.sum()
    centred = table - mean
    centre = emphasis @ targets / emphasis.sum()
    return (
        mean,
        centred.T @ (emphasis[:, None] * centred),
        centred.T @ (emphasis * (targets - centre)),
        centre,
    )


@given(
    st.integers(1, 40), st.integers(1, 30), st.floats(0.0, 0.6), st.integers(0, 5), st.integers(0, 2**32 - 1)
)
def test_they_are_those_of_the_centred_matrix(
    count: int, width: int, density: float, more: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    everything = sp.random(count + more, width, density, "csr", random_state=random)
    rows = random.permutation(count + more)[:count].astype(np.int64)
    targets, emphasis = random.normal(size=count), random.random(count) + 0.1
    table = everything.toarray().astype(np.float32).astype(np.float64)[rows]
    mean, matrix, right, centre = dense(table, targets, emphasis)
    design = Design([Columns(everything)], rows)
    with design.pool() as pool:
        found = NormalEquations(design, targets, emphasis, pool)
        np.testing.assert_allclose(found.mean, mean, atol=1e-12)
        np.testing.assert_allclose(found.centre, centre, atol=1e-12)
        np.testing.assert_allclose(found.squares, np.diag(matrix), atol=1e-10)
        np.testing.assert_allclose(found.right, right, atol=1e-10)
        weights = random.normal(size=width)
        product = np.empty(width)
        along = found.times(weights, 0.5, product)
        np.testing.assert_allclose(product, matrix @ weights + 0.5 * weights, atol=1e-10)
        np.testing.assert_allclose(along, product @ weights, atol=1e-9)


@pytest.mark.parametrize("large", [1, 7, 500])
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 50.0), st.booleans())
def test_solutions(large: int, seed: int, alpha: float, warm: bool) -> None:
    """However many columns are solved at once, and wherever it starts."""
    random = np.random.default_rng(seed)
    everything = sp.random(40, 25, 0.3, "csr", random_state=random)
    fade = 0.5 ** random.random(40)
    plain = Columns(everything)
    design = Design([plain, Columns(everything, fade, plain)], np.arange(35))
    targets, emphasis = random.normal(size=35), random.random(35) + 0.1
    table = design.table(np.arange(50)).toarray()
    _, matrix, right, _ = dense(table, targets, emphasis)
    with pytest.MonkeyPatch.context() as patch, design.pool() as pool:
        patch.setattr(normal, "_LARGE", large)
        start = random.normal(size=50) if warm else None
        found = NormalEquations(design, targets, emphasis, pool).solve(alpha, 1e-12, start)
    np.testing.assert_allclose(found, np.linalg.solve(matrix + alpha * np.eye(50), right), atol=1e-8)


def test_more_of_the_largest_columns_at_once_are_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    mixed = random.normal(size=(200, 30)) @ random.normal(
        size=(30, 30)
    )  # columns have much to do with each other
    design = Design([Columns(sp.csr_matrix(mixed))], np.arange(200))
    times, steps = NormalEquations.times, []
    monkeypatch.setattr(NormalEquations, "times", lambda *given: steps.append(1) or times(*given))
    counts = []
    with design.pool() as pool:
        for large in (1, 20, 30):
            monkeypatch.setattr(normal, "_LARGE", large)
            steps.clear()
            NormalEquations(design, random.normal(size=200), np.ones(200), pool).solve(0.1, 1e-6)
            counts.append(len(steps))
    assert counts[0] > counts[1] > counts[2]
    assert counts[2] <= 2


def test_columns_that_are_the_same_and_hardly_any_penalty() -> None:
    random = np.random.default_rng(0)
    one = sp.csr_matrix(random.normal(size=(50, 4)))
    design = Design([Columns(one), Columns(one)], np.arange(50))
    targets = random.normal(size=50)
    with design.pool() as pool:
        found = NormalEquations(design, targets, np.ones(50), pool).solve(1e-15, 1e-8)
    table = design.table(np.arange(8)).toarray()
    left = targets - targets.mean() - (table - table.mean(axis=0)) @ found
    np.testing.assert_allclose((table - table.mean(axis=0)).T @ left, 0.0, atol=1e-6)


def test_targets_that_are_all_the_same_leave_nothing_of_any_start() -> None:
    random = np.random.default_rng(0)
    design = Design([Columns(sp.csr_matrix(random.normal(size=(50, 4))))], np.arange(50))
    with design.pool() as pool:
        found = NormalEquations(design, np.full(50, 0.1), np.ones(50), pool).solve(2.0, 1e-2, np.ones(4))
    np.testing.assert_allclose(found, 0.0, atol=1e-9)


def test_few_entries_are_solved_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of columns with the same squares the first, on any processor."""
    table = sp.csr_matrix(np.tile(np.eye(10), (5, 1)))
    design = Design([Columns(table)], np.arange(50))
    monkeypatch.setattr(normal, "_MOST_ENTRIES", 17)
    with design.pool() as pool:
        equations = NormalEquations(design, np.arange(50.0), np.ones(50), pool)
        large = normal._Large(design, np.ones(50), equations.mean, equations.squares, 1.0)
    assert large.columns.tolist() == [0, 1, 2]


def test_articles_without_features() -> None:
    design = Design([Columns(sp.csr_matrix((4, 3)))], np.array([0, 3]))
    with design.pool() as pool:
        found = NormalEquations(design, np.array([1.0, -1.0]), np.ones(2), pool)
        assert found.solve(1.0, 1e-6).tolist() == [0.0] * 3
    assert found.right.tolist() == [0.0] * 3
