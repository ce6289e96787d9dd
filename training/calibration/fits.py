"""The fits of `training.calibration.methods`: temperature, vector scaling, sigmoid and isotonic curves of each label.

Each works for one article, for articles that are all right, and for a label without positives: what the data leave open
is held by a weak prior (one article of the other outcome, or a normal distribution around the labels' common curve).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, minimize, minimize_scalar

from classifier.calibration import Calibration, Steps, logistic

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Ids = NDArray[np.int64]

ISOTONIC_FROM = 200  # articles with, and without, a label before it gets steps of its own
_SIGMOID_FROM = 5  # fewer: the common sigmoid
_SLOPE_DEVIATION = 0.5  # how far a label's slope strays from the common one, as a share of it
_SHIFT_DEVIATION = 1.0  # and its intercept, in log-odds
_LEAST_SLOPE = 0.05  # of the common slope: no label loses its order
_THIN = 1 << 20  # scores that a common parameter is fitted on
_BINS = 512
_WIDEST = 30.0  # log-odds; what lies beyond shares a bin


def fit_temperature_only(scores: Floats, truth: Truth, *, several: bool) -> Calibration:
    """One slope for all labels, of scores (n, k) and truth (n, k): 1 without articles.

    One article of an unknown label is mixed in, or articles that are all right would ask for certainty.
    """
    width = scores.shape[1]
    pooled = _fit_common(*_pooled(scores, truth), shift=False)[0] if several else None
    slope = _softmax_slope(*_thinned(scores, truth)) if pooled is None else pooled
    return Calibration("temperature", several, np.full(width, slope), np.zeros(width))


def _softmax_slope(scores: Floats, truth: Truth) -> float:
    if not len(scores):
        return 1.0
    own, mean = scores[truth], scores.mean(axis=1)
    unknown = 1.0 / (len(scores) + 1.0)
    pull = (1.0 - unknown) * own + unknown * mean
    top = scores.max(axis=1)
    scaled = scores - top[:, None]

    def loss(log_slope: float) -> float:
        slope = float(np.exp(log_slope))
        return float((np.log(np.exp(slope * scaled).sum(axis=1)) - slope * (pull - top)).mean())

    found = minimize_scalar(loss, bounds=(-7.0, 7.0), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def fit_vector(scores: Floats, truth: Truth) -> Calibration:
    """Vector scaling: a slope and an intercept a label, fitted together, near one slope for all (normal prior)."""
    scores, truth = _thinned(scores, truth)
    width = scores.shape[1]
    slope = _softmax_slope(scores, truth)
    scaled = scores * slope
    label = truth.argmax(axis=1)
    rows = np.arange(len(scores))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        stretch, shift = parameters[:width], parameters[width:]
        logits = scaled * stretch + shift
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        total = powers.sum(axis=1)
        error = powers / total[:, None]
        value = float((np.log(total) - logits[rows, label]).sum())
        error[rows, label] -= 1.0
        away = (stretch - 1.0) / _SLOPE_DEVIATION**2
        value += float(0.5 * away @ (stretch - 1.0) + 0.5 * shift @ shift / _SHIFT_DEVIATION**2)
        return value, np.concatenate(
            [(error * scaled).sum(axis=0) + away, error.sum(axis=0) + shift / _SHIFT_DEVIATION**2]
        )

    start = np.concatenate([np.ones(width), np.zeros(width)])
    bounds = [(_LEAST_SLOPE, None)] * width + [(None, None)] * width
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    return Calibration("vector", False, slope * found.x[:width], found.x[width:].copy())


def fit_sigmoid(scores: Floats, truth: Truth, *, several: bool) -> Calibration:
    """A slope and an intercept a label (Platt 1999), near the common ones (normal prior); rare labels have these."""
    slope, intercept = _fit_common(*_pooled(scores, truth), shift=True)
    positives = truth.sum(axis=0)
    fitted = np.flatnonzero((positives >= _SIGMOID_FROM) & (len(truth) - positives >= _SIGMOID_FROM))
    stretch, shift = np.ones(scores.shape[1]), np.zeros(scores.shape[1])
    step = max(1, _THIN // max(len(scores), _BINS))
    for start in range(0, len(fitted), step):
        labels = fitted[start : start + step]
        logits = scores[:, labels] * slope + intercept
        stretch[labels], shift[labels] = _fit_near(logits, truth[:, labels])
    return Calibration("sigmoid", several, slope * stretch, intercept * stretch + shift)


def fit_isotonic(scores: Floats, truth: Truth, labels: Ids, *, several: bool) -> Calibration:
    """Isotonic curves (Zadrozny & Elkan 2002) of `labels`, the others as `fit_sigmoid`."""
    others = fit_sigmoid(scores, truth, several=several)
    if not len(labels):
        return others
    curves = {int(label): _isotonic(scores[:, label], truth[:, label]) for label in labels}
    lengths = [len(curves[label][0]) if label in curves else 0 for label in range(scores.shape[1])]
    ordered = [curves[label] for label in sorted(curves)]
    steps = Steps(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)]),
        np.concatenate([knots for knots, _ in ordered]),
        np.concatenate([values for _, values in ordered]),
    )
    return Calibration("isotonic", several, others.slope, others.intercept, steps)


def isotonic_labels(truth: Truth) -> Ids:
    """The labels with enough articles for isotonic curves."""
    positives = truth.sum(axis=0)
    return np.flatnonzero((positives >= ISOTONIC_FROM) & (len(truth) - positives >= ISOTONIC_FROM))


def _isotonic(scores: Floats, has: Truth) -> tuple[Floats, Floats]:
    """Breakpoints of the isotonic regression of `has` (n,) on `scores` (n,).

    One positive at the lowest score and one negative at the highest are mixed in, so that no run of equal outcomes claims
    certainty. A run counts at its mean score, and the curve is linear from run to run (centred isotonic regression: Oron &
    Flournoy 2017), but it is level beyond the inner edges of the first and the last run.
    """
    knots, at = np.unique(scores, return_inverse=True)
    weight = np.bincount(at).astype(np.float64)
    total = np.bincount(at, has.astype(np.float64))
    weight[0] += 1.0
    total[0] += 1.0
    weight[-1] += 1.0
    fitted = isotonic_regression(total / weight, weights=weight)
    starts, ends = fitted.blocks[:-1], fitted.blocks[1:]
    centre = np.add.reduceat(knots * weight, starts) / np.add.reduceat(weight, starts)
    centre[0], centre[-1] = knots[ends[0] - 1], knots[starts[-1]]
    centre = np.clip(centre, knots[starts], knots[ends - 1])  # rounding
    return centre, np.asarray(fitted.x[starts])


def _thinned(scores: Floats, truth: Truth) -> tuple[Floats, Truth]:
    """Evenly chosen rows, so many that about `_THIN` scores (but at least 2,000 rows) are left."""
    most = max(2000, _THIN // scores.shape[1])
    if len(scores) <= most:
        return scores, truth
    rows = np.sort(np.random.default_rng(0).permutation(len(scores))[:most])
    return scores[rows], truth[rows]


def _pooled(scores: Floats, truth: Truth) -> tuple[Floats, Floats, Floats]:
    """All labels' scores (m,), outcomes and weights: every positive, and negatives drawn where there are too many."""
    scores, truth = scores.ravel(), truth.ravel()
    positive = np.flatnonzero(truth)
    count = len(truth) - len(positive)
    if len(truth) <= _THIN:
        negative = np.flatnonzero(~truth)
    else:
        drawn = np.random.default_rng(0).integers(len(truth), size=_THIN)
        negative = drawn[~truth[drawn]]
    weight = count / max(len(negative), 1)
    return (
        scores[np.concatenate([positive, negative])],
        np.repeat([1.0, 0.0], [len(positive), len(negative)]),
        np.repeat([1.0, weight], [len(positive), len(negative)]),
    )


def _fit_common(scores: Floats, has: Floats, weights: Floats, *, shift: bool) -> tuple[float, float]:
    """Slope and intercept of one sigmoid, with Platt's targets; without `shift` the intercept is 0."""
    if not len(scores):
        return 1.0, 0.0
    positives, negatives = float((weights * has).sum()), float((weights * (1.0 - has)).sum())
    target = np.where(has > 0, (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0))
    unit = float(np.sqrt(np.average(scores**2, weights=weights))) or 1.0
    scaled = scores / unit

    def loss(parameters: Floats) -> tuple[float, Floats]:
        logits = scaled * parameters[0] + parameters[1]
        value = weights * (np.logaddexp(0.0, logits) - target * logits)
        error = weights * (logistic(logits) - target)
        total = positives + negatives
        return float(value.sum()) / total, np.array([error @ scaled, error.sum()]) / total

    bounds = [(1e-3, 1e3 * max(unit, 1.0)), (None, None) if shift else (0.0, 0.0)]
    found = minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-12}
    )
    return float(found.x[0]) / unit, float(found.x[1])


def _binned(logits: Floats) -> tuple[Floats, Floats]:
    """Logits (n, c) as (c, bins): the mean of each bin, and how many articles are in it; few are left as they are."""
    if len(logits) <= _BINS:
        return np.ascontiguousarray(logits.T), np.ones(logits.shape[::-1])
    width = logits.shape[1]
    place = np.clip((logits + _WIDEST) * (_BINS / (2 * _WIDEST)), 0, _BINS - 1).astype(np.int64)
    place += np.arange(width) * _BINS
    count = np.bincount(place.ravel(), minlength=width * _BINS).astype(np.float64)
    total = np.bincount(place.ravel(), logits.ravel(), minlength=width * _BINS)
    shape = (width, _BINS)
    return (total / np.maximum(count, 1.0)).reshape(shape), count.reshape(shape)


def _fit_near(logits: Floats, truth: Truth) -> tuple[Floats, Floats]:
    """For each label the stretch and shift (c,) of its logits (n, c) with the highest posterior.

    Prior: stretch ~ N(1, 0.5²), shift ~ N(0, 1). Newton's method, damped for each label by itself (Levenberg 1944) and
    held at the least stretch. Only the curved part of the likelihood is summed over bins; its linear part is exact.
    """
    positives = truth.sum(axis=0).astype(np.float64)
    pull = np.where(truth, logits, 0.0).sum(axis=0)
    logits, count = _binned(logits)
    stretch, shift = np.ones(len(logits)), np.zeros(len(logits))
    damping = np.full(len(logits), 1e-3)
    prior = (1.0 / _SLOPE_DEVIATION**2, 1.0 / _SHIFT_DEVIATION**2)

    def loss(a: Floats, b: Floats) -> Floats:
        curved = (count * np.logaddexp(0.0, logits * a[:, None] + b[:, None])).sum(axis=1)
        fit = curved - a * pull - b * positives
        return np.asarray(fit + 0.5 * (prior[0] * (a - 1.0) ** 2 + prior[1] * b**2))

    value = loss(stretch, shift)
    for _ in range(50):
        p = logistic(logits * stretch[:, None] + shift[:, None])
        expected, curve = count * p, count * p * (1.0 - p)
        slope_a = (expected * logits).sum(axis=1) - pull + prior[0] * (stretch - 1.0)
        slope_b = expected.sum(axis=1) - positives + prior[1] * shift
        held = (stretch <= _LEAST_SLOPE) & (slope_a > 0)
        slope_a[held] = 0.0
        aa = ((curve * logits**2).sum(axis=1) + prior[0]) * (1.0 + damping)
        bb = (curve.sum(axis=1) + prior[1]) * (1.0 + damping)
        ab = np.where(held, 0.0, (curve * logits).sum(axis=1))
        determinant = aa * bb - ab**2
        a = np.maximum(stretch - (bb * slope_a - ab * slope_b) / determinant, _LEAST_SLOPE)
        b = shift - (aa * slope_b - ab * slope_a) / determinant
        fresh = loss(a, b)
        better = fresh < value
        moving = np.abs(a - stretch) + np.abs(b - shift) > 1e-7
        stretch, shift = np.where(better, a, stretch), np.where(better, b, shift)
        value = np.where(better, fresh, value)
        damping = np.where(better, damping * 0.1, np.minimum(damping * 10.0, 1e12))
        if not (moving & (better | (damping < 1e6))).any():
            break
    return stretch, shift
