"""scikit-learn's CalibratedClassifierCV: one linear model, or several whose probabilities are averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.calibration import Calibration, Method, Steps
from training.conversion.features import Reader
from training.conversion.linear import Given, Lines, read_lines
from training.conversion.nodes import Node
from training.conversion.place import Place

Floats = NDArray[np.float64]
Curves = list[tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Columns of scores of one or more nodes, a label each (and member after member), and what makes probabilities of
    them."""

    columns: tuple[tuple[Node, Floats], ...]
    intercept: Floats
    calibration: Calibration


def mirrored(values: Floats) -> Floats:
    """The first class's score is what speaks against the second: (…, 1) to (…, 2)."""
    return np.concatenate([-values, values], axis=-1)


def steps_of(curves: Curves) -> Steps:
    """Curves, each rising scores and probabilities, one a column; an empty one where a column has none."""
    lengths = [len(knots) for knots, _ in curves]
    return Steps(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)]),
        np.concatenate([knots for knots, _ in curves]),
        np.concatenate([values for _, values in curves]),
    )


def read_calibrated(
    outer: Any, given: Given, reader: Reader, place: Place
) -> tuple[Scored, tuple[Any, ...], str]:
    """The scores and probabilities of a fitted CalibratedClassifierCV, its classes, and the class of what it calibrates.

    Raises:
        PipelineError: it is not fitted, or calibrates what cannot be compiled.
    """
    pairs = place.take(outer, "calibrated_classifiers_")
    classes = tuple(np.asarray(place.take(outer, "classes_")).tolist())
    members = []
    kind = ""
    for number, pair in enumerate(pairs):
        inside = place.inside(f"member {number + 1}", pair.estimator) if len(pairs) > 1 else place
        lines = read_lines(pair.estimator, given, reader, inside)
        if lines.classes not in (
            classes,
            tuple(range(len(classes))),
        ):  # some methods give it numbers for names
            raise inside.refuse(
                f"knows {len(lines.classes)} of the {len(classes)} classes",
                "fit it with fewer folds, so that each of them holds every class",
            )
        members.append(_member(pair, lines, inside))
        kind = lines.kind
    method = members[0].calibration.method
    calibration = Calibration(
        method,
        False,
        np.concatenate([member.calibration.slope for member in members]),
        np.concatenate([member.calibration.intercept for member in members]),
        _joined([member.calibration.steps for member in members]),
        len(members),
        plain=True,
    )
    columns = tuple(column for member in members for column in member.columns)
    intercept = np.concatenate([member.intercept for member in members])
    return Scored(columns, intercept, calibration), classes, kind


def _member(pair: Any, lines: Lines, place: Place) -> Scored:
    """One model with its calibration, a line folded into the weights: a score is then log-odds."""
    method = place.take(pair, "method")
    binary = len(lines.classes) == 2
    if method == "isotonic":
        return _isotonic(pair, lines, place)
    if method == "sigmoid":
        slope = np.array([-float(place.take(one, "a_")) for one in pair.calibrators])
        shift = np.array([-float(place.take(one, "b_")) for one in pair.calibrators])
        kind: Method = "temperature" if binary else "sigmoid"
        if binary:  # half to each: they are as far apart as the log-odds say
            slope, shift = slope / 2.0, shift / 2.0
    elif method == "temperature":
        slope = np.full(lines.weights.shape[1], float(place.take(pair.calibrators[0], "beta_")))
        shift, kind = np.zeros(len(slope)), "temperature"
    else:
        raise place.refuse(f"calibrates by {method!r}", 'use "sigmoid", "isotonic" or "temperature"')
    weights, intercept = lines.weights * slope, lines.intercept * slope + shift
    if binary:
        weights, intercept = mirrored(weights), mirrored(intercept)
    width = len(lines.classes)
    calibration = Calibration(kind, False, np.ones(width), np.zeros(width), plain=True)
    return Scored(((lines.node, weights),), intercept, calibration)


def _isotonic(pair: Any, lines: Lines, place: Place) -> Scored:
    curves = [_curve(one, place) for one in pair.calibrators]
    weights, intercept = lines.weights, lines.intercept
    if len(lines.classes) == 2:
        weights, intercept = mirrored(weights), mirrored(intercept)
        knots, values = curves[0]
        curves = [(-knots[::-1], 1.0 - values[::-1]), (knots, values)]
    width = len(lines.classes)
    calibration = Calibration(
        "isotonic", False, np.ones(width), np.zeros(width), steps_of(curves), plain=True
    )
    return Scored(((lines.node, weights),), intercept, calibration)


def _curve(calibrator: Any, place: Place) -> tuple[Floats, Floats]:
    knots = np.asarray(place.take(calibrator, "X_thresholds_"), np.float64)
    values = np.clip(np.asarray(place.take(calibrator, "y_thresholds_"), np.float64), 0.0, 1.0)
    if not len(knots) or (np.diff(knots) <= 0).any():
        raise place.refuse("has an isotonic curve that goes back", "fit it again")
    return knots, np.maximum.accumulate(values)


def _joined(steps: list[Steps | None]) -> Steps | None:
    found = [one for one in steps if one is not None]
    if not found:
        return None
    lengths = np.concatenate([np.diff(one.offsets) for one in found])
    return Steps(
        np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)]),
        np.concatenate([one.scores for one in found]),
        np.concatenate([one.probabilities for one in found]),
    )
