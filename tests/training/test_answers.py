"""Answers are the head's own: what evaluation counts as filed is filed, what it counts as a set is the set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from classifier.calibration import Calibration
from classifier.decisions import Decisions, SetLevel, Threshold
from classifier.linear import Linear
from classifier.model import Model
from classifier.sections import SectionHead
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock
from training.answers import SectionAnswers, answers_of, pool
from training.corpus import Corpus

Make = Callable[..., Corpus]
TERMS = ("bank", "goal", "mayor", "vote")
ONE = Decisions(0.9, (Threshold(0.9, 0.8), Threshold(0.95, None)), {}, (SetLevel(0.9, 0.2),))
OWN = Decisions(
    0.9,
    (Threshold(0.9, 0.8), Threshold(0.95, 0.95)),
    {"Sports": Threshold(0.99, 0.99)},
    (SetLevel(0.9, 0.01),),
)


def head(
    labels: tuple[str, ...], decisions: Decisions, *, several: bool = False, least: int = 1
) -> SectionHead:
    """Knows four words: one for each of Economy and Sports, two for Politics, where it has these labels."""
    of = {"Economy": [6, 0, 0, 0], "Sports": [0, 5, 0, 0], "Politics": [0, 0, 4, 4]}
    weights = np.array([of[label] for label in labels], np.float64).T
    k = len(labels)
    return SectionHead(
        Linear(
            [TextBlock.of("text", Analyzer("word", (1, 1)), TERMS, np.ones(4), sublinear_tf=True)],
            weights,
            np.zeros(k),
        ),
        labels,
        several,
        Calibration("temperature", several, np.ones(k), np.zeros(k)),
        decisions,
        np.full(k, 1 / k),
        np.full(k, 2.0) if several else None,
        least,
    )


def answered(own: SectionHead, corpus: Corpus, asked: Any = None) -> SectionAnswers:
    mask = np.ones(len(corpus), np.bool_) if asked is None else np.array(asked)
    found = answers_of(Model("m", "v", {}, own, None), corpus, mask).sections
    assert found is not None
    return found


@pytest.fixture(scope="module")
def articles(corpus_of: Make) -> Corpus:
    texts = ["bank", "goal", "mayor vote", "bank goal", "vote", "bank vote mayor goal", "unknown words"]
    return corpus_of([{"headline": text, "section": "Economy"} for text in texts])


LABELS = ("Economy", "Politics", "Sports")


@pytest.mark.parametrize("decisions", [ONE, OWN])
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("least", [1, 2])
def test_what_evaluation_counts_as_filed_is_filed(
    articles: Corpus, decisions: Decisions, several: bool, least: int
) -> None:
    own = head(LABELS, decisions, several=several, least=least)
    found = answered(own, articles)
    results = own.results(articles.rows)
    filed = found.probability.max(axis=1) >= found.thresholds[decisions.target]
    # For an article of unknown words that never is: it gets shares, and with more sections none is large.
    assert filed.tolist() == [result.decision == "file" for result in results]
    assert 0 < filed.sum() < len(articles)
    assigned = [{score.name for score in result.scores if score.assigned} for result in results]
    assert [{LABELS[i] for i in np.flatnonzero(row)} for row in found.assigned] == assigned


@pytest.mark.parametrize("decisions", [ONE, OWN])
@pytest.mark.parametrize("least", [1, 2])
def test_what_evaluation_counts_as_a_set_is_the_set(
    articles: Corpus, decisions: Decisions, least: int
) -> None:
    own = head(LABELS, decisions, least=least)
    found = answered(own, articles)
    inside = found.probability >= found.sets[0.9][:, None]
    inside[np.arange(len(inside)), found.probability.argmax(axis=1)] = True
    sets = own.sets(articles.rows, 0.9)
    assert [{LABELS[i] for i in np.flatnonzero(row)} for row in inside] == list(map(set, sets))
    assert len({len(members) for members in sets}) > 1


def test_only_labelled_articles_that_are_asked_about_are_answered(corpus_of: Make) -> None:
    rows = corpus_of([{"headline": "bank", "section": section} for section in ("a", None, "", "b", "c")])
    corpus = Corpus(rows.table, rows.timezone, np.array([False] * 4 + [True]))  # the last is made from a box
    found = answered(head(LABELS, ONE), corpus)
    assert found.rows.tolist() == [0, 3]
    assert answered(head(LABELS, ONE), corpus, [False, True, True, True, True]).rows.tolist() == [3]
    model = Model("m", "v", {}, head(LABELS, ONE), None)
    assert answers_of(model, corpus, np.array([False, True, True, False, True])).sections is None


def test_pooled_answers_are_those_of_each_about_its_own(articles: Corpus) -> None:
    """A section that one of them does not know has the probability 0 and is not assigned."""
    first, second = head(("Economy", "Sports"), ONE), head(("Politics", "Sports"), OWN)
    mask = np.arange(len(articles)) < 4
    parts = [
        answers_of(Model("m", "v", {}, own, None), articles, asked)
        for own, asked in ((first, mask), (second, ~mask))
    ]
    found = pool(parts).sections
    assert found is not None
    assert found.labels == LABELS
    assert found.rows.tolist() == list(range(len(articles)))
    own = [part.sections for part in parts]
    assert own[0] is not None
    assert own[1] is not None
    np.testing.assert_array_equal(found.probability[:4, [0, 2]], own[0].probability)
    np.testing.assert_array_equal(found.probability[4:, [1, 2]], own[1].probability)
    np.testing.assert_array_equal(found.assigned[4:, [1, 2]], own[1].assigned)
    assert not found.probability[:4, 1].any()
    assert not found.assigned[:4, 1].any()
    assert not found.probability[4:, 0].any()
    assert found.thresholds[0.9].tolist() == [*own[0].thresholds[0.9], *own[1].thresholds[0.9]]
    assert found.sets[0.9].tolist() == [*own[0].sets[0.9], *own[1].sets[0.9]]
