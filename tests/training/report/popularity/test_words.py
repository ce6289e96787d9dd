"""Which features lift and sink, and what sets an article apart from its group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from classifier.linear import Linear
from classifier.popularity import QUANTILES, PopularityHead, Top5Curve
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import CategoryBlock, CrossBlock, TextBlock
from training.corpus import Corpus
from training.report.popularity.words import word_panels, words_apart

Make = Callable[..., Corpus]
TERMS = ("common", "never", "rare", "storm")


def words(kind: Any = "word") -> TextBlock:
    return TextBlock.of("headline", Analyzer(kind), TERMS, np.ones(4))


def cross(inner: TextBlock) -> CrossBlock:
    """Of the first group its rare and its storm, of the second its storm."""
    return CrossBlock("source", 1.0, ("a", "b"), inner, np.array([2, 3, 4 + 3]))


def linear(*blocks: tuple[Any, list[float]]) -> Linear:
    weights = np.array([weight for _, own in blocks for weight in own])[:, None]
    return Linear([block for block, _ in blocks], weights, np.array([0.5]))


def head(own: Linear) -> PopularityHead:
    quantiles, sizes = np.zeros((1, QUANTILES)), np.array([12.0])
    return PopularityHead(own, (), quantiles, sizes, Top5Curve(0.0, 1.0, 0.0), np.zeros(len(own.weights)))


@pytest.fixture
def corpus(corpus_of: Make) -> Corpus:
    headlines = ["storm", "storm", "common", "common", "rare", "common", "storm", "common"]
    rows = [
        {"headline": h, "source": "ab"[i // 4], "popularity_group": "ab"[i // 4]}
        for i, h in enumerate(headlines)
    ]
    return corpus_of(rows)


def test_features_are_ordered_by_how_much_they_move_articles(corpus: Corpus) -> None:
    own = linear(
        (words(), [-1.0, 9.0, 2.0, 1.2]),
        (CategoryBlock("source", 1.0, ("a", "b")), [5.0, -5.0]),
        (cross(words()), [0.0, 0.5, -0.5]),
    )
    panels, looked_at = word_panels(own, corpus, np.arange(8))
    assert looked_at == 8
    assert [panel.title for panel in panels] == ["Words", "Combinations"]  # the source is every group's own
    assert [(word.name, word.articles) for word in panels[0].lift] == [
        ("headline: rare", 1),
        ("headline: storm", 3),
    ]
    assert [(word.name, word.articles) for word in panels[0].sink] == [("headline: common", 4)]
    # storm: half of the first group, one in four of the second
    assert panels[0].lift[1].effect == pytest.approx(1.2 * np.sqrt((4 * 0.25 + 4 * 0.1875) / 8))
    assert [word.name for word in panels[1].lift] == ["source a × headline: storm"]
    assert [(word.name, word.articles) for word in panels[1].sink] == [("source b × headline: storm", 1)]
    assert panels[1].lift[0].effect == pytest.approx(0.5 * np.sqrt(4 * 0.25 / 8))


def test_whole_words_before_parts_of_words(corpus: Corpus) -> None:
    both = linear((words("char_wb"), [1.0] * 4), (words(), [1.0, 0.0, 0.0, 0.0]))
    panels, _ = word_panels(both, corpus, np.arange(8))
    assert [word.name for word in panels[0].lift] == ["headline: common"]
    parts = linear((words("char_wb"), [1.0] * 4), (cross(words("char_wb")), [1.0] * 3))
    assert [
        panel.title for panel in word_panels(parts, corpus, np.arange(8))[0]
    ] == []  # of which none is there
    crossed = linear((cross(words("char_wb")), [1.0] * 3), (cross(words()), [0.0, 1.0, 0.0]))
    assert [len(panel.lift) for panel in word_panels(crossed, corpus, np.arange(0))[0]] == [1]


def test_words_of_the_address_are_none_of_the_text(corpus_of: Make) -> None:
    """They do not stand for parts of words, which are all that a text without spaces has."""
    rows = [
        {"headline": h, "popularity_group": "a", "url": f"/{h}"} for h in ("storm", "rare", "common", "storm")
    ]
    address = replace(words(), column="url")
    parts = TextBlock.of("headline", Analyzer("char_wb", (3, 3)), ("tor", "rar"), np.ones(2))
    own = linear((address, [0.0, 1.0, 2.0, 3.0]), (parts, [1.0, 2.0]))
    panels, _ = word_panels(own, corpus_of(rows), np.arange(4))
    assert {panel.title: sorted(word.name for word in panel.lift) for panel in panels} == {
        "Words": ["headline: rar", "headline: tor"],
        "Other features": ["url: rare", "url: storm"],
    }


def test_without_articles_the_weights_decide(corpus: Corpus) -> None:
    panels, looked_at = word_panels(linear((words(), [-1.0, 9.0, 2.0, 0.0])), corpus, np.arange(0))
    assert looked_at == 0
    assert [(word.name, word.effect) for word in panels[0].lift] == [
        ("headline: never", 9.0),
        ("headline: rare", 2.0),
    ]
    assert [word.effect for word in panels[0].sink] == [-1.0]


def test_without_groups_everything_is_one_group(corpus_of: Make) -> None:
    corpus = corpus_of(
        [{"headline": "storm", "popularity_group": "a"}, {"headline": "rare", "popularity_group": "b"}]
    )
    panels, _ = word_panels(linear((words(), [0.0, 0.0, 0.0, 1.0])), corpus, np.arange(2))
    assert panels[0].lift[0].effect == pytest.approx(0.5)


def test_nothing_learned_is_no_panel(corpus: Corpus) -> None:
    assert word_panels(linear((words(), [0.0] * 4)), corpus, np.arange(8))[0] == ()


def test_many_articles_are_not_all_looked_at(corpus_of: Make) -> None:
    rows = [{"headline": "storm", "popularity_group": f"g{i // 10}"} for i in range(3000)]
    _, looked_at = word_panels(linear((words(), [0.0, 0.0, 0.0, 1.0])), corpus_of(rows), np.arange(3000))
    assert looked_at == 1500
    one = [{**row, "popularity_group": "g"} for row in rows]
    corpus = corpus_of([*one, *one])
    assert word_panels(linear((words(), [0.0] * 4)), corpus, np.arange(6000))[1] == 1500


def test_what_the_whole_group_has_does_not_set_an_article_apart(corpus: Corpus) -> None:
    own = linear((words(), [-1.0, 0.0, 2.0, 1.0]), (CategoryBlock("source", 1.0, ("a", "b")), [5.0, -5.0]))
    found = dict(words_apart(head(own), corpus, 0, np.arange(4)))
    assert found == {"storm": pytest.approx(1.0 - 0.5), "source: a": 0.0}
