"""The popularity head on tiny corpora."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from classifier.errors import LabelError
from classifier.popularity import DAYS, QUANTILES
from classifier.text.blocks import CategoryBlock, TextBlock, TimeBlock
from training.config import Config, parse_config
from training.corpus import Corpus
from training.labels import NO_JUDGEMENTS, count_judgements, training_targets
from training.popularity.head import FittedPopularity, fit_popularity

Make = Callable[..., Corpus]
Stories = Callable[..., list[dict[str, Any]]]


def fitted(corpus: Corpus, config: Config | None = None) -> FittedPopularity:
    judgements = count_judgements(corpus)
    targets = training_targets(judgements, NO_JUDGEMENTS, len(corpus))
    return fit_popularity(corpus, targets, judgements, config or Config())


def test_what_lifts_articles_is_learned(corpus_of: Make, stories: Stories) -> None:
    rows = stories()
    corpus = corpus_of(rows, column_zone="Asia/Tokyo")
    found = fitted(corpus)
    results = found.head.results(corpus.rows)
    lifted = np.array(["storm" in row["body"] for row in rows])
    scores = np.array([result.score for result in results])
    assert scores[lifted].min() > scores[~lifted].max()
    assert (found.articles, found.groups) == (96, 8)
    chances = np.array([result.top5_probability for result in results])
    assert chances[lifted].mean() > 0.6 > 0.4 > chances[~lifted].mean()
    assert chances.mean() == pytest.approx(5 / 12, abs=0.08)
    assert found.head.sources == ("Tiny Gazette",)
    assert found.head.group_sizes.tolist() == [[12.0] * DAYS] * 2
    assert found.head.quantiles.shape == (2, QUANTILES)
    assert (np.diff(found.head.quantiles, axis=1) >= 0).all()


def test_percentiles_of_the_training_articles_are_even(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of(stories(days=20), column_zone="Asia/Tokyo")
    percentiles = [result.percentile for result in fitted(corpus).head.results(corpus.rows)]
    assert np.mean(percentiles) == pytest.approx(50, abs=5)
    assert max(percentiles) > 90
    assert min(percentiles) < 10


def test_without_headlines_and_without_times(corpus_of: Make, stories: Stories) -> None:
    rows = [
        {**row, "headline": "", "published_at": None, "popularity_group": row["published_at"][:10]}
        for row in stories()
    ]
    corpus = corpus_of(rows)
    head = fitted(corpus).head
    assert not [block for block in head.linear.blocks if isinstance(block, TimeBlock)]
    assert {block.column for block in head.linear.blocks if isinstance(block, TextBlock)} == {"text"}
    scores = head.scores(corpus.rows)
    lifted = np.array(["storm" in row["body"] for row in rows])
    assert scores[lifted].mean() > scores[~lifted].mean() + 1


def test_the_source_is_one_feature_however_often_it_is_named(corpus_of: Make, stories: Stories) -> None:
    rows = [{**row, "source": f"Paper {i % 2}", "desk": f"d{i % 3}"} for i, row in enumerate(stories())]
    config = parse_config({"features": {"categorical": ["source", "desk"]}})
    blocks = fitted(corpus_of(rows), config).head.linear.blocks
    named = [block.column for block in blocks if isinstance(block, CategoryBlock)]
    assert sorted(named) == ["desk", "section", "source"]


def test_one_day_gives_everybody_the_groups_chance(corpus_of: Make, stories: Stories) -> None:
    """Nothing can be held out, so nothing is known of how well scores tell the top five."""
    corpus = corpus_of(stories(days=1, daily=12), column_zone="Asia/Tokyo")
    head = fitted(corpus).head
    assert head.top5.score_slope == 0.0
    chances = [result.top5_probability for result in head.results(corpus.rows)]
    np.testing.assert_allclose(chances, 5 / 12, atol=0.01)


def test_equal_counts_say_nothing(corpus_of: Make, stories: Stories) -> None:
    corpus = corpus_of([{**row, "popularity": 7.0} for row in stories()])
    with pytest.raises(LabelError, match="no group of articles has differing popularity") as caught:
        fitted(corpus)
    assert "popularity_group" in str(caught.value)


def test_flags(corpus_of: Make, stories: Stories) -> None:
    rows = [{**row, "popularity": float("storm" in row["body"])} for row in stories()]
    corpus = corpus_of(rows, column_zone="Asia/Tokyo")
    scores = fitted(corpus).head.scores(corpus.rows)
    flags = corpus.popularity
    assert scores[flags == 1].min() > scores[flags == 0].max()
