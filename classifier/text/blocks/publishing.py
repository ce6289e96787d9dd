"""When an article is published, and what its headline looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged, ArtifactError, ConfigError
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks.base import FieldSpan
from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES, headline_shape
from classifier.text.sparse import Floats, SparseRows
from classifier.text.times import TIME_FEATURES, time_features, zone


@dataclass(frozen=True, slots=True)
class TimeBlock:
    """Hour and weekday of publication in `timezone`, one-hot; without a time the training average (31,)."""

    kind: ClassVar[str] = "time"
    timezone: str
    weight: float
    average: Floats

    @property
    def width(self) -> int:
        return len(TIME_FEATURES)

    def transform(self, rows: Rows) -> SparseRows:
        known = [time_features(time, self.timezone) for time in rows.times()]
        everything: tuple[Sequence[int], Sequence[float]] = ((), ())
        if None in known:
            everything = (range(self.width), (self.average * self.weight).tolist())
        return SparseRows.from_rows(
            [everything if ids is None else (ids, [self.weight] * len(ids)) for ids in known], self.width
        )

    def feature_name(self, feature: int) -> str:
        return TIME_FEATURES[feature]

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        return {}

    def spec(self) -> dict[str, Any]:
        return {"kind": self.kind, "timezone": self.timezone, "weight": self.weight}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"average": self.average}

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> TimeBlock:
        average = take_array(arrays, "average", np.float64, (len(TIME_FEATURES),))
        return cls(load_timezone(spec), spec.get("weight", float), average)


@dataclass(frozen=True, slots=True)
class ShapeBlock:
    """The headline's shape (see `classifier.text.shape`), standardised with the training mean and scale (width,)."""

    kind: ClassVar[str] = "shape"
    weight: float
    mean: Floats
    scale: Floats

    @property
    def width(self) -> int:
        return len(SHAPE_FEATURES)

    def transform(self, rows: Rows) -> SparseRows:
        return SparseRows.from_rows([self._row(text) for text in rows.texts("headline")], self.width)

    def _row(self, headline: str) -> tuple[range | tuple[()], list[float]]:
        if not headline.strip():
            return (), []  # an article without a headline looks average
        values = (np.array(headline_shape(headline)) - self.mean) / self.scale * self.weight
        return range(self.width), values.tolist()

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
