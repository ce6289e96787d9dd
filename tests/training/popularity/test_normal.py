"""The normal equations without their matrix are those with it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from training.popularity import normal
from training.popularity.normal import NormalEquations


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
    found = NormalEquations(everything, rows, targets, emphasis)
    table = everything.toarray()[rows]
    mean = emphasis @ table / emphasis.sum()
    centred = table - mean
    matrix = centred.T @ (emphasis[:, None] * centred)
    centre = emphasis @ targets / emphasis.sum()
    np.testing.assert_allclose(found.mean, mean, atol=1e-12)
    np.testing.assert_allclose(found.centre, centre, atol=1e-12)
    np.testing.assert_allclose(found.squares, np.diag(matrix), atol=1e-10)
    np.testing.assert_allclose(found.right, centred.T @ (emphasis * (targets - centre)), atol=1e-10)
    weights = random.normal(size=width)
    with found.pool() as pool:
        np.testing.assert_allclose(found.times(pool)(weights), matrix @ weights, atol=1e-10)


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_the_same_bits_on_one_thread_and_several(monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    random = np.random.default_rng(0)
    table = sp.random(300, 50, 0.2, "csr", random_state=random)
    table.indptr, table.indices = table.indptr.astype(kind), table.indices.astype(kind)
    targets, weights = random.normal(size=300), random.normal(size=50)
    rows, emphasis = np.arange(300), np.ones(300)
    found = []
    for small in (0, 10**9):
        monkeypatch.setattr(normal, "_SMALL", small)
        equations = NormalEquations(table, rows, targets, emphasis)
        with equations.pool() as pool:
            found.append((equations.right.tobytes(), equations.times(pool)(weights).tobytes()))
    assert found[0] == found[1]


def test_articles_without_features() -> None:
    found = NormalEquations(sp.csr_matrix((4, 3)), np.array([0, 3]), np.array([1.0, -1.0]), np.ones(2))
    with found.pool() as pool:
        assert found.times(pool)(np.ones(3)).tolist() == [0.0] * 3
    assert found.right.tolist() == [0.0] * 3
