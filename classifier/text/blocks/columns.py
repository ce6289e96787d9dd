"""Columns beside the text: categories and numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks.base import FewFeatures, FieldSpan
from classifier.text.blocks.packing import pack_strings, unpack_strings
from classifier.text.rows import Rows
from classifier.text.sparse import Floats, SparseRows
from classifier.text.values import is_null, numbers, positions


@dataclass(frozen=True, slots=True)
class CategoryBlock:
    """One-hot of one column; values that training did not see give no feature, nor does null, unless it is the category
    at `null`."""

    kind: ClassVar[str] = "category"
    column: str
    weight: float
    categories: tuple[str, ...]
    null: int | None = None
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {name: i for i, name in enumerate(self.categories) if i != self.null}
        object.__setattr__(self, "_ids", ids)

    @property
    def width(self) -> int:
        return len(self.categories)

    def transform(self, rows: Rows) -> SparseRows:
        ids = positions(rows, self.column, self.categories, self._ids)
        if self.null is not None:
            ids[ids == self.null] = -1
            ids[is_null(rows, self.column)] = self.null
        weights = np.full((len(ids), 1), self.weight)
        return SparseRows.of_equal(ids >= 0, ids[:, None], weights, np.empty(0), self.width)

    def one(self, rows: Rows) -> FewFeatures:
        value = rows.value(self.column)
        place = self.null if value is None else self._ids.get(str(value))
        return ((), ()) if place is None else ((place,), (self.weight,))

    def feature_name(self, feature: int) -> str:
        return f"{self.column}: {self.categories[feature]}"

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        return {}

    def spec(self) -> dict[str, Any]:
        found = {"kind": self.kind, "column": self.column, "weight": self.weight}
        return found if self.null is None else {**found, "null": self.null}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return pack_strings("categories", self.categories)

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> CategoryBlock:
        categories = unpack_strings(arrays, "categories")
        null = spec.get("null", int) if "null" in spec.data else None
        if null is not None and not 0 <= null < len(categories):
            raise ArtifactDamaged('"null" is no category', where=spec.place)
        return cls(spec.get("column", str), spec.get("weight", float), categories, null)


@dataclass(frozen=True, slots=True)
class NumericBlock:
    """A number, piecewise linear: the share that each of two neighbouring `knots` (width,) has of it.

    With knots at quantiles of the training values a linear model can follow any shape, and each weight is the effect of a
    value that can be named. Values beyond the ends count as the ends; without a number the training `average` (width,)
    stands in.
    """

    kind: ClassVar[str] = "numeric"
    column: str
    weight: float
    knots: Floats
    average: Floats

    @property
    def width(self) -> int:
        return len(self.knots)

    def transform(self, rows: Rows) -> SparseRows:
        number, knots = numbers(rows, self.column), self.knots
        known = ~np.isnan(number)
        number = np.minimum(np.maximum(np.where(known, number, knots[0]), knots[0]), knots[-1])
        low = np.minimum(np.searchsorted(knots, number, side="right") - 1, self.width - 2)
        share = (number - knots[low]) / (knots[low + 1] - knots[low])
        indices = np.array([low, low + 1]).T
        values = np.array([(1.0 - share) * self.weight, share * self.weight]).T
        return SparseRows.of_equal(known, indices, values, self.average * self.weight, self.width)

    def one(self, rows: Rows) -> FewFeatures:
        indices, values = self.transform(rows).row(0)
        return indices.tolist(), values.tolist()

    def feature_name(self, feature: int) -> str:
        return f"{self.column}: about {self.knots[feature]:g}"

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        return {}

    def spec(self) -> dict[str, Any]:
        return {"kind": self.kind, "column": self.column, "weight": self.weight}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"knots": self.knots, "average": self.average}

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> NumericBlock:
        knots = take_array(arrays, "knots", np.float64, (None,))
        if len(knots) < 2 or not (np.diff(knots) > 0).all():
            raise ArtifactDamaged("needs two knots or more, rising", where=arrays.file("knots"))
        average = take_array(arrays, "average", np.float64, (len(knots),))
        return cls(spec.get("column", str), spec.get("weight", float), knots, average)
