"""Split-conformal prediction sets: which sections an article may belong to, with a guaranteed coverage.

Vovk, Gammerman & Shafer 2005, "Algorithmic learning in a random world": whatever the model, if the calibration articles
and a new one are exchangeable, the set holds the true section with a probability of at least the level. The rule here is
the least ambiguous set (LAC) of Sadinle, Lei & Wasserman 2019, "Least ambiguous set-valued classifiers with bounded error
levels": every section whose probability reaches one threshold. Among all rules with the guarantee it has the smallest sets
on average. The adaptive sets (APS) of Romano, Sesia & Candès 2020, "Classification with valid and adaptive coverage", give
the same guarantee, larger sets in exchange for an evener coverage over easy and hard articles; a desk that reads every name
of a set is served better by few.

The guarantee is about all articles together, not each section's, and ends where articles change with time. Probabilities
must come from a fit that did not see the articles (out-of-fold, or later days), the calibration included
(`training.calibration.methods.cross_calibrated`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.decisions import SetLevel, check_probabilities
from classifier.errors import UsageError

Floats = NDArray[np.float64]
Sets = NDArray[np.bool_]
Ids = NDArray[np.int64]

LEVELS = (0.90, 0.95, 0.99)


def least_articles(level: float) -> int:
    """How many calibration articles `level` needs before its sets can leave a section out.

    Raises:
        UsageError: `level` is not between 0 and 1.
    """
    _check_level(level)
    return math.ceil(round(level / (1.0 - level), 9))


def fit_conformal(
    probability: Floats, truth_index: Ids, levels: Sequence[float] = LEVELS
) -> tuple[SetLevel, ...]:
    """The threshold of each level, levels rising.

    It is the ceil((n + 1) · level)-th highest of the n probabilities of the true sections. Where n is too small for that
    (`least_articles`), or too many truths are unknown to the model, it is 0: the set holds everything.

    Args:
        probability: (n, k), of held-out articles.
        truth_index: (n,) the column of the true section, -1 where the model has none for it.

    Raises:
        UsageError: shapes or indices that do not fit, a probability outside 0–1, a level not between 0 and 1.
    """
    _check(probability, truth_index)
    for level in levels:
        _check_level(level)
    n = len(truth_index)
    own = probability[np.arange(n), np.maximum(truth_index, 0)]
    ranked = -np.sort(-np.where(truth_index >= 0, own, -np.inf))
    found = []
    for level in sorted(levels):
        rank = math.ceil(round((n + 1) * level, 9))  # rounded: 20 · 0.95 must not become 20
        threshold = float(ranked[rank - 1]) if rank <= n else 0.0
        found.append(SetLevel(float(level), max(threshold, 0.0)))
    return tuple(found)


def coverage_and_size(sets: Sets, truth_index: Ids) -> tuple[float, float]:
    """The share of articles whose set (m, k) holds their true section (m,), and the mean size of the sets.

    A truth that the model does not know (-1) is not covered. (NaN, NaN) without articles.

    Raises:
        UsageError: shapes or indices that do not fit.
    """
    if sets.dtype != np.bool_:
        raise UsageError(
            f"sets hold {sets.dtype}", remedy="give what classifier.decisions.prediction_sets returned"
        )
    _check(sets, truth_index)
    n = len(truth_index)
    if not n:
        return math.nan, math.nan
    covered = sets[np.arange(n), np.maximum(truth_index, 0)] & (truth_index >= 0)
    return int(np.count_nonzero(covered)) / n, int(np.count_nonzero(sets)) / n


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise UsageError(f"the coverage {level} cannot be held", remedy="give a level between 0 and 1")


def _check(matrix: Floats | Sets, truth_index: Ids | None) -> None:
    check_probabilities(matrix)
    if truth_index is None:
        return
    if truth_index.shape != matrix.shape[:1] or truth_index.dtype.kind not in "iu":
        raise UsageError(
            f"truth_index has the shape {truth_index.shape} and holds {truth_index.dtype}",
            remedy="give one column number an article, -1 where the model has none",
        )
    if len(truth_index) and not (truth_index.min() >= -1 and truth_index.max() < matrix.shape[1]):
        raise UsageError(
            f"a truth_index lies outside -1 to {matrix.shape[1] - 1}",
            remedy="use -1 for a section that the model does not know",
        )
