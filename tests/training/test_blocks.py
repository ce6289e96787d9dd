"""Fitted blocks give scoring the very matrix that scikit-learn gave fitting."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from classifier.text.analyzer import Analyzer
from classifier.text.blocks import ClockBlock, DaypartBlock, TimeBlock
from classifier.text.shape import SHAPE_FEATURES, headline_shape
from training.blocks import (
    block_matrix,
    count_text,
    fit_category,
    fit_shape,
    fit_time,
    side_by_side,
    sklearn_vectorizer,
    text_block,
)
from training.corpus import Corpus

Make = Callable[..., Corpus]
ROWS = [
    {"headline": "Storm hits the mayor", "body": "A storm, a STORM!", "desk": "north"},
    {"headline": "Mayor resigns", "body": "日本 café naïve", "desk": "north"},
    {"headline": "", "body": "storm of votes", "desk": "north"},
    {"headline": "Votes: who counts 99?", "desk": "south"},
]


@pytest.mark.parametrize("analyzer", [Analyzer("word", (1, 2)), Analyzer("char_wb", (3, 5))])
@pytest.mark.parametrize("min_df", [1, 2])
def test_a_text_block_is_scikit_learns(corpus_of: Make, analyzer: Analyzer, min_df: int) -> None:
    rows = corpus_of(ROWS).rows
    counts = count_text(rows, "text", analyzer, min_df=min_df)
    assert counts is not None
    block, matrix = text_block(counts, "text", 0.5)
    vectorizer = sklearn_vectorizer(block)
    np.testing.assert_allclose(block_matrix(block, rows).toarray(), matrix.toarray(), atol=1e-12)
    np.testing.assert_allclose(
        0.5 * vectorizer.transform(rows.texts("text")).toarray(), matrix.toarray(), atol=1e-12
    )
    assert block.width == matrix.shape[1] > 0


@pytest.mark.parametrize("texts", [["", ""], ["a b", "!"]])
def test_without_words_there_is_no_block(corpus_of: Make, texts: list[str]) -> None:
    rows = corpus_of([{"headline": text} for text in texts]).rows
    assert count_text(rows, "headline", Analyzer("word", (1, 1)), min_df=1) is None


def test_words_of_too_few_articles_give_no_block(corpus_of: Make) -> None:
    rows = corpus_of([{"headline": "one"}, {"headline": "two"}]).rows
    assert count_text(rows, "headline", Analyzer("word", (1, 1)), min_df=2) is None


def test_rare_categories_are_left_out(corpus_of: Make) -> None:
    rows = corpus_of(ROWS).rows
    assert fit_category(rows, "desk").categories == ("north",)
    assert fit_category(rows, "absent").width == 0


@pytest.mark.parametrize(
    ("kind", "places"), [(TimeBlock, {9: 2.0, 24 + 1: 2.0}), (DaypartBlock, {3: 5 / 3, 4: 1 / 3})]
)
def test_times_have_their_average_where_one_is_missing(
    corpus_of: Make, kind: type[ClockBlock], places: dict[int, float]
) -> None:
    times = ["2031-04-01T00:30:00Z", "2031-04-01T00:45:00Z", "2031-04-02T01:00:00Z", None]
    rows = corpus_of([{"published_at": time} for time in times]).rows
    block = fit_time(rows, "Asia/Tokyo", kind, weight=2.0)
    assert block is not None
    matrix = block_matrix(block, rows).toarray()
    found = {place: matrix[0, place] for place in np.flatnonzero(matrix[0])}
    assert found == pytest.approx(places)  # a Tuesday in Tokyo, 9 o'clock
    np.testing.assert_allclose(matrix[3], matrix[:3].mean(axis=0))


def test_the_shape_is_standardised_over_the_headlines_there_are(corpus_of: Make) -> None:
    rows = corpus_of(ROWS).rows
    shapes = np.array([headline_shape(ROWS[i]["headline"]) for i in (0, 1, 3)])
    matrix = block_matrix(fit_shape(shapes, weight=1.0), rows).toarray()
    np.testing.assert_allclose(matrix[[0, 1, 3]].mean(axis=0), 0.0, atol=1e-9)
    assert not matrix[2].any()
    assert np.isfinite(block_matrix(fit_shape(np.empty((0, len(SHAPE_FEATURES)))), rows).toarray()).all()


def test_side_by_side(corpus_of: Make) -> None:
    rows = corpus_of(ROWS).rows
    one = block_matrix(fit_category(rows, "desk"), rows)
    assert side_by_side([one, one]).toarray().tolist() == [[1, 1], [1, 1], [1, 1], [0, 0]]
    assert side_by_side([one]).shape == (4, 1)


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 9))
def test_some_rows_side_by_side(seed: int, count: int, length: int) -> None:
    draw = np.random.default_rng(seed)
    matrices = [
        sp.random_array((length, width), density=0.4, format="csr", random_state=draw)
        for width in range(1, count + 1)
    ]
    mask = draw.random(length) < 0.5
    found = side_by_side([sp.csr_matrix(matrix) for matrix in matrices], mask)
    assert found.shape == (mask.sum(), sum(range(1, count + 1)))
    np.testing.assert_array_equal(found.toarray(), sp.hstack(matrices).toarray()[mask])
