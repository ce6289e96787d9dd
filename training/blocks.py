"""Fitting feature blocks: vocabulary, idf, categories, averages; and the matrix of the training rows beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.text.analyzer import Analyzer
from classifier.text.blocks import (
    Block,
    CategoryBlock,
    ClockBlock,
    NumericBlock,
    ShapeBlock,
    TextBlock,
    Weighting,
)
from classifier.text.fused import in_threads
from classifier.text.native import kernel
from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES
from classifier.text.times import time_features
from classifier.text.values import as_number
from classifier.text.vocabulary import Terms, Vocabulary
from training.counting import TermCounter, document_frequencies, inverse_frequency, narrow, weigh

Mask = NDArray[np.bool_]
T = TypeVar("T")
MIN_CATEGORY_ARTICLES = 3
KNOTS = 11  # the least, each tenth, the largest


_WEIGHTING = Weighting(sublinear_tf=True)


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each of `terms` (width), the most frequent first, is in each of n texts: `table` (n, width); a term is in
    at least `min_df` of them."""

    analyzer: Analyzer
    min_df: int
    terms: Terms
    table: sp.csr_matrix

    def weighted(self, train: Mask | None = None, weight: float = 1.0) -> sp.csr_matrix:
        """(n, width) TF-IDF of every text, times `weight`, as if fitted on those of a mask alone: terms that are too rare
        among them count nothing. By default fitted on all."""
        return self.weighted_by(self.idf(train), weight)

    def weighted_by(self, idf: NDArray[np.float64], weight: float = 1.0) -> sp.csr_matrix:
        """(n, width) TF-IDF of every text with an idf of `idf`'s (width,), times `weight`."""
        return weigh(self.table, idf, _WEIGHTING, weight)

    def idf(self, train: Mask | None = None) -> NDArray[np.float64]:
        """(width,) of the texts of a mask; 0 for terms that are too rare among them."""
        texts = self.table.shape[0] if train is None else int(np.count_nonzero(train))
        frequencies = document_frequencies(self.table, train)
        frequencies[frequencies < min(self.min_df, texts)] = 0
        return inverse_frequency(frequencies, texts)


def count_text(
    rows: Rows, column: str, analyzer: Analyzer, *, min_df: int, max_features: int | None = None
) -> Counts | None:
    """Count a text column's n-grams, those in at least `min_df` articles (all where there are fewer), the most frequent
    `max_features` of them. None where there is no such n-gram, as of headlines where there are none."""
    with TermCounter(analyzer) as counter:
        counter.add(rows.kernel_texts(column))
        terms, table = counter.finish(min(min_df, len(rows)), max_features=max_features, by_frequency=True)
    return Counts(analyzer, min_df, terms, table) if len(terms) else None


def text_block(counts: Counts, column: str, weight: float = 1.0) -> tuple[TextBlock, sp.csr_matrix]:
    """TF-IDF of counted texts: the block and the (n, width) matrix."""
    block = TextBlock(column, Vocabulary.of(counts.analyzer, counts.terms), _WEIGHTING, weight, counts.idf())
    return block, counts.weighted(weight=weight)


def sklearn_vectorizer(block: TextBlock) -> TfidfVectorizer:
    """The vectorizer that a block of `text_block` equals, but for the block's weight."""
    vectorizer = TfidfVectorizer(
        analyzer=block.analyzer.kind,
        ngram_range=block.analyzer.ngrams,
        sublinear_tf=True,
        vocabulary={term: i for i, term in enumerate(block.terms)},
    )
    vectorizer.idf_ = np.array(block.idf)
    return vectorizer


def fit_category(rows: Rows, column: str, *, weight: float = 1.0, train: Mask | None = None) -> CategoryBlock:
    """One-hot of the values that at least MIN_CATEGORY_ARTICLES articles have (of those in a mask)."""
    counts = Counter([str(value) for value in _of(rows.values(column), train) if value is not None])
    kept = sorted(value for value, count in counts.items() if count >= MIN_CATEGORY_ARTICLES)
    return CategoryBlock(column, weight, tuple(kept))


def fit_time(
    rows: Rows,
    timezone: str,
    kind: type[ClockBlock],
    *,
    weight: float = 1.0,
    train: Mask | None = None,
) -> ClockBlock | None:
    """The average over the articles (of a mask) that have a time, which stands in where one is missing. None where none
    has."""
    times = _of(rows.times(), train)
    known = [ids for time in times if (ids := time_features(time, timezone)) is not None]
    if not known:
        return None
    clock, width = kind.clock, len(kind.clock.names)
    moments = [clock.moment(*ids) for ids in known]
    average = np.bincount(clock.places[moments].ravel(), clock.shares[moments].ravel(), width) / len(known)
    return kind(timezone, weight, average)


def fit_shape(shapes: NDArray[np.float64], *, weight: float = 1.0) -> ShapeBlock:
    """Mean and deviation of `headline_shape` (n, features) of articles that have a headline."""
    table = shapes if len(shapes) else np.zeros((1, len(SHAPE_FEATURES)))
    deviation = table.std(axis=0)
    return ShapeBlock(weight, table.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0))


def fit_numeric(
    rows: Rows, column: str, *, weight: float = 1.0, train: Mask | None = None
) -> NumericBlock | None:
    """Knots at KNOTS quantiles of the values (of a mask); the average article stands in where there is no number. None
    where the numbers are all equal."""
    numbers = [
        number for value in _of(rows.values(column), train) if (number := as_number(value)) is not None
    ]
    knots = np.unique(np.quantile(numbers, np.linspace(0.0, 1.0, KNOTS))) if numbers else np.empty(0)
    if len(knots) < 2:
        return None
    known = Rows({column: numbers}, len(numbers))
    shares = block_matrix(NumericBlock(column, 1.0, knots, np.zeros(len(knots))), known)
    return NumericBlock(column, weight, knots, np.asarray(shares.mean(axis=0)).ravel())


def _of(values: Sequence[T], train: Mask | None) -> Sequence[T]:
    return values if train is None else [values[i] for i in np.flatnonzero(train).tolist()]


def block_matrix(block: Block, rows: Rows) -> sp.csr_matrix:
    """(n, width) of a fitted block."""
    found = block.transform(rows)
    return sp.csr_matrix((found.values, found.indices, found.indptr), shape=(len(found), found.width))


def side_by_side(matrices: Sequence[Any], rows: Mask | None = None) -> sp.csr_matrix:
    """Those rows of a mask (by default all) of all matrices (n, width): (rows, sum of widths)."""
    if len(matrices) == 1:
        return sp.csr_matrix(matrices[0] if rows is None else matrices[0][rows])
    chosen = np.arange(matrices[0].shape[0], dtype=np.int64) if rows is None else np.flatnonzero(rows)
    lengths = sum(np.diff(matrix.indptr)[chosen].astype(np.int64) for matrix in matrices)
    indptr = np.zeros(len(chosen) + 1, np.int64)
    np.cumsum(lengths, out=indptr[1:])
    ends, first = indptr[:-1].copy(), 0
    indices, values = np.empty(indptr[-1], np.int32), np.empty(indptr[-1])
    for matrix in matrices:
        own = [
            np.ascontiguousarray(array, kind)
            for array, kind in (
                (matrix.indptr, np.int64),
                (matrix.indices, np.int32),
                (matrix.data, np.float64),
            )
        ]

        def place(start: int, stop: int, own: Sequence[Any] = own, first: int = first) -> None:
            kernel.nd_place(
                *[array.ctypes.data for array in own],
                chosen[start:].ctypes.data,
                stop - start,
                first,
                ends[start:].ctypes.data,
                indices.ctypes.data,
                values.ctypes.data,
            )

        in_threads(place, len(chosen))
        first += matrix.shape[1]
    return sp.csr_matrix((values, indices, narrow(indptr)), shape=(len(chosen), first))
