from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, f1_score

from training.metrics import bootstrap_statistic, coverage_precision, ece, wilson
from training.report.compute import (
    UNKNOWN,
    confusion,
    confusion_several,
    f1_intervals,
    length_slices,
    month_slices,
    precision_coverage,
    reliability,
    slice_accuracy,
    top_words,
    worst_mistakes,
)

LABELS = ("a", "b", "c", "d")
outcomes = st.lists(
    st.tuples(st.sampled_from([0.1, 0.5, 0.5001, 0.7, 0.9, 1.0]), st.booleans()), min_size=1, max_size=60
)


def drawn(n: int = 300, k: int = 4, seed: int = 1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    truth = random.integers(k, size=n)
    return truth, np.where(random.random(n) < 0.7, truth, random.integers(k, size=n))


def test_confusion_counts_as_scikit_learn_does() -> None:
    truth, predicted = drawn()
    found = confusion(truth, predicted, LABELS)
    assert found.labels == LABELS
    np.testing.assert_array_equal(found.counts, confusion_matrix(truth, predicted))
    np.testing.assert_array_equal(found.totals, np.bincount(truth))


def test_confusion_shows_the_most_confused_labels_in_their_order() -> None:
    truth, predicted = [0] * 9 + [1] * 5 + [2] * 9 + [3] * 9, [0] * 9 + [3] * 5 + [2] * 9 + [3] * 8 + [0]
    found = confusion(truth, predicted, LABELS, most=2)
    assert found.labels == ("b", "d")  # 5 and 6 mistakes
    assert found.counts.tolist() == [[0, 5], [0, 8]]
    assert found.totals.tolist() == [5, 9]  # the one that "d" gave to "a" is in no cell, but counts
    assert found.of == 4


def test_confusion_of_twenty_thousand_labels_needs_no_square_table() -> None:
    labels = [f"topic {i}" for i in range(20_000)]
    found = confusion([5, 5, 19_999], [5, 19_999, 19_999], labels)
    assert found.labels == ("topic 5", "topic 19999")
    assert found.counts.tolist() == [[1, 1], [0, 1]]


def test_confusion_of_several_labels_pairs_what_was_missed_with_what_was_wrong() -> None:
    truth = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0]])
    assigned = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0]])
    found = confusion_several(truth, assigned, ("a", "b", "c"))
    # "b" was missed twice, once where "c" was wrongly given; "a" was right twice.
    assert found.counts.tolist() == [[2, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert found.totals.tolist() == [2, 2, 0]


@given(outcomes)
def test_reliability_has_the_gaps_that_the_ece_weighs(rows: list[tuple[float, bool]]) -> None:
    p, c = map(list, zip(*rows, strict=True))
    bins = reliability(p, c)
    assert bins.count.sum() == len(p)
    assert bins.count.max() - bins.count.min() <= 1
    gap = (np.abs(bins.confidence - bins.accuracy) * bins.count).sum() / len(p)
    assert gap == pytest.approx(ece(p, c), abs=1e-12)


@given(outcomes, st.randoms())
def test_curves_do_not_depend_on_the_order_of_the_articles(
    rows: list[tuple[float, bool]], random: object
) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for a, b in ((rows, shuffled),):
        first, second = (reliability(*zip(*part, strict=True)) for part in (a, b))
        np.testing.assert_array_equal(first.accuracy, second.accuracy)
        one, other = (precision_coverage(*zip(*part, strict=True), [(0.9, 0.5)]) for part in (a, b))
        np.testing.assert_array_equal(one.precision, other.precision)
        assert one.points == other.points


@given(outcomes)
def test_each_point_of_the_curve_is_what_its_threshold_would_give(rows: list[tuple[float, bool]]) -> None:
    p, c = map(list, zip(*rows, strict=True))
    curve = precision_coverage(p, c)
    for threshold, coverage, precision in zip(
        sorted(set(p), reverse=True), curve.coverage, curve.precision, strict=True
    ):
        assert (precision, coverage) == pytest.approx(coverage_precision(p, c, threshold))


def test_the_curve_is_thinned_and_keeps_its_ends() -> None:
    random = np.random.default_rng(0)
    p = random.random(5000)
    c = random.random(5000) < p
    full, thin = precision_coverage(p, c, most=10**6), precision_coverage(p, c)
    assert len(full.coverage) == 5000
    assert len(thin.coverage) == 500
    assert (thin.coverage[0], thin.coverage[-1]) == (1 / 5000, 1.0)
    assert thin.precision[-1] == pytest.approx(c.mean())
    assert set(thin.precision) <= set(full.precision)


def test_stored_thresholds_become_points() -> None:
    points = precision_coverage(
        [0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1], [(0.99, None), (0.9, 0.7), (0.95, 0.95)]
    ).points
    assert [(p.target, p.threshold, p.coverage, p.precision) for p in points] == [
        (0.9, 0.7, 0.75, pytest.approx(2 / 3)),
        (0.95, 0.95, 0.0, None),
        (0.99, None, 0.0, None),
    ]


def test_nothing_evaluated_gives_empty_curves() -> None:
    assert len(reliability([], []).count) == 0
    assert precision_coverage([], []).n == 0


def test_f1_agrees_with_scikit_learn_for_one_label_and_for_several() -> None:
    truth, predicted = drawn()
    expected = f1_score(truth, predicted, average=None)
    several = np.eye(4, dtype=bool)
    for found in (
        f1_intervals(truth, predicted, LABELS),
        f1_intervals(several[truth], several[predicted], LABELS),
    ):
        assert [score.f1 for score in found] == pytest.approx(expected)
        assert [score.support for score in found] == np.bincount(truth).tolist()
        assert all(score.low < score.f1 < score.high for score in found)


def test_f1_intervals_are_those_of_drawing_articles() -> None:
    truth, predicted = drawn()
    found = f1_intervals(truth, predicted, LABELS, samples=20_000)
    for i, score in enumerate(found):
        t, p = truth == i, predicted == i

        def f1(rows: NDArray[np.int64], t: NDArray[np.bool_] = t, p: NDArray[np.bool_] = p) -> float:
            return float(2 * (t[rows] & p[rows]).sum() / (t[rows].sum() + p[rows].sum()))

        assert (score.low, score.high) == pytest.approx(bootstrap_statistic(f1, len(truth)), abs=0.01)


def test_a_label_that_nothing_has_gets_no_f1() -> None:
    score = f1_intervals([0, 0], [0, 0], ("a", "b"))[1]
    assert math.isnan(score.f1)
    assert math.isnan(score.low)
    assert score.support == 0


def test_intervals_of_many_labels_do_not_depend_on_the_labels_beside_them_being_empty() -> None:
    truth, predicted = drawn()
    again = f1_intervals(truth, predicted, (*LABELS, "never"))
    assert again[:4] == f1_intervals(truth, predicted, LABELS)


@given(st.integers(0, 200), st.integers(0, 200))
def test_wilson_is_scipys(hits: int, others: int) -> None:
    n = hits + others
    low, high = wilson([hits], [n])
    if n == 0:
        assert (low[0], high[0]) == (0.0, 1.0)
    else:
        expected = binomtest(hits, n).proportion_ci(method="wilson")
        assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_slices_are_the_frequent_values_with_their_accuracy() -> None:
    values = ["x"] * 5 + ["y"] * 3 + [None, ""] + ["z"]
    rows = slice_accuracy(values, [1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1], most=3)
    assert [(row.value, row.n, row.accuracy) for row in rows] == [
        ("x", 5, 0.8),
        ("y", 3, 0.0),
        (UNKNOWN, 2, 1.0),
    ]
    assert rows[0].low < 0.8 < rows[0].high


def test_months_stand_in_order() -> None:
    days = [(date(2031, 1, 1) + timedelta(days=20 * i)).isoformat() for i in range(6)]
    rows = month_slices([*days, None], [True] * 7)
    assert [(row.value, row.n) for row in rows] == [
        (UNKNOWN, 1),
        ("2031-01", 2),
        ("2031-02", 1),
        ("2031-03", 2),
        ("2031-04", 1),
    ]


def test_length_bins_stand_in_order_and_hold_their_ends() -> None:
    rows = length_slices([49, 50, 99, 100, 4999, 5000, 10**6], [True] * 7)
    assert [(row.value, row.n) for row in rows] == [
        ("under 50 characters", 1),
        ("50–99 characters", 2),
        ("100–199 characters", 1),
        ("2,000–4,999 characters", 1),
        ("5,000 characters and more", 2),
    ]


def test_top_words_are_the_heaviest_positive_ones() -> None:
    weights = np.array([[3.0, -1.0], [1.0, 2.0], [3.0, -5.0], [-2.0, 0.0]])
    found = top_words(["w", "x", "a", "z"], weights, ("A", "B"), most=2)
    assert found == {"A": (("a", 3.0), ("w", 3.0)), "B": (("x", 2.0),)}


@given(st.permutations(range(30)))
def test_top_words_do_not_depend_on_the_order_of_the_features(order: list[int]) -> None:
    names = [f"f{i:02d}" for i in range(30)]
    weights = np.repeat([3.0, 2.0, 1.0], 10)[:, None]
    shuffled = top_words([names[i] for i in order], weights[order], ("A",), most=15)
    assert shuffled == top_words(names, weights, ("A",), most=15)


def test_worst_mistakes_are_the_surest_with_the_words_of_largest_effect() -> None:
    asked = []

    def words(i: int) -> list[tuple[str, float]]:
        asked.append(i)
        return [("small", 0.1), ("against", -0.9), ("for", 0.5)]

    found = worst_mistakes(
        ["a", "b", "a", "b"],
        ["a", "a", "b", "a"],
        [0.99, 0.6, 0.9, 0.5],
        list("wxyz"),
        words,
        most=2,
        most_words=2,
    )
    assert [(m.headline, m.truth, m.predicted, m.probability) for m in found] == [
        ("y", "a", "b", 0.9),
        ("x", "b", "a", 0.6),
    ]
    assert found[0].words == (("against", -0.9), ("for", 0.5))
    assert asked == [2, 1]
