"""Learners against scikit-learn, finite differences, and orders that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge

from training.popularity import learners
from training.popularity.design import Columns, Design
from training.popularity.learners import (
    TOLERANCE,
    Loss,
    Problem,
    Solution,
    _list_loss,
    _logistic_loss,
    _pair_loss,
    fit,
    pairs,
    rough,
)
from training.popularity.recipes import LEARNERS, Learner

EXACT = 1e-12


def design(table: Any) -> Design:
    return Design([Columns(sp.csr_matrix(table))], np.arange(table.shape[0]))


def told(given_: Problem) -> Any:
    """(n, width) the features as they are fitted."""
    return given_.design.table(np.arange(given_.design.width)).toarray()


def problem(count: int = 200, width: int = 12, groups: int = 10, seed: int = 0, **changes: Any) -> Problem:
    """Sparse features of which three tell, groups that are not in order, targets standardised."""
    draw = np.random.default_rng(seed)
    table = draw.normal(size=(count, width)) * (draw.random((count, width)) < 0.3)
    truth = np.zeros(width)
    truth[:3] = (2.0, -1.0, 0.5)
    targets = table @ truth + 0.3 * draw.normal(size=count)
    group = draw.integers(0, groups, count)
    values: dict[str, Any] = {"targets": (targets - targets.mean()) / targets.std(), "groups": group}
    return Problem(design(table), **{**values, **changes})


def emphasised(count: int = 200) -> np.ndarray[Any, Any]:
    weight = 0.5 ** np.linspace(0, 5, count)
    return np.asarray(weight / weight.mean())


@pytest.mark.parametrize("alpha", [0.1, 2.0, 50.0])
@pytest.mark.parametrize("emphasis", [None, emphasised()])
def test_least_squares_are_those_of_ridge(alpha: float, emphasis: Any) -> None:
    given_ = problem(emphasis=emphasis)
    found = fit("squares", given_, alpha, tolerance=EXACT)
    theirs = Ridge(alpha).fit(told(given_), given_.targets, emphasis)
    np.testing.assert_allclose(found.weights, theirs.coef_, rtol=0, atol=1e-6)
    assert found.intercept == pytest.approx(theirs.intercept_, abs=1e-6)


def test_least_squares_with_more_features_than_articles_and_one_that_never_varies() -> None:
    given_ = problem(count=20, width=60)
    table = np.hstack([told(given_), np.ones((20, 1)), np.zeros((20, 1))])
    given_ = replace(given_, design=design(table))
    found = fit("squares", given_, 1.0, tolerance=EXACT)
    theirs = Ridge(1.0).fit(table, given_.targets)
    np.testing.assert_allclose(found.weights, theirs.coef_, rtol=0, atol=1e-6)
    assert found.weights[-2:] == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize("alpha", [0.1, 10.0])
@pytest.mark.parametrize("emphasis", [None, emphasised()])
def test_logistic_regression_is_scikit_learns(alpha: float, emphasis: Any) -> None:
    given_ = problem(emphasis=emphasis, flags=True)
    found = fit("logistic", given_, alpha, tolerance=1e-10)
    hits = given_.targets > 0
    c = 1.0 / (alpha * hits.mean() * (1 - hits.mean()))
    theirs = LogisticRegression(C=c, tol=1e-8, max_iter=1000)
    theirs.fit(told(given_), hits, emphasis)
    np.testing.assert_allclose(found.weights, theirs.coef_[0], rtol=0, atol=1e-3)
    assert found.intercept == pytest.approx(theirs.intercept_[0], abs=1e-3)


LOSSES: dict[str, Callable[[Problem], Loss]] = {
    "logistic": lambda of: _logistic_loss(of, (of.targets > 0).astype(np.float64)),
    "pairwise": _pair_loss,
    "listwise": _list_loss,
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("emphasis", [None, emphasised(30)])
def test_gradients_are_those_of_finite_differences(name: str, emphasis: Any) -> None:
    loss = LOSSES[name](problem(30, groups=4, emphasis=emphasis))
    scores = np.random.default_rng(1).normal(size=30)
    value, gradient = loss(scores)
    assert np.isfinite(value)
    for i in range(30):
        step = np.zeros(30)
        step[i] = 1e-5
        slope = (loss(scores + step)[0] - loss(scores - step)[0]) / 2e-5
        assert gradient[i] == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_extreme_scores_are_finite(name: str) -> None:
    loss = LOSSES[name](problem(30, groups=4))
    for scale in (0.0, 1e3, -1e8):
        value, gradient = loss(np.linspace(-1, 1, 30) * scale)
        assert np.isfinite(value)
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["pairwise", "listwise"])
@given(st.integers(0, 3), st.floats(-5, 5))
def test_order_alone_cannot_tell_the_level_of_a_group(name: str, group: int, level: float) -> None:
    given_ = problem(30, groups=4)
    loss = LOSSES[name](given_)
    scores = np.random.default_rng(1).normal(size=30)
    value, gradient = loss(scores)
    moved = loss(scores + level * (given_.groups == group))
    assert moved[0] == pytest.approx(value)
    np.testing.assert_allclose(moved[1], gradient, atol=1e-9)
    assert np.bincount(given_.groups, gradient) == pytest.approx(np.zeros(4), abs=1e-9)


def concordance(scores: Any, given_: Problem) -> float:
    """The share of pairs of one group in the right order."""
    better, worse, _ = pairs(given_)
    return float((scores[better] > scores[worse]).mean())


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("emphasis", [None, emphasised()])
def test_every_learner_finds_an_order_that_features_tell(learner: Learner, emphasis: Any) -> None:
    draw = np.random.default_rng(3)
    table = np.abs(draw.normal(size=(200, 6)))
    group = draw.integers(0, 10, 200)
    within = table[:, 0] - 2 * table[:, 1]
    within = within - np.array([within[group == g].mean() for g in range(10)])[group]
    given_ = Problem(design(table), within / within.std(), group, emphasis)
    found = fit(learner, given_, 0.01, tolerance=1e-6)
    assert concordance(table @ found.weights, given_) > 0.95
    assert concordance(table @ -found.weights, given_) < 0.05
    heavy = fit(learner, given_, 1e6, tolerance=1e-6)
    assert np.abs(heavy.weights).max() < 0.01 * np.abs(found.weights).max()


def test_order_within_groups_is_what_pairs_and_lists_go_by() -> None:
    """The first feature tells the level of the groups, the second the order inside, against the first."""
    group = np.repeat(np.arange(10), 20)
    inside = np.tile(np.linspace(-1, 1, 20), 10)
    table = np.column_stack([group / 10 - inside, inside])
    standardised = inside / inside.std()
    given_ = Problem(design(table), standardised, group)
    learnt: tuple[Learner, ...] = ("pairwise", "listwise")
    for learner in learnt:
        assert concordance(table @ fit(learner, given_, 0.01).weights, given_) == 1.0


def test_pairs_by_hand() -> None:
    given_ = Problem(
        design(np.zeros((6, 1))), np.array([1.0, 0.0, 3.0, 0.0, 5.0, 5.0]), np.array([0, 0, 1, 0, 2, 2])
    )
    better, worse, weight = pairs(given_)
    assert sorted(zip(better.tolist(), worse.tolist(), weight.tolist(), strict=True)) == [
        (0, 1, pytest.approx(1 / 3)),
        (0, 3, pytest.approx(1 / 3)),
    ]
    emphasis = np.array([2.0, 1.0, 9.0, 0.0, 9.0, 9.0])
    assert pairs(replace(given_, emphasis=emphasis))[2] == pytest.approx([1 / 3, 1 / 3])  # their mean is 1
    nothing = Problem(design(np.zeros((0, 1))), np.empty(0), np.empty(0, np.int64))
    assert [len(part) for part in pairs(nothing)] == [0, 0, 0]


def test_of_very_many_pairs_some_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    given_ = problem(400, groups=3)
    whole = pairs(given_)
    monkeypatch.setattr(learners, "_MOST_PAIRS", 5000)
    some = pairs(given_)
    assert 0.8 * 5000 < len(some[0]) < 1.2 * 5000 < len(whole[0])
    assert some[2].sum() == pytest.approx(whole[2].sum(), rel=0.1)
    told = set(zip(whole[0].tolist(), whole[1].tolist(), strict=True))
    assert set(zip(some[0].tolist(), some[1].tolist(), strict=True)) <= told
    assert all(a.tobytes() == b.tobytes() for a, b in zip(some, pairs(given_), strict=True))


@pytest.mark.parametrize("learner", LEARNERS)
def test_where_a_fit_starts_does_not_decide_where_it_ends(learner: Learner) -> None:
    given_ = problem()
    cold = fit(learner, given_, 1.0, tolerance=1e-9)
    for other in LEARNERS:
        start = Solution(np.random.default_rng(0).normal(size=12), 0.5, other)
        warm = fit(learner, given_, 1.0, tolerance=1e-9, start=start)
        np.testing.assert_allclose(warm.weights, cold.weights, rtol=0, atol=1e-3)
        assert warm.intercept == pytest.approx(cold.intercept, abs=1e-3)


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_start_is_not_worse_than_none(learner: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its own solution there is nothing left to do, from another learner's less than from nothing; of flags that few
    articles have, too."""
    draw = np.random.default_rng(0)
    table = draw.normal(size=(400, 12)) * (draw.random((400, 12)) < 0.3)
    hits = (table[:, 0] - table[:, 1] + 0.3 * draw.normal(size=400)) > 1.3
    assert 0.02 < hits.mean() < 0.1
    targets = (hits - hits.mean()) / hits.std()
    given_ = Problem(design(table), targets, draw.integers(0, 10, 400), flags=True)
    losses: list[float] = []
    asked = learners._asked

    def noting(*given: Any) -> Any:
        curvature, loss, base = asked(*given)

        def noted(scores: Any) -> Any:
            found = loss(scores)
            losses.append(found[0])
            return found

        return curvature, noted, base

    own = fit(learner, given_, 1.0, tolerance=1e-9)
    if learner == "squares":
        assert fit(learner, given_, 1.0, tolerance=1e-6, start=own).weights.tobytes() == own.weights.tobytes()
        return
    squares = fit("squares", given_, 1.0, tolerance=1e-9)
    monkeypatch.setattr(learners, "_asked", noting)
    first = {}
    for name, start in (("nothing", None), ("own", own), ("squares", squares)):
        losses.clear()
        fit(learner, given_, 1.0, tolerance=1e-9, start=start)
        first[name] = losses[0 if name != "squares" else learners._TRIES]
        last = losses[-1]
    assert first["own"] == pytest.approx(last, rel=1e-3)
    assert first["squares"] < first["nothing"]


def test_flags_that_all_have_or_none_are_no_reason_for_weights() -> None:
    """Within one fit there may be hits only, though there are others elsewhere."""
    given_ = replace(problem(flags=True), targets=np.full(200, 0.5))
    found = fit("logistic", given_, 1.0)
    assert np.abs(found.weights).max() < 1.0
    assert np.isfinite(found.intercept)


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_counts_more_decides(learner: Learner) -> None:
    """Two halves of the articles say the opposite."""
    table = np.tile(np.linspace(-1, 1, 20), 10)[:, None]
    sign = np.repeat([1.0, -1.0], 100)
    group = np.repeat(np.arange(10), 20)
    for heavy in (sign > 0, sign < 0):
        emphasis = np.where(heavy, 1.9, 0.1)
        targets = table[:, 0] * sign / table.std()
        found = fit(learner, Problem(design(table), targets, group, emphasis), 0.1)
        assert np.sign(found.weights[0]) == sign[heavy][0]


def test_few_articles_are_fitted_to_the_end_even_to_be_compared() -> None:
    assert rough(9_999) == TOLERANCE
    assert rough(10_000) > TOLERANCE
