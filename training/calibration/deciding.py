"""From held-out scores to everything that a section head decides by: probabilities, filing thresholds, sets, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Calibration
from classifier.decisions import Decisions, Threshold
from training.calibration.assignment import fit_label_thresholds
from training.calibration.conformal import fit_conformal
from training.calibration.methods import CalibrationTrial, compare_calibrations, cross_calibrated
from training.calibration.thresholds import fit_thresholds
from training.config import DecisionConfig

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]
Ids = NDArray[np.int64]
_LEAST = 0.5  # what is less likely right than wrong is never filed, however well it went in training


@dataclass(frozen=True, slots=True)
class Judged:
    """m training articles at positions `rows` (m,), judged by fits that did not see them, calibration included: `scores`
    and `probability` (m, k), `truth` (m, k), and the `parts` (m,) by which calibration was cross-fitted."""

    rows: Ids
    scores: Floats
    probability: Floats
    truth: Truth
    parts: Ids


@dataclass(frozen=True, slots=True)
class Decided:
    """What was fitted on held-out scores. Scores × `slope` + `shift` (both (k,)) are what `calibration` and `assignment`
    are for: fold them into the weights, and a score is the log-odds that the calibration says."""

    slope: Floats
    shift: Floats
    calibration: Calibration
    trials: tuple[CalibrationTrial, ...]
    assignment: Floats | None
    decisions: Decisions
    judged: Judged


def decide(
    rows: Ids,
    scores: Floats,
    truth: Truth,
    parts: Ids,
    labels: Sequence[str],
    config: DecisionConfig,
    *,
    several: bool,
    forward: bool = False,
) -> Decided:
    """Fit everything on held-out `scores` (m, k) of the articles at `rows` (m,); see `Judged`. `forward`: `parts` are
    windows of time.

    Thresholds and sets are fitted on cross-calibrated probabilities: those of the articles that a calibration was fitted
    on are a little too good.
    """
    calibration, trials = compare_calibrations(scores, truth, several=several, folds=parts, forward=forward)
    probability = cross_calibrated(scores, truth, calibration.method, several=several, folds=parts)
    slope, shift = np.ones(len(labels)), np.zeros(len(labels))
    if calibration.steps is None:
        slope, shift = calibration.slope, calibration.intercept
        calibration = replace(calibration, slope=np.ones(len(labels)), intercept=np.zeros(len(labels)))
    scores = scores * slope + shift
    assignment = fit_label_thresholds(scores, truth, folds=parts) if several else None
    decisions = _decisions(probability, truth, labels, config, several=several)
    judged = Judged(rows, scores, probability, truth, parts)
    return Decided(slope, shift, calibration, trials, assignment, decisions, judged)


def _decisions(
    probability: Floats, truth: Truth, labels: Sequence[str], config: DecisionConfig, *, several: bool
) -> Decisions:
    best = probability.argmax(axis=1)
    confidence = probability.max(axis=1) if probability.size else np.zeros(len(best))
    correct = truth[np.arange(len(best)), best]
    targets = _own_targets(config.sections, labels)
    others = ~np.isin(best, [labels.index(name) for name in targets])
    thresholds = fit_thresholds(confidence[others], correct[others], config.targets, level=config.confidence)
    own = {}
    for name, target in targets.items():
        mine = best == labels.index(name)
        (own[name],) = map(
            _sure, fit_thresholds(confidence[mine], correct[mine], (target,), level=config.confidence)
        )
    sets = (
        () if several or not len(best) else fit_conformal(probability, truth.argmax(axis=1), config.coverages)
    )
    return Decisions(config.target, tuple(map(_sure, thresholds)), own, sets)


def _own_targets(sections: Mapping[str, float], labels: Sequence[str]) -> dict[str, float]:
    return {name: target for name, target in sections.items() if name in labels}


def _sure(threshold: Threshold) -> Threshold:
    if threshold.probability is None:
        return threshold
    return Threshold(threshold.target, max(threshold.probability, _LEAST))
