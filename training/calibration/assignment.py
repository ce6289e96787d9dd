"""Thresholds of several labels an article: from which score on each label is assigned.

A label's F1 is highest at a threshold of its own (Lewis, Schapire, Callan & Papka 1996; Yang 2001, "A study of thresholding
strategies for text categorization", SCut); but of a rare label that threshold is luck. So each is shrunk towards the one
threshold that is best for all labels together, the more the fewer positives a label has.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classifier.errors import UsageError
from training.metrics import macro_f1, micro_f1

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Ids = NDArray[np.int64]

SHRINKS = (2.0, 5.0, 10.0, 20.0)
_DEFAULT_SHRINK = 5.0  # where no folds are there to choose by
_CELLS = 1 << 22  # scores that are copied at a time: 32 MB
_MANY = 1 << 17  # from so many scores on finding the promising ones is faster than sorting all


def fit_label_thresholds(
    scores: Floats, truth: Truth, *, folds: Ids | None = None, shrink: float | None = None
) -> Floats:
    """(k,) thresholds in the space of the scores; a label is assigned from its threshold on (score >= threshold).

    A label's own threshold is the highest with the best F1, midway between the neighbouring scores. With P positives it has
    the weight P / (P + shrink), the common threshold, best in micro-F1 over all labels, has the rest; a label without
    positives has the common one (0 where no label has any).

    Args:
        scores: (n, k), out-of-fold.
        truth: (n, k) which labels each article has.
        folds: (n,) fold numbers, by which `shrink` is chosen where it is not given (`choose_shrink`).
        shrink: 0 (no shrinking) or more.

    Raises:
        UsageError: shapes that do not fit, a score that is not finite, a negative `shrink`.
    """
    _check(scores, truth, folds)
    if shrink is not None and not 0.0 <= shrink < math.inf:
        raise UsageError(f"shrink is {shrink}", remedy="give a number of positives, 0 or more")
    if shrink is None:
        shrink = _DEFAULT_SHRINK if folds is None else choose_shrink(scores, truth, folds)
    return _shrunk(*_thresholds(scores, truth), shrink)


def choose_shrink(scores: Floats, truth: Truth, folds: Ids) -> float:
    """Which of `SHRINKS` gives the best mean of micro-F1 and macro-F1, each fold with the thresholds of the others.

    Of equal ones the larger. Where there is only one fold nothing can be tried, and it is 5.

    Raises:
        UsageError: shapes that do not fit, or a score that is not finite.
    """
    _check(scores, truth, folds)
    numbers = np.unique(folds).tolist()
    if len(numbers) < 2:
        return _DEFAULT_SHRINK
    found = [_thresholds(scores[folds != number], truth[folds != number]) for number in numbers]
    best, best_value = _DEFAULT_SHRINK, -math.inf
    for shrink in reversed(SHRINKS):
        assigned = np.empty(truth.shape, np.bool_)
        for number, parts in zip(numbers, found, strict=True):
            assigned[folds == number] = scores[folds == number] >= _shrunk(*parts, shrink)
        value = micro_f1(truth, assigned) + macro_f1(truth, assigned)
        if value > best_value:
            best, best_value = shrink, value
    return best


def _shrunk(own: Floats, positives: Ids, common: float, shrink: float) -> Floats:
    weight = np.divide(positives, positives + shrink, out=np.zeros(len(own)), where=positives > 0)
    # Not common + weight · (own − common), which a weight of 1 would not make exactly the own.
    return np.asarray(weight * own + (1.0 - weight) * common)


def _thresholds(scores: Floats, truth: Truth) -> tuple[Floats, Ids, float]:
    """Each label's own threshold (k,) (0 without positives), its positives (k,), and the common threshold."""
    n, k = scores.shape
    positives = truth.sum(axis=0, dtype=np.int64)
    own = np.zeros(k)
    step = max(1, _CELLS // max(n, 1))
    for start in range(0, k, step):
        part = slice(start, start + step)
        columns = np.ascontiguousarray(scores[:, part].T)  # a label's scores side by side
        has = np.ascontiguousarray(truth[:, part].T)
        for label in np.flatnonzero(positives[part]).tolist():
            own[start + label] = _best_cut(columns[label], has[label])
    common = _best_cut(scores.ravel(), truth.ravel()) if positives.any() else 0.0
    return own, positives, common


def _best_cut(scores: Floats, has: Truth) -> float:
    """The highest threshold with the best F1, for scores (m,) of which at least one is of a positive.

    F1 can only be best just under a positive's score, so only the scores from the lowest positive on count.
    """
    positive = np.sort(scores[has])
    count = len(positive)
    ranked = scores[scores >= positive[0]]
    if len(ranked) > _MANY:
        ranked = _promising(ranked, positive)
        positive = positive[positive >= ranked.min()]
    ranked.sort()
    below = np.searchsorted(ranked, positive)  # how many scores lie below each positive's
    found = len(positive) - np.searchsorted(positive, positive)
    f1 = 2.0 * found / (len(ranked) - below + count)
    best = len(f1) - 1 - int(np.argmax(f1[::-1]))
    score = float(positive[best])
    if below[best]:
        neighbour = float(ranked[below[best] - 1])
    else:
        neighbour = float(np.max(scores, where=scores < score, initial=-np.inf))
    middle = neighbour / 2.0 + score / 2.0
    return middle if neighbour < middle < score else score


def _promising(scores: Floats, positive: Floats) -> Floats:
    """So many of the highest scores (m,) as can be predicted without falling under an F1 that is surely reached, that of
    predicting as many as there are positives (their scores rising)."""
    count = len(positive)
    at = np.partition(scores, len(scores) - count)[len(scores) - count]
    found = count - int(np.searchsorted(positive, at))
    reached = 2.0 * found / (int(np.count_nonzero(scores >= at)) + count)
    # F1 = 2 found / (predicted + positives): with more than this many predicted even finding all would not be better.
    most = int(min(2.0 * count / reached - count + 1.0, len(scores))) if reached else len(scores)
    lowest = np.partition(scores, len(scores) - most)[len(scores) - most]
    return np.asarray(scores[scores >= lowest])


def _check(scores: Floats, truth: Truth, folds: Ids | None) -> None:
    if scores.ndim != 2 or scores.shape != truth.shape or truth.dtype != np.bool_:
        raise UsageError(
            f"scores have the shape {scores.shape}, truth {truth.shape} of {truth.dtype}",
            remedy="give two matrices (articles, labels), truth of booleans",
        )
    if folds is not None and folds.shape != scores.shape[:1]:
        raise UsageError(f"folds have the shape {folds.shape}", remedy="give one fold number an article")
    if not np.isfinite(scores).all():
        raise UsageError("a score is not finite", remedy="leave out articles that no fold could score")
