"""One block once for each value of a category: a word that lifts in one outlet may sink in another."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array
from classifier.text.blocks.base import Block, FewBlock, FewFeatures, FieldSpan
from classifier.text.blocks.packing import pack_strings, unpack_strings
from classifier.text.rows import Rows
from classifier.text.sparse import Integers, SparseRows
from classifier.text.values import positions


@dataclass(frozen=True, slots=True)
class CrossBlock:
    """Features of `inner`, a block before this one in the head, apart for each of `categories` of a column.

    `pairs` (width,), rising, are the combinations that training saw, as category · inner.width + feature; others, and
    articles of other categories, give no feature. Values are those of `inner` times `weight`.
    """

    kind: ClassVar[str] = "cross"
    column: str
    weight: float
    categories: tuple[str, ...]
    inner: Block
    pairs: Integers
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {name: i for i, name in enumerate(self.categories)})

    @property
    def width(self) -> int:
        return len(self.pairs)

    def category_ids(self, rows: Rows) -> Integers:
        """(n,) positions in `categories`, −1 elsewhere."""
        return positions(rows, self.column, self.categories, self._ids)

    def category_id(self, rows: Rows) -> int:
        """`category_ids` of a single row."""
        value = rows.value(self.column)
        return -1 if value is None else self._ids.get(str(value), -1)

    def transform(self, rows: Rows) -> SparseRows:
        return self.cross(rows, self.inner.transform(rows))

    def cross(self, rows: Rows, features: SparseRows) -> SparseRows:
        """`transform`, given what `inner` made of the rows."""
        row = np.repeat(np.arange(len(features)), np.diff(features.indptr))
        category = self.category_ids(rows)[row]
        keys = category * self.inner.width + features.indices
        at = np.minimum(np.searchsorted(self.pairs, keys), max(self.width - 1, 0))
        known = category >= 0
        known &= self.pairs[at] == keys if self.width else False
        indptr = np.zeros(len(features) + 1, np.int64)
        np.cumsum(np.bincount(row[known], minlength=len(features)), out=indptr[1:])
        return SparseRows(
            indptr, at[known].astype(np.int32), features.values[known] * self.weight, self.width
        )

    def one(self, rows: Rows) -> FewFeatures:
        """Of a block that has `one`."""
        category = self.category_id(rows)
        if category < 0 or not isinstance(self.inner, FewBlock):
            return (), ()
        first, found, values = category * self.inner.width, [], []
        for feature, value in zip(*self.inner.one(rows), strict=True):
            at = self._place(first + feature)
            if at >= 0:
                found.append(at)
                values.append(value * self.weight)
        return found, values

    def _place(self, pair: int) -> int:
        """Where a combination stands among `pairs`, −1 where it does not."""
        at = bisect_left(self.pairs, pair)
        return at if at < self.width and int(self.pairs[at]) == pair else -1

    def feature_name(self, feature: int) -> str:
        category, inner = divmod(int(self.pairs[feature]), self.inner.width)
        return f"{self.column} {self.categories[category]} × {self.inner.feature_name(inner)}"

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        category = int(self.category_ids(rows)[number])
        found: dict[int, list[FieldSpan]] = {}
        if category < 0:
            return found
        for inner, spans in self.inner.feature_spans(rows, number).items():
            at = self._place(category * self.inner.width + inner)
            if at >= 0:
                found[at] = spans
        return found

    def spec(self) -> dict[str, Any]:
        """Without the place of `inner` among the head's blocks: the head knows it."""
        return {"kind": self.kind, "column": self.column, "weight": self.weight}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"pairs": self.pairs, **pack_strings("categories", self.categories)}

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays, inner: Block) -> CrossBlock:
        categories = unpack_strings(arrays, "categories")
        pairs = take_array(arrays, "pairs", np.int64, (None,))
        inside = not len(pairs) or (pairs[0] >= 0 and pairs[-1] < len(categories) * inner.width)
        if not inside or (np.diff(pairs) <= 0).any():
            raise ArtifactDamaged("holds a combination that cannot be", where=arrays.file("pairs"))
        return cls(spec.get("column", str), spec.get("weight", float), categories, inner, pairs)
