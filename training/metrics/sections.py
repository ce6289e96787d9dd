"""Metrics of the section head.

Labels are either vectors (n,) of strings or integers, one section an article, or indicator matrices (n, k) of
0 and 1, several sections an article. None of the metrics depends on the order of the rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.errors import LabelError, UsageError
from training.metrics._checks import (
    Floats,
    Ints,
    as_array,
    at_least_one,
    not_empty,
    numbers,
    same_length,
    within_unit,
)

_EPSILON = float(np.finfo(np.float64).eps)


def accuracy(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """The share of articles whose section is right or, of several, whose whole set is (subset accuracy).

    Args:
        truth, predicted: (n,) labels, or (n, k) indicators.

    Raises:
        LabelError: there are no articles, or a label is missing.
        UsageError: the shapes differ.
    """
    t, p = _labels(truth, predicted)
    right = t == p
    if right.ndim == 2:
        right = right.all(axis=1)
    return int(np.count_nonzero(right)) / len(right)


def macro_f1(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """The plain mean over labels of F1 = 2 tp / (2 tp + fp + fn) (the "averaged F1" of Opitz & Burst 2019).

    The mean is over the labels that occur in the truth or in a prediction. That is scikit-learn's default for
    vectors of labels; of an indicator matrix scikit-learn counts a column that is empty on both sides as 0,
    here it is left out. NaN where no label occurs at all.

    Args:
        truth, predicted: (n,) labels, or (n, k) indicators.

    Raises:
        LabelError: there are no articles, or a label is missing.
        UsageError: the shapes differ.
    """
    hits, wrong = _hits_and_errors(*_labels(truth, predicted))
    occurs = hits + wrong > 0
    if not occurs.any():
        return math.nan
    f1 = 2 * hits[occurs] / (2 * hits[occurs] + wrong[occurs])
    # An exact sum, so that the names of the labels (their order) cannot move the last bit.
    return math.fsum(f1.tolist()) / len(f1)


def micro_f1(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """F1 of the true and false positives of all labels together; with one label an article it equals
    accuracy.

    NaN where no label occurs at all.

    Args:
        truth, predicted: (n,) labels, or (n, k) indicators.

    Raises:
        LabelError: there are no articles, or a label is missing.
        UsageError: the shapes differ.
    """
    hits, wrong = _hits_and_errors(*_labels(truth, predicted))
    tp, errors = int(hits.sum()), int(wrong.sum())
    return 2 * tp / (2 * tp + errors) if tp + errors else math.nan


def ece(confidence: npt.ArrayLike, correct: npt.ArrayLike, bins: int = 15) -> float:
    """The expected calibration error over bins of equal mass (Naeini, Cooper & Hauskrecht 2015).

    The articles, by rising confidence, are cut into `bins` runs whose sizes differ by one at most (as many as
    there are articles, if those are fewer); the error is the mean of |mean confidence − share correct|
    weighted by the sizes. Articles of equal confidence each count with their common share correct, so a cut
    through them is the same for every order of the rows.

    Args:
        confidence: (n,) probabilities.
        correct: (n,) 0 or 1; or between them, the expectation of an outcome that is itself tied.

    Raises:
        LabelError: there are no articles.
        UsageError: the lengths differ, a value is NaN or outside 0–1, or `bins` is under 1.
    """
    at_least_one(bins, "bins")
    p, c = _outcomes(confidence, correct)
    order = np.lexsort((c, p))
    p, c = p[order], c[order]
    starts = np.flatnonzero(np.r_[True, p[1:] != p[:-1]])
    sizes = np.diff(np.r_[starts, len(p)])
    c = np.repeat(np.add.reduceat(c, starts) / sizes, sizes)
    gaps = [abs(float(gap.sum())) for gap in np.array_split(p - c, min(bins, len(p)))]
    return math.fsum(gaps) / len(p)


def log_loss(probabilities: npt.ArrayLike, index: npt.ArrayLike) -> float:
    """The mean of −ln of the probability given to the true section (Good 1952), clipped at 2.2e-16.

    For several labels an article (a label's own probability p), give the pairs (1 − p, p) of all articles and
    labels as rows.

    Args:
        probabilities: (n, k), rows that add up to 1.
        index: (n,) the column of the true section; -1 where the model has none for it (probability 0).

    Raises:
        LabelError: there are no articles, or an index is no column.
        UsageError: the shapes differ, or the rows are no probabilities.
    """
    p = as_array(probabilities, "probabilities")
    if p.ndim != 2 or p.dtype.kind not in "biuf":
        raise UsageError(
            f"probabilities have the shape {p.shape} and hold {p.dtype}",
            remedy="give a number for each article and section",
        )
    i = as_array(index, "index")
    if i.ndim != 1 or i.dtype.kind not in "iu":
        raise UsageError(
            f"index has the shape {i.shape} and holds {i.dtype}", remedy="give one column number an article"
        )
    not_empty(same_length(probabilities=p, index=i))
    if not (np.abs(p.sum(axis=1, dtype=np.float64) - 1) <= 1e-3).all() or p.min() < 0:
        raise UsageError("the rows of probabilities do not add up to 1", remedy="normalise them first")
    if i.min() < -1 or i.max() >= p.shape[1]:
        raise LabelError(
            f"an index lies outside -1 to {p.shape[1] - 1}",
            remedy="use -1 for a section the model does not know",
        )
    given = np.where(i >= 0, p[np.arange(len(i)), np.maximum(i, 0)], 0).astype(np.float64)
    return -math.fsum(np.log(np.clip(given, _EPSILON, 1)).tolist()) / len(given)


def coverage_precision(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, threshold: float
) -> tuple[float, float]:
    """What filing unseen at `threshold` would give: (precision, coverage).

    Coverage is the share of articles whose confidence is `threshold` or more, precision the share of these
    that are correct; NaN where there are none (El-Yaniv & Wiener 2010: selective risk = 1 − precision).

    Args:
        confidence: (n,) probabilities.
        correct: (n,) 0 or 1.

    Raises:
        LabelError: there are no articles.
        UsageError: the lengths differ, or a value is NaN or outside 0–1.
    """
    if math.isnan(threshold):
        raise UsageError("threshold is NaN", remedy="give a probability")
    p, c = _outcomes(confidence, correct)
    filed = c[p >= threshold]
    precision = math.fsum(filed.tolist()) / len(filed) if len(filed) else math.nan
    return precision, len(filed) / len(p)


def _outcomes(confidence: npt.ArrayLike, correct: npt.ArrayLike) -> tuple[Floats, Floats]:
    p, c = numbers(confidence, "confidence"), numbers(correct, "correct")
    not_empty(same_length(confidence=p, correct=c))
    within_unit(p, "confidence")
    within_unit(c, "correct")
    return p, c


def _labels(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Both as vectors of labels, or both as boolean matrices, of one shape."""
    t, p = as_array(truth, "truth"), as_array(predicted, "predicted")
    if t.shape != p.shape or t.ndim not in (1, 2):
        raise UsageError(
            f"truth has the shape {t.shape}, predicted {p.shape}",
            remedy="give two vectors of labels or two indicator matrices of one shape",
        )
    not_empty(len(t))
    if t.ndim == 2:
        return _indicators(t, "truth"), _indicators(p, "predicted")
    for name, labels in (("truth", t), ("predicted", p)):
        if labels.dtype.kind == "O" and not all(isinstance(label, str) for label in labels):
            raise LabelError(f"{name} has a missing label", remedy="leave out the articles without a label")
    if t.dtype.kind not in "biuUOT" or (t.dtype.kind in "biu") != (p.dtype.kind in "biu"):
        raise UsageError(
            f"truth holds {t.dtype}, predicted {p.dtype}", remedy="give strings in both, or integers in both"
        )
    return t, p


def _indicators(matrix: npt.NDArray[Any], name: str) -> npt.NDArray[np.bool_]:
    if matrix.dtype.kind not in "biuf" or not ((matrix == 0) | (matrix == 1)).all():
        raise LabelError(f"{name} is no indicator matrix", remedy="give 0 and 1 only")
    return matrix.astype(np.bool_)


def _hits_and_errors(t: npt.NDArray[Any], p: npt.NDArray[Any]) -> tuple[Ints, Ints]:
    """(k,) true positives and (k,) false positives + false negatives of each label."""
    if t.ndim == 2:
        return (t & p).sum(axis=0, dtype=np.int64), (t ^ p).sum(axis=0, dtype=np.int64)
    both = np.concatenate([t, p])
    if both.dtype.kind not in "iu" or both.min() < 0 or both.max() > len(both):
        both = np.unique(both, return_inverse=True)[1]
    # Small integers are used as they are: a bootstrap over coded labels then never sorts.
    codes = both.astype(np.int64, copy=False)
    t, p = codes[: len(t)], codes[len(t) :]
    k = int(codes.max()) + 1
    hits = np.bincount(t[t == p], minlength=k)
    return hits, np.bincount(t, minlength=k) + np.bincount(p, minlength=k) - 2 * hits
