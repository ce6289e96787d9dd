"""Features side by side, and what learners ask of some of their rows: without putting them into one matrix.

A recipe tried after another shares most of its features with it, and one that fades shares the entries of the one that does
not: nothing of them is copied. All is done column by column, in single precision of the features' values and double
precision of everything else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from classifier.text.native import Part, kernel

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
T = TypeVar("T")
# Of the columns, each with scores of its own: as many whatever the machine, so that the bits are the same.
_SHARES = 2
_SMALL = 100_000  # entries that are not worth a thread
_NARROW = 1 << 16  # rows that 16 bits can tell apart
_KEPT = 2  # that are remembered of what was made of some rows: of two windows


class Entries(NamedTuple):
    """Column by column, `starts` (width + 1,): which of the rows (m,) have what values."""

    starts: Ids
    rows: NDArray[np.uint16] | NDArray[np.int32]
    values: NDArray[np.float32]


class Remembered(dict[Any, T]):
    """The newest few of what was made of a key; for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()

    def get_or(self, key: Any, make: Callable[[], T]) -> T:
        """What is remembered of the key, or is made now."""
        with self._lock:
            if key in self:
                return self[key]
        found = make()
        with self._lock:
            while len(self) >= _KEPT:
                del self[next(iter(self))]
            self[key] = found
        return found


class Columns:
    """A feature's columns: a matrix (n, width), its rows times `fade` (n,) where that is given. `twin` is the same matrix
    without fading, if it is there, too."""

    def __init__(
        self, matrix: sp.csr_matrix, fade: Floats | None = None, twin: Columns | None = None
    ) -> None:
        self._matrix = matrix
        self.fade, self.twin = fade, twin
        self.width: int = matrix.shape[1]
        self._entries: Remembered[Entries] = Remembered()
        self._moments: Remembered[Floats] = Remembered()

    def entries(self, rows: Ids, key: bytes) -> Entries:
        """Of those rows (m,), which `key` stands for."""
        if self.twin is not None:
            return self.twin.entries(rows, key)
        return self._entries.get_or(key, lambda: _transposed(self._matrix, rows))

    def moments(self, key: bytes, make: Callable[[], Floats]) -> Floats:
        """What was made under that key, or is made now."""
        return self._moments.get_or(key, make)


def _transposed(matrix: sp.csr_matrix, rows: Ids) -> Entries:
    indptr = np.ascontiguousarray(matrix.indptr, np.int64)
    indices = np.ascontiguousarray(matrix.indices, np.int32)
    values = np.ascontiguousarray(matrix.data, np.float64)
    count = int(np.diff(indptr)[rows].sum())
    width = matrix.shape[1]
    narrow = len(rows) <= _NARROW
    numbers: Any = np.empty(count, np.uint16 if narrow else np.int32)
    found = Entries(np.zeros(width + 1, np.int64), numbers, np.empty(count, np.float32))
    given = [own.ctypes.data for own in (indptr, indices, values, rows)]
    kernel.nd_transpose(*given, len(rows), width, narrow, *[own.ctypes.data for own in found])
    return found


class Design:
    """The `rows` (m,) of features side by side, X (m, width).

    `whole` is n where all rows are to be laid out, those that do not count with slopes of 0: what is remembered then serves
    other designs of most of them. 0: only the rows that count are.
    """

    def __init__(self, columns: Sequence[Columns], rows: Ids, whole: int = 0) -> None:
        self.rows = np.ascontiguousarray(rows, np.int64)
        self._whole = whole
        made_of = np.arange(whole) if whole else self.rows
        self._count = len(made_of)
        self._columns = tuple(columns)
        self._key = hashlib.blake2b(made_of.tobytes(), digest_size=16).digest()
        self._places = [0, *np.cumsum([own.width for own in columns]).tolist()]
        self._entries = [own.entries(made_of, self._key) for own in columns]
        self._fades = [
            None if own.fade is None else np.ascontiguousarray(own.fade[made_of]) for own in columns
        ]
        self._size = sum(len(own.rows) for own in self._entries)
        self._parts, self._cuts = self._laid_out()

    @property
    def width(self) -> int:
        return int(self._places[-1])

    def _laid_out(self) -> tuple[Any, list[Ids]]:
        """The parts for the kernel, and the columns of each of them that are a share's."""
        twins: dict[int, int] = {}  # of a part, by its number
        taken = set()
        for number, own in enumerate(self._columns):
            for other in range(number):
                if own.twin is self._columns[other] and other not in twins:
                    twins[other] = number
                    taken.add(number)
                    break
        parts = [self._part(i, twins.get(i)) for i in range(len(self._columns)) if i not in taken]
        kept = [self._entries[i].starts for i in range(len(self._columns)) if i not in taken]
        edges = [
            np.searchsorted(starts, starts[-1] * np.arange(_SHARES + 1) / _SHARES).astype(np.int64)
            for starts in kept
        ]
        for starts, edge in zip(kept, edges, strict=True):
            edge[0], edge[-1] = 0, len(starts) - 1
        cuts = [
            np.array([[edge[share], edge[share + 1]] for edge in edges], np.int64) for share in range(_SHARES)
        ]
        return (Part * len(parts))(*parts), cuts

    def _part(self, number: int, twin: int | None = None) -> Part:
        fades = [None if i is None else self._fades[i] for i in (number, twin)]
        return Part(
            *[own.ctypes.data for own in self._entries[number]],
            *[None if fade is None else fade.ctypes.data for fade in fades],
            self._places[number],
            -1 if twin is None else self._places[twin],
            self._columns[number].width,
            self._entries[number].rows.dtype == np.uint16,
        )

    def pool(self) -> ThreadPoolExecutor:
        """One for the methods that ask for it."""
        return ThreadPoolExecutor(1 if self._size <= _SMALL else _SHARES)

    def scores(self, pool: ThreadPoolExecutor, weights: Floats) -> Floats:
        """X @ weights (width,): (m,)."""
        weights = np.ascontiguousarray(weights, np.float64)

        def add(share: int) -> Floats:
            found = np.zeros(self._count)
            kernel.nd_scores(*self._place(share), weights.ctypes.data, found.ctypes.data)
            return found

        first, *others = pool.map(add, range(_SHARES))
        for other in others:
            first += other
        return first[self.rows] if self._whole else first

    def add_up(
        self, pool: ThreadPoolExecutor, slopes: Floats, alpha: float, weights: Floats, out: Floats
    ) -> float:
        """Xᵀ slopes (m,) + alpha · weights (width,) into `out` (width,); how much it is along the weights."""
        slopes = self._spread(slopes)

        def add(share: int) -> float:
            vectors = weights.ctypes.data, out.ctypes.data
            return float(kernel.nd_sums(*self._place(share), slopes.ctypes.data, alpha, *vectors))

        return sum(pool.map(add, range(_SHARES)))

    def lengths(self, columns: Ids) -> Ids:
        """(columns,) how many entries each of some columns has, of all rows that are laid out."""
        return np.asarray(np.concatenate([np.diff(own.starts) for own in self._entries])[columns])

    def table(self, columns: Ids) -> sp.csr_matrix:
        """(m, columns) of some columns, in order."""
        found = []
        for number, (entries, fade) in enumerate(zip(self._entries, self._fades, strict=True)):
            first, last = self._places[number], self._places[number + 1]
            own = columns[(columns >= first) & (columns < last)] - first
            ends = entries.starts[own + 1]
            lengths = ends - entries.starts[own]
            starts = np.concatenate([[0], np.cumsum(lengths)])
            at = np.arange(starts[-1]) + np.repeat(entries.starts[own] - starts[:-1], lengths)
            values, rows = entries.values[at].astype(np.float64), entries.rows[at].astype(np.int32)
            values *= 1.0 if fade is None else fade[rows]
            found.append(sp.csc_matrix((values, rows, starts), shape=(self._count, len(own))))
        table = sp.hstack(found, format="csr")
        return table[self.rows] if self._whole else table

    def moments(self, pool: ThreadPoolExecutor, emphasis: Floats, residual: Floats) -> Floats:
        """(3, width): Xᵀ emphasis (m,), the same of squared values, and Xᵀ residual (m,). What was asked before of some of
        the columns, of the same rows, is remembered."""
        emphasis, residual = self._spread(emphasis), self._spread(residual)
        key = hashlib.blake2b(self._key, digest_size=16)
        key.update(emphasis.tobytes())
        key.update(residual.tobytes())

        def make(number: int) -> Floats:
            found = np.empty((3, self._columns[number].width))
            vectors = [own.ctypes.data for own in (emphasis, residual, *found)]
            kernel.nd_moments(self._part(number), *vectors)
            return found

        def remembered(number: int) -> Floats:
            return self._columns[number].moments(key.digest(), lambda: make(number))

        found = pool.map(remembered, range(len(self._columns)))
        return np.concatenate([np.zeros((3, 0)), *found], axis=1)

    def _spread(self, values: Floats) -> Floats:
        """(m,) of the rows, over all where these are laid out."""
        if not self._whole:
            return np.ascontiguousarray(values, np.float64)
        found = np.zeros(self._whole)
        found[self.rows] = values
        return found

    def _place(self, share: int) -> tuple[Any, int, int]:
        return self._parts, len(self._parts), self._cuts[share].ctypes.data
