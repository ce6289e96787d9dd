"""TF-IDF of a text column."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array
from classifier.text.analyzer import ANALYZERS, Analyzer, field_spans
from classifier.text.blocks.base import FieldSpan
from classifier.text.blocks.packing import pack_strings, unpack_strings
from classifier.text.rows import TEXT_COLUMNS, Rows
from classifier.text.sparse import Floats, SparseRows


@dataclass(frozen=True, slots=True)
class TextBlock:
    """TF-IDF of one text column: scikit-learn's TfidfVectorizer (l2 norm), times `weight`.

    `terms` (width,) in vocabulary order; `idf` (width,) float64.
    """

    kind: ClassVar[str] = "text"
    column: str
    analyzer: Analyzer
    sublinear_tf: bool
    weight: float
    terms: tuple[str, ...]
    idf: Floats
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {term: i for i, term in enumerate(self.terms)})

    @property
    def width(self) -> int:
        return len(self.terms)

    def transform(self, rows: Rows) -> SparseRows:
        return SparseRows.from_rows([self._row(text) for text in rows.texts(self.column)], self.width)

    def _row(self, text: str) -> tuple[list[int], list[float]]:
        counts = Counter(self.analyzer.features(text))
        known = sorted((self._ids[term], n) for term, n in counts.items() if term in self._ids)
        ids = [i for i, _ in known]
        tf = [math.log(n) + 1.0 if self.sublinear_tf else float(n) for _, n in known]
        values = [t * float(self.idf[i]) for t, i in zip(tf, ids, strict=True)]
        norm = math.sqrt(math.fsum([v * v for v in values]))
        return ids, [v / norm * self.weight for v in values] if norm else values

    def feature_name(self, feature: int) -> str:
        return f"{self.column}: {self.terms[feature]}"

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        parts = rows.text_parts(self.column, number)
        found: dict[int, list[FieldSpan]] = {}
        for term, (start, end) in self.analyzer.spans(rows.texts(self.column)[number]):
            if (i := self._ids.get(term)) is not None:
                found.setdefault(i, []).extend(field_spans(parts, start, end))
        return found

    def spec(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "column": self.column,
            "analyzer": self.analyzer.kind,
            "ngrams": list(self.analyzer.ngrams),
            "sublinear_tf": self.sublinear_tf,
            "weight": self.weight,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        return {"idf": self.idf, **pack_strings("terms", self.terms)}

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> TextBlock:
        terms = unpack_strings(arrays, "terms")
        ngrams = spec.get("ngrams", list)
        if (
            len(ngrams) != 2
            or not all(type(n) is int for n in ngrams)
            or not 1 <= ngrams[0] <= ngrams[1] <= 64
        ):
            raise ArtifactDamaged('"ngrams" must be two rising positive numbers', where=spec.place)
        return cls(
            spec.choice("column", TEXT_COLUMNS),
            Analyzer(spec.choice("analyzer", ANALYZERS), (ngrams[0], ngrams[1])),
            spec.get("sublinear_tf", bool),
            spec.get("weight", float),
            terms,
            take_array(arrays, "idf", np.float64, (len(terms),)),
        )
