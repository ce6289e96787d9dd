"""The one sparse thing that scoring needs: rows of (feature, value), and their product with a weight table."""

from __future__ import annotations

import ctypes
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
    def of_equal(
        cls,
        known: NDArray[np.bool_],
        indices: NDArray[Any],
        values: Floats,
        others: Floats,
        width: int,
    ) -> SparseRows:
        """Rows (n,) that are `known` have the k features and values of `indices` and `values` (n, k); all others the
        values `others` (width,) of every feature, or none (0,)."""
        count = indices.shape[1]
        if len(known) == 1:  # as below, in a tenth of the time
            own = indices[0].astype(np.int32) if known[0] else np.arange(len(others), dtype=np.int32)
            return cls(np.array([0, len(own)]), own, np.array(values[0] if known[0] else others), width)
        indptr = np.zeros(len(known) + 1, np.int64)
        np.cumsum(np.where(known, count, len(others)), out=indptr[1:])
        own, own_values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1])
        at = indptr[:-1][known, None] + np.arange(count)
        own[at], own_values[at] = indices[known], values[known]
        at = indptr[:-1][~known, None] + np.arange(len(others))
        own[at], own_values[at] = np.arange(len(others)), others
        return cls(indptr, own, own_values, width)

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
