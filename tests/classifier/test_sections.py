"""Probabilities, the decision, the order of scores."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_array

from classifier.articles import Article
from classifier.errors import ArtifactDamaged
from classifier.linear import Linear
from classifier.model import Model
from classifier.sections import SectionHead, Threshold, to_probabilities
from classifier.spec import Arrays, Spec
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import TextBlock
from classifier.text.rows import Rows

ROW = Rows.from_articles([Article(headline="known")])
SCORES = any_array(np.float64, (3, 5), elements=st.floats(-1e6, 1e6))


def head(intercept: list[float], **changes: Any) -> SectionHead:
    """A head that gives every article these scores."""
    words = TextBlock("headline", Analyzer(), False, 1.0, ("known",), np.ones(1))
    linear = Linear([words], np.zeros((1, len(intercept))), np.array(intercept, np.float64))
    values: dict[str, Any] = {
        "labels": tuple(f"label {i:02d}" for i in range(len(intercept))),
        "several": False,
        "temperature": 1.0,
        "thresholds": (Threshold(0.95, 0.8), Threshold(0.98, 0.9), Threshold(0.99, None)),
        "target": 0.95,
    }
    return SectionHead(linear, **{**values, **changes})


@given(SCORES, st.floats(0.01, 100))
def test_probabilities_of_one_label_sum_to_1(scores: Any, temperature: float) -> None:
    found = to_probabilities(scores, temperature, several=False)
    assert found.shape == scores.shape
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
    best = found[np.arange(len(scores)), scores.argmax(axis=1)]
    assert (best == found.max(axis=1)).all()


@given(SCORES, st.floats(0.01, 100))
def test_probabilities_of_several_labels_are_each_its_own(scores: Any, temperature: float) -> None:
    found = to_probabilities(scores, temperature, several=True)
    assert ((found >= 0) & (found <= 1)).all()
    alone = to_probabilities(scores[:, :1], temperature, several=True)
    np.testing.assert_array_equal(found[:, :1], alone)
    moderate = np.clip(scores / temperature, -30, 30)
    np.testing.assert_allclose(
        to_probabilities(moderate, 1.0, several=True), 1 / (1 + np.exp(-moderate)), rtol=1e-9, atol=1e-15
    )


def test_softmax_and_logistic_by_hand() -> None:
    scores = np.log([[1.0, 2.0, 5.0]])
    assert to_probabilities(scores, 1.0, several=False)[0] == pytest.approx([0.125, 0.25, 0.625])
    assert to_probabilities(2 * scores, 2.0, several=False)[0] == pytest.approx([0.125, 0.25, 0.625])
    assert to_probabilities(scores, 1.0, several=True)[0] == pytest.approx([1 / 2, 2 / 3, 5 / 6])


@pytest.mark.parametrize(
    ("target", "probability", "decision"),
    [
        (0.95, 0.8, "file"),
        (0.95, np.nextafter(0.8, 0), "review"),
        (0.98, 0.8, "review"),
        (0.98, 0.9, "file"),
        (0.99, 1.0, "review"),
        (0.5, 1.0, "review"),
    ],
)
def test_decision_at_the_threshold(target: float, probability: float, decision: str) -> None:
    assert head([0.0, 1.0], target=target).decide(probability) == decision


def test_the_decision_is_about_the_best_section() -> None:
    (sure,) = head([0.0, 3.0]).results(ROW)
    assert (sure.section, sure.decision) == ("label 01", "file")
    assert sure.probability == sure.scores[0].probability > 0.95
    (unsure,) = head([0.0, 0.5]).results(ROW)
    assert (unsure.section, unsure.decision) == ("label 01", "review")


def test_an_article_of_unknown_words_is_for_review() -> None:
    unknown, known = head([0.0, 9.0]).results(
        Rows.from_articles([Article(headline="zzz", source="s"), Article(headline="known zzz")])
    )
    assert (unknown.decision, known.decision) == ("review", "file")
    assert unknown.probability == known.probability


def test_ties_keep_the_order_of_the_labels() -> None:
    (found,) = head([1.0, 2.0, 1.0, 2.0]).results(ROW)
    assert [score.name for score in found.scores] == ["label 01", "label 03", "label 00", "label 02"]
    assert [score.assigned for score in found.scores] == [True, False, False, False]
    (many,) = head([0.0, 1.0] * 50).results(ROW)
    assert [score.name for score in many.scores] == [f"label {i:02d}" for i in range(1, 21, 2)]


def test_at_most_ten_scores_best_first() -> None:
    (found,) = head([float(i) for i in range(14)]).results(ROW)
    assert [score.name for score in found.scores] == [f"label {i:02d}" for i in range(13, 3, -1)]
    assert sum(score.probability for score in found.scores) < 1


def test_several_labels_are_assigned_from_one_half_on() -> None:
    (found,) = head([0.0, -0.1, 2.0], several=True).results(ROW)
    assert [(score.name, score.assigned) for score in found.scores] == [
        ("label 02", True),
        ("label 00", True),
        ("label 01", False),
    ]
    assert found.probability == pytest.approx(1 / (1 + np.exp(-2)))
    (none,) = head([-1.0, -2.0], several=True).results(ROW)
    assert none.section == "label 00"
    assert not any(score.assigned for score in none.scores)


def test_explanation_is_of_the_best_section(tiny: Model, articles: list[Article]) -> None:
    assert tiny.sections is not None
    for article in articles:
        rows = Rows.from_articles([article])
        (result,) = tiny.sections.results(rows)
        best = tiny.sections.labels.index(result.section)
        parts = tiny.sections.explain(rows)
        total = sum(part.contribution for part in parts) + tiny.sections.linear.intercept[best]
        assert total == pytest.approx(tiny.sections.linear.scores(rows)[0, best], abs=1e-9)
        sizes = [abs(part.contribution) for part in parts]
        assert sizes == sorted(sizes, reverse=True)
        assert {part.head for part in parts} <= {"section"}


def test_it_comes_back_from_its_spec_and_arrays() -> None:
    one = head([0.0, 1.0, 2.0], several=True, temperature=0.5, target=0.98)
    back = SectionHead.load(Spec(one.spec(), "here"), Arrays(one.arrays()))
    assert replace(back, linear=one.linear) == one
    assert back.results(ROW) == one.results(ROW)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": []},
        {"labels": ["a", "a"]},
        {"labels": ["a", 1]},
        {"labels": "ab"},
        {"temperature": 0},
        {"temperature": -1.0},
        {"temperature": "1"},
        {"temperature": float("inf")},
        {"several": 0},
        {"target": None},
        {"thresholds": [0.95]},
        {"thresholds": [{"target": 0.95, "probability": "0.8"}]},
        {"thresholds": [{"probability": 0.8}]},
        {"thresholds": None},
    ],
)
def test_a_spec_that_was_never_written(change: dict[str, Any]) -> None:
    one = head([0.0, 1.0])
    with pytest.raises(ArtifactDamaged) as caught:
        SectionHead.load(Spec({**one.spec(), **change}, "here"), Arrays(one.arrays()))
    assert str(caught.value.where).startswith("here")
