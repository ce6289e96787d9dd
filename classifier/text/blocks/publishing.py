"""When an article is published, and what its headline looks like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged, ArtifactError, ConfigError
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks.base import FewFeatures, FieldSpan
from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES, headline_shape
from classifier.text.sparse import Floats, SparseRows
from classifier.text.times import DAYPARTS, HARD_DAYPARTS, HOURS_AND_WEEKDAYS, Clock, time_features, zone
from classifier.text.values import local_times, shapes


@dataclass(frozen=True, slots=True)
class ClockBlock:
    """What `clock` gives the time of publication in `timezone`; without a time the training average (width,)."""

    clock: ClassVar[Clock]
    kind: ClassVar[str]
    timezone: str
    weight: float
    average: Floats
    _average: list[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_average", (self.average * self.weight).tolist())

    @property
    def width(self) -> int:
        return len(self.clock.names)

    def transform(self, rows: Rows) -> SparseRows:
        times = local_times(rows, self.timezone)
        known = times[:, 0] >= 0
        moments = np.where(known, self.clock.moment(times[:, 0], times[:, 1]), 0)
        weights = self.clock.shares[moments] * self.weight
        return SparseRows.of_equal(
            known, self.clock.places[moments], weights, self.average * self.weight, self.width
        )

    def one(self, rows: Rows) -> FewFeatures:
        times = time_features(rows.value("published_at"), self.timezone)
        if times is None:
            return range(self.width), self._average
        places, shares = self.clock.one[self.clock.moment(*times)]
        return places, [share * self.weight for share in shares]

    def feature_name(self, feature: int) -> str:
        return self.clock.names[feature]

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        return {}

    def spec(self) -> dict[str, Any]:
        return {"kind": self.kind, "timezone": self.timezone, "weight": self.weight}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"average": self.average}

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> Self:
        average = take_array(arrays, "average", np.float64, (len(cls.clock.names),))
        return cls(load_timezone(spec), spec.get("weight", float), average)


class TimeBlock(ClockBlock):
    """The hour, and the weekday."""

    __slots__ = ()
    kind, clock = "time", HOURS_AND_WEEKDAYS


class DaypartBlock(ClockBlock):
    """The time of day, on working days and at weekends: coarse enough to be crossed with a category."""

    __slots__ = ()
    kind, clock = "dayparts", DAYPARTS


class HardDaypartBlock(ClockBlock):
    """What `DaypartBlock` was in format 5."""

    __slots__ = ()
    kind, clock = "daypart", HARD_DAYPARTS


@dataclass(frozen=True, slots=True)
class ShapeBlock:
    """The headline's shape (see `classifier.text.shape`), standardised with the training mean and scale (width,)."""

    kind: ClassVar[str] = "shape"
    weight: float
    mean: Floats
    scale: Floats
    _standards: list[tuple[float, float]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_standards", list(zip(self.mean.tolist(), self.scale.tolist(), strict=True))
        )

    @property
    def width(self) -> int:
        return len(SHAPE_FEATURES)

    def transform(self, rows: Rows) -> SparseRows:
        found, there = shapes(rows)  # an article without a headline looks average
        values = (found - self.mean) / self.scale * self.weight
        indices = np.broadcast_to(np.arange(self.width), values.shape)
        return SparseRows.of_equal(there, indices, values, np.empty(0), self.width)

    def one(self, rows: Rows) -> FewFeatures:
        headline = rows.value("headline") or ""
        if not headline.strip():
            return (), ()
        own = zip(headline_shape(headline), self._standards, strict=True)
        weight = self.weight
        return range(self.width), [(value - mean) / scale * weight for value, (mean, scale) in own]

    def feature_name(self, feature: int) -> str:
        return f"headline shape: {SHAPE_FEATURES[feature]}"

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        return {}

    def spec(self) -> dict[str, Any]:
        return {"kind": self.kind, "weight": self.weight}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> ShapeBlock:
        shape = (len(SHAPE_FEATURES),)
        scale = take_array(arrays, "scale", np.float64, shape)
        if not (scale > 0).all():
            raise ArtifactDamaged("holds a scale that is not positive", where=arrays.file("scale"))
        return cls(spec.get("weight", float), take_array(arrays, "mean", np.float64, shape), scale)


def load_timezone(spec: Spec) -> str:
    """The name of a zone that a manifest holds.

    Raises:
        ArtifactError: this system does not know it.
    """
    timezone = spec.get("timezone", str)
    try:
        zone(timezone)
    except ConfigError as error:
        # No damage: this system's table of zones may be older than the one that trained.
        raise ArtifactError(
            error.problem, where=spec.place, remedy="install the package tzdata, or train again"
        ) from None
    return timezone
