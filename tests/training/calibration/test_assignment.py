"""Label thresholds: against every cut by brute force, shrinking, and several labels that are rare."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.errors import UsageError
from training.calibration import assignment
from training.calibration.assignment import SHRINKS, choose_shrink, fit_label_thresholds
from training.metrics import macro_f1, micro_f1


def f1(scores: np.ndarray, truth: np.ndarray, threshold: float) -> float:
    assigned = scores >= threshold
    return 2 * int((assigned & truth).sum()) / int(assigned.sum() + truth.sum())


def best_f1(scores: np.ndarray, truth: np.ndarray) -> float:
    return max(f1(scores, truth, cut) for cut in np.unique(scores))


def scored(seed: int, n: int = 400, k: int = 12, rarest: float = 0.005) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose best threshold differs from label to label."""
    random = np.random.default_rng(seed)
    truth = random.random((n, k)) < np.geomspace(0.4, rarest, k)
    best = random.normal(-0.3, 0.3, k)
    return random.normal(0, 0.35, (n, k)) + np.where(truth, 0.5, -0.5) + best, truth


def lucky(seed: int, n: int = 1500, k: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Rare labels whose best threshold is the same: what looks better for one is luck."""
    random = np.random.default_rng(seed)
    truth = random.random((n, k)) < 0.004
    return random.normal(0, 0.5, truth.shape) + np.where(truth, 0.5, -0.5), truth


@given(st.integers(1, 25), st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_unshrunk_thresholds_are_the_best_of_all_cuts(n: int, k: int, values: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    scores = 10 + random.integers(-values, values + 1, (n, k)) / 4  # many ties
    truth = random.random((n, k)) < 0.4
    thresholds = fit_label_thresholds(scores, truth, shrink=0.0)
    for label in range(k):
        if truth[:, label].any():
            own = scores[:, label], truth[:, label]
            assert f1(*own, thresholds[label]) == best_f1(*own)
    if truth.any():
        common = fit_label_thresholds(scores, truth, shrink=1e300)
        assert np.allclose(common, common[0])
        assert f1(scores, truth, common[0]) == best_f1(scores, truth)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.5))
def test_leaving_out_scores_that_cannot_matter_changes_nothing(seed: int, apart: float) -> None:
    random = np.random.default_rng(seed)
    truth = random.random((60, 4)) < 0.15
    scores = np.round(random.normal(0, 0.5, (60, 4)), 2) + apart * truth
    before = assignment._MANY
    plain = fit_label_thresholds(scores, truth, shrink=3.0)
    try:
        assignment._MANY = 0
        assert fit_label_thresholds(scores, truth, shrink=3.0).tolist() == plain.tolist()
    finally:
        assignment._MANY = before


def test_the_threshold_lies_midway_between_neighbours() -> None:
    scores = np.array([[0.9], [0.5], [0.1], [-0.8]])
    truth = np.array([[True], [True], [False], [False]])
    assert fit_label_thresholds(scores, truth, shrink=0.0).tolist() == [pytest.approx(0.3)]
    # Nothing lies below the only positive: the threshold is its score.
    assert fit_label_thresholds(scores[:1], truth[:1], shrink=0.0).tolist() == [0.9]
    close = np.array([[np.nextafter(1.0, 2.0)], [1.0]])
    assert (close >= fit_label_thresholds(close, truth[1:3], shrink=0.0)).ravel().tolist() == [True, False]


def test_rare_labels_are_shrunk_to_the_common_threshold() -> None:
    scores, truth = scored(0)
    truth[:, -1] = False
    positives = truth.sum(axis=0)
    own, common = (fit_label_thresholds(scores, truth, shrink=shrink) for shrink in (0.0, 1e300))
    shrunk = fit_label_thresholds(scores, truth, shrink=5.0)
    weight = positives / (positives + 5.0)
    assert shrunk == pytest.approx(weight * own + (1 - weight) * common[0])
    assert shrunk[-1] == common[0]
    assert abs(shrunk[0] - own[0]) < 0.1 * abs(own[0] - common[0]) + 1e-12


def test_thresholds_of_their_own_are_better_on_fresh_articles() -> None:
    scores, truth = scored(1, n=4000)
    fresh_scores, fresh = scores[2000:], truth[2000:]
    scores, truth = scores[:2000], truth[:2000]
    common = fresh_scores >= fit_label_thresholds(scores, truth, shrink=1e300)
    chosen = fresh_scores >= fit_label_thresholds(scores, truth, folds=np.arange(2000) % 5)
    assert micro_f1(fresh, chosen) > micro_f1(fresh, common) + 0.02
    assert macro_f1(fresh, chosen) > macro_f1(fresh, common) + 0.02


def test_the_choice_is_that_of_cross_fitting() -> None:
    random = np.random.default_rng(3)
    chosen = set()
    for seed in range(6):
        scores, truth = scored(seed, n=300, k=30, rarest=0.002) if seed % 2 else lucky(seed)
        folds = random.integers(4, size=len(scores))
        values = {}
        for shrink in SHRINKS:
            assigned = np.zeros_like(truth)
            for fold in range(4):
                held = folds == fold
                assigned[held] = scores[held] >= fit_label_thresholds(
                    scores[~held], truth[~held], shrink=shrink
                )
            values[shrink] = micro_f1(truth, assigned) + macro_f1(truth, assigned)
        best = choose_shrink(scores, truth, folds)
        assert values[best] == max(values.values())
        chosen.add(best)
        expected = fit_label_thresholds(scores, truth, shrink=best)
        assert fit_label_thresholds(scores, truth, folds=folds).tolist() == expected.tolist()
    assert len(chosen) > 1


def test_noise_is_shrunk_more_than_signal() -> None:
    scores, truth = lucky(5)
    assert choose_shrink(scores, truth, np.arange(len(scores)) % 5) >= 10


def test_degenerate_inputs() -> None:
    none = np.zeros((3, 2), np.bool_)
    assert fit_label_thresholds(np.ones((3, 2)), none, folds=np.arange(3)).tolist() == [0.0, 0.0]
    one = fit_label_thresholds(
        np.array([[2.0, -1.0]]), np.array([[True, False]]), folds=np.zeros(1, np.int64)
    )
    assert one.shape == (2,)
    assert -1.0 < one[0] <= 2.0
    assert fit_label_thresholds(np.empty((0, 3)), np.empty((0, 3), np.bool_)).tolist() == [0.0] * 3
    every = fit_label_thresholds(np.array([[1.0], [3.0]]), np.ones((2, 1), np.bool_), shrink=0.0)
    assert every.tolist() == [1.0]


def test_ninety_labels_take_no_time() -> None:
    scores, truth = scored(2, n=8000, k=90, rarest=0.0003)
    start = time.process_time()
    fit_label_thresholds(scores, truth, shrink=5.0)
    assert time.process_time() - start < 1


def test_thousands_of_rare_labels_are_feasible() -> None:
    scores, truth = scored(3, n=1000, k=10_000, rarest=0.0001)
    start = time.process_time()
    thresholds = fit_label_thresholds(scores, truth, shrink=5.0)
    assert time.process_time() - start < 10
    assert np.isfinite(thresholds).all()


@pytest.mark.parametrize(
    ("scores", "truth", "folds", "shrink"),
    [
        ([[1.0]], [[True, False]], None, 5.0),
        ([[1.0]], [[1]], None, 5.0),
        ([[math.nan]], [[True]], None, 5.0),
        ([[1.0]], [[True]], [0, 1], None),
        ([[1.0]], [[True]], None, -1.0),
        ([[1.0]], [[True]], None, math.nan),
        ([1.0], [True], None, 5.0),
    ],
)
def test_what_does_not_fit_is_refused(scores: list, truth: list, folds: list | None, shrink: float) -> None:
    with pytest.raises(UsageError):
        fit_label_thresholds(
            np.array(scores),
            np.array(truth),
            folds=None if folds is None else np.array(folds),
            shrink=shrink,
        )
