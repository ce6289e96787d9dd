"""Counted once, weighted for any part of the articles: as if fitted on that part alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from classifier.text.blocks import TextBlock
from training import features
from training.blocks import MIN_CATEGORY_ARTICLES, count_text, sklearn_vectorizer
from training.corpus import Corpus
from training.features import LARGE, BlockCache
from training.recipes import BlockRecipe, Recipe

Make = Callable[..., Corpus]
WORDS = ["bank", "banks", "vote", "voted", "Storm", "storm", "日本", "예산안을", "x9", "to"]


def vectorized(texts: list[str], train: np.ndarray, block: BlockRecipe, min_df: int) -> tuple[Any, Any]:
    """What scikit-learn makes of all texts when fitted on some; by term, since it knows only the terms of those."""
    machine = TfidfVectorizer(
        analyzer=block.analyzer,
        ngram_range=block.ngrams,
        sublinear_tf=True,
        min_df=min_df,
    )
    machine.fit([text for text, own in zip(texts, train.tolist(), strict=True) if own])
    return machine.get_feature_names_out(), machine.transform(texts).toarray() * block.weight


@given(
    st.lists(st.lists(st.sampled_from(WORDS), max_size=6), min_size=2, max_size=12),
    st.data(),
    st.sampled_from(["word", "char_wb"]),
    st.sampled_from([(1, 1), (1, 2), (2, 4)]),
    st.booleans(),
)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_if_fitted_on_a_part_alone(
    corpus_of: Make, words: list[list[str]], data: st.DataObject, analyzer: Any, ngrams: Any, large: bool
) -> None:
    texts = [" ".join(own) for own in words]
    train = np.array(
        data.draw(
            st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)).filter(lambda x: sum(x) > 1)
        )
    )
    block = BlockRecipe("headline", analyzer, ngrams, 0.5)
    rows = corpus_of([{"headline": text} for text in texts]).rows
    before = features.LARGE
    features.LARGE = 0 if large else LARGE  # words of a single article are left out of large collections
    try:
        cache = BlockCache(rows)
        found = cache.features(Recipe((block,)), train)
    finally:
        features.LARGE = before
    min_df = 1 if analyzer == "word" and not large else 2
    try:
        terms, expected = vectorized(texts, train, block, min_df)
    except ValueError:  # the part holds no such n-gram
        assert found is None or not found[train].nnz
        return
    assert found is not None
    counts = cache._counts[BlockRecipe("headline", analyzer, ngrams)]
    assert counts is not None
    own = np.array([*counts.terms])
    order = np.argsort(own)
    known = order[np.isin(own[order], terms)]
    np.testing.assert_array_equal(own[known], terms)
    np.testing.assert_allclose(found.toarray()[:, known], expected, atol=1e-12)
    assert not np.delete(found.toarray(), known, axis=1).any()


STORIES = [
    {"headline": "Storm hits the mayor", "body": "A storm, a STORM", "source": "North"},
    {"headline": "Mayor resigns", "body": "日本 café naïve", "source": "North"},
    {"headline": "", "body": "storm of votes", "source": "North"},
    {"headline": "Votes and votes", "source": "South"},
    {"headline": "Votes are counted", "source": "South"},
]


def test_fitted_on_all_they_are_what_scoring_sees(corpus_of: Make) -> None:
    rows = corpus_of(STORIES).rows
    recipe = Recipe(
        (
            BlockRecipe("text", "word", (1, 2)),
            BlockRecipe("headline", "char_wb", (2, 4), 0.5),
            BlockRecipe("source", weight=2.0),
        )
    )
    cache = BlockCache(rows)
    fitted = cache.fitted(recipe)
    assert [isinstance(block.block, TextBlock) for block in fitted] == [True, True, False]
    together = np.concatenate([block.matrix.toarray() for block in fitted], axis=1)
    scored = np.zeros(together.shape)
    at = 0
    for block in fitted:
        transformed = block.block.transform(rows)
        for number in range(len(rows)):
            ids, values = transformed.row(number)
            scored[number, at + ids] = values
        at += block.block.width
    np.testing.assert_allclose(together, scored, atol=1e-12)
    found = cache.features(recipe)
    assert found is not None
    np.testing.assert_allclose(found.toarray(), together, atol=1e-12)
    text, headline, _ = fitted
    np.testing.assert_allclose(
        sklearn_vectorizer(text.block).transform(rows.texts("text")).toarray(),
        text.matrix.toarray(),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        sklearn_vectorizer(headline.block).transform(rows.texts("headline")).toarray() * 0.5,
        headline.matrix.toarray(),
        atol=1e-12,
    )


def test_categories_are_those_of_the_part(corpus_of: Make) -> None:
    assert MIN_CATEGORY_ARTICLES == 3
    cache = BlockCache(corpus_of(STORIES).rows)
    source = Recipe((BlockRecipe("source"),))
    found = cache.features(source)
    assert found is not None
    assert found.toarray().tolist() == [[1.0], [1.0], [1.0], [0.0], [0.0]]  # the South has two articles
    assert cache.features(source, np.arange(5) > 0) is None  # the North, too, then


def test_what_gives_nothing_is_left_out(corpus_of: Make) -> None:
    rows = corpus_of([{"headline": "one two"}, {"headline": "two three"}]).rows
    cache = BlockCache(rows)
    body, source = BlockRecipe("body", "word"), BlockRecipe("source")
    assert cache.features(Recipe((body, source))) is None
    assert cache.fitted(Recipe((body, source))) == []
    found = cache.features(Recipe((body, BlockRecipe("headline", "word"), source)))
    assert found is not None
    assert found.shape == (2, 3)


def test_a_block_is_counted_once_whatever_its_weight_and_part(
    corpus_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []

    def count(rows: Any, column: str, *rest: Any, **more: Any) -> Any:
        counted.append(column)
        return count_text(rows, column, *rest, **more)

    monkeypatch.setattr(features, "count_text", count)
    cache = BlockCache(corpus_of(STORIES).rows)
    for weight in (1.0, 0.5):
        for train in (None, np.arange(5) < 3, np.arange(5) >= 3):
            cache.features(Recipe((BlockRecipe("text", "word", weight=weight),)), train)
    cache.fitted(Recipe((BlockRecipe("text", "word", weight=2.0), BlockRecipe("summary", "word"))))
    cache.features(Recipe((BlockRecipe("summary", "word"),)))  # that there is nothing is kept, too
    assert counted == ["text", "summary"]


def test_only_the_most_frequent_features_are_kept(corpus_of: Make) -> None:
    rows = corpus_of(STORIES).rows
    recipe = Recipe((BlockRecipe("text", "word"),))
    whole, few = (BlockCache(rows, most).fitted(recipe)[0].block for most in (None, 2))
    assert whole.width > 2
    assert set(few.terms) == {"storm", "votes"}
