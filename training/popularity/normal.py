"""Least squares by conjugate gradients: the normal equations, without their matrix."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from classifier.text.native import kernel
from training.popularity.design import Design

Floats = NDArray[np.float64]
_STEPS = 300
_LARGE, _MOST_ENTRIES = 500, 10_000_000  # columns, and what is in them
_TRIFLE = 1e-10
_TIGHT = 1e-3


class NormalEquations:
    """XᵀWX and XᵀWy, where X (m, width) is the design and y the `targets` (m,), both centred by their means weighted by
    `emphasis` (m,), of which W is the diagonal.

    `squares` (width,) is the diagonal of the first, `right` (width,) the second; `mean` (width,) are the columns' means,
    `centre` that of the targets.
    """

    def __init__(self, design: Design, targets: Floats, emphasis: Floats, pool: ThreadPoolExecutor) -> None:
        self._design, self._pool = design, pool
        self._emphasis = np.ascontiguousarray(emphasis, np.float64)
        self._total = total = float(self._emphasis.sum())
        self.centre = float(self._emphasis @ targets / total)
        # Residuals add up to 0: of the columns' means nothing is left in what is right.
        residual = self._emphasis * (targets - self.centre)
        sums, squares, self.right = design.moments(pool, self._emphasis, residual)
        self.mean: Floats = sums / total
        self.squares: Floats = np.maximum(squares - self.mean**2 * total, 0.0)

    def times(self, weights: Floats, alpha: float, out: Floats) -> float:
        """(XᵀWX + alpha) @ weights (width,) into `out`; how much it is along the weights."""
        scores = self._design.scores(self._pool, weights)
        scores -= self._emphasis @ scores / self._total
        scores *= self._emphasis
        # Of the columns' means nothing is left: scores that are centred add up to 0.
        return self._design.add_up(self._pool, scores, alpha, weights, out)

    def solve(self, alpha: float, tolerance: float, start: Floats | None = None) -> Floats:
        """Weights (width,) for which (XᵀWX + alpha) @ weights are within `tolerance` · |XᵀWy| of XᵀWy, by conjugate
        gradients from `start` on (Golub & Van Loan, Matrix Computations, algorithm 11.5.1), preconditioned by the diagonal
        and, where many steps are to be expected, exactly among the largest columns."""
        width = self._design.width
        diagonal = 1.0 / (self.squares + alpha)
        weights, residual = np.zeros(width), self.right.copy()
        enough = (tolerance * float(np.linalg.norm(residual))) ** 2
        if not enough:  # nothing is to be told
            return weights
        large = None
        if tolerance <= _TIGHT:
            large = _Large(self._design, self._emphasis, self.mean, self.squares, alpha)
            diagonal[large.columns] = 0.0
        direction, product, found = np.zeros(width), np.empty(width), np.empty(2)
        if start is not None:
            weights += start
            self.times(weights, alpha, product)
            residual -= product
        square, scaled, beta = float(residual @ residual), float(residual @ (diagonal * residual)), 0.0
        if large is not None:
            scaled += large.precondition(residual)
        for _ in range(_STEPS):
            if square <= enough:
                break
            given = residual.ctypes.data, diagonal.ctypes.data, beta, direction.ctypes.data
            kernel.nd_direction(width, *given)
            if large is not None:
                large.direct(direction)
            length = scaled / self.times(direction, alpha, product)
            vectors = [own.ctypes.data for own in (direction, product, diagonal, weights, residual, found)]
            kernel.nd_step(width, length, *vectors)
            before, (scaled, square) = scaled, found.tolist()
            if large is not None:
                scaled += large.precondition(residual)
            beta = scaled / before
        return weights


class _Large:
    """The normal equations of the `columns` with the largest squares alone, which are few enough to be solved at once: what
    these have to do with each other is what conjugate gradients would take the most steps for."""

    def __init__(self, design: Design, emphasis: Floats, mean: Floats, squares: Floats, alpha: float) -> None:
        largest = np.argsort(-squares, kind="stable")[:_LARGE]
        few = np.cumsum(design.lengths(largest)) <= _MOST_ENTRIES
        self.columns = np.sort(largest[few | (np.arange(len(largest)) == 0)])
        table = design.table(self.columns)
        mean = mean[self.columns]
        matrix = (table.T @ sp.diags(emphasis) @ table).toarray() - emphasis.sum() * np.outer(mean, mean)
        # A trifle more than alpha, so that columns that are the same do not matter however small it is.
        alpha += _TRIFLE * float(matrix.trace()) / max(len(mean), 1)
        self._factor = cho_factor(matrix + alpha * np.eye(len(mean)))
        self._preconditioned = np.zeros(len(mean))

    def precondition(self, residual: Floats) -> float:
        """Solve for that residual (width,); how much it is along the solution."""
        own = residual[self.columns]
        self._preconditioned = cho_solve(self._factor, own)
        return float(own @ self._preconditioned)

    def direct(self, direction: Floats) -> None:
        """Add the solution to a direction (width,)."""
        direction[self.columns] += self._preconditioned
