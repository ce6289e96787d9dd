"""Bootstrap intervals: coverage, determinism, and what is left out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from classifier.errors import UsageError
from training.metrics import Difference, bootstrap_mean, bootstrap_statistic, macro_f1, paired_difference


def test_the_interval_is_that_of_the_normal_approximation() -> None:
    values = np.random.default_rng(5).normal(0.4, 0.1, size=400)
    low, high = bootstrap_mean(values, samples=4000)
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)
    inner = bootstrap_mean(values, samples=4000, level=0.5)
    assert low < inner[0] < inner[1] < high


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    hits = 0
    for seed in range(300):
        low, high = bootstrap_mean(random.exponential(size=60), samples=300, seed=seed, level=0.8)
        hits += low <= 1 <= high
    assert 0.7 < hits / 300 < 0.88


@given(arrays(np.float64, st.integers(1, 50), elements=st.floats(0, 1)), st.integers(0, 99))
def test_the_same_seed_gives_the_same_interval_for_any_order(values: np.ndarray, seed: int) -> None:
    low, high = bootstrap_mean(values, samples=50, seed=seed)
    assert (low, high) == bootstrap_mean(values[::-1], samples=50, seed=seed)
    assert values.min() - 1e-12 <= low <= high <= values.max() + 1e-12


def test_seeds_differ_and_chunks_do_not_repeat() -> None:
    values = np.random.default_rng(0).random(400_000)
    first = bootstrap_mean(values, samples=12)
    assert first != bootstrap_mean(values, samples=12, seed=1)
    # Two draws fit in a chunk here: repeated ones would leave two distinct means.
    quantiles = {bootstrap_mean(values, samples=12, level=level)[0] for level in (0.1, 0.4, 0.6, 0.8, 0.99)}
    assert len(quantiles) == 5


def test_nan_units_are_left_out() -> None:
    values = [0.1, math.nan, 0.5, 0.3]
    assert bootstrap_mean(values) == bootstrap_mean([0.1, 0.5, 0.3])
    assert paired_difference(values, [0, 0, 0, math.nan]).mean == pytest.approx(0.3)


def test_a_single_unit_and_none() -> None:
    assert bootstrap_mean([0.25]) == (0.25, 0.25)
    assert all(math.isnan(end) for end in bootstrap_mean([]))
    assert all(math.isnan(end) for end in bootstrap_mean([math.nan]))
    nothing = paired_difference([], [])
    assert all(math.isnan(part) for part in (nothing.mean, nothing.low, nothing.high))
    assert all(math.isnan(end) for end in bootstrap_statistic(lambda rows: 1.0, 0))


def test_pairing_removes_what_the_groups_share() -> None:
    random = np.random.default_rng(2)
    shared = random.random(200)
    better = shared + 0.02 + random.normal(0, 0.01, size=200)
    difference = paired_difference(better, shared)
    assert 0 < difference.low < difference.mean < difference.high < 0.03
    assert difference.mean == pytest.approx((better - shared).mean())
    opposite = paired_difference(shared, better)
    assert opposite.mean == -difference.mean
    low, high = bootstrap_mean(better)
    assert high - low > 10 * (difference.high - difference.low)
    assert paired_difference(shared, shared) == Difference(0, 0, 0)


def test_a_statistic_of_drawn_rows() -> None:
    random = np.random.default_rng(3)
    truth = random.integers(4, size=500)
    predicted = np.where(random.random(500) < 0.8, truth, 0)
    low, high = bootstrap_statistic(lambda rows: macro_f1(truth[rows], predicted[rows]), 500, samples=400)
    assert low < macro_f1(truth, predicted) < high
    assert (low, high) == bootstrap_statistic(
        lambda rows: macro_f1(truth[rows], predicted[rows]), 500, samples=400
    )
    right = truth == predicted
    mean = bootstrap_statistic(lambda rows: float(right[rows].mean()), 500)
    assert mean == pytest.approx(bootstrap_mean(right), abs=0.01)


def test_samples_without_a_value_are_left_out() -> None:
    low, high = bootstrap_statistic(lambda rows: 1.0 if 0 in rows else math.nan, 3, samples=100)
    assert (low, high) == (1, 1)
    assert math.isnan(bootstrap_statistic(lambda rows: math.nan, 3, samples=100)[0])


@pytest.mark.parametrize(
    "call",
    [
        lambda: bootstrap_mean([1, 2], samples=0),
        lambda: bootstrap_mean([1, 2], level=1.0),
        lambda: bootstrap_mean([1, 2], level=math.nan),
        lambda: bootstrap_mean([[1, 2]]),
        lambda: paired_difference([1, 2], [1]),
        lambda: bootstrap_statistic(lambda rows: 0.0, -1),
        lambda: bootstrap_statistic(lambda rows: 0.0, 5, level=0),
    ],
)
def test_bad_arguments_are_refused_with_a_remedy(call) -> None:
    with pytest.raises(UsageError) as caught:
        call()
    assert caught.value.remedy
