"""The one sparse thing that scoring needs: rows of (feature, value), and their product with a weight table."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.text.native import kernel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Indices = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SparseRows:
    """n rows over `width` features in CSR form: `indptr` (n + 1,), `indices` (nnz,), `values` (nnz,)."""

    indptr: Integers
    indices: Indices
    values: Floats
    width: int

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[Sequence[int], Sequence[float]]], width: int) -> SparseRows:
        """One (indices, values) pair a row."""
        if len(rows) == 1:
            [(one, value)] = rows
            return cls(np.array((0, len(one))), np.array(one, np.int32), np.array(value, np.float64), width)
        indptr = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(indices) for indices, _ in rows], out=indptr[1:])
        indices = np.array([i for row, _ in rows for i in row], np.int32)
        values = np.array([v for _, row in rows for v in row], np.float64)
        return cls(indptr, indices, values, width)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, number: int) -> tuple[Indices, Floats]:
        """Indices and values of one row."""
        part = slice(self.indptr[number], self.indptr[number + 1])
        return self.indices[part], self.values[part]

    def add_product(self, weights: Floats, out: Floats, place: int | None = None) -> None:
        """Add rows @ weights to `out`; weights (width, k), out (n, k). `place` is the address of the weights, if known.

        Each row is summed on its own in feature order, so one article alone and in a batch get the same bits.
        """
        if not len(self.indices):
            return
        kernel.nd_add_product(
            address(self.indptr),
            address(self.indices),
            address(self.values),
            len(self),
            address(weights) if place is None else place,
            weights.shape[1],
            address(out),
        )


def address(array: Any) -> int:
    """Where an array's first item lies; where it may be written to, several times quicker than `array.ctypes.data`,
    which one article notices."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    except (TypeError, ValueError):  # read-only, or empty
        place: int = array.ctypes.data
        return place
