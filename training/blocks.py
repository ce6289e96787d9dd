"""Fitting feature blocks: vocabulary, idf, categories, averages; and the matrix of the training rows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block, CategoryBlock, NumericBlock, ShapeBlock, TextBlock, TimeBlock
from classifier.text.blocks.columns import as_number
from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES
from classifier.text.times import TIME_FEATURES, time_features

Mask = NDArray[np.bool_]
T = TypeVar("T")
MIN_CATEGORY_ARTICLES = 3
KNOTS = 11  # the least, each tenth, the largest


FittedText = tuple[TextBlock, TfidfVectorizer, sp.csr_matrix]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each of `terms` (width) is in each of n texts: `table` (n, width); a term is in at least `min_df`."""

    analyzer: Analyzer
    min_df: int
    terms: tuple[str, ...]
    table: sp.csr_matrix

    def weighted(self, train: Mask | None = None) -> sp.csr_matrix:
        """(n, width) TF-IDF of every text as if fitted on those of a mask alone: terms that are too rare among them
        count nothing. By default fitted on all."""
        return self.fitted(train)[1]

    def fitted(self, train: Mask | None = None) -> tuple[TfidfTransformer, sp.csr_matrix]:
        """The transformer, too."""
        table = self.table
        seen = table
        if train is not None:
            seen = table[train]
            often = np.bincount(seen.indices, minlength=table.shape[1]) >= min(self.min_df, seen.shape[0])
            if not often.all():
                table, seen = _only(table, often), _only(seen, often)
        transformer = TfidfTransformer(sublinear_tf=True).fit(seen)
        return transformer, sp.csr_matrix(transformer.transform(table))


def _only(table: sp.csr_matrix, columns: Mask) -> sp.csr_matrix:
    """Of the same width, with the entries of other columns left out."""
    keep = columns[table.indices]
    before = np.concatenate([[0], np.cumsum(keep)])
    return sp.csr_matrix((table.data[keep], table.indices[keep], before[table.indptr]), shape=table.shape)


def count_text(
    rows: Rows, column: str, analyzer: Analyzer, *, min_df: int, max_features: int | None = None
) -> Counts | None:
    """Count a text column's n-grams, those in at least `min_df` articles (all where there are fewer), the most frequent
    `max_features` of them. None where there is no such n-gram, as of headlines where there are none."""
    counter = CountVectorizer(
        analyzer=analyzer.kind,
        ngram_range=analyzer.ngrams,
        min_df=min(min_df, len(rows)),
        max_features=max_features,
    )
    try:
        table = sp.csr_matrix(counter.fit_transform(rows.texts(column)))
    except ValueError:  # an empty vocabulary: that is how scikit-learn says so
        return None
    table.sort_indices()
    return Counts(analyzer, min_df, tuple(counter.get_feature_names_out().tolist()), table)


def text_block(counts: Counts, column: str, weight: float = 1.0) -> FittedText:
    """TF-IDF of counted texts: the block, the scikit-learn vectorizer it equals, and the (n, width) matrix."""
    block, matrix = tfidf_block(counts, column, weight)
    vectorizer = TfidfVectorizer(
        analyzer=counts.analyzer.kind,
        ngram_range=counts.analyzer.ngrams,
        sublinear_tf=True,
        vocabulary={term: i for i, term in enumerate(counts.terms)},
    )
    vectorizer.idf_ = block.idf
    return block, vectorizer, matrix


def tfidf_block(counts: Counts, column: str, weight: float = 1.0) -> tuple[TextBlock, sp.csr_matrix]:
    """TF-IDF of counted texts: the block and the (n, width) matrix."""
    transformer, matrix = counts.fitted()
    idf = np.asarray(transformer.idf_, np.float64)
    block = TextBlock(column, counts.analyzer, True, weight, counts.terms, idf)
    return block, sp.csr_matrix(matrix * weight)


def fit_category(rows: Rows, column: str, *, weight: float = 1.0, train: Mask | None = None) -> CategoryBlock:
    """One-hot of the values that at least MIN_CATEGORY_ARTICLES articles have (of those in a mask)."""
    known = rows.values(column)
    values, counts = np.unique([str(v) for v in _of(known, train) if v is not None], return_counts=True)
    kept = values[counts >= MIN_CATEGORY_ARTICLES]
    return CategoryBlock(column, weight, tuple(kept.tolist()))


def fit_time(
    rows: Rows, timezone: str, *, weight: float = 1.0, train: Mask | None = None
) -> TimeBlock | None:
    """Hour and weekday; the average over the articles (of a mask) that have a time stands in where one is missing. None
    where none has."""
    average = np.zeros(len(TIME_FEATURES))
    times = _of(rows.times(), train)
    known = [ids for time in times if (ids := time_features(time, timezone)) is not None]
    for ids in known:
        average[list(ids)] += 1.0 / len(known)
    return TimeBlock(timezone, weight, average) if known else None


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


def side_by_side(matrices: Sequence[Any]) -> sp.csr_matrix:
    """(n, sum of widths)."""
    return sp.csr_matrix(matrices[0]) if len(matrices) == 1 else sp.csr_matrix(sp.hstack(matrices, "csr"))


def as_weights(coefficients: NDArray[Any]) -> NDArray[np.float64]:
    """scikit-learn's (k, width) coefficients as the (width, k) table that scoring gathers rows from."""
    return np.ascontiguousarray(np.atleast_2d(coefficients).T, np.float64)
