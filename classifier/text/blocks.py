"""Feature blocks: what a head sees of an article. Each turns rows into sparse features and can name every one of them.

To add a block: a class with the interface of `Block`, a line in `_KINDS`, its fitting in `training.blocks`, and a row in
docs/ARCHITECTURE.md. The `spec` (JSON) and `arrays` (.npy) of a block are all that an artifact holds of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged, ArtifactError, ConfigError
from classifier.spec import Arrays, Spec, take_array
from classifier.text.analyzer import ANALYZERS, Analyzer, field_spans
from classifier.text.rows import TEXT_COLUMNS, Rows
from classifier.text.shape import SHAPE_FEATURES, headline_shape
from classifier.text.sparse import Floats, SparseRows
from classifier.text.times import TIME_FEATURES, time_features, zone

FieldSpan = tuple[str, int, int]


class Block(Protocol):
    """Rows in, `width` features out."""

    kind: ClassVar[str]

    @property
    def width(self) -> int: ...
    def transform(self, rows: Rows) -> SparseRows: ...
    def feature_name(self, feature: int) -> str: ...
    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]: ...
    def spec(self) -> dict[str, Any]: ...
    def arrays(self) -> dict[str, NDArray[Any]]: ...


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


@dataclass(frozen=True, slots=True)
class CategoryBlock:
    """One-hot of one column; values that training did not see give no feature."""

    kind: ClassVar[str] = "category"
    column: str
    weight: float
    categories: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {name: i for i, name in enumerate(self.categories)})

    @property
    def width(self) -> int:
        return len(self.categories)

    def transform(self, rows: Rows) -> SparseRows:
        ids = [None if value is None else self._ids.get(str(value)) for value in rows.values(self.column)]
        return SparseRows.from_rows(
            [((), ()) if i is None else ((i,), (self.weight,)) for i in ids], self.width
        )

    def feature_name(self, feature: int) -> str:
        return f"{self.column}: {self.categories[feature]}"

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        return {}

    def spec(self) -> dict[str, Any]:
        return {"kind": self.kind, "column": self.column, "weight": self.weight}

    def arrays(self) -> dict[str, NDArray[Any]]:
        return pack_strings("categories", self.categories)

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays) -> CategoryBlock:
        categories = unpack_strings(arrays, "categories")
        return cls(spec.get("column", str), spec.get("weight", float), categories)


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
        known = (time_features(time, self.timezone) for time in rows.times())
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
        timezone = spec.get("timezone", str)
        try:
            zone(timezone)
        except ConfigError as error:
            # No damage: this system's table of zones may be older than the one that trained.
            raise ArtifactError(
                error.problem, where=spec.place, remedy="install the package tzdata, or train again"
            ) from None
        return cls(timezone, spec.get("weight", float), average)


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


_KINDS: dict[str, type[TextBlock | CategoryBlock | TimeBlock | ShapeBlock]] = {
    kind.kind: kind for kind in (TextBlock, CategoryBlock, TimeBlock, ShapeBlock)
}


def load_block(spec: Spec, arrays: Arrays) -> Block:
    """The block that a manifest describes; only the kinds of this module can be made.

    Raises:
        ArtifactDamaged: an unknown kind, or a description or array that does not fit it.
    """
    return _KINDS[spec.choice("kind", tuple(_KINDS))].load(spec, arrays)


def pack_strings(name: str, strings: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Strings as two arrays: their UTF-8 bytes end to end, and n + 1 offsets."""
    encoded = [text.encode() for text in strings]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(data) for data in encoded], out=offsets[1:])
    return {f"{name}.bytes": np.frombuffer(b"".join(encoded), np.uint8), f"{name}.offsets": offsets}


def unpack_strings(arrays: Arrays, name: str) -> tuple[str, ...]:
    """The inverse of `pack_strings`.

    Raises:
        ArtifactDamaged: offsets that do not fit the bytes, or bytes that are no UTF-8.
    """
    data = take_array(arrays, f"{name}.bytes", np.uint8, (None,)).tobytes()
    offsets = take_array(arrays, f"{name}.offsets", np.int64, (None,))
    if not len(offsets) or offsets[0] or offsets[-1] != len(data) or (np.diff(offsets) < 0).any():
        raise ArtifactDamaged("offsets do not fit the bytes", where=arrays.file(f"{name}.offsets"))
    try:
        return tuple(_slices(data, offsets.tolist()))
    except UnicodeDecodeError as error:
        raise ArtifactDamaged("holds bytes that are no UTF-8", where=arrays.file(f"{name}.bytes")) from error


def _slices(data: bytes, offsets: list[int]) -> Iterator[str]:
    for start, end in pairwise(offsets):
        yield data[start:end].decode()
