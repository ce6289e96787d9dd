"""The chance of the top five on groups of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibration.top5 import fit_top5
from training.metrics import ece


def drawn_groups(seed: int, sizes: list[int], groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores that tell popularity with noise, group sizes, and who is in the group's top five."""
    random = np.random.default_rng(seed)
    scores, all_sizes, hits = [], [], []
    for number in range(groups):
        size = sizes[number % len(sizes)]
        own = random.normal(size=size)
        truth = own + random.normal(size=size)
        scores.append(own)
        all_sizes.append(np.full(size, float(size)))
        hits.append((np.argsort(np.argsort(-truth)) < 5).astype(float))
    return np.concatenate(scores), np.concatenate(all_sizes), np.concatenate(hits)


def test_the_top_five_curve_is_calibrated_on_fresh_groups() -> None:
    curve = fit_top5(*drawn_groups(0, [10, 20, 40], 600))
    assert curve.score_slope > 0.5
    assert curve.size_slope < -0.5
    scores, sizes, hits = drawn_groups(1, [10, 20, 40], 600)
    chances = curve.probability(scores, sizes)
    assert ece(chances, hits) < 0.03
    for size in (10.0, 20.0, 40.0):
        assert chances[sizes == size].mean() == pytest.approx(5 / size, abs=0.03)


def test_groups_of_one_size_say_nothing_about_size() -> None:
    curve = fit_top5(*drawn_groups(0, [12], 200))
    assert curve.size_slope == 0.0
    scores, sizes, _ = drawn_groups(1, [12], 200)
    assert curve.probability(scores, sizes).mean() == pytest.approx(5 / 12, abs=0.02)


def test_more_popular_never_means_less_likely() -> None:
    scores, sizes, hits = drawn_groups(0, [12], 50)
    assert fit_top5(-scores, sizes, hits).score_slope == 0.0


def test_separable_and_missing_scores_give_a_finite_curve() -> None:
    scores = np.linspace(-1, 1, 12)
    curve = fit_top5(scores, np.full(12, 12.0), (scores > scores[6]).astype(float))
    assert all(np.isfinite([curve.intercept, curve.score_slope, curve.size_slope]))
    assert curve.score_slope > 1
    assert fit_top5(np.empty(0), np.empty(0), np.empty(0)).score_slope == 0.0
