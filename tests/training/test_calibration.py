"""Calibration against synthetic scores of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.sections import to_probabilities
from training.calibration import fit_temperature, fit_thresholds, fit_top5
from training.metrics import ece

LEVEL = 0.9


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0])
def test_a_known_temperature_is_found(several: bool, temperature: float) -> None:
    random = np.random.default_rng(0)
    scores = random.normal(0.0, 2.0 * temperature, (20_000, 4))
    probability = to_probabilities(scores, temperature, several=several)
    if several:
        truth = random.random(probability.shape) < probability
    else:
        drawn = (random.random((len(scores), 1)) > probability.cumsum(axis=1)).sum(axis=1)
        truth = np.arange(4) == np.minimum(drawn, 3)[:, None]
    assert fit_temperature(scores, truth, several=several) == pytest.approx(temperature, rel=0.05)


@pytest.mark.parametrize("several", [False, True])
def test_without_scores_the_temperature_is_one(several: bool) -> None:
    assert fit_temperature(np.empty((0, 3)), np.empty((0, 3), np.bool_), several=several) == 1.0


def test_separable_scores_give_a_finite_temperature() -> None:
    assert 0 < fit_temperature(np.eye(3) * 9, np.eye(3, dtype=np.bool_), several=False) < 10


def broken(seed: int, count: int, target: float, *, plateau: bool) -> tuple[bool, bool]:
    """Whether a threshold was found, and whether the precision of fresh articles is under the target there."""
    random = np.random.default_rng(seed)
    confidence = random.random(count) if plateau else random.beta(20, 1, count)
    just_under = np.full(count, target - 0.001)
    correct = random.random(count) < (just_under if plateau else confidence)
    (found,) = fit_thresholds(confidence, correct, [target], level=LEVEL)
    if found.probability is None:
        return False, False
    if plateau:
        return True, True
    fresh = np.random.default_rng(10**6).beta(20, 1, 100_000)
    return True, bool(fresh[fresh >= found.probability].mean() < target)


@pytest.mark.parametrize(("count", "target"), [(300, 0.8), (300, 0.95), (3000, 0.95), (3000, 0.98)])
@pytest.mark.parametrize("plateau", [False, True])
def test_thresholds_hold_their_target_with_the_stated_confidence(
    count: int, target: float, plateau: bool
) -> None:
    """On calibrated scores, and on the hardest: all articles just under the target, so that every threshold breaks it."""
    runs = [broken(seed, count, target, plateau=plateau) for seed in range(150)]
    allowed = 1 - LEVEL + 2 * np.sqrt(LEVEL * (1 - LEVEL) / len(runs))
    assert np.mean([failed for _, failed in runs]) <= allowed
    if not plateau and target < 0.98:
        assert np.mean([given for given, _ in runs]) > 0.5  # it does not hold by giving none


def test_a_perfect_head_files_everything() -> None:
    (found,) = fit_thresholds(np.linspace(0.5, 1, 100), np.ones(100, np.bool_), [0.95], level=LEVEL)
    assert found.probability == 0.5


def test_a_target_that_the_data_cannot_support_is_none() -> None:
    # 0.95 needs 45 articles without an error, 0.99 needs 230: 0.95^45 < 0.1.
    perfect = np.ones(100, np.bool_)
    for count, expected in ((44, [None, None]), (45, [0.9, None])):
        found = fit_thresholds(np.full(count, 0.9), perfect[:count], [0.99, 0.95], level=LEVEL)
        assert [(item.target, item.probability) for item in found] == list(
            zip([0.95, 0.99], expected, strict=True)
        )
    none = fit_thresholds(np.empty(0), np.empty(0, np.bool_), [0.95], level=LEVEL)
    assert none[0].probability is None
    assert fit_thresholds(np.ones(500), np.zeros(500, np.bool_), [0.5], level=LEVEL)[0].probability is None


@given(
    st.lists(st.tuples(st.sampled_from([0.3, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=200),
)
def test_a_threshold_lies_between_articles_not_within_equal_ones(
    pairs: list[tuple[float, bool]],
) -> None:
    confidence, correct = (np.array(item) for item in zip(*pairs, strict=True))
    found = fit_thresholds(confidence, correct, [0.6, 0.8], level=LEVEL)
    order = np.random.default_rng(0).permutation(len(pairs))
    assert fit_thresholds(confidence[order], correct[order], [0.6, 0.8], level=LEVEL) == found
    for item in found:
        if item.probability is not None:
            assert correct[confidence >= item.probability].mean() > item.target
    first, second = (1.0 if item.probability is None else item.probability for item in found)
    assert first <= second


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


@pytest.mark.parametrize("several", [False, True])
def test_scores_that_never_err_keep_a_doubt(several: bool) -> None:
    truth = np.eye(2, dtype=np.bool_)[np.arange(40) % 2]
    scores = np.where(truth, 0.1, -0.1)
    found = to_probabilities(scores, fit_temperature(scores, truth, several=several), several=several)
    assert 0.95 < found[truth].min() <= found[truth].max() < 0.999
