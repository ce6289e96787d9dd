"""The normal equations of least squares, on some rows of a matrix, without their matrix."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from classifier.text.native import kernel

Floats = NDArray[np.float64]
# Of the rows, each with sums of its own: as many whatever the machine, so that the bits are the same.
_PARTS = 2
_SMALL = 100_000  # entries that are not worth a thread


class NormalEquations:
    """XᵀWX and XᵀWy, where X are the `rows` (m,) of `features` (n, width) and y the `targets` (m,), both centred by their
    means weighted by `emphasis` (m,), of which W is the diagonal.

    `squares` (width,) is the diagonal of the first, `right` (width,) the second; `mean` (width,) are the columns' means,
    `centre` that of the targets. Nothing of the features is copied but what is not of the kernel's types.
    """

    def __init__(
        self, features: sp.csr_matrix, rows: NDArray[np.int64], targets: Floats, emphasis: Floats
    ) -> None:
        self._indptr = np.ascontiguousarray(features.indptr, np.int64)
        self._indices = np.ascontiguousarray(features.indices, np.int32)
        self._values = np.ascontiguousarray(features.data, np.float64)
        self._rows = np.ascontiguousarray(rows, np.int64)
        self._emphasis = np.ascontiguousarray(emphasis, np.float64)
        self.width: int = features.shape[1]
        entries = np.diff(self._indptr)[self._rows]
        ends = np.searchsorted(np.cumsum(entries), entries.sum() * np.arange(1, _PARTS) / _PARTS)
        self._parts = list(pairwise([0, *ends.tolist(), len(rows)]))
        self._threads = _PARTS if entries.sum() > _SMALL else 1
        total = self._emphasis.sum()
        self.centre = float(self._emphasis @ targets / total)
        residual = self._emphasis * (targets - self.centre)

        def moments(start: int, stop: int) -> Floats:
            found = np.zeros((3, self.width))
            kernel.nd_moments(
                *self._place(start),
                residual[start:].ctypes.data,
                stop - start,
                *[own.ctypes.data for own in found],
            )
            return found

        with ThreadPoolExecutor(self._threads) as pool:
            sums, squares, right = self._summed(pool, moments)
        self.mean: Floats = sums / total
        self.squares: Floats = np.maximum(squares - self.mean**2 * total, 0.0)
        self.right: Floats = right  # of residuals that add up to 0: the means change nothing

    def times(self, pool: ThreadPoolExecutor) -> Callable[[Floats], Floats]:
        """What multiplies XᵀWX by weights (width,), on that pool."""

        def multiply(weights: Floats) -> Floats:
            weights = np.ascontiguousarray(weights, np.float64)
            shift = float(self.mean @ weights)

            def normal(start: int, stop: int) -> Floats:
                found = np.zeros(self.width)
                kernel.nd_normal(
                    *self._place(start), stop - start, weights.ctypes.data, shift, found.ctypes.data
                )
                return found

            # Of the columns' means nothing is left: scores that are centred add up to 0.
            return np.asarray(self._summed(pool, normal), np.float64)

        return multiply

    def pool(self) -> ThreadPoolExecutor:
        """One for `times`."""
        return ThreadPoolExecutor(self._threads)

    def _place(self, start: int) -> list[int]:
        arrays = self._indptr, self._indices, self._values, self._rows[start:], self._emphasis[start:]
        return [array.ctypes.data for array in arrays]

    def _summed(self, pool: ThreadPoolExecutor, act: Callable[[int, int], Any]) -> Any:
        first, *others = pool.map(lambda part: act(*part), self._parts)
        for other in others:
            first += other
        return first
