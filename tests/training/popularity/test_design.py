"""Features side by side, by column in the kernel, are what their matrices are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from training.popularity import design as module
from training.popularity.design import Columns, Design, Remembered


def single(matrix: Any) -> Any:
    """In single precision, as designs hold values."""
    return matrix.toarray().astype(np.float32).astype(np.float64)


def sums(design: Design, pool: ThreadPoolExecutor, slopes: Any) -> Any:
    """Xᵀ slopes."""
    found = np.empty(design.width)
    design.add_up(pool, slopes, 0.0, np.zeros(design.width), found)
    return found


def features(random: Any, count: int, width: int, density: float) -> tuple[list[Columns], Any]:
    """Features plain and fading: two that share entries, one that fades alone, one after it; and all as one table."""
    first, second, third = (sp.random(count, width, density, "csr", random_state=random) for _ in range(3))
    fades = [0.5 ** random.random(count), 0.5 ** random.random(count)]
    plain = Columns(first)
    columns = [plain, Columns(second, fades[0]), Columns(first, fades[1], plain), Columns(third)]
    tables = [
        single(first),
        single(second) * fades[0][:, None],
        single(first) * fades[1][:, None],
        single(third),
    ]
    return columns, np.hstack(tables)


@pytest.mark.parametrize("narrow", [True, False])
@pytest.mark.parametrize("whole", [True, False])
@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.floats(0.0, 0.6),
    st.integers(0, 5),
    st.integers(0, 2**32 - 1),
)
def test_scores_sums_and_moments(
    narrow: bool, whole: bool, count: int, width: int, density: float, more: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    columns, everything = features(random, count + more, width, density)
    rows = random.permutation(count + more)[:count].astype(np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_NARROW", 1 << 16 if narrow else 0)
        design = Design(columns, rows, count + more if whole else 0)
    table = everything[rows]
    weights, slopes, emphasis = random.normal(size=4 * width), random.normal(size=count), random.random(count)
    assert design.width == 4 * width
    laid_out = everything if whole else table
    np.testing.assert_array_equal(design.lengths(np.arange(width)), (laid_out[:, :width] != 0).sum(axis=0))
    np.testing.assert_allclose(design.table(np.arange(4 * width)).toarray(), table, rtol=1e-12)
    some = np.flatnonzero(random.random(4 * width) < 0.3)
    np.testing.assert_allclose(design.table(some).toarray(), table[:, some], rtol=1e-12)
    with design.pool() as pool:
        np.testing.assert_allclose(design.scores(pool, weights), table @ weights, atol=1e-12)
        out = np.full(4 * width, np.nan)
        along = design.add_up(pool, slopes, 0.5, weights, out)
        np.testing.assert_allclose(out, table.T @ slopes + 0.5 * weights, atol=1e-12)
        np.testing.assert_allclose(along, out @ weights, atol=1e-11)
        found = design.moments(pool, emphasis, slopes)
    np.testing.assert_allclose(
        found, [emphasis @ table, emphasis @ table**2, slopes @ table], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_the_same_bits_on_one_thread_and_several(monkeypatch: pytest.MonkeyPatch, kind: type) -> None:
    random = np.random.default_rng(0)
    table = sp.random(300, 50, 0.2, "csr", random_state=random)
    table.indptr, table.indices = table.indptr.astype(kind), table.indices.astype(kind)
    plain = Columns(table)
    fades = [0.5 ** random.random(300) for _ in range(2)]
    columns = [plain, *[Columns(table, fade, plain) for fade in fades]]  # a twin, and one more that fades
    slopes, weights = random.normal(size=300), random.normal(size=150)
    found = []
    for small in (0, 10**9):
        monkeypatch.setattr(module, "_SMALL", small)
        design = Design(columns, np.arange(300))
        with design.pool() as pool:
            found.append([design.scores(pool, weights).tobytes(), sums(design, pool, slopes).tobytes()])
            found[-1].append(design.moments(pool, np.ones(300), slopes).tobytes())
    assert found[0] == found[1]


def test_moments_are_remembered_of_the_same_rows_only() -> None:
    random = np.random.default_rng(0)
    columns, table = features(random, 20, 6, 0.5)
    everything, some = np.arange(20), np.arange(0, 20, 2)
    made = []

    class Counting(Remembered[Any]):
        def get_or(self, key: Any, make: Any) -> Any:
            return super().get_or(key, lambda: made.append(key) or make())

    columns[0]._moments = Counting()
    for rows in (everything, some, everything, some):
        design = Design(columns, rows)
        with design.pool() as pool:
            sums = design.moments(pool, np.ones(len(rows)), np.zeros(len(rows)))[0]
        np.testing.assert_allclose(sums, table[rows].sum(axis=0), atol=1e-12)
    assert len(made) == 2


def test_a_fade_alone_and_one_beside_its_twin_are_the_same() -> None:
    """Whether columns share the entries of others is not to be seen from outside."""
    random = np.random.default_rng(1)
    matrix, fade = sp.random(30, 8, 0.4, "csr", random_state=random), 0.5 ** random.random(30)
    plain = Columns(matrix)
    rows, weights = np.arange(5, 30), random.normal(size=16)
    found = []
    for twin in (plain, None):
        design = Design([plain, Columns(matrix, fade, twin)], rows)
        with design.pool() as pool:
            found.append((design.scores(pool, weights), sums(design, pool, weights[:1].repeat(25))))
    for first, second in zip(*found, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-12)


def test_threads_share_what_is_remembered() -> None:
    """More keys than are kept: one is dropped while another thread may want it."""
    remembered: Remembered[int] = Remembered()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda k: remembered.get_or(k % 5, lambda: k % 5), range(5000)))
    assert found == [k % 5 for k in range(5000)]
    assert len(remembered) <= 2


def test_nothing_at_all() -> None:
    design = Design([Columns(sp.csr_matrix((4, 3)))], np.array([0, 3]))
    with design.pool() as pool:
        assert design.scores(pool, np.ones(3)).tolist() == [0.0, 0.0]
        assert sums(design, pool, np.ones(2)).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("count", [1 << 16, (1 << 16) + 1])
def test_as_many_rows_as_16_bits_tell_apart_and_one_more(count: int) -> None:
    table = sp.csr_matrix((np.ones(2), ([0, count - 1], [0, 0])), shape=(count, 1))
    design = Design([Columns(table)], np.arange(count))
    with design.pool() as pool:
        assert np.flatnonzero(design.scores(pool, np.ones(1))).tolist() == [0, count - 1]
        assert sums(design, pool, np.arange(count, dtype=np.float64)).tolist() == [count - 1]
