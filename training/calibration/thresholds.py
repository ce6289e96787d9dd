"""From which probability on articles are filed unseen, so that a target precision is held."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from classifier.decisions import Threshold

Floats = NDArray[np.float64]


def fit_thresholds(
    confidence: Floats, correct: NDArray[np.bool_], targets: Sequence[float], *, level: float
) -> tuple[Threshold, ...]:
    """For each target precision the lowest probability from which on it is held with confidence `level`.

    `confidence` (n,) and `correct` (n,) are out-of-fold. The bound is Clopper and Pearson's (1934) lower limit of the
    precision among the articles at or above the threshold. Trying every threshold and taking the luckiest would break
    the confidence; so from a few starting points, fixed before looking at `correct` and sharing the error between them,
    thresholds are lowered until the first that does not hold (fixed sequence testing: Angelopoulos et al. 2021, "Learn
    then test"). A target that no threshold holds gets None.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked, hits = confidence[order], np.cumsum(correct[order], dtype=np.int64)
    # Only where the next probability is lower can a threshold lie.
    last = np.flatnonzero(np.append(ranked[1:] < ranked[:-1], True)) if len(ranked) else np.empty(0, np.int64)
    hits, count = hits[last], last + 1
    found: list[Threshold] = []
    best = -1  # what holds a higher target holds a lower one
    for target in sorted(targets, reverse=True):
        starts = _starts(count, target, level)
        lower = _precision_limit(hits, count, 1.0 - (1.0 - level) / max(len(starts), 1))
        for start in starts:
            fails = np.flatnonzero(lower[start:] < target)
            end = start + int(fails[0]) if len(fails) else len(lower)
            if end > start:
                best = max(best, end - 1)
        found.append(Threshold(target, float(ranked[last[best]]) if best >= 0 else None))
    return tuple(reversed(found))


def _starts(count: NDArray[np.int64], target: float, level: float) -> list[int]:
    """Where testing starts, as positions in the rising `count`: at twice the articles that could hold the target without
    an error, at twice those, and so on; at all articles where there are fewer."""
    least = int(np.ceil(np.log(1.0 - level) / np.log(target)))
    if not len(count) or count[-1] < least:
        return []
    wanted = [min(2 * least, int(count[-1]))]
    while wanted[-1] * 2 <= count[-1]:
        wanted.append(wanted[-1] * 2)
    return [int(start) for start in np.unique(np.searchsorted(count, wanted))]


def _precision_limit(hits: NDArray[np.int64], count: NDArray[np.int64], level: float) -> Floats:
    return np.where(hits > 0, beta.ppf(1.0 - level, np.maximum(hits, 1), count - hits + 1), 0.0)
