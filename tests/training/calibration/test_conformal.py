"""Conformal sets: coverage on exchangeable articles, never empty, honest where there are too few articles."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from classifier.decisions import prediction_sets
from classifier.errors import UsageError
from training.calibration.conformal import coverage_and_size, fit_conformal, least_articles


def articles(
    random: np.random.Generator, n: int, k: int, sharpness: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a model that is over-confident, and the truth of each article."""
    logits = random.normal(0, sharpness, (n, k))
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    truth = (p.cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    confident = p**2
    return confident / confident.sum(axis=1, keepdims=True), truth


@pytest.mark.parametrize("n", [19, 100, 101, 500])
def test_coverage_holds_on_exchangeable_articles(n: int) -> None:
    random = np.random.default_rng(n)
    levels = (0.5, 0.9, 0.95)
    covered = np.zeros((400, len(levels)))
    for repetition in range(len(covered)):
        p, truth = articles(random, n + 200, 6)
        for i, found in enumerate(fit_conformal(p[:n], truth[:n], levels)):
            sets = prediction_sets(p[n:], found.threshold)
            covered[repetition, i] = coverage_and_size(sets, truth[n:])[0]
    error = covered.std(axis=0) / math.sqrt(len(covered))
    assert (covered.mean(axis=0) >= np.array(levels) - 3 * error).all()
    # Not more than the guarantee costs: one article in n + 1, and the best label, which is always in.
    assert covered.mean(axis=0)[1] <= 0.9 + 1 / (n + 1) + 3 * error[1] + 0.01


def test_the_threshold_is_the_finite_sample_quantile() -> None:
    own = np.arange(1, 20) / 20  # 19 true sections' probabilities
    p, truth = np.column_stack([own, 1 - own]), np.zeros(19, np.int64)
    found = fit_conformal(p, truth, (0.5, 0.9, 0.95, 0.96))
    # ceil(20 · 0.5) = 10th highest, 18th, 19th; the 20th of 19 is not there.
    assert [level.threshold for level in found] == [own[9], own[1], own[0], 0.0]
    assert [level.everything for level in found] == [False, False, False, True]


@pytest.mark.parametrize(("level", "least"), [(0.5, 1), (0.8, 4), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_too_few_articles_give_everything(level: float, least: int) -> None:
    assert least_articles(level) == least
    for n, everything in ((least - 1, True), (least, False)):
        p, truth = np.full((n, 2), 0.5), np.zeros(n, np.int64)
        (found,) = fit_conformal(p, truth, (level,))
        assert found.everything is everything
        assert prediction_sets(np.array([[1.0, 0.0]]), found.threshold).sum() == 1 + everything


@pytest.mark.parametrize("n", [0, 1])
def test_hardly_any_article(n: int) -> None:
    found = fit_conformal(np.full((n, 3), 1 / 3), np.zeros(n, np.int64))
    assert [level.level for level in found] == [0.90, 0.95, 0.99]
    assert all(level.everything for level in found)


def test_a_truth_that_the_model_does_not_know_is_not_covered() -> None:
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    truth = np.array([0, -1, 1, -1])
    assert coverage_and_size(np.ones((4, 2), np.bool_), truth) == (0.5, 2.0)
    # Two of four can be covered: a half of five articles can not.
    assert [level.threshold for level in fit_conformal(p, truth, (0.3, 0.5))] == [0.8, 0.0]


def test_ties_are_in_together() -> None:
    (found,) = fit_conformal(np.full((50, 4), 0.25), np.arange(50) % 4, (0.9,))
    assert prediction_sets(np.full((1, 4), 0.25), found.threshold).all()


def test_thresholds_fall_as_levels_rise() -> None:
    p, truth = articles(np.random.default_rng(1), 300, 8)
    found = fit_conformal(p, truth, (0.99, 0.5, 0.9))
    assert [level.level for level in found] == [0.5, 0.9, 0.99]
    assert found[0].threshold > found[1].threshold > found[2].threshold > 0


def test_several_thousand_sections_are_fast() -> None:
    p, truth = articles(np.random.default_rng(2), 1000, 4000, sharpness=4)
    start = time.process_time()
    found = fit_conformal(p, truth)
    sets = prediction_sets(p, found[0].threshold)
    coverage, size = coverage_and_size(sets, truth)
    assert time.process_time() - start < 2
    assert coverage >= 0.9
    assert 1 <= size < 4000


def test_nothing_to_judge() -> None:
    coverage, size = coverage_and_size(np.ones((0, 2), np.bool_), np.empty(0, np.int64))
    assert math.isnan(coverage)
    assert math.isnan(size)


@pytest.mark.parametrize(
    ("p", "truth", "levels"),
    [
        ([[0.5, 0.5]], [2], (0.9,)),
        ([[0.5, 0.5]], [-2], (0.9,)),
        ([[0.5, 0.5]], [0, 1], (0.9,)),
        ([[0.5, 0.5]], [0], (1.0,)),
        ([[0.5, 0.5]], [0], (math.nan,)),
        ([[0.5, math.nan]], [0], (0.9,)),
        ([[1.5, 0.5]], [0], (0.9,)),
        ([0.5, 0.5], [0, 0], (0.9,)),
    ],
)
def test_what_does_not_fit_is_refused(p: list[list[float]], truth: list[int], levels: tuple[float]) -> None:
    with pytest.raises(UsageError):
        fit_conformal(np.array(p), np.array(truth), levels)
