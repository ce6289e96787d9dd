"""Scores to probabilities that are true: what was fitted in `training.calibration.methods`, applied with NumPy alone.

| method | a label's own probability | one label an article |
|---|---|---|
| temperature | logistic of score · slope, one slope (Guo et al. 2017) | softmax of the same |
| vector | – | softmax of score · slope + intercept, of each label its own (Guo et al. 2017) |
| sigmoid | logistic of score · slope + intercept, of each label its own (Platt 1999) | divided by the sum |
| isotonic | steps (Zadrozny & Elkan 2002) where a label has them, else as sigmoid | divided by the sum |

To add a method: a line in `_METHODS`, its fitting in `training.calibration.methods`, and a row here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged, UsageError
from classifier.spec import Arrays, Spec, take_array
from classifier.text.sparse import Floats, Integers

Method = Literal["temperature", "vector", "sigmoid", "isotonic"]
_METHODS: tuple[Method, ...] = ("temperature", "vector", "sigmoid", "isotonic")
LOWEST = 1e-6  # a label's own probability is never nearer to 0 or 1


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Rising curves of some labels, linear between breakpoints and level beyond them.

    Those of label i are the entries `offsets`[i] to `offsets`[i + 1] of `scores` (m,), strictly rising, and of
    `probabilities` (m,), rising; a label without entries has no curve. `offsets` is (k + 1,).
    """

    offsets: Integers
    scores: Floats
    probabilities: Floats

    def put(self, scores: Floats, probabilities: Floats) -> None:
        """Overwrite the columns of `probabilities` (n, k) that have a curve by its values at `scores` (n, k)."""
        for label in np.flatnonzero(np.diff(self.offsets)).tolist():
            part = slice(self.offsets[label], self.offsets[label + 1])
            probabilities[:, label] = _between(scores[:, label], self.scores[part], self.probabilities[part])


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How scores become probabilities; a higher score of a label never lowers its own probability.

    `several` false: an article's probabilities add up to 1. `slope` (k,) is not negative; `intercept` (k,).
    """

    method: Method
    several: bool
    slope: Floats
    intercept: Floats
    steps: Steps | None = None

    @property
    def width(self) -> int:
        """The number of labels."""
        return len(self.slope)

    def apply(self, scores: Floats) -> Floats:
        """(n, k) scores to (n, k) probabilities; a row's do not depend on the rows beside it.

        Raises:
            UsageError: `scores` have another number of labels.
        """
        if scores.ndim != 2 or scores.shape[1] != self.width:
            raise UsageError(
                f"scores have the shape {scores.shape}", remedy=f"give {self.width} scores an article"
            )
        logits = scores * self.slope + self.intercept
        if not self.several and self.method in ("temperature", "vector"):
            return _softmax(logits)
        probabilities = logistic(logits)
        if self.steps is not None:
            self.steps.put(scores, probabilities)
        np.clip(probabilities, LOWEST, 1.0 - LOWEST, out=probabilities)
        if not self.several:
            probabilities /= probabilities.sum(axis=1, keepdims=True)
        return probabilities

    def spec(self) -> dict[str, Any]:
        return {"method": self.method, "several": self.several}

    def arrays(self) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {"slope": self.slope, "intercept": self.intercept}
        if self.steps is not None:
            arrays["steps.offsets"] = self.steps.offsets
            arrays["steps.scores"] = self.steps.scores
            arrays["steps.probabilities"] = self.steps.probabilities
        return arrays

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays, labels: int | None = None) -> Calibration:
        """The calibration that `spec` and `arrays` describe, of that many labels where given.

        Raises:
            ArtifactDamaged: a value or array is missing, of another type or shape, or cannot have been fitted.
        """
        method, several = spec.choice("method", _METHODS), spec.get("several", bool)
        if several and method == "vector":
            raise ArtifactDamaged('"vector" is for one label an article', where=spec.place)
        slope = take_array(arrays, "slope", np.float64, (labels,))
        intercept = take_array(arrays, "intercept", np.float64, (len(slope),))
        if not len(slope) or not (slope >= 0).all():
            raise ArtifactDamaged("needs a slope a label, none below 0", where=arrays.file("slope"))
        steps = _load_steps(arrays, len(slope)) if method == "isotonic" else None
        return cls(method, several, slope, intercept, steps)


def logistic(logits: Floats) -> Floats:
    """1 / (1 + exp(−logits)), of any shape, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _between(scores: Floats, knots: Floats, values: Floats) -> Floats:
    """(n,) the curve at `scores` (n,). Unlike np.interp it never leaves a segment's values by rounding, so it is rising."""
    if len(knots) == 1:
        return np.full(len(scores), values[0])
    left = np.clip(np.searchsorted(knots, scores, side="right") - 1, 0, len(knots) - 2)
    low, high = values[left], values[left + 1]
    share = np.clip((scores - knots[left]) / (knots[left + 1] - knots[left]), 0.0, 1.0)
    return np.asarray(np.minimum(low + share * (high - low), high))


def _load_steps(arrays: Arrays, labels: int) -> Steps:
    offsets = take_array(arrays, "steps.offsets", np.int64, (labels + 1,))
    scores = take_array(arrays, "steps.scores", np.float64, (None,))
    probabilities = take_array(arrays, "steps.probabilities", np.float64, (len(scores),))
    if offsets[0] != 0 or offsets[-1] != len(scores) or (np.diff(offsets) < 0).any():
        raise ArtifactDamaged("offsets do not fit the steps", where=arrays.file("steps.offsets"))
    if len(probabilities) and (probabilities.min() < 0 or probabilities.max() > 1):
        raise ArtifactDamaged("a probability is not in 0–1", where=arrays.file("steps.probabilities"))
    inside = np.ones(len(scores), np.bool_)  # entries whose predecessor is of the same label
    inside[offsets[:-1][np.diff(offsets) > 0]] = False
    if (np.diff(scores)[inside[1:]] <= 0).any():
        raise ArtifactDamaged("the scores of a label's steps must rise", where=arrays.file("steps.scores"))
    if (np.diff(probabilities)[inside[1:]] < 0).any():
        raise ArtifactDamaged("a label's steps must not fall", where=arrays.file("steps.probabilities"))
    return Steps(offsets, scores, probabilities)
