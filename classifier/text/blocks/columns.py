"""Columns beside the text: categories and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks.base import FieldSpan
from classifier.text.blocks.packing import pack_strings, unpack_strings
from classifier.text.rows import Rows
from classifier.text.sparse import Floats, SparseRows


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
        values = rows.values(self.column)
        ids = [self.null if value is None else self._ids.get(str(value)) for value in values]
        return SparseRows.from_rows(
            [((), ()) if i is None else ((i,), (self.weight,)) for i in ids], self.width
        )

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
        return SparseRows.from_rows([self._row(value) for value in rows.values(self.column)], self.width)

    def _row(self, value: object) -> tuple[Sequence[int], list[float]]:
        number = as_number(value)
        if number is None:
            return range(self.width), (self.average * self.weight).tolist()
        number = float(min(max(number, self.knots[0]), self.knots[-1]))
        low = min(int(np.searchsorted(self.knots, number, side="right")) - 1, self.width - 2)
        share = (number - float(self.knots[low])) / float(self.knots[low + 1] - self.knots[low])
        return (low, low + 1), [(1.0 - share) * self.weight, share * self.weight]

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


def as_number(value: object) -> float | None:
    """A finite number, or a string that is one; None for all else (a truth value is a category)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
