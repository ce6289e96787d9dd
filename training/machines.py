"""Linear support vector machines, one against the rest: scikit-learn's LinearSVC, faster, and interruptible.

The objective is LinearSVC's (squared hinge loss, dual, the intercept regularised like a weight), and so is the stopping
rule: `tolerance` is its `tol`. The kernel's fit.c has the solver and its source.
"""

from __future__ import annotations

import ctypes
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from joblib import cpu_count
from numpy.typing import NDArray

from classifier.text import native
from classifier.text.native import kernel
from classifier.text.strings import check

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

MOST_PASSES = 1000


class NotConverged(UserWarning):
    """The weights are not as near the optimum as was asked for."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The articles' features (n, width), C of each (n,), and what all machines share."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: Floats
    width: int
    cost: Floats
    tolerance: float
    seed: int


def fit_machines(
    features: sp.csr_matrix,
    truth: Truth,
    cost: Floats,
    positive: Floats,
    *,
    tolerance: float,
    seed: int,
) -> tuple[Floats, Floats]:
    """Weights (width, k) and intercepts (k,) of one machine a column of `truth` (n, k), the same on any number of
    processors.

    `cost` (n,) is C of each article; that of an article of class c is multiplied by `positive[c]` (k,). An interruption
    ends it after the pass that is under way.

    Raises:
        MemoryError: there was none left.
    """
    rows = _Rows(
        features.indptr.astype(np.int64),
        np.ascontiguousarray(features.indices, np.int32),
        np.ascontiguousarray(features.data, np.float64),
        features.shape[1],
        np.ascontiguousarray(cost, np.float64),
        tolerance,
        seed,
    )
    outputs = truth.shape[1]
    weights, intercept = np.empty((rows.width, outputs)), np.empty(outputs)
    stop = ctypes.c_int32()

    def fit(k: int) -> None:
        found = _fit(rows, truth[:, k], float(positive[k]), stop)
        weights[:, k], intercept[k] = found[:-1], found[-1]

    # In threads, even if it is one: only where the main one waits outside the kernel can it be interrupted.
    with ThreadPoolExecutor(max(min(cpu_count(), outputs), 1)) as pool:
        try:
            tasks = [pool.submit(fit, k) for k in range(outputs)]
            for task in tasks:
                task.result()
        except BaseException:
            stop.value = 1
            raise
    return weights, intercept


def _fit(rows: _Rows, truth: Truth, positive: float, stop: ctypes.c_int32) -> Floats:
    """(width + 1,), the intercept last."""
    truth = np.ascontiguousarray(truth)
    found = np.zeros(rows.width + 1)
    problem = native.Problem(
        rows.indptr.ctypes.data,
        rows.indices.ctypes.data,
        rows.values.ctypes.data,
        len(truth),
        rows.width,
        truth.ctypes.data,
        rows.cost.ctypes.data,
        positive,
        rows.tolerance,
        MOST_PASSES,
        rows.seed,
        ctypes.addressof(stop),
    )
    if check(kernel.nd_fit_svc(problem, found.ctypes.data), 0) == MOST_PASSES:
        warnings.warn(f"no convergence in {MOST_PASSES} passes", NotConverged, stacklevel=2)
    return found
