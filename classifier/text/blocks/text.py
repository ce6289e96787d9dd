"""TF-IDF of a text column, as scikit-learn's TfidfVectorizer makes it."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from classifier.errors import ArtifactDamaged
from classifier.spec import Arrays, Spec, take_array
from classifier.text import native
from classifier.text.analyzer import ANALYZERS, MOST_NGRAM, Analyzer, FieldLayout
from classifier.text.blocks.base import FieldSpan
from classifier.text.characters import Characters
from classifier.text.native import kernel
from classifier.text.rows import TEXT_COLUMNS, URL, Rows
from classifier.text.sparse import Floats, SparseRows
from classifier.text.strings import Texts, check
from classifier.text.vocabulary import Terms, Vocabulary

Norm = Literal["l1", "l2"] | None
NORMS: tuple[Norm, ...] = (None, "l1", "l2")  # in the order of weigh.h


@dataclass(frozen=True, slots=True)
class Weighting:
    """scikit-learn's options of these names: how counts become term frequencies, and what a row's length is."""

    sublinear_tf: bool = False
    binary: bool = False
    norm: Norm = "l2"

    def struct(self, weight: float = 1.0) -> native.Weighting:
        """For the kernel; every value is multiplied by `weight`."""
        return native.Weighting(self.binary, self.sublinear_tf, NORMS.index(self.norm), 0, weight)


@dataclass(frozen=True, slots=True)
class TextBlock:
    """TF-IDF of one text column, times `weight`; `idf` (width,) float64, all ones where there is none.

    `idf` may be a part of a wider table (its stride is used).
    """

    kind: ClassVar[str] = "text"
    column: str
    vocabulary: Vocabulary
    weighting: Weighting
    weight: float
    idf: Floats
    struct: native.Weighting = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "struct", self.weighting.struct(self.weight))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.column, self.vocabulary, self.weighting, self.weight, np.array(self.idf))

    @classmethod
    def of(
        cls,
        column: str,
        analyzer: Analyzer,
        terms: Sequence[str],
        idf: Floats,
        *,
        sublinear_tf: bool = False,
        weight: float = 1.0,
    ) -> TextBlock:
        """Of terms as strings."""
        vocabulary = Vocabulary.of(analyzer, Terms.of(terms))
        return cls(column, vocabulary, Weighting(sublinear_tf), weight, np.asarray(idf, np.float64))

    @property
    def analyzer(self) -> Analyzer:
        return self.vocabulary.analyzer

    @property
    def terms(self) -> Terms:
        return self.vocabulary.terms

    @property
    def width(self) -> int:
        return len(self.vocabulary)

    def transform(self, rows: Rows) -> SparseRows:
        return self.transform_texts(rows.kernel_texts(self.column))

    def transform_texts(self, texts: Texts) -> SparseRows:
        """Of texts that are no column of rows.

        Raises:
            FieldError: a text that cannot be read.
        """
        indptr = np.zeros(len(texts) + 1, np.int64)
        matrix, failed = native.Matrix(), ctypes.c_int64()
        try:
            check(
                kernel.nd_transform(
                    self.analyzer.chars,
                    texts.columns,
                    texts.count,
                    self.analyzer.struct,
                    self.vocabulary.struct,
                    self.idf.ctypes.data,
                    self.idf.strides[0] if self.width else 8,
                    self.width,
                    self.struct,
                    0,
                    len(texts),
                    indptr.ctypes.data,
                    matrix,
                    failed,
                ),
                texts.first + failed.value,
            )
            indices, values = np.empty(matrix.count, np.int32), np.empty(matrix.count)
            kernel.nd_take_matrix(matrix, indices.ctypes.data, values.ctypes.data)
        finally:
            kernel.nd_release_matrix(matrix)
        return SparseRows(indptr, indices, values, self.width)

    def feature_name(self, feature: int) -> str:
        return f"{self.column}: {self.terms[feature]}"

    def feature_spans(self, rows: Rows, number: int) -> dict[int, list[FieldSpan]]:
        """Where they stand in what readers see: not those of the address."""
        if self.column == URL:
            return {}
        layout = FieldLayout(rows.text_parts(self.column, number))
        found: dict[int, list[FieldSpan]] = {}
        for feature, start, end in self.places(rows, number).tolist():
            found.setdefault(feature, []).extend(layout.spans(start, end))
        return found

    def places(self, rows: Rows, number: int) -> NDArray[np.uint32]:
        """(m, 3): feature, start and end of every known n-gram of a row, in code points of the joined text."""
        texts = rows.kernel_texts(self.column)
        buffer = native.Buffer()
        try:
            count = check(
                kernel.nd_places(
                    self.analyzer.chars,
                    texts.columns,
                    texts.count,
                    self.analyzer.struct,
                    self.vocabulary.struct,
                    number,
                    buffer,
                ),
                number,
            )
            if not count:
                return np.zeros((0, 3), np.uint32)
            data = ctypes.string_at(buffer.memory, count * 12)
        finally:
            kernel.nd_release(buffer)
        return np.frombuffer(data, np.uint32).reshape(-1, 3)

    def spec(self) -> dict[str, Any]:
        analyzer, weighting = self.analyzer, self.weighting
        return {
            "kind": self.kind,
            "column": self.column,
            "analyzer": analyzer.kind,
            "ngrams": list(analyzer.ngrams),
            "lowercase": analyzer.lowercase,
            "strip_accents": analyzer.strip_accents,
            "stop_words": list(analyzer.stop_words),
            "hash_key": f"{analyzer.seed:016x}",
            "reach": self.vocabulary.reach,
            "sublinear_tf": weighting.sublinear_tf,
            "binary": weighting.binary,
            "norm": weighting.norm,
            "weight": self.weight,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Without `idf`, which lies beside the weights (`classifier.text.fused`)."""
        return self.vocabulary.arrays()

    @classmethod
    def load(cls, spec: Spec, arrays: Arrays, tables: Characters | None, idf: Floats | None) -> TextBlock:
        """`tables` and `idf` are None of formats before 4, which had no tables and `idf` as an array of its own."""
        ngrams = spec.get("ngrams", list)
        if (
            len(ngrams) != 2
            or not all(type(n) is int for n in ngrams)
            or not 1 <= ngrams[0] <= ngrams[1] <= MOST_NGRAM
        ):
            raise ArtifactDamaged('"ngrams" must be two rising positive numbers', where=spec.place)
        column = spec.choice("column", TEXT_COLUMNS)
        kind, weight = spec.choice("analyzer", ANALYZERS), spec.get("weight", float)
        sublinear = spec.get("sublinear_tf", bool)
        if idf is None:
            terms = Terms.load(arrays, "terms")
            idf = take_array(arrays, "idf", np.float64, (len(terms),))
            analyzer = Analyzer(kind, (ngrams[0], ngrams[1]))
            return cls(column, Vocabulary.of(analyzer, terms), Weighting(sublinear), weight, idf)
        analyzer = Analyzer(
            kind,
            (ngrams[0], ngrams[1]),
            spec.get("lowercase", bool),
            spec.choice("strip_accents", (None, "ascii", "unicode")),
            tuple(spec.strings("stop_words")),
            _hash_key(spec),
            tables,
        )
        vocabulary = Vocabulary.load(analyzer, spec.get("reach", int), arrays)
        if len(idf) != len(vocabulary):
            raise ArtifactDamaged("holds more or fewer rows than there are terms", where=arrays.file("rows"))
        weighting = Weighting(sublinear, spec.get("binary", bool), spec.choice("norm", NORMS))
        return cls(column, vocabulary, weighting, weight, idf)


def _hash_key(spec: Spec) -> int:
    try:
        return int(spec.get("hash_key", str)[:16], 16)
    except ValueError:
        raise ArtifactDamaged('"hash_key" must be a hexadecimal number', where=spec.place) from None
