"""Making scores true: temperatures, decision thresholds, and the top-five curve, all from out-of-fold scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import beta

from classifier.popularity import Top5Curve
from classifier.sections import Threshold, to_probabilities

Floats = NDArray[np.float64]
_FLOOR = 1e-15  # keeps logarithms finite


def fit_temperature(scores: Floats, truth: NDArray[np.bool_], *, several: bool) -> float:
    """The temperature that minimises the log loss of scores (n, k) against truth (n, k); 1 where there is nothing to fit.

    Guo et al. 2017, "On calibration of modern neural networks".
    """
    if not len(scores):
        return 1.0

    # Without a doubt about every label, scores that never err would be sharpened without end (Platt 1999, section 2.2).
    doubt = 1.0 / (len(scores) + 2.0)

    def loss(log_temperature: float) -> float:
        probability = to_probabilities(scores, float(np.exp(log_temperature)), several=several)
        right = np.where(truth, probability, 1.0 - probability) if several else probability[truth]
        logs = np.log(np.maximum(right, _FLOOR))
        others = np.log(np.maximum(1.0 - right if several else probability, _FLOOR))
        return -float((1.0 - doubt) * logs.mean() + doubt * others.mean())

    found = minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


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


def fit_top5(scores: Floats, sizes: Floats, hits: Floats) -> Top5Curve:
    """Logistic regression of being in a group's top five on the score and the log of the group's size.

    `scores`, `sizes`, `hits` are (n,); hits in 0–1, fractional where ties leave it open. Only groups with more than five
    articles should be given. A little ridge keeps separable data finite, and more popular never means less likely.
    """
    if not len(scores):
        return Top5Curve(0.0, 0.0, 0.0)
    design = np.column_stack([scores, np.log(sizes)])
    mean, deviation = design.mean(axis=0), design.std(axis=0)
    told = deviation > 1e-9  # groups of one size say nothing about size
    scale = np.where(told, deviation, 1.0)
    scaled = np.column_stack([np.ones(len(scores)), np.where(told, (design - mean) / scale, 0.0)])

    def loss(weights: Floats) -> tuple[float, Floats]:
        logit = scaled @ weights
        value = np.logaddexp(0.0, logit) - hits * logit
        gradient = scaled.T @ (0.5 * (1.0 + np.tanh(0.5 * logit)) - hits)
        penalty = 1e-3 * weights * np.array([0.0, 1.0, 1.0])
        return float(value.sum() + 0.5 * penalty @ weights), gradient + penalty

    bounds = [(None, None), (0.0, None), (None, None)]
    found = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B", bounds=bounds)
    slopes = found.x[1:] / scale
    intercept = float(found.x[0] - slopes @ mean)
    return Top5Curve(intercept, float(slopes[0]), float(slopes[1]))
