"""How sure a difference of scores makes of an order: on pairs of which the chance is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from training.calibration import pairs as module
from training.calibration.pairs import fit_pair_slope
from training.labels import Judgements


def judged(values: Any, groups: Any, flags: bool = False) -> Judgements:
    return Judgements(np.arange(len(values)), np.asarray(values, float), np.asarray(groups, np.str_), flags)


def told(slope: float, groups: int, size: int, seed: int = 0) -> tuple[Any, Judgements]:
    """Worth that is `slope` times the score and a Gumbel variable: the first of two wins by the logistic chance."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=groups * size)
    values = slope * scores + draw.gumbel(size=len(scores))
    return scores, judged(values, np.repeat(np.arange(groups), size))


@pytest.mark.parametrize("slope", [0.2, 1.0, 3.0])
@pytest.mark.parametrize(("groups", "size"), [(6000, 2), (60, 30)])
def test_the_slope_of_simulated_pairs_is_found(slope: float, groups: int, size: int) -> None:
    scores, judgements = told(slope, groups, size)
    assert fit_pair_slope(scores, judgements) == pytest.approx(slope, rel=0.2, abs=0.05)


def test_chances_of_fresh_pairs_come_true() -> None:
    slope = fit_pair_slope(*told(1.5, 100, 20))
    scores, judgements = told(1.5, 400, 20, seed=1)
    lead = scores.reshape(400, 20)[:, 0] - scores.reshape(400, 20)[:, 1]
    won = judgements.values.reshape(400, 20)[:, 0] > judgements.values.reshape(400, 20)[:, 1]
    chance = 1 / (1 + np.exp(-slope * lead))
    for low, high in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        some = (chance >= low) & (chance < high)
        assert won[some].mean() == pytest.approx(chance[some].mean(), abs=0.1)


def test_only_pairs_of_one_group_count() -> None:
    """Between groups the order is the opposite."""
    scores = np.array([0.0, 1.0, 10.0, 11.0] * 40)
    values = np.array([10.0, 11.0, 0.0, 1.0] * 40)
    groups = [f"{i // 4} {i % 4 // 2}" for i in range(160)]
    assert fit_pair_slope(scores, judged(values, groups)) > 5
    assert fit_pair_slope(scores, judged(values, [str(i // 4) for i in range(160)])) == pytest.approx(
        0, abs=0.1
    )


def test_scores_in_the_wrong_order_are_worth_nothing() -> None:
    scores, judgements = told(1.0, 50, 10)
    assert fit_pair_slope(-scores, judgements) == pytest.approx(0.0, abs=0.01)
    random = np.random.default_rng(9).normal(size=500)
    assert fit_pair_slope(random, judgements) < 0.15


def test_pairs_that_are_all_in_order_have_a_finite_slope() -> None:
    scores = np.arange(20.0)
    found = fit_pair_slope(scores, judged(scores, ["g"] * 20))
    assert 5 < found < 20


@pytest.mark.parametrize(
    ("scores", "values", "groups"),
    [
        ([], [], []),
        ([1.0], [1.0], ["a"]),
        ([1.0, 2.0], [1.0, 2.0], ["a", "b"]),  # no two of a group
        ([1.0, 2.0], [1.0, 1.0], ["a", "a"]),  # equal
        ([1.0, 1.0], [1.0, 2.0], ["a", "a"]),  # told apart by nothing
        ([np.nan, 2.0], [1.0, 2.0], ["a", "a"]),  # one was not held out
        ([np.nan, np.nan], [1.0, 2.0], ["a", "a"]),
    ],
)
def test_without_a_telling_pair_the_slope_is_one(scores: Any, values: Any, groups: Any) -> None:
    assert fit_pair_slope(np.array(scores, float), judged(values, groups)) == 1.0


def test_what_was_not_held_out_is_left_out() -> None:
    scores, judgements = told(1.0, 100, 10)
    kept = np.arange(1000) % 3 > 0
    half = judged(judgements.values[kept], judgements.groups[kept])
    blank = fit_pair_slope(np.where(kept, scores, np.nan), judgements)
    assert blank == pytest.approx(fit_pair_slope(scores[kept], half), rel=0.2)


def test_of_very_many_pairs_some_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, judgements = told(1.0, 100, 30)
    whole = fit_pair_slope(scores, judgements)
    monkeypatch.setattr(module, "_PAIRS", 4000)
    assert fit_pair_slope(scores, judgements) == pytest.approx(whole, rel=0.15)
    assert fit_pair_slope(scores, judgements) == fit_pair_slope(scores, judgements)
