"""Baselines, checked by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training.baselines import (
    POPULARITY_BASELINES,
    popularity_scores,
    popularity_tables,
    section_labels,
    section_tables,
)
from training.corpus import Corpus

Make = Callable[..., Corpus]
ROWS = [
    {"source": "A", "section": "x", "published_at": "2031-04-01T08:10:00Z"},
    {"source": "A", "section": "x", "published_at": "2031-04-02T08:50:00Z"},
    {"source": "A", "section": "y", "published_at": "2031-04-02T09:00:00Z"},
    {"source": "B", "section": "y"},
    {"published_at": "1965-01-01T00:00:00Z"},
]
TARGETS = np.array([1.0, 3.0, 2.0, -1.0, np.nan])


def test_tables_are_means_shrunk_to_what_is_wider(corpus_of: Make) -> None:
    tables = popularity_tables(corpus_of(ROWS), TARGETS)
    assert tables["source"] == pytest.approx({"A": 6 / 8, "B": -1 / 6})
    assert tables["section"] == pytest.approx({"x": 4 / 7, "y": 1 / 7})
    assert tables["source_hour"] == pytest.approx(
        {"A 08": (4 + 5 * 6 / 8) / 7, "A 09": (2 + 5 * 6 / 8) / 6, "B ": (-1 - 5 / 6) / 6}
    )


def test_scores(corpus_of: Make) -> None:
    corpus = corpus_of(ROWS)
    found = popularity_scores(corpus, popularity_tables(corpus, TARGETS))
    assert tuple(found) == POPULARITY_BASELINES
    assert found["random"].tolist() == [0.0] * 5
    assert np.argsort(found["recency"]).tolist() == [
        3,
        4,
        0,
        1,
        2,
    ]  # undated ones last, old ones before 1970 before
    np.testing.assert_allclose(found["source"], [0.75, 0.75, 0.75, -1 / 6, 0.0])
    np.testing.assert_allclose(found["section"], [4 / 7, 4 / 7, 1 / 7, 1 / 7, 0.0])
    unknown_hour = corpus_of([{"source": "A", "published_at": "2031-04-01T23:00:00Z"}])
    tables = popularity_tables(corpus, TARGETS)
    assert popularity_scores(unknown_hour, tables)["source_hour"].tolist() == [tables["source"]["A"]]


def test_without_any_time_recency_is_a_constant(corpus_of: Make) -> None:
    found = popularity_scores(corpus_of([{"headline": "a"}, {"headline": "b"}]), {})
    assert len(set(found["recency"].tolist())) == 1
    assert all(np.isfinite(values).all() for values in found.values())


def test_the_most_frequent_label(corpus_of: Make) -> None:
    tables = section_tables(corpus_of(ROWS))
    assert tables == {"majority": "x", "source": {"A": "x", "B": "y"}}  # x and y are even: the first by name
    others = corpus_of([{"source": "B"}, {"source": "C"}, {}])
    assert section_labels(others, tables) == {"majority": ["x"] * 3, "source": ["y", "x", "x"]}
    assert section_tables(corpus_of([{}])) == {"majority": "", "source": {}}


def test_several_labels_each_count(corpus_of: Make) -> None:
    corpus = corpus_of([{"sections": ["y", "z"]}, {"sections": ["z"]}, {"sections": ["a"]}])
    assert section_tables(corpus)["majority"] == "z"
