"""Fitting feature blocks: vocabulary, idf, categories, averages; and the matrix of the training rows beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.text.analyzer import Analyzer
from classifier.text.blocks import Block, CategoryBlock, ShapeBlock, TextBlock, TimeBlock
from classifier.text.rows import Rows
from classifier.text.shape import SHAPE_FEATURES, headline_shape
from classifier.text.times import TIME_FEATURES, time_features

MIN_CATEGORY_ARTICLES = 3


FittedText = tuple[TextBlock, TfidfVectorizer, sp.csr_matrix]


def fit_text(
    rows: Rows, column: str, analyzer: Analyzer, *, min_df: int, weight: float = 1.0
) -> FittedText | None:
    """TF-IDF of a text column: the block, the scikit-learn vectorizer it equals, and the (n, width) matrix.

    None where no n-gram is in at least `min_df` articles, as of headlines where there are none.
    """
    vectorizer = TfidfVectorizer(
        analyzer=analyzer.kind, ngram_range=analyzer.ngrams, min_df=min(min_df, len(rows)), sublinear_tf=True
    )
    try:
        matrix = vectorizer.fit_transform(rows.texts(column))
    except ValueError:  # an empty vocabulary: that is how scikit-learn says so
        return None
    terms = tuple(vectorizer.get_feature_names_out().tolist())
    block = TextBlock(column, analyzer, True, weight, terms, vectorizer.idf_.astype(np.float64))
    return block, vectorizer, sp.csr_matrix(matrix * weight)


def fit_category(rows: Rows, column: str, *, weight: float = 1.0) -> CategoryBlock:
    """One-hot of the values that at least MIN_CATEGORY_ARTICLES articles have."""
    values, counts = np.unique([str(v) for v in rows.values(column) if v is not None], return_counts=True)
    kept = values[counts >= MIN_CATEGORY_ARTICLES]
    return CategoryBlock(column, weight, tuple(kept.tolist()))


def fit_time(rows: Rows, timezone: str, *, weight: float = 1.0) -> TimeBlock:
    """Hour and weekday; the average over the articles that have a time stands in where one is missing."""
    average = np.zeros(len(TIME_FEATURES))
    known = [ids for time in rows.times() if (ids := time_features(time, timezone)) is not None]
    for ids in known:
        average[list(ids)] += 1.0 / len(known)
    return TimeBlock(timezone, weight, average)


def fit_shape(rows: Rows, *, weight: float = 1.0) -> ShapeBlock:
    """Mean and deviation of the headline's shape over the articles that have a headline."""
    shapes = [headline_shape(text) for text in rows.texts("headline") if text.strip()]
    table = np.array(shapes or [[0.0] * len(SHAPE_FEATURES)])
    deviation = table.std(axis=0)
    return ShapeBlock(weight, table.mean(axis=0), np.where(deviation > 1e-9, deviation, 1.0))


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
