"""Scores to probabilities that are true: what was fitted in `training.calibration.methods`, applied.

| method | a label's own probability | one label an article |
|---|---|---|
| temperature | logistic of score · slope, one slope (Guo et al. 2017) | softmax of the same |
| vector | – | softmax of score · slope + intercept, of each label its own (Guo et al. 2017) |
| sigmoid | logistic of score · slope + intercept, of each label its own (Platt 1999) | divided by the sum |
| isotonic | steps (Zadrozny & Elkan 2002) where a label has them, else as sigmoid | divided by the sum |
| clipped | (score, clipped to −1…1, + 1) / 2: of the modified Huber loss (Zhang 2004) | divided by the sum |

Of several `members`, models whose scores stand side by side, the probabilities are the mean of each one's: as those of
scikit-learn's CalibratedClassifierCV. `plain` ones may be exactly 0 and 1, as scikit-learn's may.

To add a method: a line in `_METHODS`, its fitting in `training.calibration.methods`, and a row here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged, UsageError
from classifier.spec import Arrays, Spec, take_array
from classifier.text import native
from classifier.text.native import kernel
from classifier.text.sparse import Floats, Integers, address

Method = Literal["temperature", "vector", "sigmoid", "isotonic", "clipped"]
_METHODS: tuple[Method, ...] = ("temperature", "vector", "sigmoid", "isotonic", "clipped")
_SOFTMAX = ("temperature", "vector")  # of one label an article
LOWEST = 1e-6  # a label's own probability is never nearer to 0 or 1, unless it is plain
_softmax_one = native.holding_lock("nd_softmax", None, 3)
_TIED = 4.0  # units in the last place by which saturated probabilities may differ, and the scores not


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

    `several` false: an article's probabilities add up to 1. `slope` (columns,) is not negative; `intercept` (columns,). The
    columns are the labels of the first member, then those of the next.
    """

    method: Method
    several: bool
    slope: Floats
    intercept: Floats
    steps: Steps | None = None
    members: int = 1
    plain: bool = False
    _slopes: list[float] = field(init=False, repr=False)
    _intercepts: list[float] = field(init=False, repr=False)
    _row: Any = field(init=False, repr=False)  # the type of a row of numbers

    def __post_init__(self) -> None:
        object.__setattr__(self, "_slopes", self.slope.tolist())
        object.__setattr__(self, "_intercepts", self.intercept.tolist())
        object.__setattr__(self, "_row", ctypes.c_double * len(self.slope))

    @property
    def columns(self) -> int:
        """The number of scores: a label and member."""
        return len(self.slope)

    @property
    def width(self) -> int:
        """The number of labels."""
        return self.columns // self.members

    def label_scores(self, scores: Floats) -> Floats:
        """(…, k) the mean over the members of scores (…, columns)."""
        if self.members == 1:
            return scores
        return np.asarray(scores.reshape(*scores.shape[:-1], self.members, self.width).mean(axis=-2))

    def apply(self, scores: Floats) -> Floats:
        """(n, columns) scores to (n, k) probabilities; a row's do not depend on the rows beside it.

        Raises:
            UsageError: `scores` have another number of columns.
        """
        if scores.ndim != 2 or scores.shape[1] != self.columns:
            raise UsageError(
                f"scores have the shape {scores.shape}", remedy=f"give {self.columns} scores an article"
            )
        found = self._each(scores)
        if self.members == 1:
            return found
        return np.asarray(found.reshape(len(scores), self.members, self.width).mean(axis=1))

    def one(self, scores: Sequence[float]) -> list[float]:
        """`apply` of a single article's scores (columns,), to the same bits: k probabilities."""
        if self.several or self.members > 1 or self.method not in _SOFTMAX:
            return cast("list[float]", self.apply(np.array([scores]))[0].tolist())
        own = zip(scores, self._slopes, self._intercepts, strict=True)
        found = self._row(*[score * slope + intercept for score, slope, intercept in own])
        _softmax_one(ctypes.addressof(found), 1, len(scores))
        return cast("list[float]", found[:])

    def _each(self, scores: Floats) -> Floats:
        """(n · members, k) every member's probabilities."""
        logits = scores * self.slope + self.intercept
        if not self.several and self.method in _SOFTMAX:
            return _softmax(logits.reshape(-1, self.width))
        if self.method == "clipped":
            probabilities = (np.clip(logits, -1.0, 1.0) + 1.0) / 2.0
        else:
            probabilities = _small_logistic(logits) if self.plain else logistic(logits)
        if self.steps is not None:
            self.steps.put(scores, probabilities)
        if not self.plain:
            np.clip(probabilities, LOWEST, 1.0 - LOWEST, out=probabilities)
        probabilities = probabilities.reshape(-1, self.width)
        if not self.several:
            _divide_by_sum(probabilities)
            if self.plain and self.steps is None:
                _part_ties(probabilities, logits.reshape(-1, self.width))
        return probabilities

    def spec(self) -> dict[str, Any]:
        found: dict[str, Any] = {"method": self.method, "several": self.several}
        if self.members > 1:
            found["members"] = self.members
        if self.plain:
            found["plain"] = True
        return found

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
        members = spec.get("members", int) if "members" in spec.data else 1
        plain = spec.get("plain", bool) if "plain" in spec.data else False
        if members < 1:
            raise ArtifactDamaged('"members" is below 1', where=spec.place)
        slope = take_array(arrays, "slope", np.float64, (None if labels is None else labels * members,))
        intercept = take_array(arrays, "intercept", np.float64, (len(slope),))
        if not len(slope) or len(slope) % members or not (slope >= 0).all():
            raise ArtifactDamaged("needs a slope a label, none below 0", where=arrays.file("slope"))
        steps = _load_steps(arrays, len(slope)) if method == "isotonic" else None
        return cls(method, several, slope, intercept, steps, members, plain)


def logistic(logits: Floats) -> Floats:
    """1 / (1 + exp(−logits)), of any shape, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def _small_logistic(logits: Floats) -> Floats:
    """`logistic`, exact also where it is next to 0: small ones that are divided by their sum are not small any more."""
    powers = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0, powers) / (1.0 + powers))


def _softmax(logits: Floats) -> Floats:
    found = np.array(logits, np.float64, order="C")
    # Not NumPy's exp: for the same bits one article would have to ask for it, too, and that costs what finding words does.
    kernel.nd_softmax(address(found), *found.shape)
    return found


def _divide_by_sum(probabilities: Floats) -> None:
    """So that rows (n, k) add up to 1; one of zeros alone says nothing, and becomes even."""
    total = probabilities.sum(axis=1, keepdims=True)
    probabilities[total[:, 0] == 0.0] = 1.0
    total[total == 0.0] = probabilities.shape[1]
    probabilities /= total


def _part_ties(probabilities: Floats, scores: Floats) -> None:
    """Where several labels share the best probability (n, k), because their curves are level there, put the one with the
    highest score (n, k) ahead, as little as a number can be."""
    best = probabilities.max(axis=1, keepdims=True)
    tied = probabilities >= best - _TIED * np.spacing(best)
    rows = np.flatnonzero(tied.sum(axis=1) > 1)
    first = np.where(tied[rows], scores[rows], -np.inf).argmax(axis=1)
    probabilities[rows, first] = np.nextafter(best[rows, 0], 1.0)


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
