"""Filing thresholds on synthetic confidences of which the truth is known: they hold their target, or there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.calibration.thresholds import fit_thresholds

LEVEL = 0.9


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
