"""Learning curves: would more articles help? Fits on growing parts of the training articles, the same ones held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifier.errors import LabelError, UsageError
from training.metrics import bootstrap_mean

Ids = NDArray[np.int64]
STEPS = 5


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """The share of held-out articles that is right after learning from `articles`, with its 95 % interval."""

    articles: int
    correct: float
    low: float
    high: float


def learning_sizes(n: int) -> list[int]:
    """Up to five rising sizes that double up to `n`; fewer where `n` is small, none for 0."""
    return sorted({-(-n // 2**step) for step in range(STEPS)}) if n > 0 else []


def learning_curve(
    fit_predict: Callable[[Ids], ArrayLike], order: Ids, sizes: Sequence[int]
) -> tuple[LearningPoint, ...]:
    """A point for each size, sizes rising.

    A size takes the first of `order`, so that the parts are nested; their rows are handed over sorted, so that a fit on all
    of them is the fit without a curve. A size that cannot be learned from (`fit_predict` raises LabelError, as where its
    articles have one section only) has no point.

    Args:
        fit_predict: fits on the given rows and says of each held-out article whether it got it right, (m,) of 0 and 1.
        order: (n,) rows of training articles, shuffled, or by time with the newest first.
        sizes: each from 1 to n.

    Raises:
        UsageError: a size lies outside 1 to n, or `order` repeats a row.
    """
    order = np.asarray(order, np.int64)
    if len(np.unique(order)) < len(order):
        raise UsageError("order repeats a row", remedy="give every training article once")
    points = []
    for size in sorted(set(sizes)):
        if not 1 <= size <= len(order):
            raise UsageError(f"the size {size} is not in 1 to {len(order)}", remedy="use learning_sizes")
        try:
            correct = np.asarray(fit_predict(np.sort(order[:size])), np.float64)
        except LabelError:
            continue
        if not len(correct):
            raise UsageError("fit_predict judged no article", remedy="hold at least one article out")
        low, high = bootstrap_mean(correct)
        points.append(LearningPoint(size, float(correct.mean()), low, high))
    return tuple(points)
