"""Calibrating the section head beyond one temperature: which of four methods, and its parameters.

The candidates (see `classifier.calibration` for what they compute) are fitted on out-of-fold scores and compared by their
log loss on folds that they were not fitted on. Of those that are not worse than the best by more than the standard error of
the difference over articles the simplest is taken (the one-standard-error rule of Breiman et al. 1984, on paired losses).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from classifier.calibration import Calibration, Method
from classifier.errors import UsageError
from training.calibration.fits import (
    fit_isotonic,
    fit_sigmoid,
    fit_temperature_only,
    fit_vector,
    isotonic_labels,
)

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Ids = NDArray[np.int64]
_Fit = Callable[[Floats, Truth], Calibration]

# Vector scaling and sigmoids have as many parameters.
_COMPLEXITY: dict[Method, int] = {"temperature": 0, "vector": 1, "sigmoid": 1, "isotonic": 2}
_FLOOR = 1e-15  # keeps logarithms finite
_MOST_LABELS_OF_VECTOR = (
    200  # its parameters are fitted together, in a time that grows with articles × labels
)
_CELLS = 1 << 22  # probabilities that are compared at a time: 32 MB


@dataclass(frozen=True, slots=True)
class CalibrationTrial:
    """One candidate: its cross-validated `log_loss` an article (with several labels, an article and label), how much that
    is over the best candidate's, and the standard error of that difference."""

    method: Method
    log_loss: float
    excess: float
    error: float


def fit_calibration(scores: Floats, truth: Truth, *, several: bool, folds: Ids) -> Calibration:
    """The calibration whose method validates best, fitted on all articles.

    Args:
        scores: (n, k), out-of-fold.
        truth: (n, k) which labels each article has; exactly one where `several` is false.
        several: whether each label has a probability of its own; else those of an article add up to 1.
        folds: (n,) fold numbers; with a single fold nothing can be compared, and it is one temperature.

    Raises:
        UsageError: shapes that do not fit, a score that is not finite, not exactly one label where one is due.
    """
    return compare_calibrations(scores, truth, several=several, folds=folds)[0]


def compare_calibrations(
    scores: Floats, truth: Truth, *, several: bool, folds: Ids, forward: bool = False
) -> tuple[Calibration, tuple[CalibrationTrial, ...]]:
    """`fit_calibration`, and how each candidate did, the simplest first (nothing where none could be compared).

    `forward`: folds are windows of time, and what was fitted on earlier ones is judged by the next. In folds that know both
    sides of a drift each label's intercept would learn it, though a fit on newer articles has it in its weights already.

    Raises:
        UsageError: as `fit_calibration`.
    """
    _check(scores, truth, several, folds)
    # One thread: more change the last bits, and wait for each other at so small a size.
    with threadpool_limits(limits=1, user_api="blas"):
        return _compare(scores, truth, several, folds, forward)


def _compare(
    scores: Floats, truth: Truth, several: bool, folds: Ids, forward: bool
) -> tuple[Calibration, tuple[CalibrationTrial, ...]]:
    candidates = _candidates(scores, truth, several)
    numbers = np.unique(folds).tolist()
    if len(numbers) < 2:
        return candidates["temperature"](scores, truth), ()
    losses: dict[Method, list[Floats]] = {method: [] for method in candidates}
    for number in numbers[1:] if forward else numbers:
        held = folds == number
        rest = folds < number if forward else ~held
        for method, fit in candidates.items():
            losses[method].append(_losses(fit(scores[rest], truth[rest]), scores[held], truth[held]))
    trials = _trials({method: np.concatenate(own) for method, own in losses.items()})
    return candidates[_simplest(trials)](scores, truth), trials


def cross_calibrated(scores: Floats, truth: Truth, method: Method, *, several: bool, folds: Ids) -> Floats:
    """(n, k) probabilities of each fold by a calibration of that method fitted on the other folds.

    Decision thresholds, conformal sets and reliability must be judged by these: a calibration fits the articles that it was
    fitted on a little too well, so that their sets would be a little too small. With a single fold it is fitted on all.

    Raises:
        UsageError: as `fit_calibration`, or the method is none for these labels.
    """
    _check(scores, truth, several, folds)
    candidates = _candidates(scores, truth, several)
    if method not in candidates:
        raise UsageError(
            f'"{method}" is no calibration for these labels', remedy=f"use one of {sorted(candidates)}"
        )
    fit = candidates[method]
    probability = np.empty(scores.shape)
    with threadpool_limits(limits=1, user_api="blas"):
        for number in np.unique(folds).tolist():
            held = folds == number
            seen = held if held.all() else ~held
            probability[held] = fit(scores[seen], truth[seen]).apply(scores[held])
    return probability


def _candidates(scores: Floats, truth: Truth, several: bool) -> Mapping[Method, _Fit]:
    """The fits to try, the simplest first; which labels are frequent enough for what is decided on all articles."""
    frequent = isotonic_labels(truth)
    found: dict[Method, _Fit] = {"temperature": lambda s, t: fit_temperature_only(s, t, several=several)}
    if not several and scores.shape[1] <= _MOST_LABELS_OF_VECTOR:
        found["vector"] = fit_vector
    found["sigmoid"] = lambda s, t: fit_sigmoid(s, t, several=several)
    if len(frequent):
        found["isotonic"] = lambda s, t: fit_isotonic(s, t, frequent, several=several)
    return found


def _trials(losses: Mapping[Method, Floats]) -> tuple[CalibrationTrial, ...]:
    best = min(losses, key=lambda method: float(losses[method].mean()))
    found = []
    for method, loss in losses.items():
        difference = loss - losses[best]
        error = float(difference.std()) / np.sqrt(len(loss))
        found.append(CalibrationTrial(method, float(loss.mean()), float(difference.mean()), float(error)))
    return tuple(found)


def _simplest(trials: Sequence[CalibrationTrial]) -> Method:
    """Of those within a standard error of the best the simplest; of equally simple ones the best."""
    return min(
        (trial for trial in trials if trial.excess <= trial.error),
        key=lambda trial: (_COMPLEXITY[trial.method], trial.log_loss),
    ).method


def _losses(calibration: Calibration, scores: Floats, truth: Truth) -> Floats:
    """(n,) the log loss of each article; with several labels the mean over labels."""
    found = np.empty(len(scores))
    step = max(1, _CELLS // scores.shape[1])
    for start in range(0, len(scores), step):
        part = slice(start, start + step)
        probability = calibration.apply(scores[part])
        if calibration.several:
            right = np.where(truth[part], probability, 1.0 - probability)
            found[part] = -np.log(np.maximum(right, _FLOOR)).mean(axis=1)
        else:
            found[part] = -np.log(np.maximum(probability[truth[part]], _FLOOR))
    return found


def _check(scores: Floats, truth: Truth, several: bool, folds: Ids) -> None:
    if scores.ndim != 2 or scores.shape != truth.shape or truth.dtype != np.bool_ or not scores.shape[1]:
        raise UsageError(
            f"scores have the shape {scores.shape}, truth {truth.shape} of {truth.dtype}",
            remedy="give two matrices (articles, labels), truth of booleans",
        )
    if folds.shape != scores.shape[:1]:
        raise UsageError(f"folds have the shape {folds.shape}", remedy="give one fold number an article")
    if not np.isfinite(scores).all():
        raise UsageError("a score is not finite", remedy="leave out articles that no fold could score")
    if not several and not (truth.sum(axis=1) == 1).all():
        raise UsageError(
            "an article has none or several of the labels, though each should have one",
            remedy="leave it out, or calibrate with several=True",
        )
