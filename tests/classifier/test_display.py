"""Predictions and explanations in words: nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classifier.articles import Article
from classifier.decisions import SetLevel
from classifier.display import (
    Likely,
    Number,
    contribution_lines,
    explanation_text,
    likely_sections,
    prediction_lines,
    word_contributions,
)
from classifier.linear import INTERCEPT
from classifier.model import Model
from classifier.results import Contribution, Prediction, SectionScore

ARTICLE = Article(headline="Vote on a Budget", body="The vote, again: Vote!")


@pytest.mark.parametrize(
    ("head", "number"),
    [("section", "contribution"), ("section", "against"), ("popularity", "contribution")],
)
def test_word_contributions_sum_to_the_contributions(
    tiny: Model, articles: list[Article], head: str, number: Number
) -> None:
    for article in articles:
        parts = tiny.explain(article)
        words = word_contributions(article, parts, head, number)
        expected = sum(getattr(part, number) for part in parts if part.head == head)
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


def test_either_number_is_gathered() -> None:
    parts = [
        Contribution("section", "text: vote", 3.0, (("headline", 0, 4),), -0.5),
        Contribution("section", "text: vote budget", 1.0, (("headline", 0, 16),), 8.0),
        Contribution("section", INTERCEPT, -2.0, (), 0.25),
        Contribution("popularity", "text: vote", 9.0, (("headline", 0, 4),)),
    ]
    assert word_contributions(ARTICLE, parts, "section", "against") == [
        ("a", 2.0),
        ("budget", 2.0),
        ("on", 2.0),
        ("vote", 1.5),
        (INTERCEPT, 0.25),
    ]
    assert word_contributions(ARTICLE, parts, "section")[:2] == [("vote", 3.25), (INTERCEPT, -2.0)]
    assert word_contributions(ARTICLE, parts, "popularity", "against") == []


def test_the_intercept_is_no_line_and_takes_the_place_of_none() -> None:
    parts = [
        Contribution("section", INTERCEPT, -9.0, (), 7.0),
        Contribution("section", "hour: 08", 2.0, (), -1.0),
        Contribution("section", "hour: 09", 1.0, (), 4.0),
    ]
    assert list(contribution_lines(ARTICLE, parts, "section", 1)) == ["    +2.000 ++++++++++ hour: 08"]
    assert list(contribution_lines(ARTICLE, parts, "section", 2, "against")) == [
        "    +4.000 ++++++++++ hour: 09",
        "    -1.000 --         hour: 08",
    ]


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
    rather = lines.index("rather than Economy")
    lifts = lines.index("what lifts (+) and sinks (-) it")
    assert rather - why == lifts - rather == len(lines) - lifts == 4  # three features
    assert INTERCEPT not in text
    assert text.endswith("\n")


PARTS = [
    Contribution("section", "text: vote", 3.0, (("headline", 0, 4),), -0.5),
    Contribution("section", "text: budget", 1.0, (("headline", 10, 16),), 8.0),
]


def test_why_and_why_not_the_runner_up() -> None:
    (*_, why, vote, budget, rather, first, second) = explanation_text(
        ARTICLE, PREDICTION, PARTS, 5
    ).splitlines()
    assert (why, rather) == ("why Section 0", "rather than Section 1")
    assert vote.split()[::2] == ["+3.000", "vote"]
    assert budget.split()[::2] == ["+1.000", "budget"]
    assert first.split()[::2] == ["+8.000", "budget"]
    assert second.split()[::2] == ["-0.500", "vote"]


def test_a_runner_up_that_is_assigned_too_is_not_ruled_out() -> None:
    scores = (SCORES[0], replace(SCORES[1], assigned=True))
    lines = explanation_text(ARTICLE, replace(PREDICTION, section_scores=scores), PARTS, 5).splitlines()
    assert "more than Section 1" in lines


def test_without_a_runner_up_nothing_is_compared() -> None:
    alone = replace(PREDICTION, section_scores=SCORES[:1])
    parts = [replace(part, against=None) for part in PARTS]
    text = explanation_text(ARTICLE, alone, parts, 5)
    assert "why Section 0" in text
    assert "than" not in text


def test_a_prediction_set_in_words() -> None:
    _, _, line, _ = prediction_lines(PREDICTION, Likely(("Politics", "World"), 0.95))
    assert line == "likely one of  Politics, World (95 %)"
    _, _, line, _ = prediction_lines(PREDICTION, Likely(tuple("abcdefghijklm"), 0.995))
    assert line == "likely one of  a, b, c, d, e, f, g, h, i, j and 3 more (99.5 %)"
    assert list(prediction_lines(PREDICTION, Likely(("Politics",), 0.95))) == list(
        prediction_lines(PREDICTION)
    )
    assert "likely one of  Politics, World (90 %)" in explanation_text(
        ARTICLE, PREDICTION, PARTS, 5, Likely(("Politics", "World"), 0.9)
    )


@pytest.mark.parametrize(
    ("levels", "coverage"),
    [
        ([(0.9, 0.4), (0.95, 0.3), (0.99, 0.2)], 0.95),
        ([(0.9, 0.4), (0.95, 0.0), (0.99, 0.0)], 0.9),
        ([(0.8, 0.5), (0.99, 0.3)], 0.99),
        ([(0.9, 0.0), (0.95, 0.0)], None),
        ([], None),
    ],
)
def test_the_set_that_says_something_nearest_to_95_percent(
    tiny: Model, levels: list[tuple[float, float]], coverage: float | None
) -> None:
    assert tiny.sections is not None
    decisions = replace(tiny.sections.decisions, sets=tuple(SetLevel(*level) for level in levels))
    model = replace(tiny, sections=replace(tiny.sections, decisions=decisions))
    article = Article(headline="Minister and bank")
    found = likely_sections(model, article)
    if coverage is None:
        assert found is None
    else:
        assert found == Likely(model.prediction_sets(article, coverage), coverage)


def test_a_model_without_sections_has_no_likely_ones(tiny: Model) -> None:
    assert likely_sections(replace(tiny, sections=None), ARTICLE) is None
