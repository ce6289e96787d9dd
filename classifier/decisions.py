"""What a desk does with the section head's probabilities: file or review, and which sections to offer instead of one.

The probabilities from which on articles are filed hold their target precision on articles that fitting did not see
(`training.deciding`); prediction sets hold the true section in a stated share of cases (`training.calibration.conformal`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged, UsageError
from classifier.spec import Spec
from classifier.text.sparse import Floats


@dataclass(frozen=True, slots=True)
class Threshold:
    """From which probability on articles are filed unseen at a target precision; None where the data cannot support it."""

    target: float
    probability: float | None

    @property
    def limit(self) -> float:
        """The probability, infinite where nothing is filed."""
        return np.inf if self.probability is None else self.probability


@dataclass(frozen=True, slots=True)
class SetLevel:
    """A section is in an article's prediction set from `threshold` on; the sets then hold the truth in a share `level`."""

    level: float
    threshold: float

    @property
    def everything(self) -> bool:
        """Whether the set is always every section: the articles could not support the level otherwise."""
        return self.threshold <= 0.0


@dataclass(frozen=True, slots=True)
class Decisions:
    """`thresholds` rise with their target, `target` is the one that decisions use; a section in `own` has a target of its
    own instead, whatever the target of the others. `sets` rise with their level; () for several labels."""

    target: float
    thresholds: tuple[Threshold, ...]
    own: Mapping[str, Threshold] = field(default_factory=lambda: MappingProxyType({}))
    sets: tuple[SetLevel, ...] = ()

    def limits(self, labels: Sequence[str], target: float | None = None) -> Floats:
        """(k,) the probability from which on an article whose best section is the label is filed; infinite: never."""
        wanted = self.target if target is None else target
        common = next((t.limit for t in self.thresholds if t.target == wanted), np.inf)
        return np.array(
            [self.own[label].limit if label in self.own else common for label in labels], np.float64
        )

    def set_level(self, level: float) -> SetLevel:
        """The stored level.

        Raises:
            UsageError: it was not fitted.
        """
        for item in self.sets:
            if item.level == level:
                return item
        known = ", ".join(f"{item.level:g}" for item in self.sets)
        raise UsageError(
            f"there are no prediction sets of coverage {level:g}",
            remedy=f"stored are: {known}"
            if known
            else "they need one label an article and out-of-fold articles",
        )

    def spec(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "thresholds": [_threshold_spec(item) for item in self.thresholds],
            "own": [{"section": name, **_threshold_spec(item)} for name, item in sorted(self.own.items())],
            "sets": [{"level": item.level, "threshold": item.threshold} for item in self.sets],
        }

    @classmethod
    def load(cls, spec: Spec, *, sets: bool = True) -> Decisions:
        """What `spec` describes; without `sets`, as in format 1, there are neither those nor targets of sections.

        Raises:
            ArtifactDamaged: a value is missing, of another type, or impossible.
        """
        own = [(item.get("section", str), _threshold(item)) for item in spec.specs("own")] if sets else []
        if len({name for name, _ in own}) < len(own):
            raise ArtifactDamaged("a section has two targets of its own", where=spec.place)
        return cls(
            spec.get("target", float),
            tuple(_threshold(item) for item in spec.specs("thresholds")),
            MappingProxyType(dict(own)),
            tuple(_set_level(item) for item in spec.specs("sets")) if sets else (),
        )


def prediction_sets(probability: Floats, threshold: float) -> NDArray[np.bool_]:
    """(m, k) which sections are in each article's set: those from `threshold` on, and always the first of the best.

    Raises:
        UsageError: `probability` (m, k) is no matrix of probabilities with a section, or `threshold` is NaN.
    """
    check_probabilities(probability)
    if np.isnan(threshold):
        raise UsageError("threshold is NaN", remedy="give a probability")
    sets = probability >= threshold
    sets[np.arange(len(sets)), probability.argmax(axis=1)] = True
    return np.asarray(sets, np.bool_)


def check_probabilities(matrix: NDArray[Any]) -> None:
    """A row an article and a column a section, each 0–1 (or a boolean).

    Raises:
        UsageError: it is no such matrix.
    """
    if matrix.ndim != 2 or not matrix.shape[1]:
        raise UsageError(
            f"probabilities or sets have the shape {matrix.shape}",
            remedy="give a row an article and a column a section",
        )
    if matrix.size and not (matrix.min() >= 0 and matrix.max() <= 1):  # NaN fails both
        raise UsageError("a probability is not between 0 and 1", remedy="give calibrated probabilities")


def _threshold_spec(threshold: Threshold) -> dict[str, Any]:
    return {"target": threshold.target, "probability": threshold.probability}


def _threshold(spec: Spec) -> Threshold:
    known = spec.data.get("probability") is not None
    found = Threshold(spec.get("target", float), spec.get("probability", float) if known else None)
    if not 0 < found.target < 1 or (found.probability is not None and not 0 <= found.probability <= 1):
        raise ArtifactDamaged("a target or probability is not in 0–1", where=spec.place)
    return found


def _set_level(spec: Spec) -> SetLevel:
    found = SetLevel(spec.get("level", float), spec.get("threshold", float))
    if not (0 < found.level < 1 and 0 <= found.threshold <= 1):
        raise ArtifactDamaged("a level or threshold is not in 0–1", where=spec.place)
    return found
