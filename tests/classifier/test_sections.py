"""Probabilities, the decision, labels, prediction sets, the order of scores."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_array

from classifier.articles import Article
from classifier.calibration import Calibration, Steps
from classifier.decisions import Decisions, SetLevel, Threshold
from classifier.errors import ArtifactDamaged, UsageError
from classifier.linear import INTERCEPT, Linear
from classifier.model import Model
from classifier.sections import SectionHead
from classifier.spec import Arrays, Spec
from classifier.text.analyzer import Analyzer
from classifier.text.blocks import CategoryBlock, TextBlock
from classifier.text.rows import Rows

METHODS = [
    ("temperature", False),
    ("temperature", True),
    ("vector", False),
    ("sigmoid", False),
    ("sigmoid", True),
    ("isotonic", False),
    ("isotonic", True),
]
LIMITS = Decisions(0.95, (Threshold(0.95, 0.8), Threshold(0.98, 0.9), Threshold(0.99, None)))


def rows(*headlines: str, source: str | None = None) -> Rows:
    return Rows.from_articles([Article(headline=headline, source=source) for headline in headlines])


ROW = rows("known")


def calibration(k: int, *, several: bool = False, method: Any = "temperature") -> Calibration:
    """Nothing but the softmax or logistic of scores, unless another method is asked for."""
    if method in ("temperature", "vector"):
        return Calibration(method, several, np.ones(k), np.zeros(k))
    slope, intercept = np.linspace(0.5, 2.0, k), np.linspace(-0.2, 0.3, k)
    steps = Steps(np.array([0, *[2] * k]), np.array([-1.0, 1.0]), np.array([0.1, 0.9]))
    return Calibration(method, several, slope, intercept, steps if method == "isotonic" else None)


def head(intercept: list[float], *, several: bool = False, **changes: Any) -> SectionHead:
    """A head that gives every article these scores; it knows three words and a source, which count for nothing."""
    k = len(intercept)
    words = TextBlock.of("headline", Analyzer(), ("known", "seen", "told"), np.ones(3))
    blocks = [words, CategoryBlock("source", 1.0, ("a",))]
    values: dict[str, Any] = {
        "linear": Linear(blocks, np.zeros((4, k)), np.array(intercept, np.float64)),
        "labels": tuple(f"label {i:02d}" for i in range(k)),
        "several": several,
        "calibration": calibration(k, several=several),
        "decisions": LIMITS,
        "prior": np.full(k, 1 / k),
        "assignment": np.zeros(k) if several else None,
    }
    return SectionHead(**{**values, **changes})


def weighted(one: SectionHead, weights: Any) -> SectionHead:
    """The same head, where the words and the source count: weights (4, k)."""
    linear = Linear(one.linear.blocks, np.array(weights, np.float64), one.linear.intercept)
    return SectionHead(
        linear, one.labels, one.several, one.calibration, one.decisions, one.prior, one.assignment
    )


# Probabilities


@pytest.mark.parametrize(("method", "several"), METHODS)
def test_scores_become_probabilities_by_the_calibration(method: str, several: bool) -> None:
    own = calibration(3, several=several, method=method)
    one = weighted(head([0.0, 0.5, -0.25], several=several, calibration=own), np.arange(12).reshape(4, 3))
    articles = rows("known", "seen told", "known told zzz")
    found = one.probabilities(articles)
    assert found.tolist() == own.apply(one.linear.scores(articles)).tolist()
    assert len({tuple(row) for row in found.tolist()}) == 3
    results = one.results(articles)
    assert [one.one(rows(text)) for text in ("known", "seen told", "known told zzz")] == results
    for row, result in zip(found, results, strict=True):
        assert [score.probability for score in result.scores] == sorted(row.tolist(), reverse=True)


def test_softmax_and_logistic_by_hand() -> None:
    scores = np.log([1.0, 2.0, 5.0]).tolist()
    assert head(scores).probabilities(ROW)[0] == pytest.approx([0.125, 0.25, 0.625])
    assert head(scores, several=True).probabilities(ROW)[0] == pytest.approx([1 / 2, 2 / 3, 5 / 6])


def test_an_article_of_unknown_words_gets_the_shares_in_training_and_a_review() -> None:
    one = weighted(
        head([0.0, 9.0], prior=np.array([0.9, 0.1])), [[0, 0], [0, 0], [0, 0], [0, 9]]
    )  # the source is known, but says nothing of the text
    unknown, known = one.results(rows("zzz", "known zzz", source="a"))
    assert [one.one(rows(text, source="a")) for text in ("zzz", "known zzz")] == [unknown, known]
    assert (unknown.section, unknown.probability, unknown.decision) == ("label 00", 0.9, "review")
    assert [(score.name, score.probability) for score in unknown.scores] == [
        ("label 00", 0.9),
        ("label 01", 0.1),
    ]
    assert (known.section, known.decision) == ("label 01", "file")
    assert one.probabilities(rows("zzz")).tolist() == [[0.9, 0.1]]


def test_fewer_words_than_the_least_known_are_never_filed() -> None:
    headlines = rows("known", "known seen", "known seen told", "zzz", "known known known")
    for least, decisions in (
        (1, ["file", "file", "file", "review", "file"]),
        (2, ["review", "file", "file", "review", "review"]),
        (3, ["review", "review", "file", "review", "review"]),
    ):
        found = head([0.0, 9.0], least_known=least).results(headlines)
        assert [result.decision for result in found] == decisions
        # It is a reason not to file, none to think otherwise.
        assert found[0].probability == found[2].probability > 0.99


# Decisions


@pytest.mark.parametrize(
    ("nearest", "decision"), [(0, "file"), (-1, "file"), (1, "review"), (None, "review")]
)
@pytest.mark.parametrize("own", [False, True])
def test_decision_at_the_threshold(nearest: int | None, decision: str, own: bool) -> None:
    p = head([0.0, 1.0]).results(ROW)[0].probability
    limit = None if nearest is None else float(np.nextafter(p, p + nearest))
    other = Threshold(0.95, None if decision == "file" else 0.5)
    at = Threshold(0.95, limit)
    decisions = Decisions(0.95, (other,), {"label 01": at}) if own else Decisions(0.95, (at,))
    assert head([0.0, 1.0], decisions=decisions).results(ROW)[0].decision == decision


def test_the_target_of_another_section_changes_nothing() -> None:
    decisions = Decisions(0.95, (Threshold(0.95, 0.5),), {"label 00": Threshold(0.99, None)})
    assert head([0.0, 1.0], decisions=decisions).results(ROW)[0].decision == "file"
    assert head([1.0, 0.0], decisions=decisions).results(ROW)[0].decision == "review"


def test_the_decision_is_about_the_best_section() -> None:
    (sure,) = head([0.0, 3.0]).results(ROW)
    assert (sure.section, sure.decision) == ("label 01", "file")
    assert sure.probability == sure.scores[0].probability > 0.95
    (unsure,) = head([0.0, 0.5]).results(ROW)
    assert (unsure.section, unsure.decision) == ("label 01", "review")


def test_a_target_that_was_not_fitted_files_nothing() -> None:
    decisions = Decisions(0.5, LIMITS.thresholds)
    assert head([0.0, 99.0], decisions=decisions).results(ROW)[0].decision == "review"


# The list of scores


def test_ties_keep_the_order_of_the_labels() -> None:
    (found,) = head([1.0, 2.0, 1.0, 2.0]).results(ROW)
    assert head([1.0, 2.0, 1.0, 2.0]).one(ROW) == found
    assert [score.name for score in found.scores] == ["label 01", "label 03", "label 00", "label 02"]
    assert [score.assigned for score in found.scores] == [True, False, False, False]
    (many,) = head([0.0, 1.0] * 50).results(ROW)
    assert head([0.0, 1.0] * 50).one(ROW) == many
    assert [score.name for score in many.scores] == [f"label {i:02d}" for i in range(1, 21, 2)]


def test_at_most_ten_scores_best_first() -> None:
    (found,) = head([float(i) for i in range(14)]).results(ROW)
    assert head([float(i) for i in range(14)]).one(ROW) == found
    assert [score.name for score in found.scores] == [f"label {i:02d}" for i in range(13, 3, -1)]
    assert sum(score.probability for score in found.scores) < 1


def test_several_labels_are_assigned_from_their_own_score_on() -> None:
    one = head([0.0, -0.1, 2.0, 1.0], several=True, assignment=np.array([0.0, -0.1, 2.1, 1.1]))
    (found,) = one.results(ROW)
    assert [(score.name, score.assigned) for score in found.scores] == [
        ("label 02", True),  # under its threshold, but the best
        ("label 03", False),
        ("label 00", True),
        ("label 01", True),
    ]
    assert found.probability == pytest.approx(1 / (1 + np.exp(-2)))


@given(any_array(np.float64, (2, 5), elements=st.floats(-9, 9)), st.booleans())
def test_the_best_label_is_always_assigned(numbers: Any, several: bool) -> None:
    scores, assignment = numbers
    one = head(scores.tolist(), several=several, assignment=assignment if several else None)
    judged = one.judge(ROW)
    probabilities, assigned = judged.probabilities, judged.assigned
    best = probabilities.argmax(axis=1)
    expected = scores >= assignment if several else np.zeros(5, np.bool_)
    expected[best] = True
    assert assigned.tolist() == [expected.tolist()]
    (found,) = one.results(ROW)
    assert {score.name for score in found.scores if score.assigned} == {
        label for label, mine in zip(one.labels, expected, strict=True) if mine
    }
    assert found.scores[0].assigned


# Prediction sets


def test_sets_are_the_sections_from_the_threshold_on_best_first() -> None:
    levels = (SetLevel(0.5, 0.7), SetLevel(0.9, 0.2), SetLevel(0.99, 0.0))
    scores = np.log([0.1, 0.25, 0.25, 0.4]).tolist()
    one = head(scores, decisions=Decisions(0.95, (), {}, levels), prior=np.array([0.7, 0.2, 0.1, 0.0]))
    known, unknown = "known", "zzz"
    every = ("label 00", "label 01", "label 02", "label 03")
    assert one.sets(rows(known, unknown), 0.5) == [("label 03",), every]  # nothing known: it may be any
    assert one.sets(rows(known), 0.9) == [("label 03", "label 01", "label 02")]
    assert one.sets(rows(known), 0.99) == [("label 03", "label 01", "label 02", "label 00")]
    assert one.sets(rows(), 0.9) == []
    with pytest.raises(UsageError, match=r"coverage 0\.95"):
        one.sets(ROW, 0.95)


@given(any_array(np.float64, 5, elements=st.floats(-9, 9)), st.floats(0, 1))
def test_a_set_holds_the_best_and_all_above_the_threshold(scores: Any, threshold: float) -> None:
    one = head(scores.tolist(), decisions=Decisions(0.95, (), {}, (SetLevel(0.9, threshold),)))
    p = one.probabilities(ROW)[0]
    (found,) = one.sets(ROW, 0.9)
    at = [one.labels.index(name) for name in found]
    assert at[0] == p.argmax()
    assert set(np.flatnonzero(p >= threshold)) <= set(at) <= {at[0], *np.flatnonzero(p >= threshold)}
    assert p[at].tolist() == sorted(p[at].tolist(), reverse=True)


# Explanations


def test_an_explanation_sums_to_the_score_and_the_lead(tiny: Model, articles: list[Article]) -> None:
    one = tiny.sections
    assert one is not None
    for article in articles:
        mine = Rows.from_articles([article])
        (result,) = one.results(mine)
        best, second = (one.labels.index(score.name) for score in result.scores[:2])
        parts = one.explain(mine)
        scores = one.linear.scores(mine)[0]
        assert sum(part.contribution for part in parts) == pytest.approx(scores[best], abs=1e-9)
        lead = sum(part.against for part in parts if part.against is not None)
        assert lead == pytest.approx(scores[best] - scores[second], abs=1e-9)
        sizes = [abs(part.contribution) for part in parts]
        assert sizes == sorted(sizes, reverse=True)
        assert {part.head for part in parts} == {"section"}


@given(any_array(np.int8, (4, 4)), st.lists(st.integers(-9, 9), min_size=4, max_size=4))
def test_the_runner_up_is_the_second_of_the_scores(weights: Any, intercept: list[float]) -> None:
    one = weighted(head(intercept), weights / 16)
    (result,) = one.results(rows("told", source="a"))
    best, second = (one.labels.index(score.name) for score in result.scores[:2])
    parts = {part.feature: part for part in one.explain(rows("told", source="a"))}
    assert set(parts) == {"headline: told", "source: a", INTERCEPT}
    for row, name in ((2, "headline: told"), (3, "source: a")):
        assert parts[name].contribution == weights[row, best] / 16
        assert parts[name].against == (int(weights[row, best]) - int(weights[row, second])) / 16
    assert parts[INTERCEPT].contribution == intercept[best]
    odds = result.scores[0].probability / result.scores[1].probability
    lead = sum(part.against for part in parts.values() if part.against is not None)
    assert lead == pytest.approx(math.log(odds), abs=1e-9)


def test_without_a_runner_up_there_is_no_lead() -> None:
    parts = head([1.5], several=True).explain(ROW)
    assert {part.against for part in parts} == {None}
    assert sum(part.contribution for part in parts) == 1.5


# Saving and loading


def saved(one: SectionHead) -> tuple[dict[str, Any], dict[str, Any]]:
    """Spec and arrays, as they come back from a version folder."""
    return json.loads(json.dumps(one.spec())), {name: array.copy() for name, array in one.arrays().items()}


def load(spec: dict[str, Any], arrays: dict[str, Any]) -> SectionHead:
    return SectionHead.load(Spec(spec, "here"), Arrays(arrays, "sections."))


def full(method: str = "isotonic", *, several: bool = True) -> SectionHead:
    """A head with all that one can have."""
    return head(
        [0.0, 1.0, -2.0],
        several=several,
        calibration=calibration(3, several=several, method=method),
        decisions=Decisions(
            0.98, LIMITS.thresholds, {"label 01": Threshold(0.5, 0.5)}, (SetLevel(0.9, 0.2),)
        ),
        prior=np.array([0.5, 0.3, 0.2]),
        assignment=np.array([0.5, 0.25, -0.5]) if several else None,
        least_known=2,
    )


@pytest.mark.parametrize(("method", "several"), METHODS)
def test_it_comes_back_from_its_spec_and_arrays(method: str, several: bool) -> None:
    one = full(method, several=several)
    back = load(*saved(one))
    assert back.spec() == one.spec()
    assert {name: array.tobytes() for name, array in back.arrays().items()} == {
        name: array.tobytes() for name, array in one.arrays().items()
    }
    headlines = rows("known seen told", "zzz", "told", source="a")
    assert back.results(headlines) == one.results(headlines)
    assert [result.decision for result in back.results(headlines)][1:] == ["review"] * 2
    assert back.sets(headlines, 0.9) == one.sets(headlines, 0.9)
    assert back.explain(headlines) == one.explain(headlines)
    assert (back.least_known, back.decisions, back.labels) == (2, one.decisions, one.labels)


@pytest.mark.parametrize(
    "change",
    [
        {"labels": []},
        {"labels": ["a", "a", "b"]},
        {"labels": ["a", 1, "b"]},
        {"labels": "abc"},
        {"labels": ["a", "b"]},
        {"several": 0},
        {"several": False},
        {"several": None},
        {"calibration": None},
        {"calibration": {"method": "pickle", "several": True}},
        {"calibration": {"method": "isotonic", "several": False}},
        {"decisions": None},
        {"decisions": {}},
        {"decisions": {**LIMITS.spec(), "target": None}},
        {"decisions": {**LIMITS.spec(), "sets": [{"level": 2, "threshold": 0}]}},
        {"least_known": 0},
        {"least_known": -1},
        {"least_known": 1.5},
        {"least_known": None},
        {"blocks": []},
    ],
)
def test_a_spec_that_was_never_written(change: dict[str, Any]) -> None:
    spec, arrays = saved(full())
    with pytest.raises(ArtifactDamaged) as caught:
        load({**spec, **change}, arrays)
    assert str(caught.value.where).startswith(("here", "sections."))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("prior", value) for value in (np.zeros(3), np.ones(2), np.ones((3, 1)), np.ones(3, np.float32))],
        *[("prior", np.array([0.5, value, 0.2])) for value in (-0.1, 1.1, np.nan, np.inf)],
        *[("assignment", value) for value in (None, np.ones(2), np.ones(3, np.int64))],
        *[("assignment", np.array([0.5, value, 0.2])) for value in (np.nan, -np.inf)],
        *[("calibration.slope", value) for value in (None, np.ones(2), -np.ones(3))],
        *[("calibration.intercept", value) for value in (None, np.ones(4))],
        ("calibration.steps.offsets", None),
    ],
)
def test_arrays_that_were_never_written(name: str, value: Any) -> None:
    spec, arrays = saved(full())
    del arrays[name]
    if value is not None:
        arrays[name] = value
    with pytest.raises(ArtifactDamaged) as caught:
        load(spec, arrays)
    assert caught.value.where == f"sections.{name}.npy"


# Format 1


def format_1(one: SectionHead, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the first format held of such a head."""
    spec = {
        **one.linear.spec(),
        "labels": list(one.labels),
        "several": one.several,
        "temperature": 0.5,
        "thresholds": [{"target": 0.95, "probability": 0.8}, {"target": 0.99, "probability": None}],
        "target": 0.95,
    }
    return {**spec, **changes}, one.linear.arrays()


def test_format_1_had_a_temperature_and_no_shares() -> None:
    one = load(*format_1(head(np.log([1.0, 2.0, 5.0]).tolist())))
    assert one.probabilities(ROW)[0] == pytest.approx([1 / 30, 4 / 30, 25 / 30])
    known, unknown = one.results(rows("known", "zzz"))
    assert (known.decision, unknown.decision) == ("file", "review")
    assert known.probability == unknown.probability == pytest.approx(25 / 30)
    assert one.decisions == Decisions(0.95, (Threshold(0.95, 0.8), Threshold(0.99, None)))
    with pytest.raises(UsageError, match="no prediction sets"):
        one.sets(ROW, 0.95)


def test_format_1_assigned_several_labels_from_one_half_on() -> None:
    (found,) = load(*format_1(head([0.0, -0.1, 2.0], several=True))).results(ROW)
    assert [(score.name, score.assigned) for score in found.scores] == [
        ("label 02", True),
        ("label 00", True),
        ("label 01", False),
    ]
    assert found.probability == pytest.approx(1 / (1 + np.exp(-4)))


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0},
        {"temperature": -1.0},
        {"temperature": "1"},
        {"temperature": None},
        {"temperature": float("inf")},
        {"target": None},
        {"thresholds": [0.95]},
        {"thresholds": [{"target": 0.95, "probability": "0.8"}]},
        {"thresholds": [{"probability": 0.8}]},
        {"thresholds": None},
    ],
)
def test_a_spec_of_format_1_that_was_never_written(change: dict[str, Any]) -> None:
    with pytest.raises(ArtifactDamaged) as caught:
        load(*format_1(head([0.0, 1.0]), **change))
    assert str(caught.value.where).startswith("here")
