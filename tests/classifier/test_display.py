"""Predictions and explanations in words: nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classifier.articles import Article
from classifier.display import contribution_lines, explanation_text, prediction_lines, word_contributions
from classifier.model import Model
from classifier.results import Contribution, Prediction, SectionScore

ARTICLE = Article(headline="Vote on a Budget", body="The vote, again: Vote!")


@pytest.mark.parametrize("head", ["section", "popularity"])
def test_word_contributions_sum_to_the_contributions(tiny: Model, articles: list[Article], head: str) -> None:
    for article in articles:
        parts = tiny.explain(article)
        words = word_contributions(article, parts, head)
        expected = sum(part.contribution for part in parts if part.head == head)
        assert sum(amount for _, amount in words) == pytest.approx(expected, abs=1e-9)
        sizes = [abs(amount) for _, amount in words]
        assert sizes == sorted(sizes, reverse=True)


def test_a_contribution_is_shared_by_the_words_it_covers() -> None:
    parts = [
        Contribution("section", "text: vote", 3.0, (("headline", 0, 4), ("body", 4, 8), ("body", 17, 21))),
        Contribution("section", "text: vote budget", 0.9, (("headline", 0, 16),)),
        Contribution("section", "headline: udg", -0.5, (("headline", 11, 14),)),
        Contribution("section", "text: , a", 0.25, (("body", 8, 9),)),
        Contribution("section", "hour: 08", 0.125, ()),
        Contribution("popularity", "text: again", 9.0, (("body", 10, 15),)),
    ]
    assert dict(word_contributions(ARTICLE, parts, "section")) == pytest.approx(
        {"vote": 3.225, "on": 0.225, "a": 0.225, "budget": -0.275, "text: , a": 0.25, "hour: 08": 0.125}
    )
    assert word_contributions(ARTICLE, parts, "popularity") == [("again", 9.0)]
    assert word_contributions(ARTICLE, [], "section") == []


def test_bars_are_relative_to_the_strongest() -> None:
    parts = [
        Contribution("section", "hour: 08", -2.0, ()),
        Contribution("section", "hour: 09", 1.0, ()),
        Contribution("section", "hour: 10", 0.0, ()),
        Contribution("section", "hour: 11", 0.0, ()),
    ]
    assert list(contribution_lines(ARTICLE, parts, "section", 3)) == [
        "    -2.000 ---------- hour: 08",
        "    +1.000 +++++      hour: 09",
        "    +0.000 +          hour: 10",
    ]
    nothing = [replace(part, contribution=0.0) for part in parts]
    assert len(list(contribution_lines(ARTICLE, nothing, "section", 10))) == 4


SCORES = tuple(SectionScore(f"Section {i}", 0.5 / (i + 1), i == 0) for i in range(6))
PREDICTION = Prediction("a", "Section 0", 0.5, "review", SCORES, 1.25, 87.6, 0.311, "model", "version")


def test_a_prediction_in_words() -> None:
    section, then, popularity = prediction_lines(PREDICTION)
    assert section.split() == [
        "section",
        "Section",
        "0,",
        "probability",
        "0.500",
        "(for",
        "an",
        "editor",
        "to",
        "review)",
    ]
    assert then.split() == [
        "then",
        "Section",
        "1",
        "0.250,",
        "Section",
        "2",
        "0.167,",
        "Section",
        "3",
        "0.125",
    ]
    assert "31% chance" in popularity
    assert "88 % of the training articles" in popularity
    (filed, *_) = prediction_lines(replace(PREDICTION, decision="file"))
    assert "sure enough to file unseen" in filed


def test_what_a_model_lacks_is_left_out() -> None:
    no_section = replace(
        PREDICTION, section=None, section_probability=None, decision=None, section_scores=None
    )
    assert [line.split()[0] for line in prediction_lines(no_section)] == ["popularity"]
    no_popularity = replace(
        PREDICTION, popularity_score=None, popularity_percentile=None, top5_probability=None
    )
    assert [line.split()[0] for line in prediction_lines(no_popularity)] == ["section", "then"]
    one_label = replace(no_popularity, section_scores=SCORES[:1])
    assert [line.split()[0] for line in prediction_lines(one_label)] == ["section"]


def test_an_explanation_in_words(tiny: Model) -> None:
    article = Article(headline="Minister and vote", body="The assembly met.")
    text = explanation_text(article, tiny.predict(article), tiny.explain(article), 3)
    lines = text.splitlines()
    assert lines[0] == "Minister and vote"
    why = lines.index("why Politics")
    lifts = lines.index("what lifts (+) and sinks (-) it")
    assert lifts - why == 4  # three features
    assert len(lines) - lifts == 4
    assert text.endswith("\n")
